"""Modbus RTU: PDUs and checksum by pymodbus, everything that decides a match by ourselves.

pymodbus' own client takes an FC01 reply for an FC02 request, an FC05 reply with another address or value, and
drops good replies behind one byte of noise. So it is asked to build and take apart, never to judge.
"""

import struct
from collections.abc import Callable
from typing import Final, TypeVar

from pymodbus.framer import FramerRTU
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
)
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from firmware_bridge.boards.check import ADDRESS_MAX
from firmware_bridge.boards.profile import (
    BoardProfile,
    Locks,
    Modbus,
    ModbusBits,
    ModbusIdentity,
    ModbusModes,
)
from firmware_bridge.codecs.codec import need
from firmware_bridge.errors import RequestError
from firmware_bridge.request import (
    AllOff,
    Bits,
    Done,
    Failed,
    Fits,
    Identify,
    Pulse,
    ReadCoils,
    ReadInputs,
    ReadModes,
    Refused,
    Release,
    Reply,
    Request,
    Telegram,
    Unfit,
)

EXCEPTION_BIT: Final = 0x80
EXCEPTION_BYTES: Final = 5
EXCEPTION_CODES: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 11})
NOTHING_BEGUN: Final = frozenset({1, 2, 3})
"""Exceptions that say of a write that it was turned away: no such function, address or value. Others may come
of one that is under way or done: 4 broke off, 5 is still at it, 11 is a gateway that missed the reply."""
ILLEGAL: Final = frozenset({1, 2})
"""Exceptions that say "no such function" and "no such address"."""
HEAD_BYTES: Final = 3
CHECKSUM_BYTES: Final = 2
OVERHEAD_BYTES: Final = HEAD_BYTES + CHECKSUM_BYTES
WORD_BITS: Final = 16
OFF: Final = 0x0000
UNITS_MAX: Final = 0xFF
"""Of a pulse whose length has one byte; within the ceiling on any board."""


class WriteCoil(ModbusPDU):
    """FC05 with any value, a time or an odd "on". pymodbus' own knows on and off and cannot carry it."""

    function_code: int = 5
    rtu_frame_size: int = 8

    def __init__(self, address: int, value: int) -> None:
        super().__init__(address=address)
        self.value = value

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.value)


class WriteRegister(WriteCoil):
    """FC06: the same layout."""

    function_code: int = 6


def encode(profile: BoardProfile, address: int, request: Request) -> Telegram:
    """The telegram of one request. Raises RequestError for what must never reach the wire."""
    need(profile, address, request)
    if not 1 <= address <= ADDRESS_MAX:
        raise RequestError(f"{request.board}: address {address} is a broadcast or reserved")
    speech = profile.speech
    assert isinstance(speech, Modbus), "checked when the profile was read"  # noqa: S101
    if isinstance(request, AllOff | Release | Pulse):
        return _echoed(_write(address, profile, speech, request))
    match request:
        case Identify():
            return _identify(address, speech.identify)
        case ReadModes():
            return _modes(address, _having(request, speech.modes), _having(request, profile.locks))
        case ReadInputs():
            channels = _having(request, profile.inputs).channels
            return _levels(address, _having(request, speech.inputs), request, channels)
        case ReadCoils():
            channels = _having(request, profile.locks).channels
            every = ReadInputs(request.board, 1, channels)
            return _levels(address, _having(request, speech.coils), every, channels)


def frame(address: int, pdu: bytes) -> bytes:
    """Address, PDU, checksum."""
    body = bytes([address]) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(CHECKSUM_BYTES, "big")


def whole(data: bytes) -> bool:
    """Whether this is one frame whose checksum holds."""
    return len(data) > HEAD_BYTES and frame(data[0], data[1:-CHECKSUM_BYTES]) == data


Part = TypeVar("Part")


def _having(request: Request, part: Part | None) -> Part:
    if part is None:
        raise RequestError(f"{request.board}: its profile knows no {type(request).__name__}")
    return part


def _body(window: bytes, length: int) -> bytes | None:
    """The first ``length`` bytes without their checksum, if they are there and it is right."""
    if len(window) < length:
        return None
    body, checksum = window[: length - CHECKSUM_BYTES], window[length - CHECKSUM_BYTES : length]
    return body if FramerRTU.compute_CRC(body) == int.from_bytes(checksum, "big") else None


def _refusal(window: bytes, address: int, function: int) -> Refused | None:
    if window[:2] != bytes([address, function | EXCEPTION_BIT]):
        return None
    body = _body(window, EXCEPTION_BYTES)
    return Refused(body[2]) if body is not None and body[2] in EXCEPTION_CODES else None


def _read(
    address: int, request: ModbusPDU, data_bytes: int, understand: Callable[[bytes | Refused], Reply]
) -> Telegram:
    """A read whose reply is ``address, function, data_bytes, data, checksum``, all of which must fit."""
    function = request.function_code
    head = bytes([address, function, data_bytes])
    length = data_bytes + OVERHEAD_BYTES

    def match(window: bytes) -> tuple[Reply, int] | None:
        if window[:HEAD_BYTES] == head and (body := _body(window, length)) is not None:
            return understand(body[2:]), length
        if (refusal := _refusal(window, address, function)) is not None:
            return understand(refusal), EXCEPTION_BYTES
        return None

    data = frame(address, bytes([function]) + request.encode())
    return Telegram(data, length, match, confirmed_by_echo=False, shortest=min(length, EXCEPTION_BYTES))


def _echoed(data: bytes) -> Telegram:
    """A write whose reply is the request itself, byte for byte; some boards answer a wrong one."""

    def match(window: bytes) -> tuple[Reply, int] | None:
        if window[: len(data)] == data:
            return Done(), len(data)
        if (refusal := _refusal(window, data[0], data[1])) is not None:
            code = refusal.code
            return refusal if code in NOTHING_BEGUN else Failed(code), EXCEPTION_BYTES
        return None

    return Telegram(data, len(data), match, confirmed_by_echo=True, shortest=EXCEPTION_BYTES)


def _bits(count: int) -> Callable[[bytes | Refused], Reply]:
    def understand(data: bytes | Refused) -> Reply:
        if isinstance(data, Refused):
            return data
        reply = ReadDiscreteInputsResponse()
        reply.decode(data)
        return Bits(tuple(reply.bits[:count]))

    return understand


def _registers(data: bytes) -> list[int]:
    reply = ReadHoldingRegistersResponse()
    reply.decode(data)
    return list(reply.registers)


def _one_each(data: bytes | Refused) -> Reply:
    """A register for each channel; anything but 0 and 1 is no level."""
    if isinstance(data, Refused):
        return data
    return Bits(tuple({0: False, 1: True}.get(value) for value in _registers(data)))


def _bitmap(first: int, count: int) -> Callable[[bytes | Refused], Reply]:
    """Registers of 16 channels, the lowest bit first."""

    def understand(data: bytes | Refused) -> Reply:
        if isinstance(data, Refused):
            return data
        words = _registers(data)
        bits = [bool(words[n // WORD_BITS] >> n % WORD_BITS & 1) for n in range(first - 1, first - 1 + count)]
        return Bits(tuple(bits))

    return understand


def _levels(address: int, where: ModbusBits, request: ReadInputs, channels: int) -> Telegram:
    first, count = request.first, request.count
    at = where.address + first - 1
    if where.bitmap:
        words = -(-channels // WORD_BITS)
        pdu: ModbusPDU = ReadHoldingRegistersRequest(address=where.address, count=words)
        return _read(address, pdu, 2 * words, _bitmap(first, count))
    if where.function == ReadHoldingRegistersRequest.function_code:
        return _read(address, ReadHoldingRegistersRequest(address=at, count=count), 2 * count, _one_each)
    kind = ReadCoilsRequest if where.function == ReadCoilsRequest.function_code else ReadDiscreteInputsRequest
    return _read(address, kind(address=at, count=count), (count + 7) // 8, _bits(count))


def _identify(address: int, identity: ModbusIdentity) -> Telegram:
    def understand(data: bytes | Refused) -> Reply:
        if isinstance(data, Refused):
            return Unfit(f"exception {data.code} when asked what it is; wrong profile?")
        if identity.minimum is not None and (value := _registers(data)[0]) < identity.minimum:
            return Unfit(
                f"register {identity.address:#06x} is {value}, not {identity.minimum} or more; wrong profile?"
            )
        return Fits()

    if identity.function == ReadHoldingRegistersRequest.function_code:
        return _read(address, ReadHoldingRegistersRequest(address=identity.address, count=1), 2, understand)
    bits = {1: ReadCoilsRequest, 2: ReadDiscreteInputsRequest}[identity.function]
    return _read(address, bits(address=identity.address, count=1), 1, understand)


def _modes(address: int, modes: ModbusModes, locks: Locks) -> Telegram:
    def understand(data: bytes | Refused) -> Reply:
        if isinstance(data, Refused):
            if modes.absent_ok and data.code in ILLEGAL:
                return Fits()
            return Unfit(f"exception {data.code} when asked for its control modes; wrong profile?")
        driven = [channel for channel, mode in enumerate(_registers(data), 1) if mode != modes.normal]
        if not driven:
            return Fits()
        return Unfit(
            f"inputs drive channels {driven}; set registers {modes.address:#06x}+n to {modes.normal}"
        )

    pdu = ReadHoldingRegistersRequest(address=modes.address, count=locks.channels)
    return _read(address, pdu, 2 * locks.channels, understand)


def _write(address: int, profile: BoardProfile, speech: Modbus, request: AllOff | Release | Pulse) -> bytes:
    match request:
        case AllOff():
            return frame(address, _having(request, profile.all_off).pdu)
        case Release():
            return _release(address, profile, speech, request)
        case Pulse():
            return _pulse(address, _having(request, profile.locks), speech, request)


def _release(address: int, profile: BoardProfile, speech: Modbus, request: Release) -> bytes:
    locks, pulse = _having(request, profile.locks), _having(request, speech.pulse)
    if pulse.kind != "timed" or request.channel > locks.channels:
        raise RequestError(f"{request.board}: channel {request.channel} has no pulse that we end")
    pdu = WriteCoil(pulse.address + request.channel - 1, OFF)
    return frame(address, bytes([pdu.function_code]) + pdu.encode())


def _pulse(address: int, locks: Locks, speech: Modbus, pulse: Pulse) -> bytes:
    how, units = _having(pulse, speech.pulse), pulse.pulse_ms // locks.unit_ms
    if not 1 <= units <= UNITS_MAX:
        raise RequestError(f"{pulse.board}: {units} units are more than any board takes")
    value = {"flash": units, "flash_high": units << 8}.get(how.kind, how.value)
    kind = WriteRegister if how.kind == "command" else WriteCoil
    pdu = kind(how.address + pulse.channel - 1, value)
    return frame(address, bytes([pdu.function_code]) + pdu.encode())
