"""The "WKLY" lock boards, 12 or 24 locks: `57 4B 4C 59 LEN ADDR CMD … XOR`, LEN being the whole frame's.

Boards count from 0, locks from 1. In a reply the octet after the command tells whether it was done.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from hw_sim.boards import Coils, InputLevels, Twist
from hw_sim.boards.lockboard import LockBoard, altered, xor_of

HEAD: Final = b"WKLY"
LENGTH_AT, ADDRESS_AT, COMMAND_AT, DATA_AT = 4, 5, 6, 7
SHORTEST: Final = 8

OPEN_SEVERAL, FLASH, OPEN, STATUS, STATUS_ALL, REPORT = range(0x80, 0x86)
OPEN_ALL, OPEN_IN_TURN, HOLD, CLOSE = range(0x86, 0x8A)
DONE, FAILED = 0x00, 0xFF
OPENED, CLOSED = 0x00, 0x01
PULSE_MS: Final = 400
PAUSE_MS: Final = 100  # between two locks that open in turn
ORDERS: Final = frozenset({OPEN, CLOSE, HOLD})

Handler = Callable[["Wkly", bytes, int], bytes | None]
"""(board, data, now_ms) -> the reply's data, or None."""


class Wkly(LockBoard):
    def __init__(self, address: int, locks: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, locks, locks, levels, coils)

    def hears(self, frame: bytes) -> bool:
        return (
            len(frame) >= SHORTEST
            and frame[:LENGTH_AT] == HEAD
            and frame[LENGTH_AT] == len(frame)
            and xor_of(frame) == 0
            and frame[ADDRESS_AT] == self._address
        )

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        body = reply[:-1]
        if twist is Twist.ADDRESS:
            body = altered(body, ADDRESS_AT, 0x01)
        elif twist is Twist.COMMAND:
            body = altered(body, COMMAND_AT, 0x01)
        elif body[COMMAND_AT] in ORDERS:
            body = altered(body, DATA_AT + 1, 0x01)
        return body + bytes([xor_of(body)])

    def _carry_out(self, frame: bytes, now_ms: int) -> bytes | None:
        command, data = frame[COMMAND_AT], frame[DATA_AT:-1]
        handler = HANDLERS.get(command)
        reply = handler(self, data, now_ms) if handler else None
        return None if reply is None else self._sealed(command, reply)

    def open_one(self, data: bytes, now_ms: int) -> bytes | None:
        if not self._names(data, 1):
            return bytes([FAILED, *data[:1], CLOSED])
        lock = data[0]
        self._open(lock, now_ms, PULSE_MS)
        self._say_at(now_ms + PULSE_MS, lambda at_ms: self._sealed(OPEN, self._opened(lock, at_ms)))
        return None

    def open_several(self, data: bytes, now_ms: int) -> bytes:
        if not self._lists(data):
            return bytes([FAILED])
        for lock in data[1:]:
            self._open(lock, now_ms, PULSE_MS)
        return bytes([DONE])

    def open_in_turn(self, data: bytes, now_ms: int) -> bytes:
        if not self._lists(data):
            return bytes([FAILED])
        self._open_in_turn(data[1:], now_ms, PULSE_MS, PAUSE_MS)
        return bytes([DONE])

    def open_all(self, data: bytes, now_ms: int) -> bytes:
        if data:
            return bytes([FAILED])
        for lock in self._all():
            self._open(lock, now_ms, PULSE_MS)
        return bytes([DONE])

    def status(self, data: bytes, now_ms: int) -> bytes:
        if not self._names(data, 1):
            return bytes([FAILED, *data[:1], CLOSED])
        return bytes([DONE, data[0], self._state(data[0], now_ms)])

    def status_all(self, data: bytes, now_ms: int) -> bytes:
        if data:
            return bytes([FAILED])
        states = [CLOSED if level else OPENED for level in self._inputs.read(now_ms)]
        return bytes([DONE, self._locks, *states])

    def hold(self, data: bytes, now_ms: int) -> bytes:
        if not self._names(data, 1):
            return bytes([FAILED, *data[:1]])
        self._open(data[0], now_ms, None)
        return bytes([DONE, data[0]])

    def close(self, data: bytes, now_ms: int) -> bytes:
        if not self._names(data, 1):
            return bytes([FAILED, *data[:1]])
        self._relays.off(data[0], now_ms)
        return bytes([DONE, data[0]])

    def flash(self, data: bytes, _now_ms: int) -> bytes:
        return bytes([DONE if self._names(data, 1) else FAILED])

    def _opened(self, lock: int, now_ms: int) -> bytes:
        """A lock that did not open has failed, though it had its pulse."""
        state = self._state(lock, now_ms)
        return bytes([DONE if state == OPENED else FAILED, lock, state])

    def _state(self, lock: int, now_ms: int) -> int:
        return CLOSED if self._inputs.one(lock, now_ms) else OPENED

    def _names(self, data: bytes, count: int) -> bool:
        return len(data) == count and all(self._has(lock) for lock in data)

    def _lists(self, data: bytes) -> bool:
        """A count and so many locks of this board."""
        return bool(data) and data[0] == len(data) - 1 > 0 and all(self._has(lock) for lock in data[1:])

    def _report(self, channel: int, level: bool) -> bytes:
        return self._sealed(REPORT, bytes([channel, CLOSED if level else OPENED]))

    def _sealed(self, command: int, data: bytes) -> bytes:
        body = HEAD + bytes([SHORTEST + len(data), self._address, command]) + data
        return body + bytes([xor_of(body)])


HANDLERS: Final[Mapping[int, Handler]] = MappingProxyType(
    {
        OPEN_SEVERAL: Wkly.open_several,
        FLASH: Wkly.flash,
        OPEN: Wkly.open_one,
        STATUS: Wkly.status,
        STATUS_ALL: Wkly.status_all,
        OPEN_ALL: Wkly.open_all,
        OPEN_IN_TURN: Wkly.open_in_turn,
        HOLD: Wkly.hold,
        CLOSE: Wkly.close,
    }
)
