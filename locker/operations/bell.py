"""Wait for news, but not for ever."""

import asyncio

from locker.operations.ports import Clock


class Bell:
    """Any number may wait; `ring` wakes all who wait just then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiting in self._waiting:
            _wake(waiting)

    async def wait(self, until_ms: int) -> None:
        """Until the next ring, or ``until_ms`` (monotonic). Look again at what you wait for."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        cancel = self._clock.call_at(until_ms, lambda: _wake(waiting))
        try:
            await waiting
        finally:
            cancel()
            self._waiting.discard(waiting)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
