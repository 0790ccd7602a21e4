"""A locker in memory and a technician before it, for the self-test: a test moves time, hands and figures."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from locker.domain.acceptance import (
    DoorResult,
    Ended,
    Fact,
    Finding,
    LineResult,
    Outcome,
)
from locker.domain.door import Position
from locker.domain.figures import BoardFigures, LineFigures
from locker.domain.ids import BoardId, CompartmentNumber, StaffId
from locker.operations.self_test import Wish
from locker.operations.self_tester import SelfTester
from locker.operations.service import Technician
from tests.locker.operations.world import MemoryWorld

ROOT = Technician(StaffId("console/0"), local=True)
STEP_MS = 50
SOUND = BoardFigures(BoardId("A/1"), "waveshare-d8", "silver", "serving", "", 0, 0, 0, 0, 9.0, (9.0,), (), 1)
LINE = LineFigures("A", "/dev/null", 9600, 0.3, 1.0, 4.2, 3.6, (SOUND,))
DOORS = tuple(CompartmentNumber(n) for n in (1, 2, 3))
SHORT = Wish(DOORS, poll_s=2, close_s=5)
Act = Callable[[], Awaitable[None]]


class Site:
    """A locker in memory, its technician, and figures that a test spoils."""

    def __init__(self, memory: MemoryWorld, mute: frozenset[CompartmentNumber]) -> None:
        self.m = memory
        self.line = LINE
        self.asks_s = 1.0
        """How often whoever follows asks; 0: never again."""
        self.pushes = True
        self.on_step: Act | None = None
        lines = dict.fromkeys(memory.journal.state.compartments, "A")
        self.tester = SelfTester(memory.world, lambda: (self.line,), lines, mute)
        memory.journal.subscribe(self.tester.entries_committed)
        self.facts: list[Fact] = []

    @classmethod
    async def start(
        cls, *, item_sensors: bool = True, mute: frozenset[CompartmentNumber] = frozenset()
    ) -> "Site":
        return cls(await MemoryWorld.start(item_sensors=item_sensors), mute)

    def ask(self, **rates: int) -> None:
        """The line was used a little."""
        board = self.line.boards[0]
        counts = {name: getattr(board, name) + more for name, more in rates.items()}
        latencies = (*board.latencies_ms, 9.0)[-256:]
        board = replace(board, asked=board.asked + 1, latencies_ms=latencies)
        self.line = replace(self.line, boards=(replace(board, **counts), *self.line.boards[1:]))

    async def play(self, wish: Wish = SHORT, who: Technician = ROOT, limit_s: int = 300) -> Ended:
        """Run one test to its end; a hand shuts what opens, a little later."""
        assert self.tester.start(who, wish) is None
        runner = asyncio.ensure_future(self.tester.run())
        asked_ms = self.m.clock.mono_ms()
        for _ in range(limit_s * 1000 // STEP_MS):
            await self._turn(runner)
            if not self.tester.running:
                break
            self.ask()
            if self.asks_s and self.m.clock.mono_ms() - asked_ms >= self.asks_s * 1000:
                asked_ms = self.m.clock.mono_ms()
                self.tester._follow()
            await self._hand()
            await self.m.later(STEP_MS)
        self.facts = list(self.tester._facts)
        runner.cancel()
        await asyncio.wait({runner})
        assert not self.tester.running, "the test never ends"
        last = self.facts[-1]
        assert isinstance(last, Ended)
        return last

    async def _turn(self, runner: "asyncio.Future[None]") -> None:
        """Let everything happen that can without time."""
        for _ in range(10):
            await asyncio.wait({runner}, timeout=0)
            await self.m.settle()

    async def _hand(self) -> None:
        if self.on_step is not None:
            await self.on_step()
        for number, reading in self.m.hands.readings.items():
            if self.pushes and reading.position is Position.OPEN:
                await self.m.shut(number)

    def door(self, number: int) -> DoorResult:
        return next(f for f in self.facts if isinstance(f, DoorResult) and f.door == number)

    def found(self, number: int) -> tuple[Outcome, Finding, str]:
        door = self.door(number)
        return door.outcome, door.finding, door.about

    def of(self, kind: type[Fact]) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def line_result(self) -> LineResult:
        return next(fact for fact in self.facts if isinstance(fact, LineResult))
