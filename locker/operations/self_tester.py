"""Who runs self-tests: one at a time, and keeps what the last one said for whoever shows it."""

import asyncio
from collections.abc import Callable, Mapping

from locker.domain.acceptance import Ended, Fact
from locker.domain.access import Action, allowed
from locker.domain.compartment import Status
from locker.domain.entry import Entry
from locker.domain.errors import Reason, Refusal
from locker.domain.figures import LineFigures
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState
from locker.operations.bell import Bell
from locker.operations.ports import World
from locker.operations.self_test import SelfTest, Wish
from locker.operations.service import Technician
from locker.operations.sign_in import roles_now


class SelfTester:
    """`run` is one task; all else is called on the event loop. The wires are told as `SelfTest` says."""

    def __init__(
        self,
        world: World,
        figures: Callable[[], tuple[LineFigures, ...]],
        line_of: Mapping[CompartmentNumber, str],
        mute: frozenset[CompartmentNumber] = frozenset(),
    ) -> None:
        self._world, self._figures, self._line_of, self._mute = world, figures, line_of, mute
        self._bell = Bell(world.clock)
        self._ordered = asyncio.Event()
        self._test: SelfTest | None = None
        self._facts: list[Fact] = []
        self.number = 0
        """Of the latest test since the daemon's start; 0: there was none."""

    @property
    def running(self) -> bool:
        return self._test is not None

    def start(self, who: Technician, wish: Wish) -> Refusal | None:
        """Begin one. Refused while another runs, for who is no technician, and for doors that are not."""
        state = self._world.journal.state
        if not who.local:
            roles = roles_now(self._world, state, who.staff)
            if not allowed(roles, Action.TEST_OPEN, Status.VACANT):
                return Refusal(Reason.NOT_ALLOWED)
        if self.running or any(door not in state.compartments for door in wish.doors):
            return Refusal(Reason.NOT_NOW)
        self._test = SelfTest(
            self._world, self._figures, self._line_of, who, wish, self._told, mute=self._mute
        )
        self._facts = []
        self.number += 1
        self._ordered.set()
        return None

    def stop(self) -> None:
        """End the one that runs, in order and soon."""
        if self._test is not None:
            self._test.stop()

    async def progress(self, after: int, wait_ms: int) -> tuple[Fact, ...]:
        """What was found behind the first ``after`` facts; waits so long for something new.

        Asking is what keeps the test going from door to door.
        """
        clock = self._world.clock
        until_ms = clock.mono_ms() + wait_ms
        self._follow()
        while len(self._facts) <= after and self.running and clock.mono_ms() < until_ms:
            await self._bell.wait(until_ms)
        self._follow()
        return tuple(self._facts[after:])

    def entries_committed(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        del state
        if self._test is not None:
            self._test.entries_committed(entries)

    async def run(self) -> None:
        """Run what is started, for ever."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            if self._test is not None:
                await self._test.run()

    async def close(self, wait_ms: int) -> None:
        """Stop, and wait so long for its end to be journaled."""
        clock = self._world.clock
        until_ms = clock.mono_ms() + wait_ms
        self.stop()
        while self.running and clock.mono_ms() < until_ms:
            await self._bell.wait(until_ms)

    def _told(self, fact: Fact) -> None:
        self._facts.append(fact)
        if isinstance(fact, Ended):
            self._test = None
        self._bell.ring()

    def _follow(self) -> None:
        if self._test is not None:
            self._test.followed()
