"""The hub's database, SQLite or PostgreSQL behind the same Core statements.

SQLite: one writing connection on one thread, a few reading ones. PostgreSQL: a few of both, in any number of
processes; what a transaction of another one spoiled is done again.
"""

import asyncio
import contextlib
import logging
import select as waiting
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    LargeBinary,
    Row,
    Table,
    bindparam,
    create_engine,
    event,
    select,
)
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, SQLAlchemyError

from sync import durable
from sync.central import migrations
from sync.central.platform import READERS, WRITERS, Threads
from sync.central.statement import Statement, defaults, inserting

log = logging.getLogger(__name__)

T = TypeVar("T")
BUSY_MS: Final = 10_000
"""How long a write waits for another process, such as an enrolment beside the running hub."""
TRIES: Final = 10
AGAIN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "40001": "another transaction changed what this one rests on",
        "40P01": "two transactions waited for each other",
        "23505": "another transaction wrote the same row first",
    }
)
"""PostgreSQL's codes for what is over when the whole transaction is done again. Bounded: `TRIES`."""
PAUSE_MS: Final = 2
"""At most, before the second try; before each later one twice as long. Else who came first would stay so."""
COPIED_MIN: Final = 10
"""Rows from which on a copy costs less than statements."""
OF_THE_WORLD: Final = ("08", "40", "42", "53", "55", "57", "58", "XX")
"""Classes of PostgreSQL's codes that say nothing of an entry: no connection, no room, no such table."""


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of an error, "" where it has none."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def is_of_the_world(error: SQLAlchemyError) -> bool:
    """Whether an error lies in what goes on around a statement, not in it: a full disk, no server."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    code = sqlstate(error)
    return code.startswith(OF_THE_WORLD) if code else isinstance(error, OperationalError)


def is_spoiled(error: SQLAlchemyError) -> bool:
    """Whether others came first: of a transaction that was tried often enough, and that stored nothing."""
    return sqlstate(error) in AGAIN


def put(connection: Connection, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert or update one row, in words that every database knows."""
    if not change(connection, table, keys, values):
        insert(connection, table, [{**keys, **values}])


def find(connection: Connection, table: Table, keys: Mapping[str, Any]) -> Row[Any] | None:
    """The first row with these values."""
    return _finding(table, tuple(keys)).first(connection, _named("key", keys))


def change(connection: Connection, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """How many rows with these keys got these values: plain ones, no expressions."""
    statement = _changing(table, tuple(keys), tuple(values))
    return statement.do(connection, [_named("key", keys) | _named("new", values)])


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Many new rows, by the quickest way there is. All have the same columns."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name != "postgresql" or len(rows) < COPIED_MIN:
        told = defaults(table)
        inserting(table, names).do(connection, [{**told, **row} for row in rows] if told else rows)
        return
    quote = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quote(table.name)} ({', '.join(map(quote, names))}) FROM STDIN"
    raw: Any = connection.connection.driver_connection
    driver: Any = connection.dialect.loaded_dbapi  # loaded by who chose PostgreSQL alone
    try:
        with raw.cursor().copy(statement) as copy:
            bind = _binding(table, names, connection.dialect)
            for row in rows:
                copy.write_row(bind(row))
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error, dialect=connection.dialect) from error


@lru_cache(maxsize=200)
def _binding(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Makes of a row its values as the driver takes them."""
    special = [(n, bind) for n, name in enumerate(names) if (bind := _bind(table.c[name].type, dialect))]

    def bound(row: Mapping[str, Any]) -> Sequence[Any]:
        found = [row[name] for name in names]
        for n, bind in special:
            found[n] = bind(found[n])
        return found

    return bound


def _bind(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    # A driver's own word for bytes is made for parameters; here bytes are bytes.
    if isinstance(kind, LargeBinary):
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)  # type: ignore[no-any-return]  # as untyped as kinds are


@lru_cache(maxsize=200)
def _finding(table: Table, keys: tuple[str, ...]) -> Statement:
    """Built once for each form: what a statement costs is mostly its building."""
    return Statement(select(table).where(*_where(table, keys)))


@lru_cache(maxsize=200)
def _changing(table: Table, keys: tuple[str, ...], values: tuple[str, ...]) -> Statement:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in values}
    return Statement(table.update().where(*_where(table, keys)).values(new))


def _where(table: Table, keys: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(f"key_{name}") for name in keys]


def _named(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{kind}_{name}": value for name, value in values.items()}


class Store:
    """``write`` runs a function in one transaction; ``read`` beside it, on what was durable when it began.

    ``work`` may run on another thread, and more than once: what it leaves outside the database must be right
    when only the last time counts.
    """

    def __init__(self, where: Path | URL, threads: Threads, *, checkpoints: bool = True) -> None:
        """``checkpoints=False`` for a second process: only one may move pages out of the log of a file."""
        self._writer = _engine(where, query_only=False, checkpoints=checkpoints)
        self._reader = _engine(where, query_only=True, checkpoints=False)
        self._writing, self._reading = _Idle(self._writer), _Idle(self._reader)
        self._threads = threads
        self.url = where if isinstance(where, URL) else None
        """Of PostgreSQL."""

    @classmethod
    def open(cls, where: Path | URL, threads: Threads | None = None, *, checkpoints: bool = True) -> Self:
        """An empty file or database becomes a store, an older one is brought up.

        Raises StoreTooNew, OSError, sqlalchemy's DatabaseError for an unusable one.
        """
        if isinstance(where, Path):
            _make(where)
        store = cls(where, threads or Threads.real(), checkpoints=checkpoints)
        with contextlib.ExitStack() as undo:
            undo.callback(store.close)
            migrations.bring_up(store._writer, name_of(where))
            undo.pop_all()
        return store

    async def write(self, work: Callable[[Connection], T], *, alone: bool = True) -> T:
        """What ``work`` returns, once its transaction is durable.

        ``alone``: as if nothing else happened meanwhile. Without, ``work`` itself locks what it rests on.
        """
        write = partial(self.write_now, work, alone=alone)
        return await asyncio.get_running_loop().run_in_executor(self._threads.writing, write)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads.reading, self.read_now, work)

    async def beside(self, ask: Callable[[], T]) -> T:
        """What ``ask`` returns: anything that waits for the server by a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads.reading, ask)

    def write_now(self, work: Callable[[Connection], T], *, alone: bool = True) -> T:
        """The same for a caller that has no event loop."""
        for tried in range(TRIES - 1):
            try:
                return self._write_once(work, alone=alone)
            except DBAPIError as error:
                reason = AGAIN.get(sqlstate(error))
                if reason is None:
                    raise
                log.info("a transaction is done again: %s", reason)
                self._threads.pause(PAUSE_MS << tried)
        return self._write_once(work, alone=alone)

    def _write_once(self, work: Callable[[Connection], T], *, alone: bool) -> T:
        if self.url is None:
            with self._writing.one() as connection, connection.begin():
                return work(connection)
        with self._writer.connect() as connection:
            connection.execution_options(isolation_level="SERIALIZABLE" if alone else "READ COMMITTED")
            with connection.begin():
                return work(connection)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        if self.url is None:
            with self._reading.one() as connection:
                return work(connection)
        with self._reader.connect() as connection:
            return work(connection)

    async def scrub(self) -> bool:
        """Leave nothing of what was overwritten in a file's log; whoever reads just now is not waited for.
        Whether it is so. Of a server's logs its own settings decide."""
        return await asyncio.get_running_loop().run_in_executor(self._threads.writing, self._scrub_now)

    def _scrub_now(self) -> bool:
        if self.url is not None:
            return False
        with self._writing.one() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA busy_timeout=0")
            busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            raw.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        return not busy

    def close(self) -> None:
        """Wait for what runs, then let go of the database."""
        self._threads.close()
        self._reading.close()
        self._writing.close()
        self._reader.dispose()
        self._writer.dispose()


class _Idle:
    """A file's connections of which nobody makes use just now. A pool's check-out costs as much as a read;
    a server's pool also has to see whether the server is still there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[Connection] = deque()

    @contextlib.contextmanager
    def one(self) -> Iterator[Connection]:
        """For whoever asks alone; nothing is under way on it later. After an error it is not kept."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def name_of(where: Path | URL) -> str:
    """For people: no password is in it."""
    return str(where) if isinstance(where, Path) else where.render_as_string(hide_password=True)


def _make(path: Path) -> None:
    durable.make_folder(path.parent)
    if not path.exists():
        path.touch(mode=0o600)
        durable.sync_folder(path.parent)


def _engine(where: Path | URL, *, query_only: bool, checkpoints: bool) -> Engine:
    if isinstance(where, URL):
        return _postgres(where, query_only=query_only)
    engine = create_engine(f"sqlite:///{where}", pool_size=READERS if query_only else 1)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # We say BEGIN ourselves: the driver would begin late and let two readers turn into writers.
        connection.isolation_level = None
        for pragma in _pragmas(query_only=query_only, checkpoints=checkpoints):
            connection.execute(f"PRAGMA {pragma}")

    statement = "BEGIN" if query_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        try:
            raw.execute(
                statement
            )  # at once: by way of a statement's whole machinery it costs ten times as much
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                statement, None, error, sqlite3.Error, dialect=connection.dialect
            ) from error

    return engine


def _pragmas(*, query_only: bool, checkpoints: bool) -> list[str]:
    # FULL: with NORMAL an acknowledged row can be lost in a power cut.
    pragmas = [f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"]
    pragmas.append("secure_delete=ON")  # a name that was taken out is overwritten, wherever its row has been
    if query_only:
        pragmas = [f"busy_timeout={BUSY_MS}", "query_only=ON"]
    if not checkpoints:
        pragmas.append("wal_autocheckpoint=0")
    return pragmas


def _postgres(url: URL, *, query_only: bool) -> Engine:
    """A reader sees one moment, as with SQLite; a commit is durable whatever the server's default is."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if query_only else {}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=READERS if query_only else WRITERS,
        execution_options=options,
    )

    @event.listens_for(engine, "checkout")
    def look(connection: Any, _record: Any, _fairy: Any) -> None:
        # A server that went away has said so, and nobody has read it yet: to ask it costs a round trip.
        if connection.closed or _has_unread(connection.fileno()):
            raise DisconnectionError

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()

    return engine


def _has_unread(descriptor: int) -> bool:
    sockets = waiting.poll()
    sockets.register(descriptor, waiting.POLLIN)
    return bool(sockets.poll(0))
