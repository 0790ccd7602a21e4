"""The hub's database: one writing connection on one thread, a few reading ones.

SQLite here; the statements are SQLAlchemy Core, so that PostgreSQL can stand behind the same code.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    Update,
    bindparam,
    create_engine,
    event,
    select,
)

from sync import durable
from sync.central import migrations
from sync.central.platform import READERS, Threads

T = TypeVar("T")
BUSY_MS: Final = 10_000
"""How long a write waits for another process, such as an enrolment beside the running hub."""


def put(connection: Connection, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert or update one row, in words that every database knows."""
    if not change(connection, table, keys, values):
        connection.execute(table.insert(), {**keys, **values})


def find(connection: Connection, table: Table, keys: Mapping[str, Any]) -> Row[Any] | None:
    """The first row with these values."""
    return connection.execute(_finding(table, tuple(keys)), _named("key", keys)).first()


def change(connection: Connection, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """How many rows with these keys got these values: plain ones, no expressions."""
    statement = _changing(table, tuple(keys), tuple(values))
    return connection.execute(statement, _named("key", keys) | _named("new", values)).rowcount


@lru_cache(maxsize=200)
def _finding(table: Table, keys: tuple[str, ...]) -> Select[Any]:
    """Built once for each form: what a statement costs is mostly its building."""
    return select(table).where(*_where(table, keys))


@lru_cache(maxsize=200)
def _changing(table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> Update:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in values}
    return table.update().where(*_where(table, keys)).values(new)


def _where(table: Table, keys: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(f"key_{name}") for name in keys]


def _named(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{kind}_{name}": value for name, value in values.items()}


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
