"""One look at everything that is watched: plain values, whoever took them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from locker.domain.door import Position
from locker.domain.figures import BoardFigures
from locker.domain.surroundings import Surroundings
from locker.watching.results import Result
from locker.watching.screen import ScreenSight

SERVING = "serving"


@dataclass(frozen=True, slots=True)
class Reading:
    locker: str
    software: str
    wall_ms: int
    uptime_s: float
    """Of the daemon."""
    starts: int
    """Of the daemon, in this journal."""
    entries: int
    journal_failing: bool
    boards: tuple[BoardFigures, ...]
    doors: Mapping[Position, int]
    doubted: int
    """Compartments that give nothing and take nothing: faulty, blocked, to be checked."""
    centre_online: bool
    away_s: float
    """Since when the centre has not been reached; 0 while it is."""
    unsynced: int
    """Entries that it has not acknowledged."""
    disk_used_percent: int
    clock: str
    """Where the time comes from: ``ntp``, ``centre`` … ``unset``."""
    clock_offset_s: float
    """How far the machine's own clock is from what the locker goes by."""
    certificate_s: float | None = None
    """Until the certificate for the broker ends; None: it has none."""
    results: Mapping[str, Result] = field(default_factory=lambda: MappingProxyType({}))
    temperature_c: float | None = None
    """Of the processor; None where the machine tells none."""
    under_voltage: bool = False
    """The board's own supply is, or was since its start, too weak."""
    surroundings: Surroundings = field(default_factory=Surroundings)
    anchor: str = "none"
    """How the rollback anchor stands; ``none``: none is configured."""
    screen: ScreenSight | None = None
    """None: no screen belongs to this machine."""

    @property
    def silent_boards(self) -> int:
        return sum(board.standing != SERVING for board in self.boards)

    def age_s(self, name: str) -> float | None:
        """Since this piece of nightly work; None: there was none yet."""
        result = self.results.get(name)
        return None if result is None else max(0, self.wall_ms - result.when_ms) / 1000
