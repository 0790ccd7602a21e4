"""Kerong lock boards: five bytes with address and lock in one (CU12, CU16), six with a byte for each (CU48).

All begin with 02, end with 03 and the low byte of the sum of all before. The board itself holds how long a
pulse lasts. What it says after an unlock proves nothing: integrators see silence, a status or noise there, so
a pulse stays uncertain and the sensor settles it. Of the six-byte status the layout is assumed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from firmware_bridge.boards import BoardProfile
from firmware_bridge.boards.profile import Kerong as Speech
from firmware_bridge.codecs import asked
from firmware_bridge.codecs.asked import NEVER, NOWHERE
from firmware_bridge.codecs.codec import Explained, need, refuse, unspoken
from firmware_bridge.errors import RequestError
from firmware_bridge.request import Bits, Fits, Identify, Pulse, ReadInputs, Reply, Request, Telegram
from locker.domain.ids import BoardId

START: Final = 0x02
END: Final = 0x03
TAIL_BYTES: Final = 2
FIVE: Final = "five"
FIVE_STATUS: Final = 0x30
FIVE_UNLOCK: Final = 0x31
FIVE_ALL: Final = 0x33
FIVE_SAYS: Final = 0x35
FIVE_BYTES: Final = 5
FIVE_LOCKS: Final = 16
FIVE_DATA_BYTES: Final = 4
"""Hooks of locks 1 to 8 and 9 to 16, items in 1 to 8 and 9 to 16; the lowest bit is the first lock."""
EVERYBODY: Final = 0xF
"""As a board's address: all boards. Never built."""
SIX_STATUS: Final = 0x60
SIX_UNLOCK: Final = 0x61
SIX_SAYS: Final = 0x75
SIX_BYTES: Final = 6
SIX_HEAD_BYTES: Final = 4
AS_SET: Final = "for as long as the board is set to"
FIVE_ANSWER_BYTES: Final = 9
FIVE_COMMANDS: Final[Mapping[int, tuple[int, str]]] = MappingProxyType(
    {
        FIVE_STATUS: (FIVE_BYTES, ""),
        FIVE_UNLOCK: (FIVE_BYTES, ""),
        0x32: (FIVE_BYTES, f"asks all boards: {NEVER}"),
        FIVE_ALL: (FIVE_BYTES, NEVER),
        FIVE_SAYS: (FIVE_ANSWER_BYTES, ""),
        0x36: (7, "its pulse length, in units of 10 ms"),
        0x37: (7, f"sets its pulse length: {NEVER}"),
        0x38: (FIVE_BYTES, f"asks its pulse length: {NEVER}"),
        0x39: (6, f"sets a delay in seconds: {NEVER}"),
        0x40: (6, f"sets its baud rate: {NEVER}"),
    }
)
"""Length of the whole frame, and what it means where it is none of ours."""
FIVE_REPLIES: Final = frozenset({FIVE_SAYS, 0x36})


class _Words(NamedTuple):
    """What is said to one board, and what it says."""

    status: bytes
    answer_head: bytes
    data_bytes: int
    unlock: Callable[[int], bytes]

    @property
    def answer_bytes(self) -> int:
        return len(self.answer_head) + self.data_bytes + TAIL_BYTES


class Kerong:
    def encode(self, profile: BoardProfile, address: int, request: Request) -> Telegram:
        need(profile, address, request)
        words = _words(profile, address, request.board)
        match request:
            case Identify():
                return _read(words, lambda _data: Fits())
            case ReadInputs():
                first, count = request.first, request.count
                return _read(words, lambda data: Bits(_levels(data, first, count)))
            case Pulse():
                return Telegram(
                    words.unlock(request.channel), words.answer_bytes, _nothing, confirmed_by_echo=False
                )
        raise unspoken(request)

    def explain(self, profile: BoardProfile, frame: bytes, request: bytes | None) -> Explained:
        five = _speech(profile).frame == FIVE
        if (problem := _unsound(frame, FIVE_BYTES if five else SIX_BYTES)) is not None:
            return refuse(problem)
        said = (_five if five else _six)(profile, frame)
        return said if request is None or not said.ok else self._as_reply(profile, said, frame, request)

    def _as_reply(self, profile: BoardProfile, said: Explained, frame: bytes, request: bytes) -> Explained:
        if len(request) < FIVE_BYTES:
            return asked.foreign()
        address = request[1] >> 4 if _speech(profile).frame == FIVE else request[1]
        encode = partial(self.encode, profile, address)
        ours = asked.find(encode, asked.of_lock_board(profile), request)
        if ours is None:
            return asked.foreign()
        if isinstance(ours.request, Pulse):
            return refuse("nothing that comes after an unlock proves it: only the sensor does")
        return said if ours.reply(frame) is not None else refuse(_mismatch(said, frame, request))


def sealed(*body: int) -> bytes:
    """Start, body, end, sum."""
    data = bytes([START, *body, END])
    return data + bytes([sum(data) & 0xFF])


def _speech(profile: BoardProfile) -> Speech:
    assert isinstance(profile.speech, Speech), "checked when the profile was read"  # noqa: S101
    return profile.speech


def _words(profile: BoardProfile, address: int, board: BoardId) -> _Words:
    speech = _speech(profile)
    if speech.frame == FIVE:
        return _five_words(address, board)
    # Where the status begins one byte later, that byte is taken for its length, which must then be right.
    length = bytes([speech.status_bytes])[: speech.status_offset - SIX_HEAD_BYTES]
    return _Words(
        sealed(address, 0, SIX_STATUS),
        bytes([START, address, 0, SIX_SAYS]) + length,
        speech.status_bytes,
        lambda channel: sealed(address, channel - 1, SIX_UNLOCK),
    )


def _five_words(address: int, board: BoardId) -> _Words:
    if not 0 <= address < EVERYBODY:
        raise RequestError(f"{board}: address {address} is all boards or none")
    high = address << 4

    def unlock(channel: int) -> bytes:
        if not 1 <= channel <= FIVE_LOCKS:
            raise RequestError(f"{board}: lock {channel} would be another board's")
        return sealed(high | channel - 1, FIVE_UNLOCK)

    return _Words(sealed(high, FIVE_STATUS), bytes([START, high, FIVE_SAYS]), FIVE_DATA_BYTES, unlock)


def _read(words: _Words, understand: Callable[[bytes], Reply]) -> Telegram:
    def match(window: bytes) -> tuple[Reply, int] | None:
        data = _data(window[: words.answer_bytes], words)
        return None if data is None else (understand(data), words.answer_bytes)

    return Telegram(words.status, words.answer_bytes, match, confirmed_by_echo=False)


def _nothing(window: bytes) -> tuple[Reply, int] | None:
    """No reply to an unlock is known for certain."""
    del window
    return None


def _data(frame: bytes, words: _Words) -> bytes | None:
    """The status bytes, if this is exactly the sound answer of this board."""
    if len(frame) != words.answer_bytes or not frame.startswith(words.answer_head):
        return None
    return frame[len(words.answer_head) : -TAIL_BYTES] if _holds(frame) else None


def _holds(frame: bytes) -> bool:
    return frame[-TAIL_BYTES] == END and sum(frame[:-1]) & 0xFF == frame[-1]


def _levels(data: bytes, first: int, count: int) -> tuple[bool | None, ...]:
    bits = [bool(octet >> bit & 1) for octet in data for bit in range(8)]
    return tuple(bits[n] if n < len(bits) else None for n in range(first - 1, first - 1 + count))


def _unsound(frame: bytes, least: int) -> str | None:
    if len(frame) < least:
        return f"shorter than {least} bytes"
    if frame[0] != START:
        return f"begins with {frame[0]:02X}, not {START:02X}"
    if frame[-TAIL_BYTES] != END:
        return f"has {frame[-TAIL_BYTES]:02X} where {END:02X} ends it"
    return None if _holds(frame) else f"the sum is {sum(frame[:-1]) & 0xFF:02X}, not {frame[-1]:02X}"


def _five(profile: BoardProfile, frame: bytes) -> Explained:
    address, low, command = frame[1] >> 4, frame[1] & 0xF, frame[2]
    length, meaning = FIVE_COMMANDS.get(command, (0, ""))
    if len(frame) != length:
        return refuse(f"{len(frame)} bytes with command {command:02X} are none of this family's")
    direction = "reply" if command in FIVE_REPLIES else "request"
    if command == FIVE_SAYS:
        return _status(profile, address, frame[3:-TAIL_BYTES], FIVE_LOCKS)
    if command == FIVE_ALL:
        return Explained(True, "open_all", direction, address, reason=meaning)
    if meaning or address == EVERYBODY or (command == FIVE_STATUS and low):
        return Explained(True, "other", direction, address, reason=meaning or NEVER)
    if command == FIVE_STATUS:
        return _asks(profile, address)
    return Explained(True, "pulse", direction, address, channel=low + 1, reason=AS_SET)


def _six(profile: BoardProfile, frame: bytes) -> Explained:
    address, lock, command = frame[1], frame[2], frame[3]
    if command == SIX_SAYS:
        data = _data(frame, _words(profile, address, NOWHERE))
        if data is None:
            return refuse("not laid out as is assumed of this family")
        return replace(_status(profile, address, data, 8 * len(data)), reason="the layout is assumed")
    if command not in {SIX_STATUS, SIX_UNLOCK} or len(frame) != SIX_BYTES:
        return refuse(f"{len(frame)} bytes with command {command:02X} are none of this family's")
    locks = profile.locks.channels if profile.locks else 0
    if lock >= (locks if command == SIX_UNLOCK else 1):
        return Explained(True, "other", "request", address, reason=NEVER)
    if command == SIX_STATUS:
        return _asks(profile, address)
    return Explained(True, "pulse", "request", address, channel=lock + 1, reason=AS_SET)


def _asks(profile: BoardProfile, address: int) -> Explained:
    count = profile.inputs.channels if profile.inputs else None
    return Explained(True, "read_doors", "request", address, first=1, count=count)


def _status(profile: BoardProfile, address: int, data: bytes, locks: int) -> Explained:
    shut = profile.inputs.closed_level if profile.inputs else 1
    levels = _levels(data, 1, 8 * len(data))
    states = tuple("closed" if level == shut else "open" for level in levels[:locks])
    items = [channel for channel, item in enumerate(levels[locks:], 1) if item]
    reason = f"items in {', '.join(map(str, items))}" if items else ""
    return Explained(True, "doors", "reply", address, first=1, states=states, reason=reason)


def _mismatch(said: Explained, frame: bytes, request: bytes) -> str:
    if frame == request:
        return "the request itself: an echo"
    if frame[1] != request[1]:
        return f"from address {said.address}, byte {frame[1]:02X}; asked was byte {request[1]:02X}"
    return "no answer to a question for the status"
