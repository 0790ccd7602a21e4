"""From a request to its bytes, and from bytes to its reply; one module a family of boards."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from firmware_bridge.boards import BoardProfile
from firmware_bridge.codecs import modbus, modbus_reading
from firmware_bridge.codecs.codec import Codec, Explained
from firmware_bridge.codecs.kerong import Kerong
from firmware_bridge.codecs.winnsen import Winnsen, WinnsenDuty
from firmware_bridge.codecs.wkly import Wkly
from firmware_bridge.codecs.xor8a import Xor8a
from firmware_bridge.request import Request, Telegram


class Modbus:
    encode = staticmethod(modbus.encode)
    explain = staticmethod(modbus_reading.explain)


CODECS: Final[Mapping[str, Codec]] = MappingProxyType(
    {
        "modbus": Modbus(),
        "kerong": Kerong(),
        "winnsen": Winnsen(),
        "winnsen-duty": WinnsenDuty(),
        "wkly": Wkly(),
        "xor8a": Xor8a(),
    }
)
"""By the name that a profile gives as its ``codec``."""


def encode(profile: BoardProfile, address: int, request: Request) -> Telegram:
    """The telegram of one request. Raises RequestError for what must never reach the wire."""
    return CODECS[profile.codec].encode(profile, address, request)


def explain(profile: BoardProfile, frame: bytes, request: bytes | None = None) -> Explained:
    """What one whole frame means, alone or as the reply to ``request``. Never raises for bytes."""
    return CODECS[profile.codec].explain(profile, frame, request)
