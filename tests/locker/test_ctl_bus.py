"""`lockerctl bus`: frames in words, boards found, doors watched, captures taken and played back."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import capture
from firmware_bridge.happenings import Frame
from locker import ctl
from locker.config import load
from locker.control import ask
from locker.ctl import site
from locker.ctl.bus import record, watch
from tests.locker.configured import write
from tests.locker.workplace import Workplace, workplace

FRAMES = json.loads((Path(__file__).parents[1] / "golden" / "frames.json").read_text(encoding="utf-8"))
EVERY_8A = ("xor8a-8", "xor8a-12", "xor8a-24", "xor8a-24-low", "xor8a-24-timed", "xor8a-50")
PROFILES: dict[str, tuple[str, ...]] = {
    "waveshare-v2": ("waveshare-8", "waveshare-d8", "waveshare-io8", "waveshare-16", "waveshare-32"),
    "generic-fc05-8ch": ("fc05-8", "relay8-high"),
    "generic-4ch": ("fc05-4",),
    "mangnimit-stm8": ("fc05-8",),
    "eletechsup-r4": ("eletechsup-r4-8", "eletechsup-n4d3e16"),
    "kerong-cu16": ("kerong-cu16",),
    "kerong-cu48": ("kerong-cu48",),
    "kerong-cu48-modbus": ("kerong-cu48-modbus", "kerong-cu48-modbus-ff"),
    "8a-xor": EVERY_8A,
    "wkly": ("wkly-12", "wkly-24"),
    "winnsen": ("winnsen-16", "winnsen-16-duty"),
}
"""Which profiles speak like the boards of a family in the golden frames."""
FOREIGN = {"kerong-scu": ("kerong-cu16", "kerong-cu48", "waveshare-32")}
"""A family that no profile speaks: its frames are refused."""
NO_BOARDS = {"scanner-gm65", "scanner-honeywell"}


def lockerctl(*words: str) -> int:
    arguments = ctl._parser(list(words)).parse_args(words)
    return int(arguments.run(arguments))


def explained(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the one JSON object that was printed."""
    code = lockerctl("bus", "explain", *words)
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")
    return code, dict(json.loads(out))


def golden() -> Iterator[tuple[str, str, bool]]:
    """Every golden frame under every profile of its family, and whether it holds."""
    for row in FRAMES:
        family = row["board"]
        if family in NO_BOARDS:
            continue
        for name in PROFILES.get(family) or FOREIGN[family]:
            yield name, row["hex"], row.get("check_ok", True) and family in PROFILES
            if row.get("corrected_hex"):
                yield name, row["corrected_hex"], family in PROFILES


def test_every_golden_frame_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for name, frame, holds in golden():
        code, said = explained(capsys, "--profile", name, *frame.lower().split())
        assert (code, said["ok"]) == ((0, True) if holds else (1, False)), (name, frame, said)
        assert said["kind"] != "unknown" if holds else said["reason"]


def test_hex_may_be_written_in_any_way(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = explained(capsys, "--profile", "waveshare-d8", "01 05 02 00 00 07 8D B0")
    assert wanted[1] == {
        "ok": True,
        "kind": "pulse",
        "direction": "either",
        "address": 1,
        "channel": 1,
        "pulse_ms": 700,
    }
    assert explained(capsys, "--profile", "waveshare-d8", "0105020000078db0") == wanted
    assert explained(capsys, "--profile", "waveshare-d8", "01", "05", "0200", "00078DB0") == wanted


def test_an_answer_is_held_against_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--profile", "waveshare-d8", "--request", "010200000008 79CC")
    code, said = explained(capsys, *asked, "010201 00 A188")
    assert (code, said["kind"], said["states"]) == (0, "doors", ["off"] * 8)
    code, said = explained(capsys, *asked, "020201 00 A1CC")
    assert (code, "address 2" in said["reason"]) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ("--profile", "waveshare-9", "01"),
        ("--profile", "waveshare-8", "0105zz"),
        ("--profile", "waveshare-8", "010"),
        ("--profile", "waveshare-8", "--request", "", "01"),
        ("--profile", "waveshare-8"),
        ("01",),
    ],
)
def test_what_cannot_be_meant_is_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: int | str | None = lockerctl("bus", "explain", *words)
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    if "waveshare-9" in words:
        assert "waveshare-d8" in err


def test_without_a_daemon_there_is_nothing_to_watch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write(tmp_path))
    out = tmp_path / "c.jsonl"
    for words in (("watch", "--once"), ("record", "--out", str(out))):
        assert lockerctl("bus", *words, "--config", config) == 1
        assert "no daemon listens" in capsys.readouterr().err
    assert not out.exists()
    assert lockerctl("bus", "scan", "--line", "B", "--config", config) == 2
    assert lockerctl("bus", "scan", "--profiles", "nobody", "--config", config) == 2
    assert "there are" in capsys.readouterr().err


def test_a_capture_that_refuses_something_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path(__file__).parents[1] / "golden" / "captures"
    assert lockerctl("bus", "replay", str(kept / "clean.jsonl")) == 0
    assert "0 unanswered" in capsys.readouterr().out
    assert lockerctl("bus", "replay", str(kept / "noise-and-late.jsonl")) == 1
    assert "too late" in capsys.readouterr().out
    assert lockerctl("bus", "replay", str(tmp_path / "none")) == 1
    assert lockerctl("bus", "replay", "--profile", "A/2=waveshare-8", str(kept / "clean.jsonl")) == 0
    assert "sent to none of these boards" in capsys.readouterr().out


class Line:
    """A daemon that keeps its last frames only."""

    def __init__(self, *answers: range, end: BaseException | None = None) -> None:
        self._answers = list(answers)
        self._end = end or KeyboardInterrupt()

    def ask(self, _config: object, question: Mapping[str, Any]) -> Mapping[str, Any]:
        if "from" not in question:
            return {"last": 0, "frames": []}
        if not self._answers:
            raise self._end
        frames = [n for n in self._answers.pop(0) if n >= question["from"]]
        return {"last": frames[-1], "frames": [[n, n / 1000, n % 2 == 0, "01"] for n in frames]}


def test_frames_that_were_missed_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon kept 20 to 29 when 12 had been seen: seven are gone."""
    out = tmp_path / "c.jsonl"
    monkeypatch.setattr(site, "ask_daemon", Line(range(1, 13), range(20, 30), range(25, 33)).ask)
    assert lockerctl("bus", "record", "--out", str(out), "--config", str(write(tmp_path))) == 1
    assert "7 frames were missed" in capsys.readouterr().err
    numbers = [round(frame.at_s * 1000) for frame in capture.read(out).frames]
    # It begins with a question: the answer to one that is not there helps nobody.
    assert numbers == [*range(2, 13), *range(20, 33)]
    assert lockerctl("bus", "record", "--out", str(out), "--config", str(write(tmp_path))) == 1
    assert "is there already" in capsys.readouterr().err


def test_what_was_recorded_before_the_daemon_went_away_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, gone = tmp_path / "c.jsonl", site.NoAnswer("no daemon listens")
    words = ("bus", "record", "--out", str(out), "--config", str(write(tmp_path)))
    monkeypatch.setattr(site, "ask_daemon", Line(range(2, 13), end=gone).ask)
    assert lockerctl(*words) == 1
    assert "c.jsonl has what came before" in capsys.readouterr().err
    assert len(capture.read(out).frames) == 11


def test_no_frame_is_missed_where_the_last_one_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A number that was taken back, because its bytes never left, is no frame."""
    out = tmp_path / "c.jsonl"
    answers = (range(2, 13), range(12, 16), range(16, 18))
    monkeypatch.setattr(site, "ask_daemon", Line(*answers).ask)
    assert lockerctl("bus", "record", "--out", str(out), "--config", str(write(tmp_path))) == 0
    assert "16 frames" in capsys.readouterr().out


SEEN = {"asked_ms": 1_000, "wall_ms": 0, "opened_ms": 1_420, "shut_ms": 5_420, "how": ""}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (None, ""),
        (SEEN, "9 s ago: open after 0.42 s, shut 4.0 s later"),
        (SEEN | {"shut_ms": None}, "9 s ago: open after 0.42 s"),
        (SEEN | {"opened_ms": None, "shut_ms": None}, "9 s ago: under way"),
        (SEEN | {"opened_ms": None, "how": "stuck"}, "9 s ago: stuck"),
        (SEEN | {"how": "forced"}, "9 s ago: opened unasked"),
    ],
)
def test_a_last_opening_in_words(seen: dict[str, Any] | None, said: str) -> None:
    assert watch._opening(seen, 10_000) == said


def test_a_window_that_is_too_small_says_how_much_it_does_not_show() -> None:
    text = "\n".join("abcdef")
    assert watch.fitted(text, 6) == text
    assert watch.fitted(text, 5).split("\n") == [*"abcd", "… 2 more lines: make the window taller, or --once"]
    assert watch.fitted(text, 1).startswith("… 6 more")


# --- on a simulated cabinet -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("bus"), "--layout", "two-board") as found:
        boards = {"A/1": "waveshare-32", "A/2": "inputs-32"}
        found.wire(boards, [(f"A/1/{n}", f"A/2/{n}") for n in range(1, 5)])
        yield found


def asked(place: Workplace, **question: object) -> Mapping[str, Any]:
    return asyncio.run(ask(load(place.config).control_path, question))


NARROW = ("--addresses", "1-2", "--profiles", "waveshare-16,waveshare-32,inputs-32")
BAD: tuple[dict[str, object], ...] = (
    {"do": "bus inquire", "line": "B", "profile": "waveshare-8", "address": 1, "ask": "identify"},
    {"do": "bus inquire", "line": "A", "profile": "nobody", "address": 1, "ask": "identify"},
    {"do": "bus inquire", "line": "A", "profile": "waveshare-8", "address": 0, "ask": "identify"},
    {"do": "bus inquire", "line": "A", "profile": "waveshare-8", "address": 1, "ask": "doors"},
    {"do": "bus inquire", "line": "A", "profile": "waveshare-8", "address": 1, "ask": "pulse"},
    {"do": "bus inquire", "line": "A", "profile": "waveshare-8", "address": "1", "ask": "identify"},
    {"do": "bus inquire", "line": "A", "profile": "winnsen-16", "address": 150, "ask": "identify"},
    {"do": "bus frames", "line": ["A"]},
    {"do": "bus frames", "line": "A", "from": -1},
    {"do": "bus frames", "line": "A", "wait_ms": 10**9},
    {"do": "bus watch", "wait_ms": "soon"},
)


@pytest.mark.processes
@pytest.mark.timeout(90)
def test_a_technicians_round(place: Workplace) -> None:
    """One daemon for all of it: starting one takes longer than the looks."""
    out = place.folder / "line.jsonl"
    with place.daemon():
        for question in BAD:
            answer = asked(place, **question)
            assert not answer["ok"], question
            assert answer["problem"], question
        scanned = json.loads(place.run("bus", "scan", "--json", *NARROW))
        place.run("bus", "scan", "--baud", "9600", code=1)
        place.run("bus", "record", "--seconds", "1", "--out", out)
        look = json.loads(place.run("bus", "watch", "--once", "--json"))
        table = place.run("bus", "watch", "--once")
        played = place.run("bus", "replay", out)
        refused = place.run("wiring", "learn", "--out", place.folder / "w.toml", code=1)
    (line,) = scanned
    assert [(b["address"], b["profiles"]) for b in line["boards"]] == [
        (1, ["waveshare-32"]),
        (2, ["inputs-32"]),
    ]
    assert capture.replay(out).sound
    assert "board A/2 as inputs-32" in played
    assert [door["position"] for door in look["doors"]] == ["closed"] * 4
    assert [door["level"] for door in look["doors"]] == [True] * 4
    assert "A/2     inputs-32              serving" in table
    assert "is in use by process" in refused
    assert place.pulses() == []


@pytest.mark.processes
@pytest.mark.timeout(90)
def test_beside_a_stopped_daemon_boards_are_found_at_their_speed(place: Workplace) -> None:
    place.faults(echo=True)
    scanned = json.loads(place.run("bus", "scan", "--json", "--baud", "19200,9600", *NARROW))
    assert [(each["baud"], [b["address"] for b in each["boards"]]) for each in scanned] == [
        (19200, []),
        (9600, [1, 2]),
    ]
    assert [["echoes" in said for said in each["remarks"]] for each in scanned][1] == [True]
    place.faults(echo=False, dead=[1, 2])
    silent = place.run("bus", "scan", *NARROW, code=1)
    assert "swap A and B" in silent
    assert "A/1     nobody answers  (CONFIGURED AS waveshare-32)" in silent
    place.faults(dead=[])


GATEWAY = """\
[lines.A]
transport = "modbus-tcp"

[[boards]]
line = "A"
address = 2
profile = "waveshare-16"

[[compartments]]
number = 1
column = 1
row = 1
lock = "A/2/1"
door = "A/3/1"

[[boards]]
line = "A"
address = 3
profile = "inputs-32"
"""


@pytest.mark.processes
@pytest.mark.timeout(90)
def test_boards_behind_a_gateway_are_found(tmp_path: Path) -> None:
    """At address 1 there is nobody: the gateway waits for it longer than any board does."""
    (tmp_path / "cabinet.toml").write_text(GATEWAY)
    with workplace(tmp_path, "--file", str(tmp_path / "cabinet.toml")) as found:
        found.wire({"A/2": "waveshare-16", "A/3": "inputs-32"}, [("A/2/1", "A/3/1")])
        words = ("--addresses", "1-3", "--profiles", "waveshare-16,waveshare-32,inputs-32,winnsen-16")
        (line,) = json.loads(found.run("bus", "scan", "--json", *words))
    assert [(board["address"], board["profiles"]) for board in line["boards"]] == [
        (2, ["waveshare-16"]),
        (3, ["inputs-32"]),
    ]


def test_frames_are_shown_as_they_are_kept() -> None:
    answer = {"last": 2, "frames": [[1, 0.5, True, "0102"], [2, 0.6, False, "ff"]]}
    assert list(record._frames(answer)) == [Frame(1, 0.5, True, b"\1\2"), Frame(2, 0.6, False, b"\xff")]
