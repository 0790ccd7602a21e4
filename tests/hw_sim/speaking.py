"""How to open a lock and ask for the doors, profile by profile: the least that these tests need to say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from hw_sim.boards.modbus import sealed
from hw_sim.boards.profiles import PROFILES

PULSE_UNITS: Final = 5


def modbus(text: str) -> bytes:
    return sealed(bytes.fromhex(text))


def xored(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + bytes([reduce(xor, body)])


def summed(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + bytes([sum(body) & 0xFF])


def bits(octets: bytes) -> list[bool]:
    return [bool(octet >> place & 1) for octet in octets for place in range(8)]


@dataclass(frozen=True)
class Speech:
    """`states` are raw levels, lock 1 first, of a reply to `status`."""

    open: Callable[[int, int], bytes]
    status: Callable[[int], bytes]
    states: Callable[[bytes], list[bool]]


def _fc05(address: int, value: Callable[[int], str]) -> Callable[[int, int], bytes]:
    return lambda board, lock: modbus(f"{board:02x} 05 {address + lock - 1:04x} {value(PULSE_UNITS)}")


def _inputs(count: int) -> Callable[[int], bytes]:
    return lambda board: modbus(f"{board:02x} 02 0000 {count:04x}")


def _after_count(reply: bytes) -> list[bool]:
    return bits(reply[3:-2])


FLASH: Final = Speech(_fc05(0x0200, lambda units: f"{units:04x}"), _inputs(8), _after_count)
BESIDE: Final = Speech(FLASH.open, lambda _board: modbus("02 02 0000 0020"), _after_count)
XOR8A: Final = Speech(
    lambda board, lock: xored(f"8a {board:02x} {lock:02x} 11"),
    lambda board: xored(f"80 {board:02x} 00 33"),
    lambda reply: bits(bytes(reversed(reply[2:-2]))),
)
WKLY: Final = Speech(
    lambda board, lock: xored(f"57 4b 4c 59 09 {board:02x} 82 {lock:02x}"),
    lambda board: xored(f"57 4b 4c 59 08 {board:02x} 84"),
    lambda reply: [bool(octet) for octet in reply[9:-1]],
)
WINNSEN: Final = Speech(
    lambda board, lock: bytes.fromhex(f"90 06 05 {board:02x} {lock:02x} 03"),
    lambda board: bytes.fromhex(f"90 07 02 {board:02x} ff ff 03"),
    lambda reply: bits(reply[4:-1]),
)

SPEECH: Final[Mapping[str, Speech]] = {
    "waveshare-8": BESIDE,
    "waveshare-d8": FLASH,
    "waveshare-io8": FLASH,
    "waveshare-16": BESIDE,
    "waveshare-32": BESIDE,
    "inputs-32": Speech(
        lambda _board, lock: FLASH.open(2, lock), lambda _board: modbus("01 02 0000 0020"), _after_count
    ),
    "relay8-high": Speech(_fc05(0x0200, lambda units: f"{units:02x}00"), _inputs(8), _after_count),
    "fc05-8": Speech(_fc05(0, lambda _units: "ff00"), _inputs(8), _after_count),
    "fc05-4": Speech(_fc05(0, lambda _units: "0100"), BESIDE.status, _after_count),
    "eletechsup-r4-8": Speech(
        lambda board, lock: modbus(f"{board:02x} 06 {lock:04x} 0500"), BESIDE.status, _after_count
    ),
    "eletechsup-n4d3e16": Speech(
        lambda board, lock: modbus(f"{board:02x} 06 {lock:04x} 0500"),
        lambda board: modbus(f"{board:02x} 03 00c0 0001"),
        lambda reply: bits(bytes(reversed(reply[3:-2]))),
    ),
    "kerong-cu48-modbus": Speech(
        _fc05(0, lambda _units: "0000"),
        lambda board: modbus(f"{board:02x} 01 0000 0030"),
        _after_count,
    ),
    "kerong-cu48-modbus-ff": Speech(
        _fc05(0, lambda _units: "ff00"),
        lambda board: modbus(f"{board:02x} 01 0000 0030"),
        _after_count,
    ),
    **{name: XOR8A for name in PROFILES if name.startswith("xor8a")},
    "xor8a-24-low": Speech(XOR8A.open, XOR8A.status, lambda reply: bits(reply[2:-2])),
    "wkly-12": WKLY,
    "wkly-24": WKLY,
    "kerong-cu16": Speech(
        lambda board, lock: summed(f"02 {board << 4 | lock - 1:02x} 31 03"),
        lambda board: summed(f"02 {board << 4:02x} 30 03"),
        lambda reply: bits(reply[3:-2]),
    ),
    "kerong-cu48": Speech(
        lambda board, lock: summed(f"02 {board:02x} {lock - 1:02x} 61 03"),
        lambda board: summed(f"02 {board:02x} 00 60 03"),
        lambda reply: bits(reply[4:-2]),
    ),
    "winnsen-16": WINNSEN,
    "winnsen-16-duty": WINNSEN,
}
