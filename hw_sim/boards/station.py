"""What every Modbus board shares: frames, exceptions, inputs by FC02, relays by FC01, FC05 and FC0F.

From the protocol's own specification. What the values of FC05 mean, and what lies at which address, is each
maker's own business and stands in the subclasses.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from hw_sim.boards import Ailments, CoilOrder, Coils, InputLevels, Said, Twist
from hw_sim.boards.modbus import (
    BROADCAST,
    MAX_BITS,
    MAX_REGISTERS,
    READ_COILS,
    READ_HOLDING,
    READ_INPUT_REGISTERS,
    READ_INPUTS,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Fault,
    RefusedError,
    cut,
    sealed,
    span,
    unpacked,
    whole,
    word,
)
from hw_sim.boards.terminals import Inputs, Relays

HIGHEST_ADDRESS: Final = 247
EXCEPTION: Final = 0x80
OTHER_FUNCTION: Final[Mapping[int, int]] = MappingProxyType(
    {READ_COILS: READ_INPUTS, READ_HOLDING: READ_INPUT_REGISTERS, WRITE_COIL: WRITE_REGISTER}
    | {READ_INPUTS: READ_COILS, WRITE_REGISTER: WRITE_COIL}
    | {WRITE_COILS: WRITE_REGISTERS, WRITE_REGISTERS: WRITE_COILS}
)
WRITES: Final = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS})

Handler = Callable[[bytes, int], bytes]
"""(data after the function code, now_ms) -> the reply's data after the function code."""


class Station:
    """A Modbus station with `inputs` input terminals and no relays."""

    def __init__(self, address: int, inputs: int, levels: InputLevels) -> None:
        self._address = address
        self._inputs = Inputs(inputs, levels)
        self._frame = b""
        self._handlers: dict[int, Handler] = {}
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
        replier, function, data = self._replier(frame), frame[1], frame[2:-2]
        reply = self._carry_out(function, data, now_ms)
        if reply is None or (frame[0] == BROADCAST and not self._answered_to_all(function, data)):
            return None
        return sealed(bytes([replier]) + reply)

    def next_ms(self) -> int | None:
        return None

    def advance(self, now_ms: int) -> None:
        """An input board does nothing by itself."""

    def said(self) -> Sequence[Said]:
        return ()

    def ail(self, ailments: Ailments) -> None:
        self._inputs.ail(ailments)

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        octets = bytearray(reply[:-2])
        if twist is Twist.ADDRESS:
            octets[0] = octets[0] % HIGHEST_ADDRESS + 1
        elif twist is Twist.COMMAND:
            function = octets[1] & ~EXCEPTION
            octets[1] = OTHER_FUNCTION.get(function, function) | octets[1] & EXCEPTION
        elif octets[1] in WRITES:
            octets[3] ^= 1  # the low byte of the written address
        return sealed(bytes(octets))

    def _replier(self, _frame: bytes) -> int:
        """In whose name the board answers."""
        return self._address

    def _answered_to_all(self, _function: int, _data: bytes) -> bool:
        """Which broadcasts the board answers although the protocol says none."""
        return False

    def _carry_out(self, function: int, data: bytes, now_ms: int) -> bytes | None:
        try:
            return bytes([function]) + self._handlers.get(function, _unknown)(data, now_ms)
        except RefusedError as refusal:
            return bytes([function | EXCEPTION, refusal.fault])

    def _read_inputs(self, data: bytes, now_ms: int) -> bytes:
        return cut(self._inputs.read(now_ms), data)


class RegisterStation(Station):
    """With holding registers: FC03, FC06, FC10."""

    def __init__(self, address: int, inputs: int, levels: InputLevels) -> None:
        super().__init__(address, inputs, levels)
        self._handlers |= {
            READ_HOLDING: self._read_words,
            WRITE_REGISTER: self._write_word,
            WRITE_REGISTERS: self._write_words,
        }

    def _read_words(self, data: bytes, now_ms: int) -> bytes:
        start, count = span(data, MAX_REGISTERS)
        words = b"".join(self._register(start + place, now_ms).to_bytes(2, "big") for place in range(count))
        return bytes([len(words)]) + words

    def _write_word(self, data: bytes, now_ms: int) -> bytes:
        if len(data) != 4:  # noqa: PLR2004  # register and value, a word each
            raise RefusedError(Fault.VALUE)
        self._set_register(word(data, 0), word(data, 2), now_ms)
        return data

    def _write_words(self, data: bytes, now_ms: int) -> bytes:
        start, count = span(data, MAX_REGISTERS)
        octets = data[5:]
        if len(data) < 5 or data[4] != len(octets) or len(octets) != 2 * count:  # noqa: PLR2004  # head of five octets
            raise RefusedError(Fault.VALUE)
        for place in range(count):
            self._set_register(start + place, word(octets, 2 * place), now_ms)
        return data[:4]

    def _register(self, _register: int, _now_ms: int) -> int:
        raise RefusedError(Fault.ADDRESS)

    def _set_register(self, _register: int, _value: int, _now_ms: int) -> None:
        raise RefusedError(Fault.ADDRESS)


class RelayStation(RegisterStation):
    """With relays: FC01 reads what they are, FC05 means what `_write_one` says, FC0F writes many."""

    def __init__(self, address: int, relays: int, inputs: int, levels: InputLevels, coils: Coils) -> None:
        super().__init__(address, inputs, levels)
        self._relays = Relays(relays, coils)
        self._handlers |= {
            READ_COILS: self._read_coils,
            WRITE_COIL: self._write_coil,
            WRITE_COILS: self._write_coils,
        }

    def next_ms(self) -> int | None:
        return self._relays.next_ms()

    def advance(self, now_ms: int) -> None:
        self._relays.advance(now_ms)

    def ail(self, ailments: Ailments) -> None:
        super().ail(ailments)
        self._relays.ail(ailments)

    def _write_one(self, _address: int, _value: int, _now_ms: int) -> None:
        """FC05. RefusedError becomes the exception that the board answers with."""
        raise RefusedError(Fault.ADDRESS)

    def _set(self, channel: int, now_ms: int, *, on: bool) -> None:
        if on:
            self._order(channel, None, now_ms)
        else:
            self._relays.off(channel, now_ms)

    def _order(self, channel: int, pulse_ms: int | None, now_ms: int) -> None:
        self._relays.order(CoilOrder(self._address, channel, pulse_ms, now_ms, self._frame))

    def _read_coils(self, data: bytes, _now_ms: int) -> bytes:
        return cut(self._relays.states(), data)

    def _write_coil(self, data: bytes, now_ms: int) -> bytes:
        if len(data) != 4:  # noqa: PLR2004  # address and value, a word each
            raise RefusedError(Fault.VALUE)
        self._write_one(word(data, 0), word(data, 2), now_ms)
        return data

    def _write_coils(self, data: bytes, now_ms: int) -> bytes:
        start, count = span(data, MAX_BITS)
        if start + count > len(self._relays):
            raise RefusedError(Fault.ADDRESS)
        octets = data[5:]
        if len(data) < 6 or data[4] != len(octets) or len(octets) != (count + 7) // 8:  # noqa: PLR2004  # one octet at least
            raise RefusedError(Fault.VALUE)
        for place, on in enumerate(unpacked(octets, count)):
            self._set(start + place + 1, now_ms, on=on)
        return data[:4]


def _unknown(_data: bytes, _now_ms: int) -> bytes:
    raise RefusedError(Fault.FUNCTION)
