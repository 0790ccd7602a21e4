"""What stands around the doors, as the contacts show it: the back panel, the mains, the battery, a key."""

from dataclasses import dataclass
from enum import StrEnum


class Watched(StrEnum):
    """One contact. "On" is what its name says is the matter."""

    TAMPER = "tamper"
    """The loop through the back panels is open, or cannot be read."""
    MAINS = "mains"
    """The mains have failed."""
    BATTERY = "battery"
    """The battery is low."""
    SERVICE_KEY = "service_key"  # pragma: allowlist secret  # a switch, not a secret
    """The key switch is turned to service."""


@dataclass(frozen=True, slots=True)
class Sensed:
    """A debounced change of a contact, and its first reading."""

    what: Watched
    on: bool
    why: str = ""
    """For TAMPER: ``open`` or ``unreadable``."""


@dataclass(frozen=True, slots=True)
class SupplyLost:
    """The locks' supply was cut for good: no door opens until somebody has looked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of them; nothing is the matter where nothing is wired."""

    tamper_open: bool = False
    mains_lost: bool = False
    battery_low: bool = False
    service_key: bool = False
    supply_cut: str = ""
    """Why the locks have no supply any more; empty while they can have it."""
