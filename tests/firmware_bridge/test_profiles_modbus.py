"""Modbus boards that differ by data alone: frames from outside, and what each must never say."""

import random  # noqa: TID251  # seeded noise
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.boards.profile import Modbus
from firmware_bridge.codecs import encode, explain, modbus
from firmware_bridge.errors import ProfileError, RequestError
from firmware_bridge.request import (
    AllOff,
    Bits,
    Done,
    Fits,
    Identify,
    Pulse,
    ReadCoils,
    ReadDoors,
    Reading,
    ReadModes,
    Refused,
    Release,
    Reply,
    Request,
    Unfit,
)
from tests.firmware_bridge import frames
from tests.firmware_bridge.frames import SOMEWHERE

MODBUS = [name for name in boards.names() if isinstance(boards.load(name).speech, Modbus)]
WAVESHARE, SHEET, FOUR = "waveshare-v2", "generic-fc05-8ch", "generic-4ch"
REGISTERS, CU48 = "eletechsup-r4", "kerong-cu48-modbus"
FAMILIES = [
    *((name, WAVESHARE) for name in ("waveshare-8", "waveshare-16", "waveshare-io8", "waveshare-d8")),
    ("relay8-high", SHEET),
    ("fc05-8", SHEET),
    ("fc05-8", "mangnimit-stm8"),
    ("fc05-4", FOUR),
    ("eletechsup-r4-8", REGISTERS),
    ("eletechsup-n4d3e16", REGISTERS),
    ("kerong-cu48-modbus", CU48),
    ("kerong-cu48-modbus-ff", CU48),
]


def pulse(channel: int, pulse_ms: int = 500) -> Pulse:
    return Pulse(SOMEWHERE, channel, pulse_ms, 1.0)


def doors(count: int) -> ReadDoors:
    return ReadDoors(SOMEWHERE, 1, count)


COILS, WHO, OFF = ReadCoils(SOMEWHERE), Identify(SOMEWHERE), AllOff(SOMEWHERE)
SENT: list[tuple[str, int, Request, str, str]] = [
    ("waveshare-8", 1, COILS, WAVESHARE, "read 8 relay coils"),
    ("waveshare-8", 1, pulse(8), WAVESHARE, "FLASH-ON relay 7 for 500 ms"),
    ("waveshare-8", 1, OFF, WAVESHARE, "all relays OFF (start-up fail-safe)"),
    ("waveshare-8", 1, WHO, WAVESHARE, "unicast: read software version (0x8000)"),
    ("waveshare-16", 1, pulse(2, 800), WAVESHARE, "FLASH-ON relay 1 for 8*100 ms"),
    ("waveshare-16", 1, OFF, WAVESHARE, "all relays OFF (start-up fail-safe)"),
    ("waveshare-io8", 1, doors(8), WAVESHARE, "read 8 discrete inputs"),
    ("waveshare-io8", 1, pulse(1, 700), WAVESHARE, "FLASH-ON relay 0 for 7*100 ms (native pulse)"),
    ("relay8-high", 1, pulse(1, 700), SHEET, "pulse relay 0 700 ms: time in the HIGH byte (07 00), "),
    ("relay8-high", 2, pulse(1, 500), SHEET, "dev 2 pulse relay 0 500 ms, HIGH byte"),
    ("relay8-high", 2, pulse(2, 600), SHEET, "dev 2 pulse relay 1 600 ms, HIGH byte"),
    ("relay8-high", 1, doors(8), SHEET, "read inputs"),
    ("fc05-8", 1, pulse(1), SHEET, "relay 0 ON"),
    ("fc05-8", 1, pulse(3), SHEET, "relay 2 ON"),
    ("fc05-8", 1, Release(SOMEWHERE, 3), SHEET, "relay 2 OFF"),
    ("fc05-8", 1, doors(8), SHEET, "read inputs"),
    ("fc05-8", 1, OFF, FOUR, "all OFF"),
    ("fc05-4", 1, pulse(2), FOUR, "relay 1 ON (coil 1, value 0x0100)"),
    ("fc05-4", 1, pulse(4), FOUR, "relay 3 ON"),
    ("fc05-4", 1, Release(SOMEWHERE, 2), FOUR, "relay 1 OFF"),
    ("fc05-4", 1, COILS, FOUR, "read 4 relays"),
    ("fc05-4", 1, OFF, FOUR, "all OFF"),
    ("eletechsup-r4-8", 1, pulse(1, 1000), REGISTERS, "ch1 MOMENTARY (fixed 1 s pulse)"),
    ("eletechsup-r4-8", 1, WHO, REGISTERS, "read relay 1 (holding)"),
    ("eletechsup-n4d3e16", 1, pulse(2, 1000), REGISTERS, "ch2 MOMENTARY"),
    ("eletechsup-n4d3e16", 1, doors(16), REGISTERS, "read input bits 0x00C0"),
    ("kerong-cu48-modbus", 1, doors(48), CU48, "read 48 lock coils (1=closed)"),
    ("kerong-cu48-modbus", 1, pulse(1), CU48, "unlock lock 1 = coil 0 -> 0x0000"),
    ("kerong-cu48-modbus-ff", 1, pulse(1), CU48, "'lock' lock 1 = 0xFF00"),
]


def golden(family: str, meaning: str) -> bytes:
    (frame,) = {f["hex"] for f in frames.of(family) if f["meaning"].startswith(meaning) and f["check_ok"]}
    return bytes.fromhex(frame)


@pytest.mark.parametrize(("profile", "address", "request_", "family", "meaning"), SENT)
def test_what_is_sent_is_what_was_seen(
    profile: str, address: int, request_: Request, family: str, meaning: str
) -> None:
    assert frames.telegram(profile, request_, address).data == golden(family, meaning)


FIRST = tuple(n == 0 for n in range(8))
SECONDS = tuple(n in {1, 9} for n in range(16))
HEARD: list[tuple[str, Request, bytes, Reply]] = [
    ("waveshare-8", COILS, golden(WAVESHARE, "relay coils reply: all off"), Bits((False,) * 8)),
    ("waveshare-io8", doors(8), golden(WAVESHARE, "inputs reply: none"), Bits((False,) * 8)),
    ("waveshare-io8", WHO, golden(WAVESHARE, "version reply: 0x0064"), Fits()),
    ("waveshare-16", pulse(1), golden(WAVESHARE, "exception: FC05"), Refused(3)),
    ("relay8-high", doors(8), golden(SHEET, "inputs reply none"), Bits((False,) * 8)),
    ("relay8-high", WHO, modbus.frame(1, b"\x03\x02\x00\x01"), Fits()),
    ("relay8-high", pulse(1, 700), golden(SHEET, "pulse relay 0 700 ms"), Done()),
    ("fc05-8", Release(SOMEWHERE, 3), golden(SHEET, "relay 2 OFF"), Done()),
    ("fc05-4", COILS, modbus.frame(1, b"\x01\x01\x08"), Bits((False, False, False, True))),
    ("eletechsup-r4-8", WHO, golden(REGISTERS, "relay ON"), Fits()),
    ("eletechsup-r4-8", COILS, golden(REGISTERS, "input 1 on"), Bits(FIRST)),
    ("eletechsup-r4-8", pulse(1, 1000), golden(REGISTERS, "ch1 MOMENTARY"), Done()),
    ("eletechsup-n4d3e16", doors(16), golden(REGISTERS, "output bits 0202"), Bits(SECONDS)),
    ("eletechsup-n4d3e16", ReadDoors(SOMEWHERE, 10, 1), golden(REGISTERS, "output bits 0202"), Bits((True,))),
    ("kerong-cu48-modbus", doors(48), golden(CU48, "48 locks all closed"), Bits((True,) * 48)),
    ("kerong-cu48-modbus", pulse(1), golden(CU48, "unlock lock 1"), Done()),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "request_", "reply", "means"), HEARD)
def test_what_is_heard_is_understood_split_anywhere_and_behind_noise(
    profile: str, request_: Request, reply: bytes, means: Reply
) -> None:
    asked = frames.telegram(profile, request_)
    assert asked.match(reply) == (means, len(reply))
    assert all(answer.reply == means for answer in frames.each_split(asked, reply))
    for bad in frames.changed_in_one_byte(reply):
        assert frames.fits_nowhere(asked, bad), bad.hex(" ")


def test_a_register_that_is_neither_on_nor_off_is_unknown() -> None:
    odd = modbus.frame(1, bytes([3, 16]) + bytes([0, 1, 0, 2, 1, 0, *(0,) * 10]))
    matched = frames.telegram("eletechsup-r4-8", COILS).match(odd)
    assert matched == (Bits((True, None, None, *(False,) * 5)), len(odd))


def test_a_wrong_echo_is_not_an_acknowledgement() -> None:
    """The four-relay board answers a write to a coil that is not there, with other bytes."""
    for channel in range(1, 5):
        asked = frames.telegram("fc05-4", pulse(channel))
        for coil in set(range(256)) - {channel - 1}:
            assert asked.match(modbus.frame(1, bytes([5, 0, coil, 1, 0]))) is None
        for value in (b"\xff\x00", b"\x00\x00", b"\x00\x01"):
            assert asked.match(modbus.frame(1, bytes([5, 0, channel - 1]) + value)) is None


def test_twins_with_their_pulse_in_the_other_byte_do_not_pass_for_each_other() -> None:
    """Half a second of one is two minutes of the other."""
    here, there = (frames.telegram(name, pulse(1)).data for name in ("waveshare-8", "relay8-high"))
    assert (here[4:6], there[4:6]) == (b"\x00\x05", b"\x05\x00")
    no_such_register = modbus.frame(1, b"\x83\x02")
    no_such_number = modbus.frame(1, b"\x03\x02\x00\x00")
    for name in ("waveshare-8", "waveshare-16", "waveshare-32", "waveshare-d8", "relay8-high"):
        for answer in (no_such_register, no_such_number):
            matched = frames.telegram(name, WHO).match(answer)
            assert matched is not None
            assert isinstance(matched[0], Unfit)


# --- what each must never say -----------------------------------------------------------------------------


def writes(name: str) -> Iterator[tuple[Request, bytes]]:
    """Every write there is, for address 1."""
    profile = boards.load(name)
    channels = range(1, 70)
    requests: list[Request] = [OFF, *(Release(SOMEWHERE, n) for n in channels)]
    requests += [pulse(n, pulse_ms) for n in channels for pulse_ms in range(100, 2001, 100)]
    for request_ in requests:
        try:
            yield request_, encode(profile, 1, request_).data
        except RequestError:
            continue


@pytest.mark.parametrize("name", MODBUS)
def test_every_write_moves_one_lock_or_releases(name: str) -> None:
    profile = boards.load(name)
    speech = profile.speech
    assert isinstance(speech, Modbus)
    written = list(writes(name))
    assert bool(written) == (profile.locks is not None)
    for request_, data in written:
        function, where, value = data[1], int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:6], "big")
        assert len(data) == 8
        if isinstance(request_, AllOff):
            assert (function, where, value) == (5, 0xFF, 0)
            continue
        assert isinstance(request_, Pulse | Release)
        assert profile.locks is not None
        assert speech.pulse is not None
        assert 1 <= request_.channel <= profile.locks.channels
        assert where == speech.pulse.address + request_.channel - 1
        assert function == (6 if speech.pulse.kind == "command" else 5)
        if isinstance(request_, Release):
            assert (speech.pulse.kind, value) == ("timed", 0)
        else:
            assert value == VALUES[speech.pulse.kind, speech.pulse.value](request_.pulse_ms)


VALUES: dict[tuple[str, int], Any] = {
    ("flash", 0): lambda pulse_ms: pulse_ms // 100,
    ("flash_high", 0): lambda pulse_ms: pulse_ms // 100 << 8,
    ("timed", 0xFF00): lambda _: 0xFF00,
    ("timed", 0x0100): lambda _: 0x0100,
    ("level", 0x0000): lambda _: 0x0000,
    ("level", 0xFF00): lambda _: 0xFF00,
    ("command", 0x0500): lambda pulse_ms: {1000: 0x0500}[pulse_ms],
}


@pytest.mark.parametrize("name", MODBUS)
def test_all_off_is_a_literal_frame_of_a_board_whose_relays_rest_at_zero(name: str) -> None:
    profile = boards.load(name)
    rests = {name for name in MODBUS if name.startswith(("waveshare", "fc05"))}
    assert (profile.all_off is not None) == (name in rests)
    if profile.all_off is not None:
        assert frames.telegram(name, OFF).data == bytes.fromhex(profile.all_off.frame)


@pytest.mark.parametrize("name", ["kerong-cu48-modbus", "kerong-cu48-modbus-ff", "eletechsup-r4-8"])
def test_all_off_cannot_even_be_written_where_it_might_open_all(name: str) -> None:
    text = resources.files(boards).joinpath(f"{name}.toml").read_text("utf-8")
    with pytest.raises(ProfileError, match="may open all doors"):
        boards.parse("mine", text + '\n[all_off]\nframe = "01 05 00 FF 00 00 FD FA"\n')


@pytest.mark.parametrize("name", MODBUS)
def test_no_broadcast_and_no_foreign_address(name: str) -> None:
    profile = boards.load(name)
    requests: list[Request] = [WHO, OFF, pulse(1, 500), pulse(1, 1000), Release(SOMEWHERE, 1), COILS]
    for address in (-1, 0, profile.address.max + 1, 248, 255, 256):
        for request_ in requests:
            with pytest.raises(RequestError):
                encode(profile, address, request_)


def reads(name: str) -> Iterator[Reading]:
    profile = boards.load(name)
    speech = profile.speech
    assert isinstance(speech, Modbus)
    yield WHO
    if speech.modes:
        yield ReadModes(SOMEWHERE)
    if speech.coils:
        yield COILS
    if profile.inputs:
        yield doors(profile.inputs.channels)


@pytest.mark.parametrize("name", MODBUS)
def test_reads_are_reads_and_no_read_is_answered_by_its_own_echo(name: str) -> None:
    for question in reads(name):
        asked = frames.telegram(name, question)
        assert asked.data[1] in {1, 2, 3}
        assert not asked.confirmed_by_echo
        assert frames.fits_nowhere(asked, asked.data)


@pytest.mark.parametrize("name", MODBUS)
def test_where_a_late_reply_fits_another_question_the_line_runs_dry_first(name: str) -> None:
    """After a time-out the board is asked what it is: no late poll may pass for the answer."""
    transport = boards.load(name).transport
    asked = frames.telegram(name, WHO)
    alike = False
    for question in reads(name):
        if isinstance(question, Identify):
            continue
        late = frames.telegram(name, question)
        octets = late.reply_length - 5
        alike |= asked.match(modbus.frame(1, bytes([late.data[1], octets, *(0,) * octets]))) is not None
    assert not alike or transport.drain_ms >= transport.reply_timeout_ms


# --- in words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_every_frame_from_outside_is_explained(name: str, family: str) -> None:
    profile = boards.load(name)
    for frame in frames.of(family):
        said = explain(profile, bytes.fromhex(frame["hex"]))
        assert said.ok == frame["check_ok"], frame["meaning"]
        assert said.kind != "unknown" or said.reason
        if not frame["check_ok"]:
            assert explain(profile, bytes.fromhex(frame["corrected_hex"])).ok
        elif said.direction != "either":
            assert said.direction == ("request" if frame["direction"] == "host->board" else "reply")


@pytest.mark.parametrize(
    ("name", "frame", "expected"),
    [
        ("relay8-high", "02 05 02 01 06 00 9E 21", {"kind": "pulse", "channel": 2, "pulse_ms": 600}),
        ("relay8-high", "01 05 00 00 5A 00 F7 6A", {"kind": "all_toggle"}),
        ("relay8-high", "01 05 00 07 55 00 43 5B", {"kind": "relay_toggle", "channel": 8}),
        ("fc05-8", "01 05 00 00 FF 00 8C 3A", {"kind": "pulse", "channel": 1}),
        ("fc05-8", "01 05 00 02 00 00 6C 0A", {"kind": "release", "channel": 3}),
        ("fc05-4", "01 05 00 03 01 00 3C 5A", {"kind": "pulse", "channel": 4}),
        ("eletechsup-r4-8", "01 06 00 01 05 00 DB 5A", {"kind": "pulse", "channel": 1, "pulse_ms": 1000}),
        ("eletechsup-r4-8", "01 06 00 08 01 00 09 98", {"kind": "relay_on", "channel": 8}),
        ("eletechsup-r4-8", "01 06 00 01 02 00 D9 6A", {"kind": "relay_off", "channel": 1}),
        ("eletechsup-r4-8", "01 06 00 01 03 00 D8 FA", {"kind": "relay_toggle", "channel": 1}),
        ("eletechsup-r4-8", "01 06 00 00 08 00 8E 0A", {"kind": "all_off"}),
        ("eletechsup-r4-8", "01 06 00 01 06 0A 5B AD", {"kind": "other"}),
        ("eletechsup-n4d3e16", "01 03 00 C0 00 01 84 36", {"kind": "read_doors", "first": 1}),
        ("kerong-cu48-modbus", "01 05 00 00 00 00 CD CA", {"kind": "pulse", "channel": 1}),
        ("kerong-cu48-modbus", "01 05 00 00 FF 00 8C 3A", {"kind": "relay_on", "channel": 1}),
        ("kerong-cu48-modbus-ff", "01 05 00 00 FF 00 8C 3A", {"kind": "pulse", "channel": 1}),
        ("kerong-cu48-modbus", "01 01 06 FF FF FF FF FF FF A1 23", {"states": ("closed",) * 48}),
    ],
)  # fmt: skip
def test_some_of_them_in_full(name: str, frame: str, expected: dict[str, Any]) -> None:
    said = explain(boards.load(name), bytes.fromhex(frame)).as_dict()
    assert said | expected == said


def test_a_twins_pulse_is_told_as_the_two_minutes_that_it_would_be() -> None:
    half_a_second_there = golden(SHEET, "dev 2 pulse relay 0 500 ms")
    said = explain(boards.load("waveshare-8"), half_a_second_there)
    assert (said.kind, said.pulse_ms) == ("other", None)
    assert "128000 ms" in said.reason
    assert explain(boards.load("relay8-high"), half_a_second_there).pulse_ms == 500


@pytest.mark.parametrize("name", MODBUS)
def test_sound_frames_of_any_kind_are_never_a_surprise(name: str) -> None:
    rng, profile = random.Random(3), boards.load(name)
    who = frames.telegram(name, WHO).data
    for n in range(500):
        function = rng.choice([1, 2, 3, 5, 6, 15, 16, 0x81, 0x85, rng.randrange(256)])
        body = bytes([function, *rng.randbytes(rng.randrange(8))])[: rng.randrange(10)]
        frame = modbus.frame(rng.randrange(3), body)
        assert explain(profile, frame, None if n % 10 else who).kind
        assert explain(profile, frame[: rng.randrange(len(frame))]).kind


def test_a_pulse_that_we_end_has_no_length_in_its_frame() -> None:
    on = golden(SHEET, "relay 0 ON")
    for request_ in (None, on):
        said = explain(boards.load("fc05-8"), on, request_)
        assert (said.kind, said.pulse_ms) == ("pulse", None)


@pytest.mark.parametrize(("profile", "request_", "reply", "means"), HEARD)
def test_as_a_reply_each_fits_its_own_question_alone(
    profile: str, request_: Request, reply: bytes, means: Reply
) -> None:
    del means
    board = boards.load(profile)
    asked = frames.telegram(profile, request_)
    assert explain(board, reply, asked.data).ok
    for question in reads(profile):
        other = frames.telegram(profile, question)
        matched = other.match(reply)
        fits = matched is not None and matched[1] == len(reply)
        assert explain(board, reply, other.data).ok == fits
