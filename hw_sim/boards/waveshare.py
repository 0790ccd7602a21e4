"""Boards of the Waveshare Modbus RTU Relay family, second protocol version (from September 2021).

Manual: https://www.waveshare.com/wiki/Modbus_RTU_Relay and its (D), IO 8CH, 16CH and 32CH siblings. A pulse
is the board's own "flash on": it switches the relay off by itself after units of 100 ms.
"""

from typing import Final

from hw_sim.boards import CoilOrder, Coils, InputLevels
from hw_sim.boards.modbus import READ_HOLDING, WRITE_REGISTERS, Fault, RefusedError
from hw_sim.boards.station import RegisterStation, RelayStation

UART: Final = 0x2000
ADDRESS: Final = 0x4000
VERSION: Final = 0x8000
VERSION_2_00: Final = 0x00C8
UART_9600_8N1: Final = 0x0001
HIGHEST_ADDRESS: Final = 255
HIGHEST_PARITY: Final = 2
HIGHEST_BAUD_CODE: Final = 7

ALL_RELAYS: Final = 0x00FF
FLASH_ON: Final = 0x0200
FLASH_OFF: Final = 0x0400
FLASH_UNIT_MS: Final = 100
FLASH_LONGEST: Final = 0x7FFF
CONTROL_MODE: Final = 0x1000
ON: Final = 0xFF00
OFF: Final = 0x0000
TOGGLE: Final = 0x5500
NORMAL, LINKAGE, TOGGLING, EDGE = range(4)


class _Setup(RegisterStation):
    """Address, version and line parameters, as on every board of the family."""

    _uart = UART_9600_8N1

    def _answered_to_all(self, function: int, data: bytes) -> bool:
        """These boards reply to a broadcast read of address and version: for a single board on a table."""
        return function == READ_HOLDING and data[:2] in (
            ADDRESS.to_bytes(2, "big"),
            VERSION.to_bytes(2, "big"),
        )

    def _register(self, register: int, now_ms: int) -> int:
        known = {UART: self._uart, ADDRESS: self._address, VERSION: VERSION_2_00}
        return known[register] if register in known else super()._register(register, now_ms)

    def _set_register(self, register: int, value: int, now_ms: int) -> None:
        if register == ADDRESS:
            if not 1 <= value <= HIGHEST_ADDRESS:
                raise RefusedError(Fault.VALUE)
            self._address = value
        elif register == UART:
            if value >> 8 > HIGHEST_PARITY or value & 0xFF > HIGHEST_BAUD_CODE:
                raise RefusedError(Fault.VALUE)
            self._uart = value  # takes effect after the next power-up, so the line keeps its speed
        else:
            super()._set_register(register, value, now_ms)


class InputBoard(_Setup):
    """Inputs alone."""

    def __init__(self, address: int, inputs: int, levels: InputLevels) -> None:
        super().__init__(address, inputs, levels)
        del self._handlers[WRITE_REGISTERS]


class RelayBoard(_Setup, RelayStation):
    """`relays` channels, each with its control mode; on the (D) and IO boards also inputs."""

    def __init__(self, address: int, relays: int, inputs: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, relays, inputs, levels, coils)
        self._modes = [NORMAL] * relays
        self._seen = self._inputs.read(0)[:relays] if inputs else []

    def answer(self, frame: bytes, now_ms: int) -> bytes | None:
        reply = super().answer(frame, now_ms)
        if any(self._modes):  # the frame may just have set one: from now on the inputs rule
            self._follow_inputs(now_ms)
        return reply

    def advance(self, now_ms: int) -> None:
        super().advance(now_ms)
        if any(self._modes):
            self._follow_inputs(now_ms)

    def _write_one(self, address: int, value: int, now_ms: int) -> None:
        relays = len(self._relays)
        if address == ALL_RELAYS:
            for channel in range(1, relays + 1):
                self._command(channel, value, now_ms)
        elif address < relays:
            self._command(address + 1, value, now_ms)
        elif FLASH_ON <= address < FLASH_ON + relays:
            self._order(address - FLASH_ON + 1, _length_ms(value), now_ms)
        elif FLASH_OFF <= address < FLASH_OFF + relays:
            order = CoilOrder(self._address, address - FLASH_OFF + 1, None, now_ms, self._frame)
            self._relays.interrupt(order, _length_ms(value))
        else:
            raise RefusedError(Fault.ADDRESS)

    def _command(self, channel: int, value: int, now_ms: int) -> None:
        wanted = {ON: True, OFF: False, TOGGLE: not self._relays.is_on(channel)}.get(value)
        if wanted is None:
            raise RefusedError(Fault.VALUE)
        self._set(channel, now_ms, on=wanted)

    def _register(self, register: int, now_ms: int) -> int:
        if self._is_mode(register):
            return self._modes[register - CONTROL_MODE]
        return super()._register(register, now_ms)

    def _set_register(self, register: int, value: int, now_ms: int) -> None:
        if not self._is_mode(register):
            super()._set_register(register, value, now_ms)
        elif value > EDGE:
            raise RefusedError(Fault.VALUE)
        else:
            self._modes[register - CONTROL_MODE] = value

    def _is_mode(self, register: int) -> bool:
        return CONTROL_MODE <= register < CONTROL_MODE + len(self._modes)

    def _follow_inputs(self, now_ms: int) -> None:
        """In every mode but the normal one the board's own inputs drive its relays, unasked."""
        if not len(self._inputs):
            return
        levels = self._inputs.read(now_ms)[: len(self._relays)]
        for place, level in enumerate(levels):
            channel, before, mode = place + 1, self._seen[place], self._modes[place]
            if mode == LINKAGE:
                self._relays.switch(channel, now_ms, on=level)
            elif level is not before and (mode == EDGE or (mode == TOGGLING and level)):
                self._relays.switch(channel, now_ms, on=not self._relays.is_on(channel))
        self._seen = levels


def _length_ms(units: int) -> int:
    if not 1 <= units <= FLASH_LONGEST:
        raise RefusedError(Fault.VALUE)
    return units * FLASH_UNIT_MS
