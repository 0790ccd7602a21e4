"""Relay boards of the Waveshare Modbus RTU Relay family, second protocol version (from September 2021).

Manual: https://www.waveshare.com/wiki/Modbus_RTU_Relay and its (D), 16CH and 32CH siblings. A pulse is the
board's own "flash on": it switches the relay off by itself after units of 100 ms.
"""

from typing import Final

from hw_sim.boards import CoilOrder, Coils, InputLevels
from hw_sim.boards.modbus import (
    MAX_BITS,
    READ_COILS,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTERS,
    Fault,
    RefusedError,
    cut,
    span,
    unpacked,
    word,
)
from hw_sim.boards.station import Station

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
HIGHEST_MODE_COUNT: Final = 32


class RelayBoard(Station):
    """`relays` channels, each with its control mode; on the (D) boards also inputs."""

    def __init__(self, address: int, relays: int, inputs: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, inputs, levels)
        self._coils = coils
        self._on = [False] * relays
        self._flips_at_ms: dict[int, int] = {}
        self._modes = [NORMAL] * relays
        self._seen = list(levels(0))[:relays] if inputs else []
        self._handlers |= {
            READ_COILS: lambda data, _now_ms: cut(self._on, data),
            WRITE_COIL: self._write_coil,
            WRITE_COILS: self._write_coils,
            WRITE_REGISTERS: self._write_words,
        }

    def answer(self, frame: bytes, now_ms: int) -> bytes | None:
        reply = super().answer(frame, now_ms)
        if any(self._modes):  # the frame may just have set one: from now on the inputs rule
            self._follow_inputs(now_ms)
        return reply

    def next_ms(self) -> int | None:
        return min(self._flips_at_ms.values(), default=None)

    def advance(self, now_ms: int) -> None:
        for channel, at_ms in sorted(self._flips_at_ms.items(), key=lambda flip: flip[1]):
            if at_ms <= now_ms:
                del self._flips_at_ms[channel]
                self._switch(channel, not self._on[channel], at_ms)
        if any(self._modes):
            self._follow_inputs(now_ms)

    def _write_coil(self, data: bytes, now_ms: int) -> bytes:
        if len(data) != 4:  # noqa: PLR2004  # address and value, a word each
            raise RefusedError(Fault.VALUE)
        address, value = word(data, 0), word(data, 2)
        if address == ALL_RELAYS:
            for channel in range(len(self._on)):
                self._command(channel, value, now_ms)
        elif address < len(self._on):
            self._command(address, value, now_ms)
        elif FLASH_ON <= address < FLASH_ON + len(self._on):
            self._flash(address - FLASH_ON, value, now_ms, on=True)
        elif FLASH_OFF <= address < FLASH_OFF + len(self._on):
            self._flash(address - FLASH_OFF, value, now_ms, on=False)
        else:
            raise RefusedError(Fault.ADDRESS)
        return data

    def _command(self, channel: int, value: int, now_ms: int) -> None:
        wanted = {ON: True, OFF: False, TOGGLE: not self._on[channel]}.get(value)
        if wanted is None:
            raise RefusedError(Fault.VALUE)
        self._set(channel, wanted, now_ms)

    def _flash(self, channel: int, units: int, now_ms: int, *, on: bool) -> None:
        if not 1 <= units <= FLASH_LONGEST:
            raise RefusedError(Fault.VALUE)
        length_ms = units * FLASH_UNIT_MS
        if on:
            self._order(channel, length_ms, now_ms)
        self._switch(channel, on, now_ms)
        self._flips_at_ms[channel] = now_ms + length_ms

    def _set(self, channel: int, on: bool, now_ms: int) -> None:
        self._flips_at_ms.pop(channel, None)
        if on:
            self._order(channel, None, now_ms)
        self._switch(channel, on, now_ms)

    def _order(self, channel: int, pulse_ms: int | None, now_ms: int) -> None:
        self._coils.ordered(CoilOrder(self._address, channel + 1, pulse_ms, now_ms, self._frame))

    def _switch(self, channel: int, on: bool, at_ms: int) -> None:
        if self._on[channel] is not on:
            self._on[channel] = on
            self._coils.switched(channel + 1, on, at_ms)

    def _write_coils(self, data: bytes, now_ms: int) -> bytes:
        start, count = span(data, MAX_BITS)
        if start + count > len(self._on):
            raise RefusedError(Fault.ADDRESS)
        octets = data[5:]
        if len(data) < 6 or data[4] != len(octets) or len(octets) != (count + 7) // 8:  # noqa: PLR2004  # one octet at least
            raise RefusedError(Fault.VALUE)
        for place, on in enumerate(unpacked(octets, count)):
            self._set(start + place, on, now_ms)
        return data[:4]

    def _write_words(self, data: bytes, _now_ms: int) -> bytes:
        start, count = span(data, HIGHEST_MODE_COUNT)
        octets = data[5:]
        if len(data) < 5 or data[4] != len(octets) or len(octets) != 2 * count:  # noqa: PLR2004  # head of five octets
            raise RefusedError(Fault.VALUE)
        for place in range(count):
            self._set_register(start + place, word(octets, 2 * place))
        return data[:4]

    def _register(self, register: int) -> int:
        if self._is_mode(register):
            return self._modes[register - CONTROL_MODE]
        return super()._register(register)

    def _set_register(self, register: int, value: int) -> None:
        if not self._is_mode(register):
            super()._set_register(register, value)
        elif value > EDGE:
            raise RefusedError(Fault.VALUE)
        else:
            self._modes[register - CONTROL_MODE] = value

    def _is_mode(self, register: int) -> bool:
        return CONTROL_MODE <= register < CONTROL_MODE + len(self._modes)

    def _follow_inputs(self, now_ms: int) -> None:
        """In every mode but the normal one the board's own inputs drive its relays, unasked."""
        if not self._inputs:
            return
        levels = list(self._levels(now_ms))[: len(self._on)]
        for channel, level in enumerate(levels):
            before, mode = self._seen[channel], self._modes[channel]
            if mode == LINKAGE:
                self._switch(channel, level, now_ms)
            elif level is not before and (mode == EDGE or (mode == TOGGLING and level)):
                self._switch(channel, not self._on[channel], now_ms)
        self._seen = list(levels)
