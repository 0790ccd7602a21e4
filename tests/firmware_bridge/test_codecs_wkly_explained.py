"""WKLY frames in words: alone, and as the reply to a request."""

from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.codecs import explain, wkly
from firmware_bridge.codecs.codec import Explained
from firmware_bridge.request import Bits, Done, Failed, Fits, Reply, Request
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import telegram
from tests.firmware_bridge.test_codecs_wkly import DAY, DOORS, FAILED, GOOD, MIXED, OPENED, REPORT, pulse

FRAMES = frames.of("wkly")


def said(frame: bytes, request: bytes | None = None) -> Explained:
    return explain(boards.load(DAY), frame, request)


WORDS = {
    "open 1,2,3 at once, board 0": "other",
    "flash channel 1 LED": "other",
    "open lock 1": "pulse",
    "status of lock 1": "identify",
    "open all": "open_all",
    "open 1,2,3 one after the other": "other",
    "open lock 1 of board 1": "pulse",
    "open lock 1 of board 10": "pulse",
    "open several ok": "done",
    "open several FAILED": "failed",
    "open ok ch 1, state 00 = open": "pulse",
    "status ch 7 = open": "doors",
    "all status, 24 ch, all open": "doors",
    "all status, 4 ch: open,closed,closed,open": "doors",
    "close channel ok ch 3": "done",
    "door change upload ch 2 = open": "report",
}


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_every_frame_of_the_vendor_is_explained(frame: dict[str, Any]) -> None:
    it, raw = said(bytes.fromhex(frame["hex"])), bytes.fromhex(frame["hex"])
    assert it.ok
    assert it.kind == WORDS[frame["meaning"]]
    assert it.address == raw[5]
    direction = (
        "report"
        if "unsolicited" in frame["direction"]
        else "request"
        if "host->" in frame["direction"]
        else "reply"
    )
    assert it.direction == direction


def test_what_frames_say() -> None:
    assert said(wkly.frame(3, 0x82, b"\x05")) == Explained(True, "pulse", "request", 3, 5, 500)
    assert said(OPENED) == Explained(True, "pulse", "reply", 0, 1, 500, first=1, states=("open",))
    assert said(wkly.frame(0, 0x84)) == Explained(True, "read_doors", "request", 0, first=1, count=24)
    assert said(MIXED).states == ("closed", "open", "unknown", "unknown", *("closed",) * 20)
    four = said(frames.golden("wkly", "all status, 4 ch: open,closed,closed,open"))
    assert four.states == ("open", "closed", "closed", "open")
    assert four.reason == "4 channels, not 24"
    assert (said(FAILED).kind, said(FAILED).code) == ("failed", 0xFF)
    assert said(wkly.frame(0, 0x82, b"\x19")).kind == "other"
    assert said(wkly.frame(0, 0x82, b"\x00")).kind == "other"
    assert said(wkly.frame(0, 0x83, b"\x07")).kind == "other"
    assert said(wkly.frame(0, 0x82, b"\x01\x01\x01")).kind == "other"


@pytest.mark.parametrize("lock", [0, 25, 255])
def test_what_is_said_of_a_lock_that_is_none_is_no_door(lock: int) -> None:
    for command, data in ((0x82, [0, lock, 1]), (0x83, [0, lock, 1]), (0x85, [lock, 1])):
        it = said(wkly.frame(0, command, bytes(data)))
        assert (it.kind, it.states) == ("other", None)


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_answers_are_explained_by_their_questions(
    profile: str, request_: Request, reply: bytes, meaning: Reply
) -> None:
    it = explain(boards.load(profile), reply, telegram(profile, request_, 0).data)
    assert it.ok
    assert it.direction == "reply"
    kind = {Done: "pulse", Failed: "failed", Fits: "identify", Bits: "doors"}[type(meaning)]
    assert it.kind == kind


@pytest.mark.parametrize(
    ("answer", "request_", "why"),
    [
        (wkly.frame(1, 0x82, b"\x00\x01\x00"), pulse(1), "address 1"),
        (wkly.frame(0, 0x83, b"\x00\x01\x00"), pulse(1), "answers 83"),
        (wkly.frame(0, 0x82, b"\x00\x02\x00"), pulse(1), "another lock"),
        (wkly.frame(0, 0x82, b"\x01"), pulse(1), "echo"),
        (REPORT, pulse(1), "unasked"),
        (OPENED[:-1], pulse(1), "not whole"),
        (OPENED[:-1] + b"\x80", pulse(1), "checksum"),
        (wkly.frame(0, 0x84, b"\x00\x04\x00\x01\x01\x00"), DOORS, "count"),
    ],
)
def test_what_does_not_answer_says_why(answer: bytes, request_: Request, why: str) -> None:
    assert frames.refused(said(answer, telegram(DAY, request_, 0).data), why)


@pytest.mark.parametrize(
    ("frame", "request_", "why"),
    [
        (OPENED, wkly.frame(0, 0x86), "none that is ever sent"),
        (OPENED, wkly.frame(0, 0x82, b"\x19"), "none that is ever sent"),
        (OPENED, b"WKLY", "none that is ever sent"),
        (wkly.frame(32, 0x83, b"\x01"), None, "address 32"),
        (wkly.frame(0, 0x90, b"\x01"), None, "command 90"),
        (wkly.frame(0, 0x84, b"\x00\x02\x01"), None, "do not go together"),
        (wkly.frame(0, 0x84, b"\x00"), None, "do not go together"),
        (b"WKLY" + bytes(300), None, "not whole"),
    ],
)
def test_what_is_refused_says_why(frame: bytes, request_: bytes | None, why: str) -> None:
    assert frames.refused(said(frame, request_), why)
