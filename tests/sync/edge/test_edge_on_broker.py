"""The edge on a real broker that loses everything, again and again: nothing else is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import pytest

from locker.domain.events import StaffRevoked
from locker.domain.ids import StaffId
from sync import wire
from sync.edge import Edge
from sync.link.link import Link
from tests.mosquitto import CENTRAL_USER, Broker
from tests.sync.edges import LOCKER, DownLog, MemoryJournal, Told, VirtualClock, edge_of
from tests.sync.links import RealTime, central_settings, settings_for, until
from tests.sync.small_centre import SmallCentre

pytestmark = [pytest.mark.processes]


class RealClock(RealTime, VirtualClock):
    """Real monotonic time, and alarms on the loop."""

    def call_at(self, mono_ms: int, action: Callable[[], None]) -> Callable[[], None]:
        return asyncio.get_running_loop().call_at(mono_ms / 1000, action).cancel

    def wall_ms(self) -> int:
        return self.mono_ms()


@asynccontextmanager
async def locker_on(broker: Broker, journal: MemoryJournal) -> AsyncIterator[Edge]:
    settings = settings_for(broker.port, LOCKER, wire.everything_down(LOCKER), wire.CENTRAL_LINK)
    with ThreadPoolExecutor(1) as executor:
        link = Link(settings, RealTime(), lambda _below: 0)
        edge = edge_of(link, journal, RealClock(), Told(), executor)
        serving = asyncio.create_task(edge.run())
        try:
            yield edge
        finally:
            await edge.stop()
            await serving


@asynccontextmanager
async def centre_on(broker: Broker, centre: SmallCentre) -> AsyncIterator[SmallCentre]:
    names = (wire.Name.LINK, wire.Name.LOG, wire.Name.ACK)
    settings = central_settings(broker, *(wire.every_locker(name) for name in names))
    centre.link = Link(settings, RealTime(), lambda _below: 0)
    await centre.link.start(centre)
    try:
        yield centre
    finally:
        await centre.link.stop()


@pytest.fixture
def users(broker: Broker) -> Broker:
    broker.add_user(LOCKER, "pw")
    broker.add_user(CENTRAL_USER, "pw")
    return broker


def equal(centre: SmallCentre, journal: MemoryJournal) -> bool:
    return centre.stored == [(row.public, row.hash.hex()) for row in journal.rows]


@pytest.mark.rule("LKR-8")
async def test_the_broker_may_lose_everything_at_any_time(users: Broker) -> None:
    down = DownLog()
    for number in range(30):
        down.add(StaffRevoked(StaffId(f"s{number}")))
    journal = MemoryJournal().begin()
    async with centre_on(users, SmallCentre(down)) as centre, locker_on(users, journal) as edge:
        for life in range(5):
            journal.grow(430)
            await centre.until_stored(len(journal.rows) - 400 + 90 * life)
            users.kill()
            journal.grow(50)
            users.start()
        await centre.until_stored(len(journal.rows))
        await until(lambda: len(journal.applied) == len(down.texts))
        await until(lambda: edge.status.unsynced == 0)
        assert [d.text for d in journal.applied] == down.texts
        assert equal(centre, journal)
        # Two births in a row get two hellos; only the answer to the latter counts.
        assert set(edge.dropped) <= {"hello:stale", "log:foreign"}


@pytest.mark.rule("LKR-19")
async def test_what_the_broker_took_and_nobody_stored_is_sent_again(users: Broker) -> None:
    journal = MemoryJournal().begin()
    centre = SmallCentre(DownLog())
    centre.puback_early = True
    async with locker_on(users, journal) as edge:
        async with centre_on(users, centre):
            journal.grow(150)
            await until(lambda: sum("Received PUBLISH from loc-1" in line for line in users.log) >= 4)
            await until(lambda: any(f"Received PUBACK from {CENTRAL_USER}" in line for line in users.log))
            assert edge.status.stored_to == 0
        centre.puback_early = False
        async with centre_on(users, centre):
            await centre.until_stored(len(journal.rows))
        assert equal(centre, journal)


def _locker_is_there(edge: Edge) -> bool:
    return edge.status.connected


def _centre_is_there(centre: SmallCentre) -> bool:
    return centre.link is not None and centre.link.connected


@pytest.mark.rule("LKR-9")
async def test_whoever_comes_first_waits_for_the_other(users: Broker) -> None:
    for locker_first in (True, False):
        journal = MemoryJournal().begin()
        centre = SmallCentre(DownLog())
        if locker_first:
            async with locker_on(users, journal) as edge:
                await until(partial(_locker_is_there, edge))
                async with centre_on(users, centre):
                    await centre.until_stored(1)
        else:
            async with centre_on(users, centre):
                await until(partial(_centre_is_there, centre))
                async with locker_on(users, journal):
                    await centre.until_stored(1)
        assert equal(centre, journal)
