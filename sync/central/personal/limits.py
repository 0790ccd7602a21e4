"""How often pages that need no sign-in are asked for: by one address, and by everybody together."""

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

WINDOW_MS: Final = 10 * 60_000
ADDRESSES_MAX: Final = 10_000
"""Remembered at once; further ones share one account: memory stays bounded."""
_OTHERS: Final = "others"


class What(StrEnum):
    VIEW = "view"
    FORM = "form"
    STRANGE = "strange"
    """A link that we never made."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Within `WINDOW_MS`."""

    address: int
    everybody: int


LIMITS: Final = MappingProxyType(
    {
        # A hall's own network is one address: some eighty visits a day, each looked at a few times.
        What.VIEW: Limit(address=240, everybody=6_000),
        # Each is a transaction, some are a message that costs money.
        What.FORM: Limit(address=30, everybody=600),
        # Who mistypes a link does it a few times. It cannot be guessed anyway: 128 bits.
        What.STRANGE: Limit(address=20, everybody=2_000),
    }
)


@dataclass(slots=True)
class Limits:
    """Counted in windows that begin anew for everybody at once. For one process: the one that serves."""

    _counts: Counter[tuple[What, str]] = field(default_factory=Counter)
    _addresses: set[str] = field(default_factory=set)
    _window: int = -1

    def allows(self, what: What, address: str, mono_ms: int) -> bool:
        """Counts it too."""
        if mono_ms // WINDOW_MS != self._window:
            self._counts.clear()
            self._addresses.clear()
            self._window = mono_ms // WINDOW_MS
        lane = network(address)
        if lane not in self._addresses:
            if len(self._addresses) >= ADDRESSES_MAX:
                lane = _OTHERS
            self._addresses.add(lane)
        self._counts[what, lane] += 1
        self._counts[what, ""] += 1
        limit = LIMITS[what]
        return self._counts[what, lane] <= limit.address and self._counts[what, ""] <= limit.everybody


def network(address: str) -> str:
    """Whom an address belongs to: of IPv6 everybody has 2⁶⁴."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return _OTHERS
    if found.version == 4:  # noqa: PLR2004  # the version of the protocol
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
