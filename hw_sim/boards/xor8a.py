"""The "8A" family of lock boards: five octets, the last one the XOR of all before. 8, 12, 24 and 50 locks.

Manual: 485锁控板通讯协议 (editions 2021 and 2024A1). What the reply to an opening tells is the lock's
feedback once the pulse is over; whether its contact is closed while locked or while open depends on the lock.
"""

from dataclasses import dataclass
from typing import Final

from hw_sim.boards import Coils, InputLevels, Twist
from hw_sim.boards.lockboard import LockBoard, altered, xor_of
from hw_sim.boards.modbus import packed, unpacked

OPEN: Final = 0x8A
QUERY: Final = 0x80
BATCH: Final = 0x90
HOLD: Final = 0x9A
LET_GO: Final = 0x9B
DO: Final = 0x11
ASK: Final = 0x33
CLOSED: Final = 0x11
OPENED: Final = 0x00
ALL: Final = 0
REPORTS: Final = (0x81, 0x82)

SHORT: Final = 5
TIMED: Final = 6
PULSE_MS: Final = 300
QUERY_MS: Final = 200
LONGEST_S: Final = 9


@dataclass(frozen=True, slots=True)
class Firmware:
    """What differs between the editions of one board."""

    low_first: bool = False  # status octets: channels 1 to 8 first instead of last
    timed: bool = False  # takes the length of the pulse in whole seconds
    report: int = REPORTS[0]  # how an unasked report begins


class Xor8a(LockBoard):
    """`octets` status octets, whatever the number of locks."""

    def __init__(
        self, address: int, locks: int, octets: int, firmware: Firmware, levels: InputLevels, coils: Coils
    ) -> None:
        super().__init__(address, locks, octets * 8, levels, coils)
        self._octets = octets
        self._firmware = firmware

    def hears(self, frame: bytes) -> bool:
        return len(frame) >= SHORT and xor_of(frame) == 0 and frame[1] == self._address

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        body = reply[:-1]
        if twist is Twist.ADDRESS:
            body = altered(body, 1, 0x01)
        elif twist is Twist.COMMAND:
            body = altered(body, 0, OPEN ^ QUERY)
        elif body[0] == OPEN:
            body = altered(body, 2, 0x01)
        return _sealed(body)

    def _carry_out(self, frame: bytes, now_ms: int) -> bytes | None:
        command, lock, rest = frame[0], frame[2], frame[3:-1]
        if command == BATCH and len(frame) == 3 + self._octets:
            self._batch(frame[2:-1], now_ms)
        elif len(frame) == SHORT and command == QUERY and rest == bytes([ASK]):
            self._query(lock, now_ms)
        elif command == OPEN and rest[:1] == bytes([DO]):
            self._opening(lock, rest[1:], now_ms)
        elif len(frame) == SHORT and rest == bytes([DO]) and self._has(lock):
            if command == HOLD:
                self._open(lock, now_ms, None)
            elif command == LET_GO:
                self._relays.off(lock, now_ms)
        return None  # every answer of this family takes its time

    def _opening(self, lock: int, seconds: bytes, now_ms: int) -> None:
        pulse_ms = PULSE_MS
        if seconds:
            if not self._firmware.timed or len(seconds) != 1 or not 1 <= seconds[0] <= LONGEST_S:
                return
            pulse_ms = seconds[0] * 1000
        if lock == ALL:
            for each in self._all():
                self._open(each, now_ms, pulse_ms)
        elif self._has(lock):
            self._open(lock, now_ms, pulse_ms)
            self._say_at(now_ms + pulse_ms, lambda at_ms: self._one(OPEN, lock, at_ms))

    def _query(self, lock: int, now_ms: int) -> None:
        if lock == ALL:
            self._say_at(now_ms + QUERY_MS, self._status)
        elif self._has(lock):
            self._say_at(now_ms + QUERY_MS, lambda at_ms: self._one(QUERY, lock, at_ms))

    def _batch(self, mask: bytes, now_ms: int) -> None:
        """The mask has the high locks first, as the status has them."""
        wanted = unpacked(bytes(reversed(mask)), len(mask) * 8)
        for lock in self._all():
            if wanted[lock - 1]:
                self._open(lock, now_ms, PULSE_MS)

    def _one(self, command: int, lock: int, now_ms: int) -> bytes:
        state = CLOSED if self._inputs.one(lock, now_ms) else OPENED
        return _sealed(bytes([command, self._address, lock, state]))

    def _status(self, now_ms: int) -> bytes:
        low_first = packed(self._inputs.read(now_ms))
        octets = low_first if self._firmware.low_first else bytes(reversed(low_first))
        return _sealed(bytes([QUERY, self._address]) + octets + bytes([ASK]))

    def _report(self, channel: int, level: bool) -> bytes:
        state = CLOSED if level else OPENED
        return _sealed(bytes([self._firmware.report, self._address, channel, state]))


def _sealed(body: bytes) -> bytes:
    return body + bytes([xor_of(body)])
