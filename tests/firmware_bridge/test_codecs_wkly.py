"""The WKLY codec against the vendor's frames, and against all that is almost one."""

from functools import reduce
from itertools import product
from operator import xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import boards
from firmware_bridge.codecs import explain, wkly
from firmware_bridge.request import (
    Bits,
    Done,
    Failed,
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

DOZEN, DAY = "wkly-12", "wkly-24"
FRAMES = frames.of("wkly")
ASK, DOORS = Identify(SOMEWHERE), ReadDoors(SOMEWHERE, 1, 24)
REPORT = frames.golden("wkly", "door change upload ch 2 = open")
ALL_OPEN = frames.golden("wkly", "all status, 24 ch, all open")
OPENED = frames.golden("wkly", "open ok ch 1, state 00 = open")
FAILED = wkly.frame(0, 0x82, b"\xff\x01\x01")
ITSELF = wkly.frame(0, 0x83, b"\x00\x01\x01")
MIXED = wkly.frame(0, 0x84, b"\x00\x18" + b"\x01\x00\x02\xff" + bytes([1] * 20))


def pulse(channel: int, pulse_ms: int = 500) -> Pulse:
    return Pulse(SOMEWHERE, channel, pulse_ms, 1.0)


GOOD: list[tuple[str, Request, bytes, Reply]] = [
    (DAY, pulse(1), OPENED, Done()),
    (DAY, pulse(1), wkly.frame(0, 0x82, b"\x00\x01\x01"), Done()),
    (DAY, pulse(1), FAILED, Failed(0xFF)),
    (DAY, ASK, ITSELF, Fits()),
    (DAY, ASK, wkly.frame(0, 0x83, b"\x00\x01\xff"), Fits()),
    (DAY, DOORS, ALL_OPEN, Bits((False,) * 24)),
    (DAY, DOORS, MIXED, Bits((True, False, None, None, *(True,) * 20))),
    (DAY, ReadDoors(SOMEWHERE, 2, 3), MIXED, Bits((False, None, None))),
    (DAY, ReadItems(SOMEWHERE, 1, 2), MIXED, Bits((True, False))),
    (
        DOZEN,
        ReadDoors(SOMEWHERE, 1, 12),
        wkly.frame(0, 0x84, b"\x00\x0c" + bytes(11) + b"\x01"),
        Bits((*(False,) * 11, True)),
    ),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_checksums_are_the_vendors(frame: dict[str, Any]) -> None:
    raw = bytes.fromhex(frame["hex"])
    assert wkly.whole(raw)
    assert wkly.frame(raw[5], raw[6], raw[7:-1]) == raw


@pytest.mark.parametrize(
    ("address", "request_", "meaning"),
    [
        (0, pulse(1), "open lock 1"),
        (1, pulse(1), "open lock 1 of board 1"),
        (10, pulse(1), "open lock 1 of board 10"),
        (0, ASK, "status of lock 1"),
    ],
)
def test_requests_are_the_vendors(address: int, request_: Request, meaning: str) -> None:
    assert telegram(DAY, request_, address).data == frames.golden("wkly", meaning)


def test_the_poll_asks_for_all_channels() -> None:
    assert telegram(DAY, DOORS, 0).data == bytes.fromhex("57 4B 4C 59 08 00 84 85")


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_good_replies_are_understood(profile: str, request_: Request, reply: bytes, meaning: Reply) -> None:
    assert telegram(profile, request_, 0).match(reply + b"WKLY") == (meaning, len(reply))


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_every_changed_byte_is_refused(profile: str, request_: Request, reply: bytes, meaning: Reply) -> None:
    del meaning
    asked = telegram(profile, request_, 0)
    assert all(frames.fits_nowhere(asked, bad) for bad in frames.changed_in_one_byte(reply))


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_split_at_every_byte_and_behind_noise(
    profile: str, request_: Request, reply: bytes, meaning: Reply
) -> None:
    for answer in frames.each_split(telegram(profile, request_, 0), reply):
        assert answer.reply == meaning


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_two_equal_flips_pass_the_checksum_but_never_make_a_door_closed(
    profile: str, request_: Request, reply: bytes, meaning: Reply
) -> None:
    """Unless both fall on the lowest bit, in which open and closed differ."""
    asked = telegram(profile, request_, 0)
    for first, second, bit in product(range(len(reply)), range(len(reply)), range(1, 8)):
        bad = bytearray(reply)
        bad[first] ^= 1 << bit
        bad[second] ^= 1 << bit
        matched = asked.match(bytes(bad))
        if first == second or matched is None:
            continue
        found = matched[0]
        if isinstance(meaning, Bits) and isinstance(found, Bits):
            assert all(
                new in {old, None} or old is None
                for old, new in zip(meaning.levels, found.levels, strict=True)
            )
        else:
            assert found == meaning == Fits()


ANOTHER: list[tuple[Request, int, int, bytes]] = [
    (pulse(1), 1, 0x82, b"\x00\x01\x00"),  # another board
    (pulse(1), 0, 0x82, b"\x00\x02\x00"),  # another lock
    (pulse(1), 0, 0x83, b"\x00\x01\x00"),  # another command
    (pulse(1), 0, 0x82, b"\x01\x01\x00"),  # a status that does not exist
    (pulse(1), 0, 0x82, b"\x00\x01\x02"),  # a state that does not exist
    (pulse(1), 0, 0x82, b"\xff\x01\x00"),  # failed, and yet open
    (pulse(1), 0, 0x82, b"\x00\x01"),
    (pulse(1), 0, 0x82, b"\xff"),
    (pulse(1), 0, 0x86, b"\x00"),
    (ASK, 0, 0x83, b"\x00\x02\x01"),
    (ASK, 0, 0x83, b"\xff\x01\x01"),
    (ASK, 0, 0x84, b"\x00\x01\x01"),
    (DOORS, 0, 0x84, b"\xff\x18" + bytes(24)),
    (DOORS, 0, 0x84, b"\x00\x0c" + bytes(12)),  # another number of channels
    (DOORS, 0, 0x84, b"\x00\x18" + bytes(23)),
    (DOORS, 0, 0x84, b"\x00\x17" + bytes(24)),
    (DOORS, 2, 0x84, b"\x00\x18" + bytes(24)),
]


@pytest.mark.parametrize(("request_", "address", "command", "data"), ANOTHER)
def test_replies_to_another_question_are_refused(
    request_: Request, address: int, command: int, data: bytes
) -> None:
    assert frames.fits_nowhere(telegram(DAY, request_, 0), wkly.frame(address, command, data))


@pytest.mark.parametrize(("profile", "request_", "reply", "meaning"), GOOD)
def test_unasked_reports_are_no_answers(
    profile: str, request_: Request, reply: bytes, meaning: Reply
) -> None:
    assert frames.is_no_answer(telegram(profile, request_, 0), REPORT, reply, meaning)


def test_a_poll_that_comes_late_does_not_say_who_the_board_is() -> None:
    late = asked_on_a_line(telegram(DAY, ASK, 0))
    assert late.received(ALL_OPEN, 10.1) is None
    answer = late.received(ITSELF, 10.2)
    assert answer is not None
    assert answer.reply == Fits()
    assert asked_on_a_line(telegram(DAY, DOORS, 0)).received(ITSELF, 10.1) is None


@pytest.mark.parametrize("echo", [True, False, None])
def test_an_echo_is_never_an_answer(echo: bool | None) -> None:
    for request_, reply in ((ASK, ITSELF), (DOORS, ALL_OPEN), (pulse(1), OPENED)):
        asked = telegram(DAY, request_, 0)
        assert not asked.confirmed_by_echo
        line = asked_on_a_line(asked, echo=echo)
        assert line.received(asked.data, 10.01) is None
        assert line.received(asked.data, 10.02) is None
        answer = line.received(reply, 10.2)
        assert answer is not None
        assert line.echo


def test_every_order_is_for_one_lock() -> None:
    """Whatever is asked, what is sent opens the lock that was named, or asks."""
    for name, address in product((DOZEN, DAY), range(32)):
        locks = boards.load(name).locks
        assert locks is not None
        assert locks.pulse_min_ms == locks.pulse_max_ms == locks.pulse_default_ms == locks.unit_ms
        for lock in range(1, locks.channels + 1):
            order = telegram(name, pulse(lock), address).data
            assert order[:-1] == b"WKLY" + bytes([9, address, 0x82, lock])
            polled = telegram(name, ReadDoors(SOMEWHERE, lock, 1), address).data
            assert polled[:-1] == b"WKLY" + bytes([8, address, 0x84])
        assert telegram(name, ASK, address).data[:-1] == b"WKLY" + bytes([9, address, 0x83, 1])


@pytest.mark.parametrize("address", [-1, 32, 255])
def test_no_other_board_can_be_spoken_to(address: int) -> None:
    for request_ in (ASK, DOORS, pulse(1)):
        assert frames.cannot_be_said(DAY, request_, address)


@pytest.mark.parametrize(
    ("profile", "request_"),
    [
        (DOZEN, pulse(13)),
        (DAY, pulse(25)),
        (DAY, pulse(256)),
        (DAY, pulse(1, 300)),
        (DAY, pulse(1, 1000)),
        (DOZEN, ReadDoors(SOMEWHERE, 1, 13)),
        *((DAY, request) for request in frames.OF_RELAYS),
    ],
)
def test_what_a_board_lacks_is_refused(profile: str, request_: Request) -> None:
    assert frames.cannot_be_said(profile, request_, 0)


@given(st.sampled_from(GOOD), st.binary(max_size=24), st.binary(max_size=8), st.integers(0, 40))
def test_whatever_comes_is_sound_or_refused(
    good: tuple[str, Request, bytes, Reply], noise: bytes, inserted: bytes, place: int
) -> None:
    profile, request_, reply, _ = good
    asked = telegram(profile, request_, 0)
    for window in (
        noise,
        reply[:place] + inserted + reply[place:],
        b"WKLY" + noise,
        inserted + reply[:place],
    ):
        matched = asked.match(window)
        if matched is not None:
            assert window[4] == matched[1]
            assert reduce(xor, window[: matched[1]]) == 0
            assert window[5:7] == asked.data[5:7]
        for question in (None, asked.data, noise):
            it = explain(boards.load(profile), window, question)
            assert not it.ok or (window[4] == len(window) and reduce(xor, window) == 0)
