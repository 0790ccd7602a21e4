"""Watching as one part of the daemon."""

import asyncio
from dataclasses import dataclass

from locker.operations.ports import Clock, Journal
from locker.watching.look import Look
from locker.watching.screen import Screen
from locker.watching.server import serve
from locker.watching.tell import tell


@dataclass(frozen=True, slots=True)
class Watch:
    """``port``: of the page; 0: there is none."""

    look: Look
    screen: Screen
    journal: Journal
    clock: Clock
    port: int

    async def run(self) -> None:
        """Until cancelled; also where nothing can be recorded any more."""
        async with asyncio.TaskGroup() as group:
            group.create_task(serve(self.look, self.port), name="status page")
            group.create_task(self.screen.run(self.clock), name="screen")

    async def tell(self) -> None:
        """The centre, of troubles. Never returns. Raises JournalFailing."""
        await tell(self.look, self.journal, self.clock)
