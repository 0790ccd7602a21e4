"""Several processes share a fleet on PostgreSQL; what one leaves behind another goes on with."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync import wire
from sync.central.shards import Shards, shard_of
from sync.central.store import Store
from tests.mosquitto import Broker
from tests.postgres import Cluster
from tests.sync.central.fake_locker import Connected, FakeLocker, name_of
from tests.sync.central.test_hub_process import PATIENCE_S, ROOT, Hub, connected
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


@pytest.fixture
async def hub(
    tmp_path: Path, broker: Broker, free_port: Callable[[], int], postgres: Cluster
) -> AsyncIterator[Hub]:
    database = postgres.database()
    Store.open(database).close()
    hub = Hub(tmp_path / "hub", broker, free_port(), f"hub.database={database}", "workers.shards=2")
    try:
        yield hub
    finally:
        if hub.process is not None and hub.process.poll() is None:
            hub.end(signal.SIGKILL)
        await hub.http.aclose()


@pytest.mark.processes
async def test_what_a_killed_worker_heard_is_heard_by_another(hub: Hub, broker: Broker) -> None:
    lockers = {
        name: FakeLocker(name, name_of(name)).add(BIRTH, CABINET, *VISIT) for name in ("hall-1", "hall-4")
    }
    ends = {name: await connected(locker, hub, broker) for name, locker in lockers.items()}
    hub.start()
    await hub.serving()
    command = [sys.executable, "-m", "sync.central", "worker", "--config", str(hub.folder / "central.toml")]
    worker = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert worker.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"is heard here" not in await worker.stderr.readline():
                assert worker.returncode is None
        for name, end in ends.items():
            await told(end, lockers[name], 1, 3)
        worker.kill()
        began = asyncio.get_running_loop().time()
        for name, end in ends.items():
            await told(end, lockers[name], 4, lockers[name].head)
        took_s = asyncio.get_running_loop().time() - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
    for end in ends.values():
        await end.mqtt.stop()
    # A look each second, and a connection to the broker.
    assert took_s < 10
    assert hub.end(signal.SIGTERM) == 0


async def told(end: Connected, locker: FakeLocker, first: int, last: int) -> None:
    """The entries are acknowledged, if they must be said again."""
    async with asyncio.timeout(60):
        while True:
            await end.say(wire.Name.LOG, locker.batch(first, last))
            try:
                ack = await end.hear(wire.Name.ACK, timeout_s=2)
            except TimeoutError:
                continue
            assert isinstance(ack, wire.DownAck)
            if (ack.stored_to, ack.hash) == (last, locker.hash_at(last)):
                return
