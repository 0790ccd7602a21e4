"""A hub's parts, in memory time, on a real database file."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Row, Table, select

from sync import seal
from sync.central import ledger, lockers, migrations, notices
from sync.central.desk import Desk, Keys
from sync.central.platform import Chance
from sync.central.store import Store
from tests.postgres import Cluster
from tests.sync.central.fake_locker import WALL_MS, FakeLocker


class HandClock:
    """Stands still until it is set; waiting is over at once, or when ``gate`` opens."""

    def __init__(self, wall_ms: int = WALL_MS) -> None:
        self.now_ms = wall_ms
        self.gate: asyncio.Event | None = None

    def wall_ms(self) -> int:
        return self.now_ms

    def mono_ms(self) -> int:
        return self.now_ms

    async def wait(self, event: asyncio.Event, timeout_ms: int) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.now_ms += timeout_ms
        event.clear()

    async def sleep_until(self, mono_ms: int) -> None:
        self.now_ms = max(self.now_ms, mono_ms)


@dataclass
class Parts:
    store: Store
    desk: Desk
    clock: HandClock
    locker: FakeLocker
    centre: dict[str, Any]

    @property
    def code_key(self) -> bytes:
        return bytes.fromhex(self.centre["code_key"])

    def ingest(self, first: int = 1, last: int | None = None) -> ledger.Outcome:
        batch = self.locker.batch(first, last)
        ingest = partial(ledger.ingest, batch=batch, now_ms=self.clock.now_ms, follow=notices.follow)
        try:
            return self.store.write_now(ingest)
        except ledger.Spoilt:
            return self.store.write_now(partial(ingest, careful=True))

    def rows(self, table: Table) -> list[Row[Any]]:
        return list(self.store.read_now(lambda c: c.execute(select(table)).all()))

    def seal_for_centre(self, plain: str) -> str:
        """As the locker does it."""
        return seal.seal(bytes.fromhex(self.centre["centre_seal"]["public"]), plain, Chance().random_bytes)


def _empty(connection: Connection) -> None:
    for table in migrations.metadata().sorted_tables:
        if table.name != "schema_number":
            connection.execute(table.delete())


def new_desk(clock: HandClock) -> Desk:
    return Desk(Keys(seal.SigningKey.from_seed(b"c" * 32), seal.SealKey.from_private(b"p" * 32)), clock)


@pytest.fixture(scope="session")
def hub_database(postgres: Cluster) -> URL:
    """One for all tests of a run; what a test leaves in it is taken out."""
    url = postgres.database()
    Store.open(url).close()
    return url


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On both databases; pages ask nothing of it that others do not."""
    if "parts" in metafunc.fixturenames:
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        metafunc.parametrize(
            "parts", both[: 1 if "console" in metafunc.module.__name__ else 2], indirect=True
        )


@pytest.fixture
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Parts]:
    """On both databases: SQLite in a file, PostgreSQL emptied."""
    clock = HandClock()
    desk = new_desk(clock)
    where: Path | URL = tmp_path / "central.sqlite"
    if request.param == "postgresql":
        where = request.getfixturevalue("hub_database")
    store = Store.open(where)
    store.write_now(_empty)
    locker = FakeLocker()
    centre = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    yield Parts(store, desk, clock, locker, centre)
    store.close()
