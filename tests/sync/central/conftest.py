"""A hub's parts, in memory time, on a real database file."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Row, Table, select, text

from sync import seal
from sync.central import ledger, lockers, migrations, notices
from sync.central.desk import Desk, Keys
from sync.central.platform import Chance
from sync.central.store import Store
from tests.postgres import Cluster
from tests.sync.central import once
from tests.sync.central.fake_locker import WALL_MS, FakeLocker

once.install()

# PostgreSQL tells rows as they lie, and what its vacuum cleared is written over whenever it came by.
AS_WRITTEN: Final = text("xmin::text::bigint, cmin::text::bigint, ctid")


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


@dataclass(repr=False)  # a failing property says which pieces, not every key
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
        ingest = partial(
            ledger.ingest, batch=batch, now_ms=self.clock.now_ms, follow=lambda _: (notices.follow,)
        )
        try:
            return self.store.write_now(ingest)
        except ledger.Spoilt:
            return self.store.write_now(partial(ingest, careful=True))

    def rows(self, table: Table) -> list[Row[Any]]:
        """In the order in which they were written last."""
        asked = select(table).order_by(AS_WRITTEN) if self.store.url else select(table)
        return list(self.store.read_now(lambda c: c.execute(asked).all()))

    def seal_for_centre(self, plain: str) -> str:
        """As the locker does it."""
        return seal.seal(bytes.fromhex(self.centre["centre_seal"]["public"]), plain, Chance().random_bytes)


def new_desk(clock: HandClock) -> Desk:
    return Desk(Keys(seal.SigningKey.from_seed(b"c" * 32), seal.SealKey.from_private(b"p" * 32)), clock)


class KeptStore(Store):
    """Knows whether somebody closed it."""

    closed = False

    def close(self) -> None:
        super().close()
        self.closed = True


class OnPostgres:
    """One database for all tests of a run, and one store: a new connection would have to learn every table.
    What a test leaves in it is taken out, all in one message."""

    def __init__(self, cluster: Cluster) -> None:
        self._url = cluster.database()
        self._store = KeptStore.open(self._url)
        self._cleaner = cluster.connect(str(self._url.database))
        names = [table.name for table in migrations.metadata().tables.values()]
        self._emptying = "; ".join(f'DELETE FROM "{name}"' for name in names if name != "schema_number")  # noqa: S608  # names of ours

    def emptied(self) -> Store:
        if self._store.closed:
            self._store = KeptStore.open(self._url)
        self._cleaner.execute(self._emptying.encode())
        return self._store

    def close(self) -> None:
        self._store.close()
        self._cleaner.close()


@pytest.fixture(scope="session")
def on_postgres(postgres: Cluster) -> Iterator[OnPostgres]:
    kept = OnPostgres(postgres)
    yield kept
    kept.close()


@pytest.fixture(scope="session")
def new_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with nothing in it yet, to be copied: how it is made is for `test_migrations`."""
    path = tmp_path_factory.mktemp("hub") / "central.sqlite"
    Store.open(path).close()
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """On both databases; pages, and what looks at routes alone, ask nothing of it that others do not."""
    if "parts" in metafunc.fixturenames:
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        alone = any(word in metafunc.module.__name__ for word in ("console", "matrix", "described"))
        metafunc.parametrize("parts", both[: 1 if alone else 2], indirect=True)


@pytest.fixture
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Parts]:
    """On both databases: SQLite in a file, PostgreSQL emptied."""
    clock = HandClock()
    desk = new_desk(clock)
    if request.param == "postgresql":
        store: Store = request.getfixturevalue("on_postgres").emptied()
    else:
        path = tmp_path / "central.sqlite"
        shutil.copyfile(request.getfixturevalue("new_hub"), path)
        store = Store.open(path)
    locker = FakeLocker()
    centre = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    made = Parts(store, desk, clock, locker, centre)
    yield made
    if store.url is None:
        made.store.close()  # which may be another one by now: the database was put back to a copy
