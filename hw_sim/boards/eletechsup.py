"""eletechsup relay boards (R421A08, N4D3E16 and their siblings): no coils, a command in a holding register.

The register is the channel from 1; the value is the command in the high byte and a time in the low one. What
is no instruction is met with silence, not with an exception. Status is one register a channel.
"""

from collections.abc import Sequence
from typing import Final

from hw_sim.boards import Coils, InputLevels
from hw_sim.boards.modbus import READ_COILS, READ_INPUTS, WRITE_COIL, WRITE_COILS, packed
from hw_sim.boards.station import EXCEPTION, RelayStation

ON, OFF, TOGGLE, LATCH, MOMENTARY, DELAY, ALL_ON, ALL_OFF = range(1, 9)
MOMENTARY_MS: Final = 1_000
OUTPUT_BITS: Final = 0x0070
FIRST_INPUT: Final = 0x0081
INPUT_BITS: Final = 0x00C0
REPORTING: Final = 0x00FD
ADDRESS: Final = 0x00FE
BAUD: Final = 0x00FF
BAUD_9600: Final = 3
BAUD_HIGHEST: Final = 5
WORD_BITS: Final = 16


class R4(RelayStation):
    """`relays` channels; on some models also inputs."""

    def __init__(self, address: int, relays: int, inputs: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, relays, inputs, levels, coils)
        self._baud = BAUD_9600
        self._reporting = 0
        for function in (READ_COILS, READ_INPUTS, WRITE_COIL, WRITE_COILS):
            self._handlers.pop(function, None)

    def _carry_out(self, function: int, data: bytes, now_ms: int) -> bytes | None:
        reply = super()._carry_out(function, data, now_ms)
        return None if reply is None or reply[0] & EXCEPTION else reply

    def _register(self, register: int, now_ms: int) -> int:
        known = {OUTPUT_BITS: _word(self._relays.states()), ADDRESS: self._address, BAUD: self._baud}
        known |= {place + 1: int(on) for place, on in enumerate(self._relays.states())}
        if len(self._inputs):
            levels = self._inputs.read(now_ms)
            known |= {FIRST_INPUT + place: int(level) for place, level in enumerate(levels)}
            known |= {INPUT_BITS: _word(levels), REPORTING: self._reporting}
        return known[register] if register in known else super()._register(register, now_ms)

    def _set_register(self, register: int, value: int, now_ms: int) -> None:
        command, seconds = value >> 8, value & 0xFF
        if register == 0 and command in (ALL_ON, ALL_OFF) and not seconds:
            for channel in range(1, len(self._relays) + 1):
                self._set(channel, now_ms, on=command == ALL_ON)
        elif register == BAUD and 0 <= value <= BAUD_HIGHEST:
            self._baud = value  # counts from the next power-up
        elif register == REPORTING and len(self._inputs) and value in (0, 1):
            self._reporting = value
        elif not (1 <= register <= len(self._relays) and self._command(register, command, seconds, now_ms)):
            super()._set_register(register, value, now_ms)

    def _command(self, channel: int, command: int, seconds: int, now_ms: int) -> bool:
        """Carry out one channel's command; False where it is none."""
        if (seconds > 0) is not (command == DELAY):
            return False
        if command in (ON, OFF):
            self._set(channel, now_ms, on=command == ON)
        elif command == TOGGLE:
            self._set(channel, now_ms, on=not self._relays.is_on(channel))
        elif command == LATCH:
            for each in range(1, len(self._relays) + 1):
                self._set(each, now_ms, on=each == channel)
        elif command == MOMENTARY:
            self._order(channel, MOMENTARY_MS, now_ms)
        elif command == DELAY:
            self._order(channel, seconds * 1000, now_ms)
        return ON <= command <= DELAY


def _word(levels: Sequence[bool]) -> int:
    return int.from_bytes(packed(levels[:WORD_BITS]).ljust(2, b"\0"), "little")
