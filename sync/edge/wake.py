"""Wait for news or for a moment, whichever comes first."""

import asyncio

from locker.operations.ports import Clock


class Wake:
    """One waiter; any number of callers of `now`. What is said while nobody waits is not lost."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()

    def now(self) -> None:
        self._event.set()

    async def wait(self, until_ms: int | None) -> None:
        """Until somebody calls `now`, or ``until_ms`` (monotonic; None: only the former)."""
        cancel = None if until_ms is None else self._clock.call_at(until_ms, self._event.set)
        try:
            await self._event.wait()
        finally:
            if cancel is not None:
                cancel()
        self._event.clear()
