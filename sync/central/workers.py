"""Several processes that take in what one fleet says: each hears the lockers of the shards it holds.

A shard has its own connection to the broker, by a name of its own: whoever takes it over goes on with the
session and what waits in it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, select

from sync import wire
from sync.central import hearing
from sync.central.desk import Desk
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from sync.central.shards import Shards, shard_of
from sync.central.slots import AT_ONCE
from sync.central.store import Store
from sync.central.switchboard import Switchboard
from sync.central.tables import LOCKER
from sync.link.settings import LinkPort, Subscription

log = logging.getLogger(__name__)

LOOK_EVERY_MS: Final = 1_000
"""For a shard that is free, a locker that is new, an entry that another process made."""
ENROLLED_EVERY: Final = 10
"""Looks from one for new lockers to the next: their connection is made anew for them."""

MakeLink = Callable[[str, tuple[Subscription, ...]], LinkPort]
"""A connection by this name that hears these topics."""


@dataclass(frozen=True, slots=True)
class Means:
    """What hearing a shard needs."""

    store: Store
    desk: Desk
    link: MakeLink
    lanes: int
    released: Callable[[], None]


async def run(means: Means, shards: Shards) -> None:
    """Hear what falls to this process, until cancelled. Raises what broke a part or the locks."""
    shards.appear()
    running: dict[int, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            share = await means.store.beside(shards.share)
            while len(running) > share:
                shard, task = running.popitem()
                task.cancel()
                await asyncio.wait([task])
                await means.store.beside(partial(shards.release, shard))
                log.info("shard %d is left to another", shard)
            for shard in await means.store.beside(partial(shards.take, share - len(running))):
                log.info("shard %d of %d is heard here", shard, shards.count)
                running[shard] = group.create_task(_hear(means, shard, shards.count))
            await means.desk.clock.sleep_until(means.desk.clock.mono_ms() + LOOK_EVERY_MS)


async def _hear(means: Means, shard: int, count: int) -> None:
    """Again with other subscriptions where lockers came."""
    while True:
        lockers = await means.store.read(partial(_lockers, shard=shard, count=count))
        await _hear_these(means, shard, count, lockers)


async def _hear_these(means: Means, shard: int, count: int, lockers: frozenset[str]) -> None:
    topics = tuple(Subscription(wire.everything_up(locker)) for locker in sorted(lockers))
    switchboard = Switchboard(means.link(str(shard), topics), means.desk, means.lanes, speaks_for_all=False)
    pump = Pump(means.store, means.desk, switchboard.say)
    ingest = Ingest(
        means.store,
        means.desk,
        switchboard.say,
        pump,
        means.released,
        held_ms=hearing.SHARED_MS,
        at_once=max(1, AT_ONCE // count),
    )
    try:
        async with asyncio.TaskGroup() as group:
            running = (switchboard.run(ingest), ingest.run(), pump.run())
            parts = [group.create_task(each) for each in running]
            await _until_others(means, pump, lockers, (shard, count))
            for part in parts:
                part.cancel()
    finally:
        ingest.close()
        with contextlib.suppress(asyncio.CancelledError):
            await switchboard.close()


async def _until_others(means: Means, pump: Pump, lockers: frozenset[str], which: tuple[int, int]) -> None:
    """Wake the pump for what other processes wrote; returns when there are other lockers."""
    clock, looks = means.desk.clock, 0
    while True:
        await clock.sleep_until(clock.mono_ms() + LOOK_EVERY_MS)
        pump.wake(lockers & await means.store.read(_behind))
        looks += 1
        if looks % ENROLLED_EVERY == 0:
            shard, count = which
            if await means.store.read(partial(_lockers, shard=shard, count=count)) != lockers:
                return


def _lockers(connection: Connection, shard: int, count: int) -> frozenset[str]:
    names = connection.execute(select(LOCKER.c.locker)).scalars()
    return frozenset(name for name in names if shard_of(name, count) == shard)


def _behind(connection: Connection) -> frozenset[str]:
    """Lockers that lack something of their down-log."""
    where = [LOCKER.c.online.is_(True), LOCKER.c.dn_head > LOCKER.c.dn_stored_to]
    return frozenset(connection.execute(select(LOCKER.c.locker).where(*where)).scalars())
