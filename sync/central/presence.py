"""Whether a locker can be reached now: what its link said, and when it was last heard."""

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row

FRESH_MS: Final = 180_000
"""Three heartbeats: one may be lost."""
GONE_MS: Final = 300_000


class Presence(StrEnum):
    ONLINE = "online"
    STALE = "stale"
    OFFLINE = "offline"


def presence(locker: Row[Any], now_ms: int) -> Presence:
    silent_ms = now_ms - locker.last_heard_ms
    if not locker.online or silent_ms > GONE_MS:
        return Presence.OFFLINE
    return Presence.ONLINE if silent_ms <= FRESH_MS else Presence.STALE
