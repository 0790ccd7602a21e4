"""Lock boards whose frames begin with `WKLY`: length, address from 0, command, data, XOR of all before.

A frame tells its own length, what it answers and for which lock. How long a pulse lasts is the board's own
business. Of its orders only the one that opens a single lock is ever built.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, reduce
from operator import xor
from types import MappingProxyType
from typing import Final, NamedTuple

from firmware_bridge.boards.profile import BoardProfile
from firmware_bridge.codecs import asked
from firmware_bridge.codecs.asked import NEVER
from firmware_bridge.codecs.codec import Explained, has_address, need, refuse, unspoken
from firmware_bridge.errors import RequestError
from firmware_bridge.request import (
    Bits,
    Done,
    Failed,
    Fits,
    Identify,
    Pulse,
    ReadInputs,
    Reply,
    Request,
    Telegram,
)

HEADER: Final = b"WKLY"
ENVELOPE_BYTES: Final = 8
"""Header, length, address, command; and the checksum."""
LENGTH_MAX: Final = 0xFF
DATA_AT: Final = 7
OPEN: Final = 0x82
STATUS: Final = 0x83
STATUS_ALL: Final = 0x84
CHANGED: Final = 0x85
OPEN_ALL: Final = 0x86
GOOD: Final = 0x00
FAILED: Final = 0xFF
STATES: Final[Mapping[int, bool]] = MappingProxyType({0x00: False, 0x01: True})
"""Of one lock, 1 is closed; anything else says nothing of it."""
CLOSED: Final = 0x01
FIRST: Final = 1
ADDRESS_MAX: Final = 31
LOCK_ANSWER_BYTES: Final = ENVELOPE_BYTES + 3
"""Status, lock, state."""
ALL_ANSWER_BYTES: Final = ENVELOPE_BYTES + 2
"""Status and count, before a state for each channel."""
OTHERS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x80: "opens several locks at once",
        0x81: "flashes a lamp",
        0x87: "opens several locks, one after the other",
        0x88: "keeps a lock energised",
        0x89: "closes a lock",
    }
)
ABOUT_ONE: Final = frozenset({0x81, 0x88, 0x89})
"""Of these: answered with a status and the lock; the rest with a status alone."""


def frame(address: int, command: int, data: bytes = b"") -> bytes:
    """One whole frame."""
    body = HEADER + bytes([ENVELOPE_BYTES + len(data), address, command]) + data
    return body + bytes([reduce(xor, body)])


def whole(data: bytes) -> bool:
    """Whether this is one frame, its own length and checksum right."""
    if not ENVELOPE_BYTES <= len(data) <= LENGTH_MAX:
        return False
    return data == frame(data[5], data[6], data[DATA_AT:-1])


class Wkly:
    """See `codec.Codec`."""

    def encode(self, profile: BoardProfile, address: int, request: Request) -> Telegram:
        need(profile, address, request)
        if not 0 <= address <= ADDRESS_MAX:
            raise RequestError(f"{request.board}: no board of this family has address {address}")
        match request:
            case Identify():
                return _asking(address, STATUS, FIRST, _said_itself)
            case ReadInputs() if profile.inputs:
                return _levels(address, profile.inputs.channels, request)
            case Pulse():
                return _asking(address, OPEN, request.channel, _opened)
        raise unspoken(request)

    def explain(self, profile: BoardProfile, frame: bytes, request: bytes | None) -> Explained:
        if not whole(frame):
            return refuse("the checksum or the length does not hold, or the frame is not whole")
        if not has_address(profile, frame[5]):
            return refuse(f"address {frame[5]} is none of this kind of board")
        if request is None:
            return _alone(profile, _Frame.of(frame))
        return self._answer(profile, frame, request)

    def _answer(self, profile: BoardProfile, frame: bytes, request: bytes) -> Explained:
        if not whole(request):
            return asked.foreign()
        encode = partial(self.encode, profile, request[5])
        ours = asked.answered(encode, profile, request, frame, _mismatch)
        if isinstance(ours, Explained):
            return ours
        return _reply(profile, _Frame.of(frame))


# --- telegrams --------------------------------------------------------------------------------------------


def _answer(window: bytes, address: int, command: int, length: int) -> bytes | None:
    """The data of the answer at the very start, if it is whole, sound, and of this board and command."""
    found = window[:length]
    if len(found) != length or not whole(found) or (found[5], found[6]) != (address, command):
        return None
    return found[DATA_AT:-1]


Understand = Callable[[int, int], Reply | None]
"""From status and state."""


def _asking(address: int, command: int, lock: int, understand: Understand) -> Telegram:
    """A telegram about one lock. Its answer is longer than itself, so no echo can pass for it."""

    def match(window: bytes) -> tuple[Reply, int] | None:
        data = _answer(window, address, command, LOCK_ANSWER_BYTES)
        if data is None or data[1] != lock:
            return None
        reply = understand(data[0], data[2])
        return None if reply is None else (reply, LOCK_ANSWER_BYTES)

    data = frame(address, command, bytes([lock]))
    return Telegram(data, LOCK_ANSWER_BYTES, match, confirmed_by_echo=False)


def _said_itself(status: int, state: int) -> Reply | None:
    """Whatever the state: it is the board that is asked for, not the door."""
    del state
    return Fits() if status == GOOD else None


def _opened(status: int, state: int) -> Reply | None:
    """A failure whose door is open contradicts itself, and then nothing is sure."""
    if status == GOOD and state in STATES:
        return Done()
    return Failed(FAILED) if (status, state) == (FAILED, CLOSED) else None


def _levels(address: int, channels: int, request: ReadInputs) -> Telegram:
    """All channels, of which those asked for are picked out."""
    length, first = ALL_ANSWER_BYTES + channels, request.first - 1

    def match(window: bytes) -> tuple[Reply, int] | None:
        data = _answer(window, address, STATUS_ALL, length)
        if data is None or (data[0], data[1]) != (GOOD, channels):
            return None
        return Bits(tuple(STATES.get(state) for state in data[2:][first : first + request.count])), length

    return Telegram(frame(address, STATUS_ALL), length, match, confirmed_by_echo=False)


# --- for people -------------------------------------------------------------------------------------------


class _Frame(NamedTuple):
    address: int
    command: int
    data: bytes

    @classmethod
    def of(cls, whole: bytes) -> "_Frame":
        return cls(whole[5], whole[6], whole[DATA_AT:-1])


def _mismatch(answer: bytes, request: bytes) -> str:
    if answer == request:
        return "the request itself: an echo"
    said, asked = _Frame.of(answer), _Frame.of(request)
    if said.command == CHANGED:
        return "an unasked report, no answer"
    if said.address != asked.address:
        return f"from address {said.address}, asked was {asked.address}"
    if said.command != asked.command:
        return f"answers {said.command:02X}, asked was {asked.command:02X}"
    return "another lock, count, status or state than an answer has"


def _states(profile: BoardProfile, octets: bytes) -> tuple[str, ...]:
    closed_level = bool(profile.inputs.closed_level) if profile.inputs else True
    words = {None: "unknown", closed_level: "closed", not closed_level: "open"}
    return tuple(words[STATES.get(octet)] for octet in octets)


def _reply(profile: BoardProfile, said: _Frame) -> Explained:
    """An answer that has been found to fit its question."""
    address, data = said.address, said.data
    if said.command == STATUS_ALL:
        return Explained(True, "doors", "reply", address, first=1, states=_states(profile, data[2:]))
    lock, states = data[1], _states(profile, data[2:])
    if said.command == STATUS:
        kind = "identify" if lock == FIRST else "doors"
        return Explained(True, kind, "reply", address, first=lock, states=states)
    pulse_ms = profile.locks.pulse_default_ms if profile.locks else None
    if data[0] == FAILED:
        return Explained(True, "failed", "reply", address, lock, first=lock, states=states, code=FAILED)
    return Explained(True, "pulse", "reply", address, lock, pulse_ms, first=lock, states=states)


def _alone(profile: BoardProfile, said: _Frame) -> Explained:
    """What can be said of a sound frame without its question."""
    address, data = said.address, said.data
    if said.command in {OPEN, STATUS}:
        return _of_one(profile, said)
    if said.command == STATUS_ALL:
        return _of_all(profile, said)
    if said.command == CHANGED and len(data) == 2:  # noqa: PLR2004  # lock and state
        return _changed(profile, said)
    if said.command == OPEN_ALL and not data:
        return Explained(True, "open_all", "request", address, reason=NEVER)
    if said.command in OTHERS or said.command == OPEN_ALL:
        return _of_others(said)
    return refuse(f"{len(data)} bytes of data with command {said.command:02X} are nothing this family says")


def _has(profile: BoardProfile, lock: int) -> bool:
    return profile.locks is not None and FIRST <= lock <= profile.locks.channels


def _changed(profile: BoardProfile, said: _Frame) -> Explained:
    lock, state = said.data
    if not _has(profile, lock):
        reason = f"lock {lock}, which this board has not"
        return Explained(True, "other", "report", said.address, reason=reason)
    states = _states(profile, bytes([state]))
    return Explained(True, "report", "report", said.address, lock, first=lock, states=states)


def _of_one(profile: BoardProfile, said: _Frame) -> Explained:
    address, data = said.address, said.data
    channels = profile.locks.channels if profile.locks else 0
    if len(data) == LOCK_ANSWER_BYTES - ENVELOPE_BYTES:
        known = data[0] == GOOD or (said.command == OPEN and data[0] == FAILED)
        if known and _has(profile, data[1]):
            answer = _reply(profile, said)
            return replace(answer, kind="doors") if said.command == STATUS else answer
        reason = f"status {data[0]:02X} for lock {data[1]} of {channels}"
        return Explained(True, "other", "reply", address, reason=reason)
    if len(data) != 1:
        return refuse(f"{len(data)} bytes of data where a lock, or its status and state, are expected")
    lock = data[0]
    if said.command == OPEN and profile.locks and _has(profile, lock):
        return Explained(True, "pulse", "request", address, lock, profile.locks.pulse_default_ms)
    if said.command == STATUS and lock == FIRST:
        return Explained(True, "identify", "request", address, lock)
    does = "opens" if said.command == OPEN else "asks for"
    return Explained(True, "other", "request", address, reason=f"{does} lock {lock} of {channels}: {NEVER}")


def _of_all(profile: BoardProfile, said: _Frame) -> Explained:
    data, channels = said.data, profile.inputs.channels if profile.inputs else 0
    if not data:
        return Explained(True, "read_doors", "request", said.address, first=1, count=channels)
    status, count, states = data[0], data[1:2], data[2:]
    if status != GOOD or count != bytes([len(states)]):
        return refuse("status, count and states do not go together")
    answer = _reply(profile, said)
    if len(states) == channels:
        return answer
    return replace(answer, reason=f"{len(states)} channels, not {channels}")


def _of_others(said: _Frame) -> Explained:
    """Orders that nothing here ever gives, and the answers to them."""
    address, data = said.address, said.data
    does = f"{OTHERS.get(said.command, 'opens every lock')}: {NEVER}"
    if len(data) != (2 if said.command in ABOUT_ONE else 1):
        return Explained(True, "other", "request", address, reason=does)
    lock = data[1] if len(data) > 1 else None
    if data[0] == GOOD:
        return Explained(True, "done", "reply", address, lock, reason=does)
    return Explained(True, "failed", "reply", address, lock, code=data[0], reason=does)
