"""Modbus relay boards that look like others and are not: what FC05 means differs from board to board."""

from typing import Final

from hw_sim.boards import Coils, InputLevels
from hw_sim.boards.modbus import READ_HOLDING, READ_INPUTS, Fault, RefusedError, cut, word
from hw_sim.boards.station import HIGHEST_ADDRESS, RelayStation

ON: Final = 0xFF00
OFF: Final = 0x0000
SMALL_ON: Final = 0x0100
TOGGLE: Final = 0x5500
TOGGLE_ALL: Final = 0x5A00
ALL_RELAYS: Final = 0x00FF
PULSE: Final = 0x0200
PULSE_UNIT_MS: Final = 100
OWN_ADDRESS: Final = 0x0000


class PlainRelays(RelayStation):
    """Nothing but the protocol's own on and off: whoever wants a pulse switches off in time."""

    def _write_one(self, address: int, value: int, now_ms: int) -> None:
        if address >= len(self._relays):
            raise RefusedError(Fault.ADDRESS)
        if value not in (ON, OFF):
            raise RefusedError(Fault.VALUE)
        self._set(address + 1, now_ms, on=value == ON)


class HighByteRelays(RelayStation):
    """The "8Bit MODBUS RTU Relay": a pulse's time stands in the high byte, 100 ms each, up to 25.5 s.

    Its address lies in register 0 and is set, and told, by broadcast.
    """

    def _replier(self, frame: bytes) -> int:
        return frame[0]  # a broadcast read is answered in the name of address 0

    def _answered_to_all(self, function: int, data: bytes) -> bool:
        return function == READ_HOLDING and word(data, 0) == OWN_ADDRESS

    def _register(self, register: int, now_ms: int) -> int:
        return self._address if register == OWN_ADDRESS else super()._register(register, now_ms)

    def _set_register(self, register: int, value: int, now_ms: int) -> None:
        if register != OWN_ADDRESS:
            super()._set_register(register, value, now_ms)
        if not 1 <= value <= HIGHEST_ADDRESS:
            raise RefusedError(Fault.VALUE)
        self._address = value

    def _write_one(self, address: int, value: int, now_ms: int) -> None:
        relays = len(self._relays)
        if value == TOGGLE_ALL and address == 0:
            self._command_all(TOGGLE, now_ms)
        elif address == ALL_RELAYS:
            self._command_all(value, now_ms)
        elif address < relays:
            self._command(address + 1, value, now_ms)
        elif PULSE <= address < PULSE + relays:
            if not value >> 8 or value & 0xFF:
                raise RefusedError(Fault.VALUE)
            self._order(address - PULSE + 1, (value >> 8) * PULSE_UNIT_MS, now_ms)
        else:
            raise RefusedError(Fault.ADDRESS)

    def _command_all(self, value: int, now_ms: int) -> None:
        for channel in range(1, len(self._relays) + 1):
            self._command(channel, value, now_ms)

    def _command(self, channel: int, value: int, now_ms: int) -> None:
        on = {ON: True, SMALL_ON: True, OFF: False, TOGGLE: not self._relays.is_on(channel)}.get(value)
        if on is None:
            raise RefusedError(Fault.VALUE)
        self._set(channel, now_ms, on=on)


class WrongEchoRelays(RelayStation):
    """4-relay "SkyDrive" boards: on is 0x0100; a coil that does not exist is echoed wrongly, not refused."""

    def _write_coil(self, data: bytes, now_ms: int) -> bytes:
        if len(data) != 4:  # noqa: PLR2004  # address and value, a word each
            raise RefusedError(Fault.VALUE)
        address, value = word(data, 0), word(data, 2)
        if value not in (ON, SMALL_ON, OFF):
            raise RefusedError(Fault.VALUE)
        if address == ALL_RELAYS and value == OFF:
            for channel in range(1, len(self._relays) + 1):
                self._set(channel, now_ms, on=False)
        elif address < len(self._relays):
            self._set(address + 1, now_ms, on=value != OFF)
        else:
            return (address % len(self._relays)).to_bytes(2, "big") + data[2:]
        return data

    def _read_inputs(self, data: bytes, now_ms: int) -> bytes:
        """A count of 0, as its manual prints it, asks for all of them."""
        if data[2:] == b"\0\0":
            data = data[:2] + len(self._inputs).to_bytes(2, "big")
        return cut(self._inputs.read(now_ms), data)


class FixedPulseLocks(RelayStation):
    """Kerong KR-CU48 with Modbus: coils are locks, FC01 tells their hooks (1 = closed), FC05 unlocks.

    Known from an emulator only, of which two editions disagree whether 0000 or FF00 opens. Either way the
    lock gets the board's own pulse; the other value does nothing and is acknowledged.
    """

    PULSE_MS: Final = 500

    def __init__(
        self, address: int, locks: int, levels: InputLevels, coils: Coils, *, opens_with: int = OFF
    ) -> None:
        super().__init__(address, locks, locks, levels, coils)
        del self._handlers[READ_INPUTS]
        self._opens_on = opens_with == ON

    def _write_one(self, address: int, value: int, now_ms: int) -> None:
        if address >= len(self._relays):
            raise RefusedError(Fault.ADDRESS)
        if value not in (ON, OFF):
            raise RefusedError(Fault.VALUE)
        self._set(address + 1, now_ms, on=value == ON)

    def _set(self, channel: int, now_ms: int, *, on: bool) -> None:
        if on is self._opens_on:
            self._order(channel, self.PULSE_MS, now_ms)

    def _read_coils(self, data: bytes, now_ms: int) -> bytes:
        """The later edition takes a count of 0 as all of them."""
        if self._opens_on and data[2:] == b"\0\0":
            data = data[:2] + len(self._inputs).to_bytes(2, "big")
        return cut(self._inputs.read(now_ms), data)
