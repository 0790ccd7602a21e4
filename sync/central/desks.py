"""What the hub's routes and pages work on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sync.central.access.front import Front, Means
from sync.central.acts.sending import Acts
from sync.central.authority.settings import Bureau
from sync.central.fleet.watch import Watch
from sync.central.office import Office
from sync.central.webhooks.settings import Webhooks


@dataclass(frozen=True, slots=True)
class Desks:
    """Passed to every room that has routes or pages."""

    office: Office
    acts: Acts
    front: Front
    means: Means
    watch: Watch
    health: Callable[[], tuple[bool, dict[str, int]]]
    """Is the broker there, and what was dropped so far."""
    webhooks: Webhooks = field(default_factory=Webhooks)
    """Where other systems may be told."""
    authority: Bureau | None = None
    """Who signs lockers' certificates, where that is us."""
    releases: Path | None = None
    """Where those lie that lockers may fetch."""
