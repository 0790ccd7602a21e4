"""From a request to its bytes, and from bytes to its reply; one module a family of boards."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from firmware_bridge.boards import BoardProfile
from firmware_bridge.codecs import modbus
from firmware_bridge.request import Request, Telegram

Encode = Callable[[BoardProfile, int, Request], Telegram]
"""(profile, address on the line, request) -> telegram. RequestError: must never reach the wire."""

ENCODERS: Final[Mapping[str, Encode]] = MappingProxyType({"modbus": modbus.encode})
