"""What the service manager hears: that we live, as long as the loop turns and everything that has a thread of
its own still answers. A daemon that hangs somewhere else than in its loop must end as well."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from firmware_bridge.cabinet import Cabinet
from firmware_bridge.errors import LineClosed
from locker.operations.ports import Clock

_LOGGER = logging.getLogger(__name__)

PATIENCE_OF_PERIOD: Final = 1.6
"""Of the manager's own period: 32 s of 20. A worn card may take 30 s over one write, and the kernel as long
to close an adapter; and with the period itself we serve again within a minute."""
Ask = Callable[[], Awaitable[object]]


@dataclass(eq=False)
class _Part:
    """Something that is asked again as soon as it has answered."""

    name: str
    ask: Ask
    asked_ms: int = 0
    asking: "asyncio.Task[Any] | None" = field(default=None)
    told: bool = False

    def silent_ms(self, now_ms: int) -> int:
        """Since when it owes an answer; 0 where it owes none. Raises what it answered with."""
        if self.asking is not None and not self.asking.done():
            return now_ms - self.asked_ms
        if self.asking is not None and not self.asking.cancelled():
            self.asking.result()
        self.asked_ms, self.asking = now_ms, asyncio.ensure_future(self.ask())
        return 0

    def say(self, for_ms: int) -> None:
        if not self.told:
            self.told = True
            _LOGGER.critical(
                "%s has not answered for %d s: we are to be started anew", self.name, for_ms // 1000
            )


def asks(journal_thread: Executor, cabinet: Cabinet, lines: Iterable[str]) -> Mapping[str, Ask]:
    """A question to each part that has a thread of its own."""

    async def journal() -> None:
        await asyncio.get_running_loop().run_in_executor(journal_thread, int)

    async def line(name: str) -> None:
        with contextlib.suppress(LineClosed):  # we are stopping
            await cabinet.answers(name)

    return {"the journal": journal} | {f"line {name}": partial(line, name) for name in lines}


async def feed(
    clock: Clock,
    say: Callable[[], object],
    period_ms: int,
    asks: Mapping[str, Ask],
) -> None:
    """``say`` that we live, twice in ``period_ms``, unless one of ``asks`` leaves its question unanswered.

    Never returns. Raises what an ask raises: a part that is broken is no part that hangs.
    """
    parts = [_Part(name, ask) for name, ask in asks.items()]
    try:
        while True:
            now_ms = clock.mono_ms()
            silent = {part: part.silent_ms(now_ms) for part in parts}
            hung = [part for part in parts if silent[part] > PATIENCE_OF_PERIOD * period_ms]
            for part in hung:
                part.say(silent[part])
            if not hung:
                say()
            await clock.sleep_until(now_ms + period_ms // 2)
    finally:
        for part in parts:
            if part.asking is not None:
                part.asking.cancel()
