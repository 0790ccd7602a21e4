"""Modbus frames in words, for people: what they ask or answer on a board of one profile."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

from firmware_bridge.boards.profile import BoardProfile, Locks, Modbus
from firmware_bridge.codecs import modbus
from firmware_bridge.codecs.asked import NEVER, NOWHERE, Asked, find, foreign, pulses
from firmware_bridge.codecs.codec import Explained, has_address, refuse
from firmware_bridge.request import (
    AllOff,
    Bits,
    Identify,
    Pulse,
    ReadCoils,
    ReadDoors,
    ReadModes,
    Refused,
    Release,
    Reply,
    Request,
    Unfit,
)

WRITE_COIL: Final = 5
WRITE_REGISTER: Final = 6
READ_COILS: Final = 1
READ_REGISTERS: Final = 3
WRITES: Final = frozenset({WRITE_COIL, WRITE_REGISTER, 15, 16})
FUNCTIONS: Final = frozenset({1, 2, 3, *WRITES})
REQUEST_BYTES: Final = 8
DATA_BYTES: Final = 4
ALL_COILS: Final = 0x00FF
COIL_WORDS: Final[Mapping[bytes, str]] = MappingProxyType(
    {b"\xff\x00": "on", b"\x01\x00": "on", b"\x00\x00": "off", b"\x55\x00": "toggle"}
)
TOGGLE_ALL: Final = b"\x5a\x00"
"""Whatever the coil."""
REGISTER_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {1: "relay_on", 2: "relay_off", 3: "relay_toggle", 4: "relay_on", 7: "all_on", 8: "all_off"}
)
"""Commands of boards that know registers only, in the high byte; 4 switches all others off."""
KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {
        Identify: "identify",
        ReadModes: "read_modes",
        ReadDoors: "read_doors",
        ReadCoils: "read_coils",
        AllOff: "all_off",
        Release: "release",
        Pulse: "pulse",
    }
)


def explain(profile: BoardProfile, frame: bytes, request: bytes | None) -> Explained:
    """See `codec.Codec.explain`."""
    if not modbus.whole(frame):
        return refuse("the checksum does not hold, or the frame is not whole")
    if request is not None:
        return _answer(profile, frame, request)
    asked = _asked(profile, frame)
    if asked is not None:
        return _request(profile, frame, asked.request)
    return _alone(profile, frame)


def _requests(profile: BoardProfile) -> Iterator[Request]:
    """Everything that the product says to a board of this profile."""
    speech = profile.speech
    assert isinstance(speech, Modbus), "checked when the profile was read"  # noqa: S101
    yield Identify(NOWHERE)
    if speech.modes:
        yield ReadModes(NOWHERE)
    if speech.coils:
        yield ReadCoils(NOWHERE)
    if profile.all_off:
        yield AllOff(NOWHERE)
    if profile.inputs and speech.inputs:
        # A bitmap is read whole, whichever channels are wanted.
        channels = profile.inputs.channels
        yield from [ReadDoors(NOWHERE, 1, channels)] if speech.inputs.bitmap else _reads(channels)
    if profile.locks and speech.pulse:
        yield from _pulses(profile.locks, ends=speech.pulse.kind == "timed")


def _reads(channels: int) -> Iterator[Request]:
    for first in range(1, channels + 1):
        for count in range(1, channels - first + 2):
            yield ReadDoors(NOWHERE, first, count)


def _pulses(locks: Locks, *, ends: bool) -> Iterator[Request]:
    for channel in range(1, locks.channels + 1):
        if ends:
            yield Release(NOWHERE, channel)
        yield from pulses(locks, channel)


def _asked(profile: BoardProfile, frame: bytes) -> Asked | None:
    """Which request of ours these bytes are."""
    if len(frame) != REQUEST_BYTES or not has_address(profile, frame[0]):
        return None
    return find(partial(modbus.encode, profile, frame[0]), _requests(profile), frame)


def _request(profile: BoardProfile, frame: bytes, asked: Request) -> Explained:
    address = frame[0]
    # FC05 and FC06 are answered by their own bytes.
    direction = "either" if frame[1] in {WRITE_COIL, WRITE_REGISTER} else "request"
    kind, channel = KINDS[type(asked)], getattr(asked, "channel", None)
    said = Explained(True, kind, direction, address, channel=channel)
    match asked:
        case Pulse():
            return replace(said, pulse_ms=_length_ms(profile, asked))
        case ReadDoors():
            return replace(said, first=asked.first, count=asked.count)
        case ReadCoils():
            return replace(said, first=1, count=profile.locks.channels if profile.locks else 0)
    return said


def _answer(profile: BoardProfile, frame: bytes, request: bytes) -> Explained:
    if not modbus.whole(request):
        return refuse("the request's own checksum does not hold")
    asked = _asked(profile, request)
    if asked is None:
        return foreign()
    reply = asked.reply(frame)
    if reply is None:
        return refuse(_mismatch(frame, request))
    return _reply(profile, frame, asked.request, reply)


def _mismatch(frame: bytes, request: bytes) -> str:
    if frame[0] != request[0]:
        return f"from address {frame[0]}, asked was {request[0]}"
    if frame[1] & ~modbus.EXCEPTION_BIT != request[1]:
        return f"answers function {frame[1]}, asked was {request[1]}"
    return "another length, channel or value than was asked for"


def _length_ms(profile: BoardProfile, pulse: Pulse) -> int | None:
    """As the frame or the board holds it; a pulse that we end has none yet."""
    return None if _is(profile, "timed") else pulse.pulse_ms


def _is(profile: BoardProfile, kind: str) -> bool:
    speech = profile.speech
    return isinstance(speech, Modbus) and speech.pulse is not None and speech.pulse.kind == kind


def _reply(profile: BoardProfile, frame: bytes, asked: Request, reply: Reply) -> Explained:
    channel = asked.channel if isinstance(asked, Pulse | Release) else None
    match reply:
        case Refused(code):
            return Explained(True, "refused", "reply", frame[0], channel=channel, code=code)
        case Unfit(why):
            return Explained(True, "refused", "reply", frame[0], reason=why)
        case Bits(levels):
            coils = isinstance(asked, ReadCoils)
            first = asked.first if isinstance(asked, ReadDoors) else 1
            kind = "coils" if coils else "doors"
            return Explained(True, kind, "reply", frame[0], first=first, states=_states(profile, levels))
    if isinstance(asked, Pulse):
        pulse_ms = _length_ms(profile, asked)
        return Explained(True, "pulse", "reply", frame[0], channel=channel, pulse_ms=pulse_ms)
    return Explained(True, KINDS[type(asked)], "reply", frame[0], channel=channel)


def _states(profile: BoardProfile, levels: tuple[bool | None, ...]) -> tuple[str, ...]:
    """Of relay boards which level means a shut door is the wiring's to say; lock boards say it themselves."""
    words = {None: "unknown", True: "on", False: "off"}
    if profile.inputs and _is(profile, "level"):
        shut = profile.inputs.closed_level == 1
        words = {None: "unknown", shut: "closed", not shut: "open"}
    return tuple(words[level] for level in levels)


def _alone(profile: BoardProfile, frame: bytes) -> Explained:
    """A sound frame that is no request of ours: what can be said of it without its question."""
    address, function, data = frame[0], frame[1], frame[2:-2]
    if function & modbus.EXCEPTION_BIT and len(data) == 1 and data[0] in modbus.EXCEPTION_CODES:
        return Explained(True, "refused", "reply", address, code=data[0])
    if function in {1, 2} and _counted(data, 1):
        levels = tuple(bool(octet >> bit & 1) for octet in data[1:] for bit in range(8))
        doors = function != READ_COILS or _is(profile, "level")
        states = _states(profile, levels)
        return Explained(True, "doors" if doors else "coils", "reply", address, first=1, states=states)
    if function == READ_REGISTERS and _counted(data, 2):
        words = [int.from_bytes(data[at : at + 2], "big") for at in range(1, len(data), 2)]
        said = " ".join(f"{word:#06x}" for word in words)
        return Explained(True, "registers", "reply", address, reason=said)
    if function in {WRITE_COIL, WRITE_REGISTER} and len(data) == DATA_BYTES:
        return (_coil_write if function == WRITE_COIL else _register_write)(profile, address, data)
    if function not in FUNCTIONS:
        return refuse(f"function {function} is none of this family's")
    said = "a write" if function in WRITES else "a read"
    return Explained(True, "other", "request", address, reason=f"{said}: {NEVER}")


def _counted(data: bytes, unit: int) -> bool:
    """Whether the first byte counts those behind it, whole units of them."""
    return len(data) > 1 and data[0] == len(data) - 1 and data[0] % unit == 0


def _coil_write(profile: BoardProfile, address: int, data: bytes) -> Explained:
    """FC05 as boards of this field understand it; nothing of this is ever sent."""
    where, value = int.from_bytes(data[:2], "big"), data[2:]
    channels = profile.locks.channels if profile.locks else 0
    if value == TOGGLE_ALL:
        return Explained(True, "all_toggle", "either", address, reason=NEVER)
    does = COIL_WORDS.get(value)
    if does is not None and where == ALL_COILS:
        return Explained(True, f"all_{does}", "either", address, reason=NEVER)
    if does is not None and where < channels:
        return Explained(True, f"relay_{does}", "either", address, channel=where + 1, reason=NEVER)
    said = f"a pulse of {int.from_bytes(value, 'big') * 100} ms" if _flashes(profile, where) else "a write"
    return Explained(True, "other", "either", address, reason=f"{said} to coil {where:#06x}: {NEVER}")


def _flashes(profile: BoardProfile, where: int) -> bool:
    """Whether that coil is a timer in units of 100 ms; its twins, with the time in the high byte, apart."""
    speech, channels = profile.speech, profile.locks.channels if profile.locks else 0
    if not isinstance(speech, Modbus) or speech.pulse is None or speech.pulse.kind != "flash":
        return False
    return 0 <= where - speech.pulse.address < channels


def _register_write(profile: BoardProfile, address: int, data: bytes) -> Explained:
    """FC06; on some boards a command to the relay whose number the register has. Nothing of this is sent."""
    where = int.from_bytes(data[:2], "big")
    kind = REGISTER_WORDS.get(data[2], "other") if _is(profile, "command") else "other"
    channels = profile.locks.channels if profile.locks else 0
    if kind.startswith("all_") and where == 0:
        return Explained(True, kind, "either", address, reason=NEVER)
    if kind.startswith("relay_") and 1 <= where <= channels:
        return Explained(True, kind, "either", address, channel=where, reason=NEVER)
    return Explained(True, "other", "either", address, reason=f"a write to register {where:#06x}: {NEVER}")
