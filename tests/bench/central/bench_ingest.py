"""How quickly the hub takes in a backlog: real frames through the real switchboard, without a broker between.

Everything a batch asks for is done: signature, chain, every entry read and projected, messages made, the
acknowledgement signed after the commit. Beside it, the rows of the ledger alone by a plain batched insert,
into the same table of the same database, in the same run.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import URL, func, select

from sync import wire
from sync.central.hub import LANES
from sync.central.ingest import Ingest
from sync.central.platform import WRITERS, Threads
from sync.central.pump import Pump
from sync.central.store import Store
from sync.central.switchboard import RECEIVE_MAXIMUM, Switchboard
from sync.central.tables import LEDGER, STREAM
from sync.link.settings import Listener, Message, PublishResult, Words
from tests import postgres
from tests.bench.central.journals import Backlog, backlog
from tests.bench.figures import Sheet
from tests.sync.central.conftest import HandClock, new_desk

LOCKERS = 100
ENTRIES = 200
GOAL_US = 250
"""An entry: 4,000 a second."""
INSERTED = 2_000


class Wire:
    """A broker's manners: so many messages under way, the next when one is acknowledged."""

    connected = True

    def __init__(self, messages: Sequence[tuple[str, bytes]]) -> None:
        self._messages = iter(messages)
        self._left = len(messages)
        self._listener: Listener | None = None
        self.done = asyncio.Event()

    async def start(self, listener: Listener) -> None:
        self._listener = listener
        for _ in range(RECEIVE_MAXIMUM):
            self._next()

    async def stop(self, last_words: Words | None = None) -> None:
        del last_words

    async def closed(self) -> None:
        await asyncio.Event().wait()

    def acknowledge(self, message: Message) -> None:
        del message
        self._left -= 1
        if not self._left:
            self.done.set()
        self._next()

    async def publish(self, *_: Any, **__: Any) -> PublishResult:
        return PublishResult(0)

    def _next(self) -> None:
        message = next(self._messages, None)
        if message and self._listener:
            self._listener.on_message(Message(message[0], message[1], 1, retain=False, mid=1, connection=1))


@dataclass
class Taken:
    wall_s: float = 0.0
    cpu_s: float = 0.0
    """Of the hub and of the server together."""


@contextmanager
def timed(server: int | None) -> Iterator[Taken]:
    taken, wall, cpu = Taken(), time.perf_counter(), _cpu_s(server)
    yield taken
    taken.wall_s, taken.cpu_s = time.perf_counter() - wall, _cpu_s(server) - cpu


def _cpu_s(server: int | None) -> float:
    own = time.process_time()
    if server is None:
        return own
    all_of_it = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    return own + sum(sum(process.cpu_times()[:2]) for process in all_of_it)


async def ingested(store: Store, made: Backlog, lanes: int, server: int | None) -> Taken:
    desk = new_desk(HandClock())
    link = Wire(made.messages)
    switchboard = Switchboard(link, desk, lanes)
    ingest = Ingest(store, desk, switchboard.say, Pump(store, desk, switchboard.say), released=lambda: None)
    with timed(server) as taken:
        running = asyncio.create_task(switchboard.run(ingest))
        await asyncio.wait([running, asyncio.create_task(link.done.wait())], return_when="FIRST_COMPLETED")
    running.cancel()
    await asyncio.wait([running])
    ingest.close()
    assert not ingest.dropped
    return taken


def inserted(store: Store, server: int | None) -> Taken:
    """The same rows again, as those of another epoch."""
    rows = [dict(row._mapping) | {"epoch": "bare"} for row in store.read_now(_ledger)]
    with timed(server) as taken:
        for first in range(0, len(rows), INSERTED):
            some = rows[first : first + INSERTED]
            store.write_now(lambda c, some=some: c.execute(LEDGER.insert(), some))  # type: ignore[misc]  # bound here
    return taken


def _ledger(connection: Any) -> Any:
    return connection.execute(select(LEDGER).order_by(LEDGER.c.locker, LEDGER.c.seq)).all()


def measure(where: Path | URL, sheet: Sheet, server: int | None = None) -> None:
    name, lanes = ("SQLite", 1) if isinstance(where, Path) else ("PostgreSQL", LANES)
    store = Store.open(where, Threads.real(1 if isinstance(where, Path) else WRITERS))
    try:
        desk = new_desk(HandClock())
        made = store.write_now(lambda c: backlog(desk, c, LOCKERS, ENTRIES))
        taken = asyncio.run(ingested(store, made, lanes, server))
        assert store.read_now(_stored) == sorted(
            (each.locker, each.head, each.hash_at(each.head)) for each in made.lockers
        )
        count = select(func.count(LEDGER.c.seq))
        assert store.read_now(lambda c: c.execute(count).scalar_one()) == made.entries
        assert store.read_now(lambda c: c.execute(count.where(LEDGER.c.problem != "")).scalar_one()) == 0
        bare = inserted(store, server)
    finally:
        store.close()
    entries, rate = made.entries, made.entries / taken.wall_s
    note = f"{rate:,.0f} entries/s of {LOCKERS} lockers, in batches of at most {wire.BATCH_ENTRIES_MAX}"
    sheet.aims_at(f"ingest an entry, {name}", taken.wall_s / entries * 1e6, "µs", GOAL_US, note)
    sheet.tells("  by CPU, both cores", taken.cpu_s / entries * 1e6 / 2, "µs", "hub and server together")
    sheet.tells("  ÷ bare batched insert of its rows", taken.wall_s / bare.wall_s, "×")
    sheet.tells("  ÷ the same by CPU", taken.cpu_s / bare.cpu_s, "×")


def _stored(connection: Any) -> list[tuple[str, int, str]]:
    rows = connection.execute(select(STREAM)).all()
    return sorted((row.locker, row.stored_to, row.hash) for row in rows)


def test_sqlite(sheet: Sheet, tmp_path: Path) -> None:
    measure(tmp_path / "central.sqlite", sheet)


@pytest.mark.postgresql
def test_postgresql(sheet: Sheet) -> None:
    """On a disk that is waited for."""
    with postgres.cluster(parent=Path("/tmp")) as cluster:  # noqa: S108  # a folder of our own is made in it
        server = cluster._process
        assert server is not None
        measure(cluster.database(), sheet, server.pid)
