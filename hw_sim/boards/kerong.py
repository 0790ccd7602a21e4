"""Kerong lock boards: KR-CU16 with frames of five octets, KR-CU48 with frames of six.

`02 ADDR CMD … 03 SUM` and `02 DEV LOCK CMD … 03 SUM`, SUM being the low octet of the sum of all before.
Neither acknowledges an opening: who wants to know asks for the status. Current-on time is set for
electromagnetic locks, 500 ms.
"""

from typing import Final

from hw_sim.boards import Coils, InputLevels, Twist
from hw_sim.boards.lockboard import LockBoard, altered
from hw_sim.boards.modbus import packed

STX, ETX = 0x02, 0x03
PULSE_MS: Final = 500
PAUSE_MS: Final = 100  # between two locks that open in turn: the supply bears one
TIME_UNIT_MS: Final = 10
LONGEST_MS: Final = 24_000
LONGEST_DELAY_S: Final = 250

STATUS, UNLOCK, STATUS_ALL, UNLOCK_ALL = 0x30, 0x31, 0x32, 0x33
STATUS_IS, TIME_IS = 0x35, 0x36
SET_TIME, TELL_TIME, UNLOCK_LATER, SET_BAUD = 0x37, 0x38, 0x39, 0x40
EVERY_BOARD: Final = 0x0F
CU16_LOCKS: Final = 16
CU16_SHORTEST: Final = 5
TURN_MS: Final = 25  # boards that were all asked answer one after the other

CU48_STATUS, CU48_UNLOCK, CU48_STATUS_IS = 0x60, 0x61, 0x75
CU48_LOCKS: Final = 48
CU48_LENGTH: Final = 6


class Cu16(LockBoard):
    """16 locks; their hook switches are the inputs 1 to 16, their item sensors 17 to 32."""

    def __init__(self, address: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, CU16_LOCKS, 2 * CU16_LOCKS, levels, coils)
        self._pulse_ms = PULSE_MS

    def hears(self, frame: bytes) -> bool:
        return (
            len(frame) >= CU16_SHORTEST and _framed(frame) and frame[1] >> 4 in (self._address, EVERY_BOARD)
        )

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        """No order of this family is answered, so no echo can be wrong."""
        places = {Twist.ADDRESS: (1, 0x10), Twist.COMMAND: (2, STATUS_IS ^ TIME_IS)}
        return _summed(altered(reply[:-1], *places[twist])) if twist in places else reply

    def _carry_out(self, frame: bytes, now_ms: int) -> bytes | None:
        lock, command, data = (frame[1] & 0x0F) + 1, frame[2], frame[3:-2]
        if command in (STATUS, STATUS_ALL) and not data:
            return self._asked(frame[1] >> 4, now_ms)
        if command == UNLOCK and not data:
            self._open(lock, now_ms, self._pulse_ms)
        elif command == UNLOCK_ALL and not data:
            self._open_in_turn(self._all(), now_ms, self._pulse_ms, PAUSE_MS)
        elif command == UNLOCK_LATER and len(data) == 1 and data[0] <= LONGEST_DELAY_S:
            order, pulse_ms = frame, self._pulse_ms
            self._plan(now_ms + data[0] * 1000, lambda at_ms: self._open(lock, at_ms, pulse_ms, order))
        elif command == SET_TIME and len(data) == 2:  # noqa: PLR2004  # a word
            wanted_ms = int.from_bytes(data, "big") * TIME_UNIT_MS
            self._pulse_ms = wanted_ms if 0 < wanted_ms <= LONGEST_MS else self._pulse_ms
        elif command == TELL_TIME and not data:
            return self._reply(TIME_IS, (self._pulse_ms // TIME_UNIT_MS).to_bytes(2, "big"))
        return None  # a new baud rate (SET_BAUD) counts from the next power-up

    def _asked(self, board: int, now_ms: int) -> bytes | None:
        if board != EVERY_BOARD:
            return self._status(now_ms)
        self._say_at(now_ms + self._address * TURN_MS, self._status)
        return None

    def _status(self, now_ms: int) -> bytes:
        return self._reply(STATUS_IS, packed(self._inputs.read(now_ms)))

    def _reply(self, command: int, data: bytes) -> bytes:
        return _summed(bytes([STX, self._address << 4, command]) + data + bytes([ETX]))


class Cu48(LockBoard):
    """48 locks. The layout of its status is a guess: the lock asked for, six octets low first, 1 = closed."""

    def __init__(self, address: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, CU48_LOCKS, CU48_LOCKS, levels, coils)

    def hears(self, frame: bytes) -> bool:
        return len(frame) == CU48_LENGTH and _framed(frame) and frame[1] == self._address

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        places = {Twist.ADDRESS: (1, 0x01), Twist.COMMAND: (3, 0x01)}
        return _summed(altered(reply[:-1], *places[twist])) if twist in places else reply

    def _carry_out(self, frame: bytes, now_ms: int) -> bytes | None:
        lock, command = frame[2], frame[3]
        if command == CU48_STATUS:
            octets = packed(self._inputs.read(now_ms))
            return _summed(bytes([STX, self._address, lock, CU48_STATUS_IS]) + octets + bytes([ETX]))
        if command == CU48_UNLOCK and self._has(lock + 1):
            self._open(lock + 1, now_ms, PULSE_MS)
        return None


def _framed(frame: bytes) -> bool:
    return frame[0] == STX and frame[-2] == ETX and sum(frame[:-1]) & 0xFF == frame[-1]


def _summed(body: bytes) -> bytes:
    return body + bytes([sum(body) & 0xFF])
