"""Takes a reading of a running locker. On the event loop: nothing here waits."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from locker.domain.compartment import Status
from locker.domain.figures import LineFigures
from locker.domain.state import LockerState
from locker.platform import Platform
from locker.watching import results
from locker.watching.reading import Reading
from locker.watching.screen import ScreenSight
from sync import certificates
from sync.certificates import BadCertificate

DOUBTED = frozenset({Status.TO_CHECK, Status.FAULTY, Status.OUT_OF_SERVICE})


class JournalSight(Protocol):
    """What of the journal is looked at."""

    @property
    def state(self) -> LockerState: ...

    @property
    def failing(self) -> bool: ...

    @property
    def boot(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where it is looked. ``certificate``: the broker's for us; None where there is none."""

    locker: str
    software: str
    state_dir: Path
    certificate: Path | None
    platform: Platform
    journal: JournalSight
    lines: Callable[[], Sequence[LineFigures]]
    centre: Callable[[], tuple[bool, int]]
    """Whether it is there, and how many entries it has not acknowledged."""
    anchor: Callable[[], str] = lambda: "none"
    """How the rollback anchor stands: `locker.anchor.record.Standing`."""
    screen: Callable[[], ScreenSight | None] = lambda: None


@dataclass(slots=True)
class Look:
    """``take`` may be called as often as somebody wants to know."""

    sources: Sources
    _started_ms: int = field(init=False)
    _there_ms: int = field(init=False)
    """When the centre was last seen to be there, at a look."""

    def __post_init__(self) -> None:
        self._started_ms = self._there_ms = self.sources.platform.clock.mono_ms()

    def take(self) -> Reading:
        sources, platform = self.sources, self.sources.platform
        clock, state = platform.clock, sources.journal.state
        mono_ms, wall_ms = clock.mono_ms(), clock.wall_ms()
        online, unsynced = sources.centre()
        if online:
            self._there_ms = mono_ms
        vitals = platform.vitals()
        compartments = state.compartments.values()
        return Reading(
            locker=sources.locker,
            software=sources.software,
            wall_ms=wall_ms,
            uptime_s=(mono_ms - self._started_ms) / 1000,
            starts=sources.journal.boot,
            entries=state.seq,
            journal_failing=sources.journal.failing,
            boards=tuple(board for line in sources.lines() for board in line.boards),
            doors=Counter(each.position for each in compartments),
            doubted=sum(each.status in DOUBTED for each in compartments),
            centre_online=online,
            away_s=(mono_ms - self._there_ms) / 1000,
            unsynced=unsynced,
            disk_used_percent=platform.disk_used_percent(sources.state_dir),
            clock=clock.quality(),
            clock_offset_s=clock.offset_ms() / 1000,
            certificate_s=_certificate_s(sources.certificate, wall_ms),
            results=results.read(sources.state_dir),
            temperature_c=vitals.temperature_c,
            under_voltage=vitals.under_voltage,
            surroundings=state.surroundings,
            anchor=sources.anchor(),
            screen=sources.screen(),
        )


def _certificate_s(path: Path | None, wall_ms: int) -> float | None:
    """Until it ends; one that cannot be read has ended."""
    if path is None:
        return None
    try:
        return (certificates.read(path.read_text("ascii")).not_after_ms - wall_ms) / 1000
    except (BadCertificate, OSError, UnicodeDecodeError):
        return -1.0
