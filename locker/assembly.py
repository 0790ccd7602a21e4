"""The doors of one locker around its open journal: for the daemon, and for learning how it is wired."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.around import Around
from firmware_bridge.cabinet import Cabinet
from locker.config import Config
from locker.domain.door import RelayStuck, Report
from locker.domain.policy import DISK_FULL_PERCENT
from locker.journal.journal import Journal
from locker.operations.follow_doors import DoorFollower
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.ports import UnknownGuesses, World
from locker.operations.signals import Signals
from locker.platform import Keys, LockerSecrets, Platform


@dataclass(frozen=True, slots=True)
class Assembly:
    """Built and not yet running."""

    cabinet: Cabinet
    around: Around
    world: World
    follower: DoorFollower
    surroundings: SurroundingsFollower


def assemble(
    config: Config,
    platform: Platform,
    keys: Keys,
    journal: Journal,
    believed: Callable[[Report], bool] = lambda _report: True,
) -> Assembly:
    """``believed``: what of the cabinet's reports is journaled. Raises GpioError."""
    clock = platform.clock
    secrets = LockerSecrets(keys, platform.random_bytes, lambda: journal.state.centre_keys)
    follower: DoorFollower
    surroundings: SurroundingsFollower
    around = Around.open(
        config.gpio,
        config.scanner,
        clock,
        lambda report: surroundings.report(report),  # noqa: PLW0108  # it is made later
    )

    def on_report(report: Report) -> None:
        if isinstance(report, RelayStuck):
            around.cut_supply(f"a relay of board {report.board} stays on")
        if believed(report):
            follower.report(report)

    cabinet = Cabinet(
        config.wiring,
        {name: line.url for name, line in config.wiring.lines.items()},
        clock,
        asyncio.get_running_loop(),
        on_report,
        platform.make_line,
    )
    pulses = {n: wired.pulse_ms for n, wired in config.wiring.compartments.items()}
    doors = around.supplied(cabinet, pulses, clock)

    def takes_in() -> bool:
        return platform.disk_used_percent(config.state_dir) < DISK_FULL_PERCENT

    who = (config.locker_id, config.area)
    world = World(journal, doors, clock, secrets, *who, UnknownGuesses(), takes_in)
    follower, surroundings = DoorFollower(world), SurroundingsFollower(world)
    if around.gpio is not None:
        journal.subscribe(Signals(clock, around.gpio).entries_committed)
    journal.subscribe(follower.entries_committed)
    return Assembly(cabinet, around, world, follower, surroundings)
