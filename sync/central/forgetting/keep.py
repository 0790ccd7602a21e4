"""Once a day, in small steps: others write in between."""

import logging
from functools import partial
from typing import Final

from sync.central.forgetting import beside, cases, logs
from sync.central.forgetting.settings import Personal
from sync.central.platform import Clock
from sync.central.store import Store

log = logging.getLogger(__name__)

EVERY_MS: Final = 86_400_000
BETWEEN_MS: Final = 50


async def keep(store: Store, clock: Clock, settings: Personal) -> None:
    """Until cancelled. The first walk is at once: a hub that is started daily would never come to it."""
    while True:
        await walk(store, clock, settings)
        await clock.sleep_until(clock.mono_ms() + EVERY_MS)


async def walk(store: Store, clock: Clock, settings: Personal) -> int:
    """All that is due now; how many cases lost what was personal in them."""
    now_ms = clock.wall_ms()
    before_ms = now_ms - settings.kept_ms
    count, after = 0, ""
    while some := await store.read(partial(cases.page, after=after)):
        forget = partial(cases.forget, cases=some, settings=settings, now_ms=now_ms)
        count += await store.write(forget)
        after = some[-1]
        await clock.sleep_until(clock.mono_ms() + BETWEEN_MS)
    for locker, stream in await store.read(logs.streams):
        step = partial(logs.forget, locker=locker, stream=stream, before_ms=before_ms)
        while await store.write(step):
            await clock.sleep_until(clock.mono_ms() + BETWEEN_MS)
    await store.write(partial(beside.forget, before_ms=before_ms, now_ms=now_ms))
    await store.scrub()
    if count:
        log.info("names and phones were taken out of %d cases that have ended", count)
    return count
