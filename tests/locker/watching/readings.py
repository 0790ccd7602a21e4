"""Readings of a machine, well and otherwise."""

from dataclasses import replace
from typing import Any, Final

from locker.domain.door import Position
from locker.domain.figures import BoardFigures
from locker.domain.ids import BoardId
from locker.domain.surroundings import Surroundings
from locker.watching.reading import Reading
from locker.watching.results import Result
from locker.watching.screen import ScreenSight

DAY_MS: Final = 86_400_000
NOW_MS: Final = 1_800_000_000_000
BOARD: Final = BoardFigures(
    BoardId("A/1"), "waveshare-8", "silver", "serving", "", 500, 3, 0, 0, 12.0, (), (True, True), 1
)
WELL: Final = Reading(
    locker="hall-7",
    software="doclocker 0.1.0",
    wall_ms=NOW_MS,
    uptime_s=93_600,
    starts=4,
    entries=12_345,
    journal_failing=False,
    boards=(BOARD, replace(BOARD, board=BoardId("A/2"))),
    doors={Position.CLOSED: 15, Position.OPEN: 1},
    doubted=1,
    centre_online=True,
    away_s=0,
    unsynced=2,
    disk_used_percent=31,
    clock="ntp",
    clock_offset_s=0.0,
    certificate_s=200 * 86_400,
    results={name: Result(NOW_MS - DAY_MS // 2, ok=True) for name in ("verify", "backup", "check")},
    temperature_c=51.5,
    screen=ScreenSight(5, is_dead=False, renewed=2),
)


def but(**changes: Any) -> Reading:
    return replace(WELL, **changes)


def ended(name: str, *, ok: bool = True, days: float = 0.5, told: str = "") -> Reading:
    result = Result(NOW_MS - int(days * DAY_MS), ok, told)
    return but(results={**WELL.results, name: result})


TROUBLED: Final = {
    "journal_failing": but(journal_failing=True),
    "board_silent": but(boards=(BOARD, replace(BOARD, standing="lost", why="no reply"))),
    "supply_cut": but(surroundings=Surroundings(supply_cut="a relay of A/1 stays on")),
    "back_panel_open": but(surroundings=Surroundings(tamper_open=True)),
    "screen_dead": but(screen=ScreenSight(60, is_dead=True, renewed=1)),
    "disk_full": but(disk_used_percent=90),
    "journal_damaged": ended("verify", ok=False, told="entry 12: the link does not hold"),
    "certificate_ended": but(certificate_s=-1.0),
    "mains_lost": but(surroundings=Surroundings(mains_lost=True)),
    "battery_low": but(surroundings=Surroundings(battery_low=True)),
    "under_voltage": but(under_voltage=True),
    "hot": but(temperature_c=80.0),
    "disk_filling": but(disk_used_percent=80),
    "clock_unset": but(clock="unset"),
    "centre_away": but(centre_online=False, away_s=3_601),
    "outbox_deep": but(unsynced=1_001),
    "certificate_ending": but(certificate_s=29 * 86_400),
    "anchor_unkept": but(anchor="unwritable"),
    "check_failed": ended("check", ok=False, told="A/1 does not answer"),
    "backup_failed": ended("backup", ok=False),
    "rehearsal_failed": ended("rehearse", ok=False),
    "update_failed": ended("update", ok=False),
    "check_late": ended("check", days=3.1),
    "verify_late": ended("verify", days=3.1),
    "backup_late": ended("backup", days=3.1),
    "rehearsal_late": ended("rehearse", days=16.1),
}
"""Each trouble by a machine that has it."""
