"""docs/boards.md says of every profile what the profile says, and its examples hold."""

import json
import re
import shlex
from pathlib import Path

import pytest

from firmware_bridge import boards
from firmware_bridge.boards import BoardProfile
from firmware_bridge.boards.profile import Modbus
from firmware_bridge.codecs import explain

DOCUMENT = (Path(__file__).parents[2] / "docs" / "boards.md").read_text("utf-8")
NAMES = boards.names()


def pulse(profile: BoardProfile) -> str:
    locks = profile.locks
    if locks is None:
        return "–"
    if locks.pulse_min_ms == locks.pulse_max_ms:
        return str(locks.pulse_default_ms)
    return f"{locks.pulse_min_ms}–{locks.pulse_max_ms}, else {locks.pulse_default_ms}"


def watched(profile: BoardProfile) -> str:
    """What is known of its relays after a pulse, and what can be done about one that stays on."""
    coils = isinstance(profile.speech, Modbus) and profile.speech.coils is not None
    said = ["relays"] * coils + ["all-off"] * (profile.all_off is not None)
    return ", ".join(said) or "–"


def row(name: str) -> str:
    profile = boards.load(name)
    inputs, locks = profile.inputs, profile.locks
    cells = [
        f"`{name}`",
        profile.codec,
        f"{profile.address.min}–{profile.address.max}",
        str(locks.channels) if locks else "–",
        pulse(profile),
        ("yes" if profile.replies_to_pulse else "no") if locks else "–",
        str(inputs.channels) if inputs else "–",
        str(inputs.closed_level) if inputs else "–",
        watched(profile),
        profile.standing,
    ]
    return f"| {' | '.join(cells)} |"


def test_the_table_is_the_profiles() -> None:
    section = DOCUMENT.partition("## All profiles")[2].partition("\n## ")[0]
    written = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    assert written == [row(name) for name in NAMES]


def test_why_a_profile_is_experimental_stands_there_too() -> None:
    written = re.findall(r"^- `([a-z0-9-]+)`: (.+)\.$", DOCUMENT, re.MULTILINE)
    assert dict(written) == {name: why for name in NAMES if (why := boards.load(name).experimental)}
    assert len(written) == len(dict(written))


@pytest.mark.parametrize("name", NAMES)
def test_every_source_is_named(name: str) -> None:
    assert boards.load(name).manual in DOCUMENT


def test_the_example_of_a_new_board_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    profile = boards.parse("my-board", example)
    assert profile.name not in NAMES
    assert profile.locks is not None
    assert profile.inputs is not None


def test_the_frames_are_explained_as_shown() -> None:
    shown = re.findall(r"^\$ lockerctl bus explain (.+)\n(\{.+\})$", DOCUMENT, re.MULTILINE)
    assert len(shown) > 1
    for command, answer in shown:
        words = shlex.split(command)
        options = dict(zip(words[:-1:2], words[1:-1:2], strict=True))
        request = bytes.fromhex(options["--request"]) if "--request" in options else None
        said = explain(boards.load(options["--profile"]), bytes.fromhex(words[-1]), request)
        assert json.loads(json.dumps(said.as_dict())) == json.loads(answer)
