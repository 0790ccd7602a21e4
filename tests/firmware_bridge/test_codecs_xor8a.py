"""The 8A codec against frames from sheets and captures, and against all that is almost one."""

from functools import reduce
from itertools import product
from operator import xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import boards
from firmware_bridge.codecs import explain, xor8a
from firmware_bridge.exchange import Answered
from firmware_bridge.request import (
    Bits,
    Done,
    Fits,
    Identify,
    Pulse,
    ReadDoors,
    ReadItems,
    Reply,
    Request,
)
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import SOMEWHERE, asked_on_a_line, telegram

EIGHT, DOZEN, DAY, FIFTY = "xor8a-8", "xor8a-12", "xor8a-24", "xor8a-50"
LOW, TIMED = "xor8a-24-low", "xor8a-24-timed"
ALL = (EIGHT, DOZEN, DAY, FIFTY, LOW, TIMED)
FRAMES = frames.of("8a-xor")
ASK, DOORS = Identify(SOMEWHERE), ReadDoors(SOMEWHERE, 1, 24)
SECOND_SET = bytes.fromhex("80 01 00 00 02 33 B0")
FIRST_FREE, FIRST_HELD = bytes.fromhex("80 01 01 00 80"), bytes.fromhex("80 01 01 11 91")
REPORTS = [bytes.fromhex(frame["hex"]) for frame in FRAMES if "unsolicited" in frame["direction"]]


def pulse(channel: int, pulse_ms: int = 300) -> Pulse:
    return Pulse(SOMEWHERE, channel, pulse_ms, 1.0)


OPENED = frames.golden(
    "8a-xor",
    "unlock reply board 1 lock 1: feedback 00 (= opened, when the lock closes its contact while LOCKED)",
)
STUCK = frames.golden("8a-xor", "unlock board 1 lock 1")


def bits(channels: int, *high: int) -> Bits:
    return Bits(tuple(n in high for n in range(1, channels + 1)))


GOOD: list[tuple[str, Request, bytes, Reply]] = [
    (DAY, pulse(1), OPENED, Done()),
    (DAY, pulse(1), STUCK, Done()),
    (TIMED, pulse(1, 1000), OPENED, Done()),
    (TIMED, pulse(1, 1000), STUCK, Done()),
    (DAY, ASK, FIRST_FREE, Fits()),
    (DAY, ASK, FIRST_HELD, Fits()),
    (DAY, DOORS, SECOND_SET, bits(24, 2)),
    (DAY, ReadDoors(SOMEWHERE, 2, 3), SECOND_SET, Bits((True, False, False))),
    (DAY, ReadItems(SOMEWHERE, 1, 2), SECOND_SET, Bits((False, True))),
    (EIGHT, ReadDoors(SOMEWHERE, 1, 8), SECOND_SET, bits(8, 2)),
    (DOZEN, ReadDoors(SOMEWHERE, 1, 12), bytes.fromhex("80 01 00 08 02 33 B8"), bits(12, 2, 12)),
    (LOW, DOORS, SECOND_SET, bits(24, 18)),
    (LOW, DOORS, bytes.fromhex("80 01 01 00 80 33 33"), bits(24, 1, 24)),
    (FIFTY, ReadDoors(SOMEWHERE, 1, 50), bytes.fromhex("80 01 02 00 00 00 00 00 01 33 B1"), bits(50, 1, 50)),
    (FIFTY, ReadDoors(SOMEWHERE, 49, 2), bytes.fromhex("80 01 FD 00 00 00 00 00 00 33 4F"), bits(2, 1)),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_checksums_are_those_of_the_sheets(frame: dict[str, Any]) -> None:
    raw = bytes.fromhex(frame["hex"])
    assert xor8a.whole(raw) == frame["check_ok"]
    assert (xor8a.frame(*raw[:-1]) == raw) == frame["check_ok"]
    if not frame["check_ok"]:
        assert xor8a.whole(bytes.fromhex(frame["corrected_hex"]))


def test_requests_are_those_of_the_sheets() -> None:
    orders = [frame["hex"] for frame in FRAMES if frame["meaning"].startswith("unlock board")]
    assert len(orders) == 9
    for order in orders:
        raw = bytes.fromhex(order)
        assert telegram(DAY, pulse(raw[2])).data == raw
    assert telegram(DAY, DOORS).data == frames.golden("8a-xor", "query all of board 1")
    assert telegram(DAY, ASK).data == bytes.fromhex("80 01 01 33 B3")
    assert telegram(TIMED, pulse(1, 1000)).data == bytes.fromhex("8A 01 01 11 01 9A")


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_good_replies_are_understood(profile: str, request_: Request, reply: bytes, meaning: Reply) -> None:
    assert telegram(profile, request_).match(reply + b"\x80\x01") == (meaning, len(reply))


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_every_changed_byte_is_refused(profile: str, request_: Request, reply: bytes, meaning: Reply) -> None:
    del meaning
    asked = telegram(profile, request_)
    assert all(frames.fits_nowhere(asked, bad) for bad in frames.changed_in_one_byte(reply))


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_split_at_every_byte_and_behind_noise(
    profile: str, request_: Request, reply: bytes, meaning: Reply
) -> None:
    for answer in frames.each_split(telegram(profile, request_), reply):
        assert answer.reply == meaning


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_two_equal_flips_pass_the_checksum_and_little_else(
    profile: str, request_: Request, reply: bytes, meaning: Reply
) -> None:
    """XOR does not see them. Header, address, lock, end mark and the two levels do, except within levels."""
    asked, status = telegram(profile, request_), range(2, len(reply) - 2)
    for first, second, bit in product(range(len(reply)), range(len(reply)), range(8)):
        bad = bytearray(reply)
        bad[first] ^= 1 << bit
        bad[second] ^= 1 << bit
        if first == second:
            continue
        may_pass = isinstance(meaning, Bits) and {first, second} <= {*status, len(reply) - 1}
        assert may_pass or asked.match(bytes(bad)) is None, bad.hex(" ")


ANOTHER: list[tuple[str, Request, str]] = [
    (DAY, DOORS, "80 02 00 00 02 33"),  # another board
    (DAY, DOORS, "80 01 00 00 02 34"),  # another end mark
    (DAY, DOORS, "80 01 00 02 33"),  # two status bytes
    (DAY, DOORS, "80 01 00 00 00 02 33"),  # four
    (DAY, DOORS, "8A 01 00 00 02 33"),  # another header
    *(
        (DAY, ASK, body)
        for body in ("80 01 02 00", "80 02 01 00", "8A 01 01 00", "80 01 01 33", "80 01 01 01")
    ),
    *(
        (profile, asked, body)
        for profile, asked in ((DAY, pulse(1)), (TIMED, pulse(1, 1000)))
        for body in ("8A 01 02 00", "8A 02 01 00", "80 01 01 00", "8A 01 01 01", "8A 01 00 11")
    ),
]


@pytest.mark.parametrize(("profile", "request_", "body"), ANOTHER)
def test_replies_to_another_question_are_refused(profile: str, request_: Request, body: str) -> None:
    assert frames.fits_nowhere(telegram(profile, request_), xor8a.frame(*bytes.fromhex(body)))


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.hex())
@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_unasked_reports_are_no_answers(
    profile: str, request_: Request, reply: bytes, meaning: Reply, report: bytes
) -> None:
    assert frames.is_no_answer(telegram(profile, request_), report, reply, meaning)


def test_a_poll_that_comes_late_does_not_say_who_the_board_is() -> None:
    late = asked_on_a_line(telegram(DAY, ASK))
    assert late.received(SECOND_SET, 10.1) is None
    answer = late.received(FIRST_HELD, 10.2)
    assert answer is not None
    assert answer.reply == Fits()
    early = asked_on_a_line(telegram(DAY, DOORS))
    assert early.received(FIRST_HELD, 10.1) is None


def test_a_poll_may_begin_like_a_single_answer_so_the_line_runs_dry_as_long_as_it_waited() -> None:
    """Of a board with 24 locks: nothing in the bytes tells the two apart until the end mark has come."""
    poll = bytes.fromhex("80 01 01 00 80 33 33")
    assert telegram(DAY, DOORS).match(poll) == (bits(24, 8, 17), 7)
    assert telegram(DAY, ASK).match(poll) == (Fits(), 5)
    for name in {*ALL} - {TIMED}:
        transport = boards.load(name).transport
        assert transport.drain_ms >= transport.reply_timeout_ms > 2 * transport.turn_around_ms


def test_a_dead_board_behind_an_echoing_adapter_never_opens() -> None:
    """The order comes back, and it is byte for byte what a board says of a lock that did not move."""
    order = telegram(DAY, pulse(1))
    assert order.confirmed_by_echo
    for echo in (True, None):
        line = asked_on_a_line(order, echo=echo)
        assert line.received(order.data, 10.01) is None
        assert line.received(b"\x00" + order.data[:4], 10.3) is None
    dead = telegram(TIMED, pulse(1, 1000))
    assert asked_on_a_line(dead, echo=None).received(dead.data, 10.01) is None


@pytest.mark.parametrize("reply", [OPENED, STUCK], ids=["moved", "stuck"])
@pytest.mark.parametrize("echo", [True, None])
def test_behind_an_echo_the_answer_is_found(reply: bytes, echo: bool | None) -> None:
    order = telegram(DAY, pulse(1))
    line = asked_on_a_line(order, echo=echo)
    assert line.received(order.data, 10.01) is None
    answer = line.received(reply, 10.3)
    assert isinstance(answer, Answered)
    assert answer.reply == Done()


def test_without_an_echo_a_lock_that_did_not_move_is_heard() -> None:
    order = telegram(DAY, pulse(1))
    free = asked_on_a_line(order, echo=False).received(STUCK, 10.3)
    assert free is not None
    assert free.reply == Done()
    assert asked_on_a_line(order, echo=None).received(STUCK, 10.3) is None


def test_a_reads_reply_is_never_its_own_request() -> None:
    for name, address in product(ALL, (1, 16, 31)):
        inputs = boards.load(name).inputs
        assert inputs is not None
        questions: list[Request] = [ASK, *(ReadDoors(SOMEWHERE, 1, n + 1) for n in range(inputs.channels))]
        for asked in questions:
            it = telegram(name, asked, address)
            assert not it.confirmed_by_echo
            assert frames.fits_nowhere(it, it.data)


def test_every_order_is_for_one_lock() -> None:
    """Whatever is asked, what is sent opens the lock that was named, for the time that was named, or asks."""
    for name, address in product(ALL, range(1, 32)):
        locks = boards.load(name).locks
        assert locks is not None
        assert locks.pulse_min_ms == locks.pulse_max_ms == locks.pulse_default_ms == locks.unit_ms
        for lock in range(1, locks.channels + 1):
            order = telegram(name, pulse(lock, locks.pulse_default_ms), address)
            body = bytes([0x8A, address, lock, 0x11]) + (b"\x01" if name == TIMED else b"")
            assert order.data == xor8a.frame(*body)
            if name == TIMED:
                assert frames.fits_nowhere(order, order.data)
        assert telegram(name, ASK, address).data == xor8a.frame(0x80, address, 1, 0x33)
        for first in range(1, locks.channels + 1):
            asked = telegram(name, ReadDoors(SOMEWHERE, first, 1), address).data
            assert asked == xor8a.frame(0x80, address, 0, 0x33)


@pytest.mark.parametrize("address", [-1, 0, 32, 33, 255])
def test_no_other_board_can_be_spoken_to(address: int) -> None:
    requests: list[Request] = [ASK, ReadDoors(SOMEWHERE, 1, 8), pulse(1), pulse(1, 1000)]
    for name, request_ in product(ALL, requests):
        assert frames.cannot_be_said(name, request_, address)


@pytest.mark.parametrize(
    ("profile", "request_"),
    [
        (EIGHT, pulse(9)),
        (DAY, pulse(25)),
        (DAY, pulse(255)),
        (DAY, pulse(256)),
        (DAY, pulse(1, 600)),
        (DAY, pulse(1, 1000)),
        (TIMED, pulse(1, 300)),
        (TIMED, pulse(1, 2000)),
        (EIGHT, ReadDoors(SOMEWHERE, 1, 9)),
        (FIFTY, ReadDoors(SOMEWHERE, 51, 1)),
        *((DAY, request) for request in frames.OF_RELAYS),
    ],
)
def test_what_a_board_lacks_is_refused(profile: str, request_: Request) -> None:
    assert frames.cannot_be_said(profile, request_, 1)


def test_status_bytes_have_room_for_every_channel_and_are_never_the_question() -> None:
    for name in ALL:
        profile = boards.load(name)
        assert isinstance(profile.speech, boards.profile.Xor8a)
        assert profile.inputs is not None
        assert profile.speech.status_bytes > 1
        assert profile.inputs.channels <= 8 * profile.speech.status_bytes


@given(st.sampled_from(GOOD), st.binary(max_size=24), st.binary(max_size=8), st.integers(0, 40))
def test_whatever_comes_is_sound_or_refused(
    good: tuple[str, Request, bytes, Reply], noise: bytes, inserted: bytes, place: int
) -> None:
    profile, request_, reply, _ = good
    asked = telegram(profile, request_)
    for window in (noise, reply[:place] + inserted + reply[place:], inserted + reply[:place] + noise):
        matched = asked.match(window)
        if matched is not None:
            assert reduce(xor, window[: matched[1]]) == 0
            assert window[:2] == asked.data[:2]
        for question in (None, asked.data, noise):
            it = explain(boards.load(profile), window, question)
            assert not it.ok or reduce(xor, window) == 0
