"""Frames from manuals and captures, given to both: what the driver says they mean, the simulator does."""

import json
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.codecs import explain
from tests.contract.joined import group_of, layout_of
from tests.hw_sim.wired import Wired

FILE = Path(__file__).parents[1] / "golden" / "frames.json"
FRAMES: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))
PROFILES = {
    "waveshare-v2": ("waveshare-d8", "waveshare-32"),
    "generic-fc05-8ch": ("fc05-8",),
    "generic-4ch": ("fc05-4",),
    "eletechsup-r4": ("eletechsup-n4d3e16", "eletechsup-r4-8"),
    "kerong-cu16": ("kerong-cu16",),
    "kerong-cu48": ("kerong-cu48",),
    "kerong-cu48-modbus": ("kerong-cu48-modbus", "kerong-cu48-modbus-ff"),
    "8a-xor": ("xor8a-24", "xor8a-24-timed", "xor8a-50"),
    "wkly": ("wkly-12", "wkly-24"),
    "winnsen": ("winnsen-16",),
}
OPENED = 2
"""The door that stands open when a board is asked."""
ASKS = {"read_doors", "identify", "read_coils"}
QUIET = ASKS | {"release", "all_off", "read_modes"}


def requests(*, good: bool) -> list[Any]:
    found = []
    for row in FRAMES:
        if row["board"] in PROFILES and row["direction"] == "host->board":
            texts = [row["hex"]] if (row.get("check_ok") is not False) is good else []
            texts += [row["corrected_hex"]] if good and row.get("corrected_hex") else []
            found += [(profile, text) for text in texts for profile in PROFILES[row["board"]]]
    return sorted(set(found))


def at_its_address(profile: str, address: int) -> Wired:
    wired = Wired(layout_of(group_of(profile, address=address)))
    wired.do(OPENED, "pry")
    return wired


@pytest.mark.parametrize(("profile", "text"), requests(good=True))
def test_a_sound_request_does_what_the_driver_says_of_it(profile: str, text: str) -> None:
    known, frame = boards.load(profile), bytes.fromhex(text)
    said = explain(known, frame)
    if said.address is None or not known.address.min <= said.address <= known.address.max:
        return  # to all boards, or of another kind of board: the driver never sends it
    wired = at_its_address(profile, said.address)
    reply = wired.ask(frame, patience_s=3.0)
    ordered = [(pulse.order.channel, pulse.order.pulse_ms) for pulse in wired.pulses]
    if said.kind == "pulse":
        ((channel, lasts_ms),) = ordered
        assert channel == said.channel
        assert lasts_ms is None or said.pulse_ms is None or lasts_ms <= said.pulse_ms
    elif said.kind in QUIET:
        assert ordered == []
    if said.kind in ASKS:
        answer = explain(known, reply, frame)
        assert answer.ok, answer.reason
        if answer.states is not None and said.kind == "read_doors" and answer.first == 1:
            shown = {n for n, state in enumerate(answer.states, 1) if state in {"open", "off"}}
            unwired = set(range(len(wired.layout.compartments) + 1, len(answer.states) + 1))
            assert shown - unwired == {OPENED}


def test_enough_of_them_are_looked_at() -> None:
    kinds = [explain(boards.load(profile), bytes.fromhex(text)).kind for profile, text in requests(good=True)]
    assert kinds.count("pulse") >= 15
    assert sum(kind in ASKS for kind in kinds) >= 15


@pytest.mark.parametrize(("profile", "text"), requests(good=False))
def test_a_frame_with_a_wrong_checksum_is_heard_by_neither(profile: str, text: str) -> None:
    frame = bytes.fromhex(text)
    assert not explain(boards.load(profile), frame).ok
    for address in (1, 2):
        wired = at_its_address(profile, address)
        assert wired.ask(frame) == b""
        assert wired.pulses == []
