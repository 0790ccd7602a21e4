"""Frames of the 8A family in words: alone, and as the reply to a request."""

from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.codecs import explain
from firmware_bridge.codecs.codec import Explained
from tests.firmware_bridge import frames

EIGHT, DAY, FIFTY = "xor8a-8", "xor8a-24", "xor8a-50"
LOW, TIMED = "xor8a-24-low", "xor8a-24-timed"
FRAMES = frames.of("8a-xor")


def said(hexadecimal: str, profile: str = DAY, request: str = "") -> Explained:
    asked = bytes.fromhex(request) or None
    return explain(boards.load(profile), bytes.fromhex(hexadecimal), asked)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_every_frame_of_the_sheets_is_explained(frame: dict[str, Any]) -> None:
    it = said(frame["hex"])
    assert it.ok == frame["check_ok"]
    if not it.ok:
        assert "checksum" in it.reason
        return
    raw = bytes.fromhex(frame["hex"])
    assert it.address == raw[1]
    expected = {0x8A: "pulse", 0x81: "report", 0x90: "other"}.get(raw[0], it.kind)
    assert it.kind == expected
    if it.kind in {"pulse", "report"}:
        assert it.channel == raw[2]


def test_what_frames_say() -> None:
    assert said("8A 01 04 11 9E").direction == "either"
    assert said("8A 01 04 00 8F") == Explained(True, "pulse", "reply", 1, 4, 300, first=4, states=("open",))
    assert said("80 01 00 33 B2") == Explained(True, "read_doors", "request", 1, first=1, count=24)
    assert said("80 01 01 33 B3").kind == "identify"
    assert said("80 01 07 00 86").states == ("open",)
    doors = said("80 01 00 00 02 33 B0")
    assert (doors.kind, doors.first) == ("doors", 1)
    assert doors.states == tuple("closed" if n == 2 else "open" for n in range(1, 25))
    assert said("80 01 00 00 02 33 B0", LOW).states == tuple(
        "closed" if n == 18 else "open" for n in range(1, 25)
    )
    assert said("82 01 01 11 93").kind == "report"
    assert said("82 01 0C 11 9E", EIGHT).kind == "other"
    assert said("82 01 00 22 A1").kind == "other"
    assert said("8A 01 00 11 9A").kind == "open_all"
    assert "2, 10, 18" in said("90 01 02 02 02 93").reason
    assert said("9A 01 03 11 89").kind == "other"
    assert said("80 01 00 00 02 33 B0", FIFTY).kind == "other"
    assert said("8A 01 0C 11 96", EIGHT).kind == "other"


def test_the_timed_order_is_told_from_the_plain_one() -> None:
    order = "8A 01 01 11 01 9A"
    assert said(order, TIMED) == Explained(True, "pulse", "request", 1, 1, 1000)
    assert said(order, DAY).kind == "other"
    assert said("8A 01 01 11 05 9E", TIMED).kind == "other"
    assert said("8A 01 01 11 9B", TIMED).direction == "reply"
    assert said("8A 01 01 00 8A", TIMED, order).pulse_ms == 1000


@pytest.mark.parametrize(
    ("hexadecimal", "request_", "kind"),
    [
        ("8A 01 01 00 8A", "8A 01 01 11 9B", "pulse"),
        ("8A 01 01 11 9B", "8A 01 01 11 9B", "pulse"),
        ("80 01 01 11 91", "80 01 01 33 B3", "identify"),
        ("80 01 00 00 02 33 B0", "80 01 00 33 B2", "doors"),
    ],
)
def test_answers_are_explained_by_their_questions(hexadecimal: str, request_: str, kind: str) -> None:
    it = said(hexadecimal, DAY, request_)
    assert it.ok
    assert it.kind == kind
    assert it.direction == ("either" if hexadecimal == request_ else "reply")


@pytest.mark.parametrize(
    ("hexadecimal", "request_", "why"),
    [
        ("8A 02 01 00 89", "8A 01 01 11 9B", "address 2"),
        ("8A 01 02 00 89", "8A 01 01 11 9B", "lock 2"),
        ("80 01 01 00 80", "8A 01 01 11 9B", "header 80"),
        ("81 01 01 00 81", "8A 01 01 11 9B", "unasked"),
        ("80 01 00 33 B2", "80 01 00 33 B2", "echo"),
        ("80 01 00 00 02 34 B7", "80 01 00 33 B2", "another length"),
        ("80 01 00 00 02 33 B1", "80 01 00 33 B2", "checksum"),
        ("8A 01 01 00 8A", "8A 01 00 11 9A", "none that is ever sent"),
        ("8A 01 01 00 8A", "8A 01 01 11 9C", "none that is ever sent"),
        ("8A C8 01 00 43", "", "address 200"),
        ("13 01 02 03 13", "", "header 13"),
        ("8A", "", "not whole"),
    ],
)
def test_what_is_refused_says_why(hexadecimal: str, request_: str, why: str) -> None:
    assert frames.refused(said(hexadecimal, DAY, request_), why)
