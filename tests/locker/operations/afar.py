"""A locker in memory, and a centre that orders things at once."""

from dataclasses import replace
from typing import Any

from locker.domain.acts import ActOrder
from locker.domain.compartment import Status
from locker.domain.events import (
    ActAccepted,
    ActDone,
    ActExpired,
    ActFailed,
    ActRefused,
    ActUnknown,
    Event,
)
from locker.domain.figures import LineFigures
from locker.domain.ids import ActId, CompartmentNumber
from locker.operations.acts import Acts, Taken
from locker.operations.ports import Decided
from locker.operations.self_tester import SelfTester
from tests.locker.operations.tested import LINE, SOUND
from tests.locker.operations.world import MemoryWorld

DOOR = CompartmentNumber(7)
RESULTS = (ActAccepted, ActRefused, ActExpired, ActDone, ActFailed, ActUnknown)


class Afar:
    """A locker in memory, and a centre that orders things."""

    def __init__(self, m: MemoryWorld) -> None:
        self.m = m
        self.aseq = 0
        self.runs()

    @classmethod
    async def start(cls, *, item_sensors: bool = True) -> "Afar":
        return cls(await MemoryWorld.start(item_sensors=item_sensors))

    def runs(self) -> None:
        m = self.m
        lines = dict.fromkeys(m.journal.state.compartments, "A")
        self.tester = SelfTester(m.world, self.figures, lines)
        self.acts = Acts(m.world, self.tester)
        m.journal.subscribe(self.tester.entries_committed)
        m.journal.subscribe(self.acts.entries_committed)

    def figures(self) -> tuple[LineFigures, ...]:
        """Of a sound line, which is asked all the time."""
        board = replace(SOUND, asked=self.m.clock.mono_ms() // 100)
        return (replace(LINE, boards=(board,)),)

    async def restart(self) -> None:
        await self.m.restart()
        self.runs()

    def order(self, door: int = DOOR, **other: Any) -> ActOrder:
        self.aseq += 1
        name = ActId(f"act-{self.aseq}")
        good = ActOrder(
            self.aseq,
            name,
            "open",
            CompartmentNumber(door),
            "help line 4711",
            ("person:li", "person:zhao"),
            "ab" * 16,
            self.m.clock.wall_ms() - 1_000,
            120_000,
        )
        return replace(good, **other)

    async def take(self, order: ActOrder, *, waited_ms: int = 0, doubted: bool = False) -> Taken:
        taken = await self.acts.take(order, self.m.clock.mono_ms() - waited_ms, doubted=doubted)
        await self.settle()
        return taken

    async def settle(self) -> None:
        await self.m.settle()
        await self.acts.settle()

    async def told(self, *facts: Event) -> None:
        await self.m.journal.commit("test", lambda _state: Decided(None, facts))

    def results(self) -> list[Event]:
        return self.m.journal.events(*RESULTS)

    def why(self) -> str:
        refused: ActRefused = self.m.journal.events(ActRefused)[-1]
        return refused.why

    def status(self, door: int = DOOR) -> Status:
        return self.m.journal.state.compartments[CompartmentNumber(door)].status
