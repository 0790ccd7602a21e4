"""Lock boards of the `8A` family: a header, an address, a lock from 1, and the XOR of all of it.

Frames have neither a length nor an end mark, so each is known by the question it answers: header, address,
lock, the domain of every byte and the checksum, for XOR alone misses two equal flips. Lock 0 means every lock
of a board; no order is ever built with it.
"""

from collections.abc import Mapping
from functools import partial, reduce
from operator import xor
from types import MappingProxyType
from typing import Final

from firmware_bridge.boards.profile import BoardProfile
from firmware_bridge.boards.profile import Xor8a as Variant
from firmware_bridge.codecs import asked
from firmware_bridge.codecs.asked import NEVER
from firmware_bridge.codecs.codec import Explained, has_address, need, refuse, unspoken
from firmware_bridge.errors import RequestError
from firmware_bridge.request import (
    Bits,
    Done,
    Fits,
    Identify,
    Pulse,
    ReadInputs,
    Reply,
    Request,
    Telegram,
)

OPEN: Final = 0x8A
QUERY: Final = 0x80
REPORTS: Final = frozenset({0x81, 0x82})
BATCH: Final = 0x90
HOLDS: Final[Mapping[int, str]] = MappingProxyType({0x9A: "keeps energised", 0x9B: "lets go"})
ASK: Final = 0x33
"""At the end of a question, and of the answer about all locks; never a lock's level."""
FIRMWARE: Final = 0x22
ENERGISE: Final = 0x11
LEVELS: Final[Mapping[int, bool]] = MappingProxyType({0x00: False, 0x11: True})
"""Of one lock's feedback contact. Which one means a shut door depends on the lock."""
ALL: Final = 0
FIRST: Final = 1
LOCK_MAX: Final = 56
ADDRESS_MIN: Final = 1
ADDRESS_MAX: Final = 32
SHORT_BYTES: Final = 5
TIMED_BYTES: Final = 6
AROUND_STATUS: Final = 4
"""Header and address before the status bytes, the end mark and the checksum after them."""
SECOND_MS: Final = 1000
SECONDS_MAX: Final = 9


def frame(*body: int) -> bytes:
    """The bytes with their checksum."""
    return bytes([*body, reduce(xor, body)])


def whole(data: bytes) -> bool:
    """Whether this is one frame whose checksum holds."""
    return len(data) >= SHORT_BYTES and reduce(xor, data) == 0


class Xor8a:
    """See `codec.Codec`."""

    def encode(self, profile: BoardProfile, address: int, request: Request) -> Telegram:
        need(profile, address, request)
        if not ADDRESS_MIN <= address <= ADDRESS_MAX:
            raise RequestError(f"{request.board}: no board's switches can say address {address}")
        match request:
            case Identify():
                return _identify(address)
            case ReadInputs():
                return _levels(address, _variant(profile), request)
            case Pulse():
                return _pulse(address, _variant(profile), request)
        raise unspoken(request)

    def explain(self, profile: BoardProfile, frame: bytes, request: bytes | None) -> Explained:
        if not whole(frame):
            return refuse("the checksum does not hold, or the frame is not whole")
        if not has_address(profile, frame[1]):
            return refuse(f"address {frame[1]} is none of this kind of board")
        if request is not None:
            return self._answer(profile, frame, request)
        return _alone(profile, frame)

    def _answer(self, profile: BoardProfile, frame: bytes, request: bytes) -> Explained:
        if not whole(request):
            return asked.foreign()
        encode = partial(self.encode, profile, request[1])
        ours = asked.answered(encode, profile, request, frame, _mismatch)
        if isinstance(ours, Explained):
            return ours
        if not isinstance(ours.request, Pulse):
            kind = "identify" if isinstance(ours.request, Identify) else "doors"
            return _states(profile, frame, kind)
        pulse_ms = ours.request.pulse_ms
        if frame == request:
            said = f"feedback 11: {_feedback(profile, ENERGISE)}; or an adapter's echo of the order"
            return Explained(True, "pulse", "either", frame[1], frame[2], pulse_ms, reason=said)
        return _opened(profile, frame, pulse_ms)


def _variant(profile: BoardProfile) -> Variant:
    assert isinstance(profile.speech, Variant), "checked when the profile was read"  # noqa: S101
    return profile.speech


# --- telegrams --------------------------------------------------------------------------------------------


def _one(data: bytes, lock: int, reply: Reply, *, confirmed_by_echo: bool) -> Telegram:
    """A telegram that is answered by one lock's level under its own header, address and lock."""
    head = bytes([data[0], data[1], lock])

    def match(window: bytes) -> tuple[Reply, int] | None:
        found = window[:SHORT_BYTES]
        if not whole(found) or found[:3] != head or found[3] not in LEVELS:
            return None
        return reply, SHORT_BYTES

    return Telegram(data, SHORT_BYTES, match, confirmed_by_echo)


def _identify(address: int) -> Telegram:
    """One lock's level: another shape than any poll's. Which level it is does not matter."""
    return _one(frame(QUERY, address, FIRST, ASK), FIRST, Fits(), confirmed_by_echo=False)


def _levels(address: int, variant: Variant, request: ReadInputs) -> Telegram:
    """All locks, of which those asked for are picked out."""
    first, last = request.first, request.first + request.count - 1
    if last > 8 * variant.status_bytes:
        raise RequestError(f"{request.board}: {variant.status_bytes} status bytes say nothing of {last}")
    head, length = bytes([QUERY, address]), AROUND_STATUS + variant.status_bytes

    def match(window: bytes) -> tuple[Reply, int] | None:
        found = window[:length]
        if len(found) < length or not whole(found) or found[:2] != head or found[-2] != ASK:
            return None
        return Bits(_bits(found, variant)[first - 1 : last]), length

    return Telegram(frame(QUERY, address, ALL, ASK), length, match, confirmed_by_echo=False)


def _bits(answer: bytes, variant: Variant) -> tuple[bool, ...]:
    """Of every channel that the status bytes have room for."""
    status = answer[2:-2]
    octets = reversed(status) if variant.high_first else iter(status)
    return tuple(bool(octet >> bit & 1) for octet in octets for bit in range(8))


def _pulse(address: int, variant: Variant, pulse: Pulse) -> Telegram:
    lock = pulse.channel
    if not FIRST <= lock <= LOCK_MAX:
        raise RequestError(f"{pulse.board}: lock {lock} is none; 0 would open every door")
    if not variant.timed:
        # A contact that stays as it was is told by the very bytes of the order.
        return _one(frame(OPEN, address, lock, ENERGISE), lock, Done(), confirmed_by_echo=True)
    seconds, rest_ms = divmod(pulse.pulse_ms, SECOND_MS)
    if rest_ms or not 1 <= seconds <= SECONDS_MAX:
        raise RequestError(f"{pulse.board}: pulses last 1 to {SECONDS_MAX} s, not {pulse.pulse_ms} ms")
    return _one(frame(OPEN, address, lock, ENERGISE, seconds), lock, Done(), confirmed_by_echo=False)


# --- for people -------------------------------------------------------------------------------------------


def _mismatch(answer: bytes, request: bytes) -> str:
    if answer == request:
        return "the request itself: an echo"
    if answer[0] in REPORTS:
        return "an unasked report, no answer"
    if answer[0] != request[0]:
        return f"header {answer[0]:02X}, asked was {request[0]:02X}"
    if answer[1] != request[1]:
        return f"from address {answer[1]}, asked was {request[1]}"
    if request[2] != ALL and answer[2] != request[2]:
        return f"of lock {answer[2]}, asked was {request[2]}"
    return "another length, end mark or level than an answer has"


def _state(profile: BoardProfile, level: bool) -> str:
    closed_level = profile.inputs.closed_level if profile.inputs else 1
    return "closed" if level == bool(closed_level) else "open"


def _feedback(profile: BoardProfile, octet: int) -> str:
    return _state(profile, LEVELS[octet])


def _states(profile: BoardProfile, answer: bytes, kind: str = "doors") -> Explained:
    """One lock's level, or those of all."""
    if len(answer) == SHORT_BYTES:
        said = _feedback(profile, answer[3])
        return Explained(True, kind, "reply", answer[1], first=answer[2], states=(said,))
    channels = profile.inputs.channels if profile.inputs else 0
    levels = _bits(answer, _variant(profile))[:channels]
    states = tuple(_state(profile, level) for level in levels)
    return Explained(True, kind, "reply", answer[1], first=1, states=states)


def _opened(profile: BoardProfile, answer: bytes, pulse_ms: int) -> Explained:
    """What the contact said after the pulse."""
    address, lock, said = answer[1], answer[2], _feedback(profile, answer[3])
    return Explained(True, "pulse", "reply", address, lock, pulse_ms, first=lock, states=(said,))


def _other(data: bytes, reason: str, kind: str = "other") -> Explained:
    return Explained(True, kind, "request", data[1], reason=f"{reason}: {NEVER}")


def _alone(profile: BoardProfile, data: bytes) -> Explained:
    """What can be said of a sound frame without its question."""
    header = data[0]
    if header == QUERY:
        return _query(profile, data) if len(data) == SHORT_BYTES else _all(profile, data)
    if header == OPEN and len(data) in {SHORT_BYTES, TIMED_BYTES}:
        return _order(profile, data)
    if header in REPORTS and len(data) == SHORT_BYTES and data[2] != ALL and data[3] in LEVELS:
        return _report(profile, data)
    does = _does(data)
    if does is None:
        return refuse(f"{len(data)} bytes under header {header:02X} are nothing this family says")
    return _other(data, does)


def _report(profile: BoardProfile, data: bytes) -> Explained:
    address, lock = data[1], data[2]
    if lock > (profile.inputs.channels if profile.inputs else 0):
        reason = f"lock {lock}, which this board has not"
        return Explained(True, "other", "report", address, reason=reason)
    said = _feedback(profile, data[3])
    return Explained(True, "report", "report", address, lock, first=lock, states=(said,))


def _does(data: bytes) -> str | None:
    """Orders of the sheets that nothing here ever gives."""
    header, rest = data[0], data[2:-1]
    if header in REPORTS and rest == bytes([ALL, FIRMWARE]):
        return "asks for the firmware"
    if header in HOLDS and len(data) == SHORT_BYTES:
        return f"{HOLDS[header]} lock {data[2]}"
    if header == BATCH:
        mask = int.from_bytes(rest, "big")
        locks = [str(bit + 1) for bit in range(mask.bit_length()) if mask >> bit & 1]
        return f"opens locks {', '.join(locks) or 'none'} in one go"
    return None


def _order(profile: BoardProfile, data: bytes) -> Explained:
    """To open, or what the lock said to that."""
    lock, does = data[2], data[3]
    channels = profile.locks.channels if profile.locks else 0
    if lock == ALL and does == ENERGISE:
        return _other(data, "opens every lock of the board", "open_all")
    if not FIRST <= lock <= channels:
        return _other(data, f"to lock {lock} of a board that has {channels}")
    if does not in LEVELS or (len(data) == TIMED_BYTES and does != ENERGISE):
        return _other(data, f"order {does:02X} to lock {lock}")
    return _short_order(profile, data) if len(data) == SHORT_BYTES else _timed_order(profile, data)


def _short_order(profile: BoardProfile, data: bytes) -> Explained:
    pulse_ms = profile.locks.pulse_default_ms if profile.locks else 0
    if _variant(profile).timed or data[3] != ENERGISE:
        return _opened(profile, data, pulse_ms)
    said = f"the order to open, or its answer: feedback 11, {_feedback(profile, ENERGISE)}"
    return Explained(True, "pulse", "either", data[1], data[2], pulse_ms, reason=said)


def _timed_order(profile: BoardProfile, data: bytes) -> Explained:
    lock, seconds, locks = data[2], data[4], profile.locks
    pulse_ms = seconds * SECOND_MS
    if locks and _variant(profile).timed and locks.pulse_min_ms <= pulse_ms <= locks.pulse_max_ms:
        return Explained(True, "pulse", "request", data[1], lock, pulse_ms)
    return _other(data, f"opens lock {lock} for {seconds} s")


def _all(profile: BoardProfile, data: bytes) -> Explained:
    """The levels of all locks, if as many come as the board has."""
    came, expected = len(data) - AROUND_STATUS, _variant(profile).status_bytes
    if data[-2] == ASK and came == expected:
        return _states(profile, data)
    said = f"{came} status bytes, not the {expected} of this kind of board"
    return Explained(True, "other", "reply", data[1], reason=said)


def _query(profile: BoardProfile, data: bytes) -> Explained:
    address, lock, asks = data[1], data[2], data[3]
    channels = profile.inputs.channels if profile.inputs else 0
    if asks == ASK and lock == ALL:
        return Explained(True, "read_doors", "request", address, first=1, count=channels)
    if asks == ASK and lock == FIRST:
        return Explained(True, "identify", "request", address, channel=lock)
    if asks in LEVELS and FIRST <= lock <= channels:
        return _states(profile, data)
    return _other(data, f"order {asks:02X} to lock {lock}")
