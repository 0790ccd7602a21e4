"""What the contacts around the doors say becomes journal: each change once, and what is on at a start."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from locker.domain.events import (
    BatteryGood,
    BatteryLow,
    Event,
    LockSupplyCut,
    MainsBack,
    MainsLost,
    ServiceKeyTurned,
    TamperClosed,
    TamperOpened,
)
from locker.domain.state import LockerState
from locker.domain.surroundings import Sensed, SupplyLost, Watched
from locker.operations import service_window
from locker.operations.ports import Decided, World

_FIELD: Final[Mapping[Watched, str]] = MappingProxyType(
    {
        Watched.TAMPER: "tamper_open",
        Watched.MAINS: "mains_lost",
        Watched.BATTERY: "battery_low",
        Watched.SERVICE_KEY: "service_key",  # pragma: allowlist secret  # a switch
    }
)
"""Where the state keeps what each contact says."""


class SurroundingsFollower:
    """Runs as one task; `report` is called on the event loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        # Bounded by what debounced contacts can tell in the time of one commit.
        self._queue: asyncio.Queue[Sensed | SupplyLost] = asyncio.Queue()

    def report(self, report: Sensed | SupplyLost) -> None:
        self._queue.put_nowait(report)

    async def run(self) -> None:
        """Follow for ever. Raises JournalFailing where the journal does."""
        while True:
            await self.settle(await self._queue.get())

    async def settle(self, report: Sensed | SupplyLost) -> None:
        """Journal one report where it is news."""
        await self._world.journal.commit("sensor", lambda state: Decided(None, conclude(state, report)))


def conclude(state: LockerState, report: Sensed | SupplyLost) -> tuple[Event, ...]:
    """The facts of one report; none where the state says so already."""
    known = state.surroundings
    if isinstance(report, SupplyLost):
        return () if known.supply_cut else (LockSupplyCut(report.reason),)
    if getattr(known, _FIELD[report.what]) is report.on:
        return ()
    turned_back = report.what is Watched.SERVICE_KEY and not report.on
    return (_fact(report), *(service_window.over(state, "key") if turned_back else ()))


def _fact(report: Sensed) -> Event:
    match report.what:
        case Watched.TAMPER:
            return TamperOpened(report.why) if report.on else TamperClosed()
        case Watched.MAINS:
            return MainsLost() if report.on else MainsBack()
        case Watched.BATTERY:
            return BatteryLow() if report.on else BatteryGood()
        case Watched.SERVICE_KEY:
            return ServiceKeyTurned(report.on)
