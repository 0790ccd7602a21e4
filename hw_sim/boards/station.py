"""What the relay boards and the input boards of this family share: address, version, line parameters."""

from collections.abc import Callable
from typing import Final

from hw_sim.boards import InputLevels
from hw_sim.boards.modbus import (
    BROADCAST,
    MAX_REGISTERS,
    READ_HOLDING,
    READ_INPUTS,
    WRITE_REGISTER,
    Fault,
    RefusedError,
    cut,
    sealed,
    span,
    whole,
    word,
)

UART: Final = 0x2000
ADDRESS: Final = 0x4000
VERSION: Final = 0x8000
VERSION_2_00: Final = 0x00C8
UART_9600_8N1: Final = 0x0001
HIGHEST_ADDRESS: Final = 255
HIGHEST_PARITY: Final = 2
HIGHEST_BAUD_CODE: Final = 7

Handler = Callable[[bytes, int], bytes]
"""(data after the function code, now_ms) -> the reply's data after the function code."""


class Station:
    """A Modbus station with `inputs` input terminals and no relays."""

    def __init__(self, address: int, inputs: int, levels: InputLevels) -> None:
        self._address = address
        self._inputs = inputs
        self._levels = levels
        self._uart = UART_9600_8N1
        self._frame = b""
        self._handlers: dict[int, Handler] = {
            READ_HOLDING: self._read_words,
            WRITE_REGISTER: self._write_word,
        }
        if inputs:
            self._handlers[READ_INPUTS] = self._read_inputs

    @property
    def address(self) -> int:
        return self._address

    def hears(self, frame: bytes) -> bool:
        return whole(frame) and frame[0] in (self._address, BROADCAST)

    def answer(self, frame: bytes, now_ms: int) -> bytes | None:
        """The reply frame; None to a frame that is broken, meant for others, or a broadcast write."""
        if not self.hears(frame):
            return None
        self._frame = frame
        replier, function, data = self._address, frame[1], frame[2:-2]
        if frame[0] == BROADCAST and not _answered_to_all(function, data):
            self._carry_out(function, data, now_ms)
            return None
        return sealed(bytes([replier]) + self._carry_out(function, data, now_ms))

    def next_ms(self) -> int | None:
        return None

    def advance(self, now_ms: int) -> None:
        """An input board does nothing by itself."""

    def _carry_out(self, function: int, data: bytes, now_ms: int) -> bytes:
        try:
            return bytes([function]) + self._handlers.get(function, _unknown)(data, now_ms)
        except RefusedError as refusal:
            return bytes([function | 0x80, refusal.fault])

    def _read_inputs(self, data: bytes, now_ms: int) -> bytes:
        return cut(list(self._levels(now_ms))[: self._inputs], data)

    def _read_words(self, data: bytes, _now_ms: int) -> bytes:
        start, count = span(data, MAX_REGISTERS)
        words = b"".join(self._register(start + place).to_bytes(2, "big") for place in range(count))
        return bytes([len(words)]) + words

    def _write_word(self, data: bytes, _now_ms: int) -> bytes:
        if len(data) != 4:  # noqa: PLR2004  # register and value, a word each
            raise RefusedError(Fault.VALUE)
        self._set_register(word(data, 0), word(data, 2))
        return data

    def _register(self, register: int) -> int:
        known = {UART: self._uart, ADDRESS: self._address, VERSION: VERSION_2_00}
        if register not in known:
            raise RefusedError(Fault.ADDRESS)
        return known[register]

    def _set_register(self, register: int, value: int) -> None:
        if register == ADDRESS:
            if not 1 <= value <= HIGHEST_ADDRESS:
                raise RefusedError(Fault.VALUE)
            self._address = value
        elif register == UART:
            if value >> 8 > HIGHEST_PARITY or value & 0xFF > HIGHEST_BAUD_CODE:
                raise RefusedError(Fault.VALUE)
            self._uart = value  # takes effect after the next power-up, so the line keeps its speed
        else:
            raise RefusedError(Fault.ADDRESS)


def _unknown(_data: bytes, _now_ms: int) -> bytes:
    raise RefusedError(Fault.FUNCTION)


def _answered_to_all(function: int, data: bytes) -> bool:
    """These boards reply to a broadcast read of address and version: for a single board on a table."""
    return function == READ_HOLDING and data[:2] in (ADDRESS.to_bytes(2, "big"), VERSION.to_bytes(2, "big"))
