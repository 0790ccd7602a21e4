"""Winnsen lock boards (V202104): `90 LEN FC STATION … 03`, 16 locks, no checksum, bit 1 = open.

A variant with firmware of its own guards the coils: a lock that was opened less than 3 s ago answers that it
is cooling down and stays shut. Its single status has lock and state the other way round than the opening's
reply.
"""

from typing import Final

from hw_sim.boards import Coils, InputLevels, Twist
from hw_sim.boards.lockboard import LockBoard, altered
from hw_sim.boards.modbus import packed

HEAD, END = 0x90, 0x03
POLL, OPEN, STATUS = 0x02, 0x05, 0x12
REPLY: Final = 0x80
FAILED, OPENED, COOLING = 0x00, 0x01, 0x02
LOCKS: Final = 16
PULSE_MS: Final = 500
COOL_DOWN_MS: Final = 3_000
SHORTEST: Final = 5
COMMAND_AT, STATION_AT, LOCK_AT = 2, 3, 4


class Winnsen(LockBoard):
    def __init__(self, address: int, levels: InputLevels, coils: Coils, *, duty: bool = False) -> None:
        super().__init__(address, LOCKS, LOCKS, levels, coils)
        self._duty = duty
        self._opened_at_ms: dict[int, int] = {}

    def hears(self, frame: bytes) -> bool:
        return (
            len(frame) >= SHORTEST
            and frame[0] == HEAD
            and frame[1] == len(frame)
            and frame[-1] == END
            and frame[STATION_AT] == self._address
        )

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        if twist is Twist.ADDRESS:
            return altered(reply, STATION_AT, 0x01)
        if twist is Twist.COMMAND:
            return altered(reply, COMMAND_AT, OPEN ^ POLL)
        return altered(reply, LOCK_AT, 0x01) if reply[COMMAND_AT] == OPEN | REPLY else reply

    def _carry_out(self, frame: bytes, now_ms: int) -> bytes | None:
        command, data = frame[COMMAND_AT], frame[LOCK_AT:-1]
        if command == POLL and len(data) == 2:  # noqa: PLR2004  # a mask for 16 locks
            bits = packed(self._inputs.read(now_ms))
            return self._reply(POLL, bytes(bit & mask for bit, mask in zip(bits, data, strict=True)))
        if len(data) != 1 or not self._has(data[0]):
            return None
        lock = data[0]
        if command == OPEN:
            return self._opening(lock, now_ms)
        if command == STATUS and self._duty:
            return self._reply(STATUS, bytes([self._status(lock, now_ms), lock]))
        return None

    def _opening(self, lock: int, now_ms: int) -> bytes | None:
        if self._cooling(lock, now_ms):
            return self._reply(OPEN, bytes([lock, COOLING]))
        self._opened_at_ms[lock] = now_ms
        self._open(lock, now_ms, PULSE_MS)
        self._say_at(
            now_ms + PULSE_MS, lambda at_ms: self._reply(OPEN, bytes([lock, self._state(lock, at_ms)]))
        )
        return None

    def _status(self, lock: int, now_ms: int) -> int:
        return COOLING if self._cooling(lock, now_ms) else self._state(lock, now_ms)

    def _cooling(self, lock: int, now_ms: int) -> bool:
        opened_at_ms = self._opened_at_ms.get(lock)
        return self._duty and opened_at_ms is not None and now_ms < opened_at_ms + COOL_DOWN_MS

    def _state(self, lock: int, now_ms: int) -> int:
        return OPENED if self._inputs.one(lock, now_ms) else FAILED

    def _reply(self, command: int, data: bytes) -> bytes:
        body = bytes([command | REPLY, self._address]) + data + bytes([END])
        return bytes([HEAD, len(body) + 2]) + body
