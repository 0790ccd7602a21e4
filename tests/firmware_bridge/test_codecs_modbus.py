"""The Modbus codec against frames from manuals and captures, and against all that is almost one."""

import json
import random  # noqa: TID251  # seeded noise
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.codecs import modbus
from firmware_bridge.errors import RequestError
from firmware_bridge.exchange import Answered, Exchange, Timing
from firmware_bridge.request import (
    AllOff,
    Bits,
    Done,
    Fits,
    Identify,
    Pulse,
    ReadCoils,
    ReadDoors,
    ReadModes,
    Refused,
    Request,
    Telegram,
    Unfit,
)
from locker.domain.ids import BoardId

A1 = BoardId("A/1")
D8, RELAYS, INPUTS = (boards.load(name) for name in ("waveshare-d8", "waveshare-32", "inputs-32"))
GOLDEN = [
    frame
    for frame in json.loads((Path(__file__).parents[1] / "golden" / "frames.json").read_text("utf-8"))
    if frame.get("check") == "crc16"
]


def golden(meaning: str) -> bytes:
    (frame,) = {f["hex"] for f in GOLDEN if f["meaning"] == meaning and f["check_ok"]}
    return bytes.fromhex(frame)


def pulse(channel: int, pulse_ms: int = 500) -> Pulse:
    return Pulse(A1, channel, pulse_ms, 1.0)


def telegram(request: Request, address: int = 1, profile: boards.BoardProfile = D8) -> Telegram:
    return modbus.encode(profile, address, request)


@pytest.mark.parametrize("frame", GOLDEN, ids=lambda frame: frame["hex"])
def test_checksums_are_those_of_the_manuals(frame: dict[str, Any]) -> None:
    raw = bytes.fromhex(frame["hex"])
    assert (modbus.frame(raw[0], raw[1:-2]) == raw) == frame["check_ok"]
    if not frame["check_ok"]:
        corrected = bytes.fromhex(frame["corrected_hex"])
        assert modbus.frame(corrected[0], corrected[1:-2]) == corrected


@pytest.mark.parametrize(
    ("request_", "meaning"),
    [
        (pulse(1, 700), "FLASH-ON relay 0 for 7*100 ms (native pulse)"),
        (pulse(2, 800), "FLASH-ON relay 1 for 8*100 ms"),
        (pulse(3), "FLASH-ON relay 2 for 500 ms"),
        (pulse(8), "FLASH-ON relay 7 for 500 ms"),
        (ReadDoors(A1, 1, 8), "read 8 discrete inputs"),
        (Identify(A1), "unicast: read software version (0x8000)"),
        (AllOff(A1), "all relays OFF (start-up fail-safe)"),
    ],
)
def test_requests_are_those_of_the_manuals(request_: Request, meaning: str) -> None:
    assert telegram(request_).data == golden(meaning)


GOOD = [
    (ReadDoors(A1, 1, 8), "inputs reply: none triggered", Bits((False,) * 8)),
    (
        ReadDoors(A1, 1, 8),
        "inputs reply: input 5 triggered (logged live by a driver service)",
        Bits(tuple(n == 5 for n in range(8))),
    ),
    (Identify(A1), "version reply: 0x0064 = V1.00", None),
    (pulse(1), "exception: FC05, code 3 illegal value", Refused(3)),
    (pulse(2, 800), "FLASH-ON relay 1 for 8*100 ms", Done()),
]


@pytest.mark.parametrize(("request_", "meaning", "reply"), GOOD)
def test_good_replies_are_understood(request_: Request, meaning: str, reply: object) -> None:
    matched = telegram(request_).match(golden(meaning))
    assert matched is not None
    assert matched[1] == len(golden(meaning))
    assert matched[0] == reply if reply else isinstance(matched[0], Unfit)


@pytest.mark.parametrize(("request_", "meaning", "reply"), GOOD)
def test_every_changed_byte_is_refused(request_: Request, meaning: str, reply: object) -> None:
    del reply
    good, asked = golden(meaning), telegram(request_)
    for place in range(len(good)):
        for change in range(1, 256):
            bad = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
            assert all(asked.match(bad[start:]) is None for start in range(len(bad))), bad.hex(" ")


@pytest.mark.parametrize("bad", [f for f in GOLDEN if not f["check_ok"]], ids=lambda frame: frame["hex"])
def test_bad_checksums_of_the_manuals_are_refused(bad: dict[str, str]) -> None:
    raw = bytes.fromhex(bad["hex"])
    for request_ in (ReadDoors(A1, 1, 8), Identify(A1), pulse(1), pulse(8), AllOff(A1)):
        assert telegram(request_, address=raw[0] or 1).match(raw) is None


def exchange(asked: Telegram) -> Exchange:
    it = Exchange(Timing(9600))
    it.echo = False
    it.begin(asked, 1.0, 10.0)
    return it


@pytest.mark.parametrize(("request_", "meaning", "reply"), GOOD)
def test_split_at_every_byte_and_behind_noise(request_: Request, meaning: str, reply: object) -> None:
    del reply
    good, asked, rng = golden(meaning), telegram(request_), random.Random(7)
    expected = asked.match(good)
    assert expected is not None
    for split in range(1, len(good)):
        for noise in (b"", rng.randbytes(1), rng.randbytes(5), b"\x01", b"\xfa\xfd\x99\x99"):
            it = exchange(asked)
            assert it.received(noise + good[:split], 10.1) is None
            answer = it.received(good[split:], 10.2)
            assert isinstance(answer, Answered)
            assert answer.reply == expected[0]
            assert answer.noise_bytes == len(noise)


def test_replies_to_another_question_are_refused() -> None:
    read, eight = telegram(ReadDoors(A1, 1, 8)), golden("inputs reply: none triggered")
    for body in (
        bytes([1, 1]) + eight[2:-2],  # coils instead of inputs
        bytes([2]) + eight[1:-2],  # another board
        bytes([1, 2, 2, 0, 0]),  # another number of inputs
        bytes([1, 0x81, 2]),  # an exception to another function
        bytes([1, 0x82, 0]),  # an exception that does not exist
    ):
        assert read.match(modbus.frame(body[0], body[1:])) is None
    for other in (pulse(2), pulse(1, 600), AllOff(A1)):
        assert telegram(pulse(1)).match(telegram(other).data) is None
    assert telegram(pulse(1)).match(telegram(pulse(1), address=2).data) is None


def test_a_reads_reply_is_never_its_own_request() -> None:
    for profile in (D8, RELAYS, INPUTS):
        questions: list[Request] = [Identify(A1)]
        if profile.inputs:
            questions += [ReadDoors(A1, 1, n) for n in range(1, profile.inputs.channels + 1)]
        if profile.locks:
            questions += [ReadModes(A1), ReadCoils(A1)]
        for question in questions:
            asked = telegram(question, profile=profile)
            assert not asked.confirmed_by_echo
            assert all(asked.match(asked.data[start:]) is None for start in range(len(asked.data)))


def test_modes_other_than_normal_are_unfit() -> None:
    asked = telegram(ReadModes(A1))
    zero, linked = bytes(16), bytes([0, 0, 0, 1] + [0] * 12)
    assert asked.match(modbus.frame(1, bytes([3, 16]) + zero)) == (Fits(), 21)
    matched = asked.match(modbus.frame(1, bytes([3, 16]) + linked))
    assert matched is not None
    assert matched[0] == Unfit("inputs drive channels [2]; set registers 0x1000+n to 0")
    absent = modbus.frame(1, bytes([0x83, 2]))
    assert telegram(ReadModes(A1), profile=RELAYS).match(absent) == (Fits(), 5)
    missing = asked.match(absent)
    assert missing is not None
    assert isinstance(missing[0], Unfit)


@pytest.mark.parametrize("address", [0, -1, 248, 255])
def test_no_broadcast_can_be_written(address: int) -> None:
    for request_ in (Identify(A1), ReadDoors(A1, 1, 8), AllOff(A1), pulse(1)):
        with pytest.raises(RequestError):
            telegram(request_, address=address)


@pytest.mark.parametrize(("channel", "pulse_ms"), [(9, 500), (0xFF, 500), (1, 50), (1, 1100), (1, 550)])
def test_pulses_beyond_the_board_are_refused(channel: int, pulse_ms: int) -> None:
    with pytest.raises(RequestError):
        telegram(pulse(channel, pulse_ms))


@pytest.mark.parametrize(("channel", "pulse_ms"), [(0, 500), (-1, 500), (1, 0), (1, 2100), (1, -500)])
def test_channel_zero_and_endless_pulses_cannot_even_be_asked_for(channel: int, pulse_ms: int) -> None:
    with pytest.raises(RequestError):
        pulse(channel, pulse_ms)


def test_every_write_is_one_lock_or_all_off() -> None:
    """Whatever is asked, FC05 goes to one pulse coil, or to all relays with the value that releases them."""
    for profile in (D8, RELAYS):
        assert profile.locks is not None
        for channel in range(1, profile.locks.channels + 1):
            data = telegram(pulse(channel), address=3, profile=profile).data
            assert data[:6] == bytes([3, 5, 2, channel - 1, 0, 5])
        assert telegram(AllOff(A1), address=3, profile=profile).data[:6] == bytes([3, 5, 0, 0xFF, 0, 0])


def test_what_a_board_lacks_is_refused() -> None:
    for profile, request_ in (
        (INPUTS, pulse(1)),
        (INPUTS, AllOff(A1)),
        (INPUTS, ReadModes(A1)),
        (RELAYS, ReadDoors(A1, 1, 8)),
        (D8, ReadDoors(A1, 1, 9)),
    ):
        with pytest.raises(RequestError):
            telegram(request_, profile=profile)
