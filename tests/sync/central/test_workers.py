"""Several processes share a fleet on PostgreSQL; what one leaves behind another goes on with."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hw_sim.free_port import free_port
from sync.central.shards import Shards, shard_of
from sync.central.store import Store
from tests.mosquitto import Broker
from tests.postgres import Cluster
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.takeover import all_answered, shared_hub, taken_over, worker_beside
from tests.sync.central.test_hub_process import connected
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

pytestmark = pytest.mark.postgresql
NAMES = ("hall-1", "hall-2", "hall-3", "hall-4")


def test_shards_are_shared_taken_over_and_never_held_twice(postgres: Cluster) -> None:
    url = postgres.database()
    with Shards(url, 4) as first:
        first.appear()
        assert first.take(first.share()) == {0, 1, 2, 3}
        with Shards(url, 4) as second:
            second.appear()
            assert (first.share(), second.share()) == (2, 2)
            assert second.take(2) == set()
            first.release(3)
            first.release(2)
            assert second.take(2) == {2, 3}
            assert first.take(2) == set()
        # Its session is over: as when it is killed. The server takes a moment to see it.
        end = time.monotonic() + 10
        while first.share() < 4:
            assert time.monotonic() < end
        assert first.take(2) == {2, 3}


def test_one_process_has_the_desk(postgres: Cluster) -> None:
    url = postgres.database()
    with Shards(url, 1) as first, Shards(url, 1) as second:
        assert first.take_desk()
        assert not second.take_desk()


def test_a_shard_is_the_same_for_ever() -> None:
    assert [shard_of(name, 2) for name in NAMES] == [1, 1, 1, 0]


def test_an_empty_database_may_be_opened_twice_at_once(postgres: Cluster) -> None:
    url = postgres.database()
    with ThreadPoolExecutor(2) as threads:
        for store in threads.map(Store.open, [url, url]):
            store.close()


@pytest.mark.processes
async def test_what_a_killed_worker_heard_is_heard_by_another(
    tmp_path: Path, broker: Broker, postgres: Cluster
) -> None:
    lockers = [FakeLocker(name, name_of(name)).add(BIRTH, CABINET, *VISIT) for name in ("hall-1", "hall-4")]
    async with shared_hub(tmp_path, broker, free_port(), postgres.database()) as hub:
        ends = [await connected(each, hub, broker) for each in lockers]
        hub.start()
        await hub.serving()
        async with worker_beside(hub) as worker:
            await all_answered(ends)
            took_s = await taken_over(worker, ends)
        for end in ends:
            await end.mqtt.stop()
        # A look each second, and a connection to the broker.
        assert took_s < 10
        assert hub.end(signal.SIGTERM) == 0
