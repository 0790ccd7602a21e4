"""Modbus RTU: PDUs and checksum by pymodbus, everything that decides a match by ourselves.

pymodbus' own client takes an FC01 reply for an FC02 request, an FC05 reply with another address or value, and
drops good replies behind one byte of noise. So it is asked to build and take apart, never to judge.
"""

import struct
from collections.abc import Callable
from typing import Final, TypeVar

from pymodbus.framer import FramerRTU
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadDiscreteInputsRequest, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from firmware_bridge.boards import ADDRESS_MAX, BoardProfile, Identity, Inputs, Locks, Modes
from firmware_bridge.errors import RequestError
from firmware_bridge.request import (
    PULSE_CEILING_MS,
    AllOff,
    Bits,
    Done,
    Fits,
    Identify,
    Pulse,
    ReadInputs,
    ReadModes,
    Refused,
    Reply,
    Request,
    Telegram,
    Unfit,
)

EXCEPTION_BIT: Final = 0x80
EXCEPTION_BYTES: Final = 5
EXCEPTION_CODES: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 11})
ILLEGAL: Final = frozenset({1, 2})
"""Exceptions that say "no such function" and "no such address"."""
HEAD_BYTES: Final = 3
CHECKSUM_BYTES: Final = 2
OVERHEAD_BYTES: Final = HEAD_BYTES + CHECKSUM_BYTES


class FlashCoil(ModbusPDU):
    """FC05 whose value is a time. pymodbus' own FC05 knows only on and off and cannot carry it."""

    function_code: int = 5
    rtu_frame_size: int = 8

    def __init__(self, address: int, units: int) -> None:
        super().__init__(address=address)
        self.units = units

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.units)


def encode(profile: BoardProfile, address: int, request: Request) -> Telegram:
    """The telegram of one request. Raises RequestError for what must never reach the wire."""
    if not max(1, profile.address.min) <= address <= min(profile.address.max, ADDRESS_MAX):
        raise RequestError(
            f"{request.board}: address {address} is not one board's; broadcasts do not exist here"
        )
    match request:
        case Identify():
            return _identify(address, profile.identify)
        case ReadModes():
            return _modes(address, _having(request, profile.modes), _having(request, profile.locks))
        case ReadInputs():
            return _inputs(address, _having(request, profile.inputs), request)
        case AllOff():
            return _echoed(frame(address, _having(request, profile.all_off).pdu))
        case Pulse():
            return _echoed(_pulse(address, _having(request, profile.locks), request))


def frame(address: int, pdu: bytes) -> bytes:
    """Address, PDU, checksum."""
    body = bytes([address]) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(CHECKSUM_BYTES, "big")


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
    return Telegram(data, length, match, confirmed_by_echo=False)


def _echoed(data: bytes) -> Telegram:
    """A write whose reply is the request itself, byte for byte; some boards answer a wrong one."""

    def match(window: bytes) -> tuple[Reply, int] | None:
        if window[: len(data)] == data:
            return Done(), len(data)
        if (refusal := _refusal(window, data[0], data[1])) is not None:
            return refusal, EXCEPTION_BYTES
        return None

    return Telegram(data, len(data), match, confirmed_by_echo=True)


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


def _inputs(address: int, inputs: Inputs, request: ReadInputs) -> Telegram:
    if request.first + request.count - 1 > inputs.channels:
        raise RequestError(
            f"{request.board}: has {inputs.channels} inputs, asked {request.count} from {request.first}"
        )
    pdu = ReadDiscreteInputsRequest(address=inputs.address + request.first - 1, count=request.count)
    return _read(address, pdu, (request.count + 7) // 8, _bits(request.count))


def _identify(address: int, identity: Identity) -> Telegram:
    def understand(data: bytes | Refused) -> Reply:
        if isinstance(data, Refused):
            return Unfit(f"exception {data.code} when asked what it is; wrong profile?")
        if identity.minimum is not None and (value := _registers(data)[0]) < identity.minimum:
            return Unfit(
                f"register {identity.address:#06x} is {value}, not {identity.minimum} or more; wrong profile?"
            )
        return Fits()

    if identity.function == ReadDiscreteInputsRequest.function_code:
        return _read(address, ReadDiscreteInputsRequest(address=identity.address, count=1), 1, understand)
    return _read(address, ReadHoldingRegistersRequest(address=identity.address, count=1), 2, understand)


def _modes(address: int, modes: Modes, locks: Locks) -> Telegram:
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


def _pulse(address: int, locks: Locks, pulse: Pulse) -> bytes:
    """Checked once more here, for nothing stands between this and the coil."""
    if not 1 <= pulse.channel <= locks.channels:
        raise RequestError(f"{pulse.board}: has locks 1 to {locks.channels}, channel {pulse.channel} is none")
    cap_ms = min(locks.pulse_max_ms, PULSE_CEILING_MS)
    if not locks.pulse_min_ms <= pulse.pulse_ms <= cap_ms or pulse.pulse_ms % locks.unit_ms:
        raise RequestError(
            f"{pulse.board}: {pulse.pulse_ms} ms is no pulse of {locks.pulse_min_ms} to {cap_ms} ms"
        )
    pdu = FlashCoil(locks.flash_coil + pulse.channel - 1, pulse.pulse_ms // locks.unit_ms)
    return frame(address, bytes([pdu.function_code]) + pdu.encode())
