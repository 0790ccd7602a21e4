"""The Kerong codec against frames from outside, and against all that is almost one."""

import random  # noqa: TID251  # seeded noise
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.boards.profile import Addresses
from firmware_bridge.codecs import encode, explain
from firmware_bridge.codecs.kerong import sealed
from firmware_bridge.errors import ProfileError, RequestError
from firmware_bridge.request import (
    Bits,
    Fits,
    Identify,
    Pulse,
    ReadDoors,
    ReadItems,
    Request,
)
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import SOMEWHERE

CU16, CU48 = "kerong-cu16", "kerong-cu48"
FRAMES = [*frames.of(CU16), *frames.of(CU48)]
DOORS, ITEMS = ReadDoors(SOMEWHERE, 1, 16), ReadItems(SOMEWHERE, 17, 16)
ALL_SHUT = frames.golden(CU16, "status reply: all 16 hooks closed, no IR")
FIRST_OPEN = frames.golden(CU16, "status reply: lock #1 open")
FIRST_FULL = frames.golden(CU16, "status reply: all closed, IR item in #1")
SIX_ANSWER = sealed(3, 0, 0x75, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F)
"""Board 3, locks 1 and 48 open, in the layout that is assumed."""


def text(profile: str) -> str:
    return resources.files(boards).joinpath(f"{profile}.toml").read_text("utf-8")


def pulse(channel: int, pulse_ms: int = 500) -> Pulse:
    return Pulse(SOMEWHERE, channel, pulse_ms, 1.0)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_sums_are_those_from_outside(frame: dict[str, Any]) -> None:
    raw = bytes.fromhex(frame["hex"])
    assert sealed(*raw[1:-2]) == raw


@pytest.mark.parametrize(
    ("profile", "address", "request_", "meaning"),
    [
        (CU16, 0, Identify(SOMEWHERE), "get status of CU 0 (lock nibble 0)"),
        (CU16, 0, DOORS, "get status of CU 0 (lock nibble 0)"),
        (CU16, 0, ITEMS, "get status of CU 0 (lock nibble 0)"),
        (CU16, 0, pulse(1), "unlock CU 0 lock 0 (=#1)"),
        (CU16, 0, pulse(16), "unlock CU 0 lock 15 (=#16)"),
        (CU16, 1, pulse(16), "unlock CU 1 lock 15"),
        (CU48, 0, Identify(SOMEWHERE), "detect/status of CU 0"),
        (CU48, 0, ReadDoors(SOMEWHERE, 1, 48), "detect/status of CU 0"),
        (CU48, 0, pulse(1), "open CU 0 lock 0"),
    ],
)
def test_requests_are_those_from_outside(profile: str, address: int, request_: Request, meaning: str) -> None:
    assert frames.telegram(profile, request_, address).data == frames.golden(profile, meaning)


GOOD = [
    (CU16, 0, DOORS, ALL_SHUT, Bits((True,) * 16)),
    (CU16, 0, DOORS, FIRST_OPEN, Bits((False, *(True,) * 15))),
    (CU16, 0, ITEMS, FIRST_OPEN, Bits((False,) * 16)),
    (CU16, 0, ITEMS, FIRST_FULL, Bits((True, *(False,) * 15))),
    (CU16, 0, ReadDoors(SOMEWHERE, 16, 2), FIRST_FULL, Bits((True, True))),
    (CU16, 0, Identify(SOMEWHERE), FIRST_OPEN, Fits()),
    (CU48, 3, ReadDoors(SOMEWHERE, 1, 48), SIX_ANSWER, Bits((False, *(True,) * 46, False))),
    (CU48, 3, ReadDoors(SOMEWHERE, 48, 1), SIX_ANSWER, Bits((False,))),
    (CU48, 3, Identify(SOMEWHERE), SIX_ANSWER, Fits()),
]


@pytest.mark.parametrize(("profile", "address", "request_", "reply", "means"), GOOD)
def test_replies_are_understood_split_anywhere_and_behind_noise(
    profile: str, address: int, request_: Request, reply: bytes, means: object
) -> None:
    asked = frames.telegram(profile, request_, address)
    assert asked.match(reply) == (means, len(reply))
    assert all(answer.reply == means for answer in frames.each_split(asked, reply))


@pytest.mark.parametrize(("profile", "address", "request_", "reply", "means"), GOOD)
def test_every_changed_byte_is_refused(
    profile: str, address: int, request_: Request, reply: bytes, means: object
) -> None:
    del means
    asked = frames.telegram(profile, request_, address)
    for bad in frames.changed_in_one_byte(reply):
        assert frames.fits_nowhere(asked, bad), bad.hex(" ")
        assert not explain(boards.load(profile), bad).ok


@pytest.mark.parametrize(
    "other",
    [
        sealed(0x10, 0x35, 0xFF, 0xFF, 0, 0),  # another board
        sealed(0x01, 0x35, 0xFF, 0xFF, 0, 0),  # of a lock, which was not asked
        sealed(0x00, 0x36, 0xFF, 0xFF, 0, 0),  # another answer
        sealed(0x00, 0x35, 0xFF, 0xFF, 0),  # shorter
        sealed(0x00, 0x35, 0xFF, 0xFF, 0, 0, 0),  # longer
        sealed(0x00, 0x30),  # the question
        sealed(0x00, 0x31),  # another question
    ],
    ids=lambda frame: frame.hex(" "),
)
def test_replies_to_another_question_are_refused(other: bytes) -> None:
    for request_ in (DOORS, ITEMS, Identify(SOMEWHERE)):
        assert frames.fits_nowhere(frames.telegram(CU16, request_, 0), other)
    assert not explain(boards.load(CU16), other, sealed(0x00, 0x30)).ok


@pytest.mark.parametrize(
    "other",
    [
        sealed(4, 0, 0x75, *(0xFF,) * 6),  # another board
        sealed(3, 1, 0x75, *(0xFF,) * 6),  # of a lock
        sealed(3, 0, 0x75, 6, *(0xFF,) * 6),  # a length byte before it: the other layout
        sealed(3, 0, 0x75, *(0xFF,) * 5),  # not all locks
        sealed(3, 0, 0x60),  # the question
    ],
    ids=lambda frame: frame.hex(" "),
)
def test_another_layout_of_48_locks_is_never_read_as_the_assumed_one(other: bytes) -> None:
    asked = frames.telegram(CU48, ReadDoors(SOMEWHERE, 1, 48), 3)
    assert asked.match(other) is None
    assert not explain(boards.load(CU48), other, sealed(3, 0, 0x60)).ok


def test_where_a_length_byte_is_expected_it_must_be_right() -> None:
    profile = boards.parse("mine", text(CU48).replace("status_offset = 4", "status_offset = 5"))
    asked = encode(profile, 3, ReadDoors(SOMEWHERE, 1, 48))
    good = sealed(3, 0, 0x75, 6, 0xFE, *(0xFF,) * 5)
    assert asked.match(good) == (Bits((False, *(True,) * 47)), 13)
    assert asked.match(sealed(3, 0, 0x75, 7, 0xFE, *(0xFF,) * 5)) is None
    assert asked.match(SIX_ANSWER) is None


@pytest.mark.parametrize("profile", [CU16, CU48])
def test_nothing_that_comes_after_an_unlock_acknowledges_it(profile: str) -> None:
    """Integrators saw silence, a status, and noise: the sensor settles it."""
    asked = frames.telegram(profile, pulse(1), 0)
    status = frames.telegram(profile, Identify(SOMEWHERE), 0)
    answers = (ALL_SHUT, FIRST_OPEN, sealed(0, 0, 0x75, *(0xFF,) * 6), sealed(0, 0, 0x75, 0), asked.data)
    for answer in (*answers, status.data):
        assert frames.fits_nowhere(asked, answer)
        assert not explain(boards.load(profile), answer, asked.data).ok
    assert not boards.load(profile).replies_to_pulse


@pytest.mark.parametrize("profile", [CU16, CU48])
def test_a_late_answer_has_the_shape_of_the_next_and_is_waited_out(profile: str) -> None:
    """Nothing in the bytes tells them apart, so the line runs dry for as long as an answer may be late."""
    transport = boards.load(profile).transport
    assert transport.drain_ms >= transport.reply_timeout_ms
    asked = frames.telegram(profile, Identify(SOMEWHERE), 0)
    exchange = frames.asked_on_a_line(asked)
    exchange.expire(11.0, transport.drain_ms / 1000)
    assert exchange.received(ALL_SHUT, 11.1) is None
    assert exchange.ready_s() >= 11.0 + transport.reply_timeout_ms / 1000


@pytest.mark.parametrize("profile", [CU16, CU48])
def test_an_echo_is_no_answer(profile: str) -> None:
    requests: list[Request] = [Identify(SOMEWHERE), ReadDoors(SOMEWHERE, 1, 16), pulse(1), pulse(16)]
    for request_ in requests:
        asked = frames.telegram(profile, request_, 0)
        assert not asked.confirmed_by_echo
        assert frames.fits_nowhere(asked, asked.data)
    exchange = frames.asked_on_a_line(frames.telegram(CU16, DOORS, 0), echo=None)
    assert exchange.received(sealed(0x00, 0x30), 10.01) is None
    answer = exchange.received(FIRST_OPEN, 10.1)
    assert answer is not None
    assert answer.noise_bytes == 0
    assert exchange.echo is True


def test_no_broadcast_and_no_open_all_can_be_built() -> None:
    """Whatever is asked of any address, only one board is asked and only one lock opened."""
    requests: list[Request] = [
        Identify(SOMEWHERE),
        DOORS,
        ITEMS,
        *(pulse(channel) for channel in range(1, 17)),
    ]
    built = set()
    for address in range(-1, 300):
        for request_ in requests:
            try:
                built.add(frames.telegram(CU16, request_, address).data)
            except RequestError:
                assert address not in range(15)
    assert built == {
        *(sealed(board << 4, 0x30) for board in range(15)),
        *(sealed(board << 4 | lock, 0x31) for board in range(15) for lock in range(16)),
    }


def test_a_profile_cannot_widen_what_the_family_can_say() -> None:
    profile = boards.load(CU16)
    assert profile.locks is not None
    wide = replace(profile, address=Addresses(0, 15), locks=replace(profile.locks, channels=24))
    with pytest.raises(RequestError, match="all boards"):
        encode(wide, 15, pulse(1))
    with pytest.raises(RequestError, match="another board's"):
        encode(wide, 0, pulse(17))


@pytest.mark.parametrize(
    ("profile", "old", "new", "words"),
    [
        (CU16, 'frame = "five"', 'frame = "Five"', "five or six"),
        (CU16, "max = 14", "max = 15", "15 is all boards"),
        (CU16, "channels = 16", "channels = 17", "name 16 locks"),
        (CU16, "channels = 32", "channels = 33", "16 hooks and 16 items"),
        (CU48, "status_offset = 4", "status_offset = 3", "4, or 5 behind"),
        (CU48, "status_bytes = 6", "status_bytes = 5", "too few inputs"),
    ],
)
def test_profiles_that_do_not_hold(profile: str, old: str, new: str, words: str) -> None:
    assert old in text(profile)
    with pytest.raises(ProfileError, match=words):
        boards.parse("mine", text(profile).replace(old, new))


def test_bits_that_a_frame_does_not_have_are_unknown() -> None:
    wide = replace(boards.load(CU16), inputs=boards.Inputs(40))
    matched = encode(wide, 0, ReadDoors(SOMEWHERE, 31, 3)).match(ALL_SHUT)
    assert matched == (Bits((False, False, None)), len(ALL_SHUT))


@pytest.mark.parametrize(
    ("profile", "request_"),
    [
        (CU16, pulse(17)),
        (CU48, pulse(49)),
        (CU16, pulse(1, 400)),
        (CU16, pulse(1, 1000)),
        (CU48, pulse(1, 1000)),
        (CU16, ReadDoors(SOMEWHERE, 1, 33)),
        (CU48, ReadDoors(SOMEWHERE, 48, 2)),
        *((profile, request) for profile in (CU16, CU48) for request in frames.OF_RELAYS),
    ],
)
def test_what_a_board_lacks_is_refused(profile: str, request_: Request) -> None:
    assert frames.cannot_be_said(profile, request_, 0)


SAID: dict[str, dict[str, Any]] = {
    "02 00 30 03 35": {"kind": "read_doors", "address": 0, "first": 1, "count": 32},
    "02 0F 31 03 45": {"kind": "pulse", "address": 0, "channel": 16},
    "02 1F 31 03 55": {"kind": "pulse", "address": 1, "channel": 16},
    "02 00 31 03 36": {"kind": "pulse", "address": 0, "channel": 1},
    "02 F0 32 03 27": {"kind": "other", "address": 15},
    "02 00 38 03 3D": {"kind": "other", "address": 0},
    "02 00 40 01 03 46": {"kind": "other", "address": 0},
    "02 00 35 FF FF 00 00 03 38": {"kind": "doors", "states": ("closed",) * 16},
    "02 00 35 FE FF 00 00 03 37": {"kind": "doors", "states": ("open", *("closed",) * 15)},
    "02 00 35 FF FF 01 00 03 39": {"kind": "doors", "states": ("closed",) * 16, "reason": "items in 1"},
    "02 00 00 60 03 65": {"kind": "read_doors", "address": 0, "first": 1, "count": 48},
    "02 00 00 61 03 66": {"kind": "pulse", "address": 0, "channel": 1},
}


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame["hex"])
def test_every_frame_from_outside_is_explained(frame: dict[str, Any]) -> None:
    said = explain(boards.load(frame["board"]), bytes.fromhex(frame["hex"])).as_dict()
    direction = "request" if frame["direction"] == "host->board" else "reply"
    assert said["ok"]
    assert said["direction"] == direction
    assert said | SAID[frame["hex"]] == said


@pytest.mark.parametrize(
    ("frame", "kind", "reason"),
    [
        (sealed(0x00, 0x33), "open_all", "never sends"),
        (sealed(0xF0, 0x31), "other", "never sends"),
        (sealed(0x05, 0x30), "other", "never sends"),
        (sealed(0x00, 0x37, 0, 50), "other", "sets its pulse length"),
        (sealed(0x00, 0x36, 0, 50), "other", "units of 10 ms"),
        (sealed(0x00, 0x41), "unknown", "none of this family's"),
        (sealed(0x00, 0x31, 0), "unknown", "none of this family's"),
        (bytes.fromhex("02 00 30 03 36"), "unknown", "the sum is 35, not 36"),
        (bytes.fromhex("02 00 30 04 36"), "unknown", "04 where 03 ends it"),
        (bytes.fromhex("F5 01 00 71 00 5F C6 00"), "unknown", "begins with F5"),
        (b"\x02\x00", "unknown", "shorter"),
        (b"", "unknown", "shorter"),
    ],
    ids=lambda value: value.hex(" ") if isinstance(value, bytes) else None,
)
def test_what_is_not_ours_is_named(frame: bytes, kind: str, reason: str) -> None:
    said = explain(boards.load(CU16), frame)
    assert said.kind == kind
    assert reason in said.reason
    assert said.ok == (kind != "unknown")


@pytest.mark.parametrize(
    ("frame", "request_", "reason"),
    [
        (FIRST_OPEN, sealed(0x00, 0x30), ""),
        (sealed(0x10, 0x35, 1, 2, 3, 4), sealed(0x00, 0x30), "from address 1"),
        (sealed(0x00, 0x30), sealed(0x00, 0x30), "echo"),
        (FIRST_OPEN, sealed(0x00, 0x31), "only the sensor"),
        (FIRST_OPEN, sealed(0x00, 0x33), "ever sent"),
        (FIRST_OPEN, sealed(0xF0, 0x30), "ever sent"),
        (FIRST_OPEN, b"", "ever sent"),
        (sealed(0x00, 0x38), sealed(0x00, 0x30), "no answer"),
    ],
    ids=lambda value: value.hex(" ") if isinstance(value, bytes) else None,
)
def test_as_a_reply_a_frame_must_fit_its_request(frame: bytes, request_: bytes, reason: str) -> None:
    said = explain(boards.load(CU16), frame, request_)
    assert said.ok == (not reason)
    assert reason in said.reason
    assert said.states is None or reason == ""


def test_of_48_locks_too() -> None:
    profile = boards.load(CU48)
    said = explain(profile, SIX_ANSWER, sealed(3, 0, 0x60))
    assert said.states == ("open", *("closed",) * 46, "open")
    assert said.reason == "the layout is assumed"
    assert explain(profile, sealed(3, 48, 0x61)).kind == "other"
    assert explain(profile, sealed(3, 1, 0x60)).kind == "other"
    assert not explain(profile, sealed(3, 0, 0x62)).ok


@pytest.mark.parametrize("profile", [CU16, CU48])
def test_bytes_of_any_kind_are_never_a_surprise(profile: str) -> None:
    rng, board = random.Random(3), boards.load(profile)
    asked = frames.telegram(profile, Identify(SOMEWHERE), 0)
    for _ in range(5000):
        noise = rng.randbytes(rng.randrange(16))
        request_ = rng.choice([None, noise, asked.data, b""])
        assert explain(board, noise, request_).kind
        assert asked.match(noise) is None
        body = sealed(*rng.randbytes(rng.randrange(12)))
        assert explain(board, body, request_).kind
