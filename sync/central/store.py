"""The hub's database: one writing connection on one thread, a few reading ones.

SQLite here; the statements are SQLAlchemy Core, so that PostgreSQL can stand behind the same code.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event

from sync import durable
from sync.central import migrations
from sync.central.platform import READERS, Threads

T = TypeVar("T")
BUSY_MS: Final = 10_000
"""How long a write waits for another process, such as an enrolment beside the running hub."""


def put(connection: Connection, table: Table, keys: dict[str, Any], values: dict[str, Any]) -> None:
    """Insert or update one row, in words that every database knows."""
    where = [table.c[name] == value for name, value in keys.items()]
    if not connection.execute(table.update().where(*where).values(**values)).rowcount:
        connection.execute(table.insert().values(**keys, **values))


class Store:
    """``write`` runs a function in one transaction on the one writing thread; ``read`` beside it."""

    def __init__(self, path: Path, threads: Threads, *, checkpoints: bool = True) -> None:
        """``checkpoints=False`` for a second process: only one may move pages out of the log of a file."""
        self._writer = _engine(path, query_only=False, checkpoints=checkpoints)
        self._reader = _engine(path, query_only=True, checkpoints=False)
        self._threads = threads

    @classmethod
    def open(cls, path: Path, threads: Threads | None = None, *, checkpoints: bool = True) -> Self:
        """An empty file becomes a store, an older one is brought up.

        Raises StoreTooNew, OSError, sqlalchemy's DatabaseError for an unusable file.
        """
        durable.make_folder(path.parent)
        if not path.exists():
            path.touch(mode=0o600)
            durable.sync_folder(path.parent)
        store = cls(path, threads or Threads.real(), checkpoints=checkpoints)
        with contextlib.ExitStack() as undo:
            undo.callback(store.close)
            migrations.bring_up(store._writer, path)
            undo.pop_all()
        return store

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, once its transaction is durable. It may run on another thread only."""
        return await asyncio.get_running_loop().run_in_executor(self._threads.writing, self.write_now, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads.reading, self.read_now, work)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """The same for a caller that has no event loop."""
        with self._writer.begin() as connection:
            return work(connection)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        with self._reader.connect() as connection:
            return work(connection)

    def close(self) -> None:
        """Wait for what runs, then let go of the file."""
        self._threads.close()
        self._reader.dispose()
        self._writer.dispose()


def _engine(path: Path, *, query_only: bool, checkpoints: bool) -> Engine:
    engine = create_engine(f"sqlite:///{path}", pool_size=READERS if query_only else 1)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # We say BEGIN ourselves: the driver would begin late and let two readers turn into writers.
        connection.isolation_level = None
        for pragma in _pragmas(query_only=query_only, checkpoints=checkpoints):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


def _pragmas(*, query_only: bool, checkpoints: bool) -> list[str]:
    # FULL: with NORMAL an acknowledged row can be lost in a power cut.
    pragmas = [f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"]
    if query_only:
        pragmas = [f"busy_timeout={BUSY_MS}", "query_only=ON"]
    if not checkpoints:
        pragmas.append("wal_autocheckpoint=0")
    return pragmas
