"""A hub of two shards, a worker beside it that is killed, and how long its lockers wait for an answer."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from locker.domain.events import Stopped
from sync import wire
from sync.central.store import Store
from tests.mosquitto import Broker
from tests.sync.central.fake_locker import Connected
from tests.sync.central.test_hub_process import PATIENCE_S, ROOT, Hub

SHARDS: Final = 2
ASKED_AGAIN_S: Final = 0.5


@contextlib.asynccontextmanager
async def shared_hub(folder: Path, broker: Broker, port: int, database: URL) -> AsyncIterator[Hub]:
    """Not started yet."""
    Store.open(database).close()
    settings = (f"hub.database={database.render_as_string()}", f"workers.shards={SHARDS}")
    hub = Hub(folder / "hub", broker, port, *settings)
    try:
        yield hub
    finally:
        if hub.process is not None and hub.process.poll() is None:
            hub.end(signal.SIGKILL)
        await hub.http.aclose()


@contextlib.asynccontextmanager
async def worker_beside(hub: Hub) -> AsyncIterator[asyncio.subprocess.Process]:
    """One that hears a shard already."""
    command = [sys.executable, "-m", "sync.central", "worker", "--config", str(hub.folder / "central.toml")]
    worker = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert worker.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"is heard here" not in await worker.stderr.readline():
                assert worker.returncode is None
        yield worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()


async def all_answered(ends: Sequence[Connected]) -> None:
    """Each says one entry more, until it is acknowledged."""
    await asyncio.gather(*(_answered(each) for each in ends))


async def taken_over(worker: asyncio.subprocess.Process, ends: Sequence[Connected]) -> float:
    """Seconds until each of them was answered, from the moment at which the worker was killed."""
    worker.kill()
    began_s = asyncio.get_running_loop().time()
    await all_answered(ends)
    return asyncio.get_running_loop().time() - began_s


async def _answered(end: Connected) -> None:
    locker = end.locker
    last = locker.add(Stopped(f"entry {locker.head + 1}")).head
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await end.say(wire.Name.LOG, locker.batch())
            with contextlib.suppress(TimeoutError):
                ack = await end.hear(wire.Name.ACK, ASKED_AGAIN_S)
                assert isinstance(ack, wire.DownAck)
                if (ack.stored_to, ack.hash) == (last, locker.hash_at(last)):
                    return
