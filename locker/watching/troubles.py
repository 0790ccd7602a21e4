"""What somebody should know of a machine: a name and a condition each. Remedies: docs/operate/watching.md."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from locker.domain.policy import DISK_FULL_PERCENT, DISK_WARN_PERCENT
from locker.watching.reading import Reading

HOT_C: Final = 80.0
"""From here a Raspberry Pi slows itself down."""
DAY_S: Final = 86_400.0
CERTIFICATE_DAYS: Final = 30
AWAY_S: Final = 3_600.0
"""A night's maintenance at the hub is nobody's trouble at the locker."""
UNSYNCED: Final = 1_000
LATE_DAYS: Final = 3
"""Of work that is done every night: one night may fail."""
WEEKLY_LATE_DAYS: Final = 16


class Grade(IntEnum):
    LOOK = 1
    """It serves; somebody should look soon."""
    BAD = 2
    """It does not serve, or will not for long, or somebody could get in."""


@dataclass(frozen=True, slots=True)
class Trouble:
    name: str
    grade: Grade
    holds: Callable[[Reading], bool]
    told: bool = True
    """Whether the centre gets a ticket of it; not where it hears or sees it by itself."""


def _fills(reading: Reading) -> bool:
    return DISK_WARN_PERCENT <= reading.disk_used_percent < DISK_FULL_PERCENT


def _failed(name: str) -> Callable[[Reading], bool]:
    return lambda reading: name in reading.results and not reading.results[name].ok


def _late(name: str, days: int) -> Callable[[Reading], bool]:
    """Work that was done before, and is not any more. What was never done may not be wanted."""
    return lambda reading: (reading.age_s(name) or 0) > days * DAY_S


def _ends_within(days: int) -> Callable[[Reading], bool]:
    return lambda reading: reading.certificate_s is not None and reading.certificate_s < days * DAY_S


TROUBLES: Final = (
    Trouble("journal_failing", Grade.BAD, lambda r: r.journal_failing, told=False),
    Trouble("board_silent", Grade.BAD, lambda r: r.silent_boards > 0, told=False),
    Trouble("supply_cut", Grade.BAD, lambda r: bool(r.surroundings.supply_cut), told=False),
    Trouble("back_panel_open", Grade.BAD, lambda r: r.surroundings.tamper_open, told=False),
    Trouble("screen_dead", Grade.BAD, lambda r: r.screen is not None and r.screen.is_dead),
    Trouble("disk_full", Grade.BAD, lambda r: r.disk_used_percent >= DISK_FULL_PERCENT),
    Trouble("journal_damaged", Grade.BAD, _failed("verify")),
    Trouble("certificate_ended", Grade.BAD, _ends_within(0), told=False),
    Trouble("mains_lost", Grade.LOOK, lambda r: r.surroundings.mains_lost, told=False),
    Trouble("battery_low", Grade.LOOK, lambda r: r.surroundings.battery_low, told=False),
    Trouble("under_voltage", Grade.LOOK, lambda r: r.under_voltage),
    Trouble("hot", Grade.LOOK, lambda r: (r.temperature_c or 0) >= HOT_C),
    Trouble("disk_filling", Grade.LOOK, _fills),
    Trouble("clock_unset", Grade.LOOK, lambda r: r.clock == "unset", told=False),
    Trouble("centre_away", Grade.LOOK, lambda r: r.away_s > AWAY_S, told=False),
    Trouble("outbox_deep", Grade.LOOK, lambda r: r.unsynced > UNSYNCED, told=False),
    Trouble("certificate_ending", Grade.LOOK, _ends_within(CERTIFICATE_DAYS), told=False),
    Trouble("anchor_unkept", Grade.LOOK, lambda r: r.anchor not in {"none", "kept"}),
    Trouble("check_failed", Grade.LOOK, _failed("check")),
    Trouble("backup_failed", Grade.LOOK, _failed("backup")),
    Trouble("rehearsal_failed", Grade.BAD, _failed("rehearse")),
    Trouble("update_failed", Grade.LOOK, _failed("update")),
    Trouble("check_late", Grade.LOOK, _late("check", LATE_DAYS)),
    Trouble("verify_late", Grade.LOOK, _late("verify", LATE_DAYS)),
    Trouble("backup_late", Grade.LOOK, _late("backup", LATE_DAYS)),
    Trouble("rehearsal_late", Grade.LOOK, _late("rehearse", WEEKLY_LATE_DAYS)),
)
"""The worst first."""


def found(reading: Reading) -> tuple[Trouble, ...]:
    """Those that hold."""
    return tuple(trouble for trouble in TROUBLES if trouble.holds(reading))
