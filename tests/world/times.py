"""What time it is: the world's, and what each machine makes of it."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Final

START_WALL_MS: Final = 1_790_000_000_000
"""When the world begins, for whoever's clock is right."""
MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0


def true_wall_ms() -> int:
    return START_WALL_MS + round(asyncio.get_running_loop().time() * 1000)


class MachineTime:
    """A machine's own clocks: monotonic from its start, wall time as right or wrong as it is set."""

    def __init__(self) -> None:
        self._now_s = asyncio.get_running_loop().time
        self.offset_ms = 0
        """How far its wall clock is from true time."""
        self.drift = 0.0
        """Seconds it gains each second."""
        self.is_ntp = True
        self.frozen_ms: int | None = None
        """Its wall clock stands still at that."""
        self._started_s = self._now_s()

    def boot(self) -> None:
        """The machine itself was started anew: its monotonic clock begins once more."""
        self._started_s = self._now_s()

    def mono_ms(self) -> int:
        return 1_000 + round((self._now_s() - self._started_s) * 1000)

    def wall_ms(self) -> int:
        if self.frozen_ms is not None:
            return self.frozen_ms
        now_s = self._now_s()
        gained_ms = round((now_s - self._started_s) * 1000 * self.drift) if self.drift else 0
        return START_WALL_MS + round(now_s * 1000) + self.offset_ms + gained_ms

    def up_ms(self) -> float:
        return (self._now_s() - self._started_s) * 1000


class HubClock:
    """The hub's, conforming to `sync.central.platform.Clock`."""

    def __init__(self, times: MachineTime) -> None:
        self._times = times

    def wall_ms(self) -> int:
        return self._times.wall_ms()

    def mono_ms(self) -> int:
        return self._times.mono_ms()

    async def wait(self, event: asyncio.Event, timeout_ms: int) -> None:
        timer = asyncio.get_running_loop().call_later(timeout_ms / 1000, event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()
        event.clear()

    async def sleep_until(self, mono_ms: int) -> None:
        await pause(max(0, mono_ms - self.mono_ms()) / 1000)


async def pause(for_s: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(for_s)  # noqa: TID251  # the world's time is virtual: this waits for nobody


def at(moment_s: float, action: Callable[[], object]) -> asyncio.TimerHandle:
    """The world's own timer: whoever set it may be dead by then."""
    return asyncio.get_running_loop().call_at(moment_s, action, context=Context())
