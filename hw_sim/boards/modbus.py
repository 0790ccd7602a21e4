"""Modbus RTU as a station sees it: checksum, frame layout, exceptions. From the protocol's own tables."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

READ_COILS: Final = 0x01
READ_INPUTS: Final = 0x02
READ_HOLDING: Final = 0x03
READ_INPUT_REGISTERS: Final = 0x04
WRITE_COIL: Final = 0x05
WRITE_REGISTER: Final = 0x06
WRITE_COILS: Final = 0x0F
WRITE_REGISTERS: Final = 0x10

BROADCAST: Final = 0
SHORTEST_FRAME: Final = 4
MAX_BITS: Final = 2000
MAX_REGISTERS: Final = 125


class Fault(IntEnum):
    FUNCTION = 1
    ADDRESS = 2
    VALUE = 3


class RefusedError(Exception):
    """The station answers with an exception code instead of data."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


def _crc_table() -> tuple[int, ...]:
    table = []
    for start in range(256):
        rest = start
        for _ in range(8):
            rest = (rest >> 1) ^ 0xA001 if rest & 1 else rest >> 1
        table.append(rest)
    return tuple(table)


_CRC: Final = _crc_table()


def crc16(body: bytes) -> bytes:
    """Two bytes as they follow the body on the wire, low byte first."""
    rest = 0xFFFF
    for octet in body:
        rest = (rest >> 8) ^ _CRC[(rest ^ octet) & 0xFF]
    return rest.to_bytes(2, "little")


def sealed(body: bytes) -> bytes:
    return body + crc16(body)


def whole(frame: bytes) -> bool:
    return len(frame) >= SHORTEST_FRAME and crc16(frame[:-2]) == frame[-2:]


def packed(bits: Sequence[bool]) -> bytes:
    """Bits as Modbus packs them: the first one is the lowest bit of the first byte."""
    octets = bytearray((len(bits) + 7) // 8)
    for place, bit in enumerate(bits):
        octets[place // 8] |= bit << (place % 8)
    return bytes(octets)


def unpacked(octets: bytes, count: int) -> list[bool]:
    return [bool(octets[place // 8] >> (place % 8) & 1) for place in range(count)]


def word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def span(data: bytes, limit: int) -> tuple[int, int]:
    """Address and count of a read or a multiple write; the count must lie in 1..limit."""
    if len(data) < 4:  # noqa: PLR2004  # two words: address, count
        raise RefusedError(Fault.VALUE)
    start, count = word(data, 0), word(data, 2)
    if not 1 <= count <= limit:
        raise RefusedError(Fault.VALUE)
    return start, count


def cut(bits: Sequence[bool], data: bytes) -> bytes:
    """The reply's data for a read of bits that live at 0x0000."""
    if len(data) != 4:  # noqa: PLR2004  # a read of bits carries exactly two words
        raise RefusedError(Fault.VALUE)
    start, count = span(data, MAX_BITS)
    if start + count > len(bits):
        raise RefusedError(Fault.ADDRESS)
    octets = packed(bits[start : start + count])
    return bytes([len(octets)]) + octets
