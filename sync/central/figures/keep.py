"""Counting beside everything else: within a minute, and a backlog does not hold up the rest."""

from functools import partial
from typing import Final

from sync.central.figures.count import Calendar, count, sample
from sync.central.platform import Clock
from sync.central.store import Store

EVERY_MS: Final = 60_000
BETWEEN_MS: Final = 200
"""With more to count: others write in between."""


async def keep(store: Store, clock: Clock, calendar: Calendar) -> None:
    """Until cancelled."""
    while True:
        more = await store.write(partial(count, calendar=calendar))
        if not more:
            wall_ms = clock.wall_ms()
            await store.write(partial(sample, now_ms=wall_ms))
        await clock.sleep_until(clock.mono_ms() + (BETWEEN_MS if more else EVERY_MS))
