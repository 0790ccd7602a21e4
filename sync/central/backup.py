"""Copies of the hub's database, and going back to one.

A copy is one moment of the database, made beside a running hub. Going back loses what the centre learnt
since: lockers say their facts again from where the copy ends, rights they hold stay in force
(`project.rights`), and every locker is told everything anew under a new numbering. What only the centre knew
since (a phone, a revoked key, an ended account) is gone; the command says so.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, select

from sync import durable
from sync.central import directives
from sync.central.access import audit
from sync.central.access.actor import EVERY_AREA, Actor
from sync.central.access.tables import BROWSER, ELSEWHERE, SESSION
from sync.central.desk import Desk
from sync.central.store import Store, name_of
from sync.central.tables import AUTHORISATION, LOCKER, STREAM

MACHINE: Final = Actor("machine", frozenset(), frozenset({EVERY_AREA}))
BESIDE: Final = ("-wal", "-shm")
"""What belongs to a file of SQLite while it is open, and after a crash."""
MINUTES_MAX: Final = 120
"""A dump that takes longer waits for something that does not come."""


class CannotCopy(Exception):
    """No copy was made, or none was gone back to. The text names the remedy."""


@dataclass(frozen=True, slots=True)
class Restored:
    lockers: int
    entries: int
    """Of all lockers' latest streams."""
    authorisations: int
    aside: str
    """Where what was there before lies; empty on a server."""


def save(database: Path | URL, folder: Path, now_ms: int) -> Path:
    """A copy in ``folder``, named by its moment in UTC; durable on return. Raises CannotCopy, OSError."""
    durable.make_folder(folder)
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"central-{moment}.{'dump' if isinstance(database, URL) else 'sqlite'}"
    if path.exists():
        raise CannotCopy(f"{path} is there already; try again in a second")
    new = path.with_name(f"{path.name}.new")
    with contextlib.ExitStack() as undo:
        undo.callback(lambda: new.unlink(missing_ok=True))
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        if isinstance(database, URL):
            _run(database, "pg_dump", "--format=custom", "--no-owner", f"--file={new}")
        else:
            _copy(database, new)
        _sync(new)
        new.rename(path)
        undo.pop_all()
    durable.sync_folder(folder)
    return path


def restore(database: Path | URL, desk: Desk, copy: Path, now_ms: int) -> Restored:
    """Go back to ``copy``, while nothing serves from the database. Raises CannotCopy, OSError."""
    if not copy.is_file():
        raise CannotCopy(f"{copy} is no file")
    if isinstance(database, URL):
        _run(
            database, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(copy)
        )
        with contextlib.closing(Store.open(database)) as store:
            return store.write_now(lambda connection: _begin_anew(connection, desk, now_ms, ""))
    return _put_back(database, desk, copy, now_ms)


def _put_back(database: Path, desk: Desk, copy: Path, now_ms: int) -> Restored:
    """Made ready beside the old file, then put in its place: a cut leaves one of the two, never a mixture."""
    ready = database.with_name(f"{database.name}.restoring")
    aside = database.with_name(f"{database.name}.before-{now_ms}")
    for part in ("", *BESIDE):
        Path(f"{ready}{part}").unlink(missing_ok=True)
    _copy(copy, ready)
    with contextlib.closing(Store.open(ready)) as store:
        told = store.write_now(lambda connection: _begin_anew(connection, desk, now_ms, str(aside)))
    if Path(f"{ready}-wal").exists():
        raise CannotCopy(f"{ready} is still in use; end whoever reads it and try again")
    _sync(ready)
    if database.exists():
        # The log of the old file must never be read into the new one: it goes first.
        os.link(database, aside)
        for part in BESIDE:
            with contextlib.suppress(FileNotFoundError):
                Path(f"{database}{part}").rename(f"{aside}{part}")
        durable.sync_folder(database.parent)
    ready.replace(database)
    durable.sync_folder(database.parent)
    return told


def _begin_anew(connection: Connection, desk: Desk, now_ms: int, aside: str) -> Restored:
    """Every locker is numbered and told anew; nobody is signed in; the journal of acts knows of it."""
    lockers = connection.execute(select(LOCKER.c.locker).order_by(LOCKER.c.locker)).scalars().all()
    for locker in lockers:
        directives.snapshot(connection, locker, desk.chance, now_ms)
    # Nothing it heard is how things stand: each says so itself when it comes.
    connection.execute(LOCKER.update().values(online=False))
    for table in (SESSION, BROWSER, ELSEWHERE):
        connection.execute(table.delete())
    stored = connection.execute(select(STREAM.c.stored_to)).scalars().all()
    living = select(AUTHORISATION.c.authorisation).where(
        AUTHORISATION.c.ended == "", AUTHORISATION.c.valid_until_ms > now_ms
    )
    told = Restored(len(lockers), sum(stored), len(connection.execute(living).all()), aside)
    detail = {"lockers": told.lockers, "entries": told.entries}
    audit.write(connection, now_ms, MACHINE, audit.Event.RESTORED, "database", detail)
    return told


def _copy(source: Path, target: Path) -> None:
    """One moment of ``source``, checked page by page. Raises CannotCopy."""
    if not source.is_file():
        raise CannotCopy(f"{source} is no file")
    with _readable(source) as old, contextlib.closing(sqlite3.connect(target)) as new:
        try:
            old.backup(new)
            wrong = new.execute("PRAGMA integrity_check(1)").fetchone()[0]
            # A copy is one file; whoever opens it to write turns the log on again.
            new.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.DatabaseError as error:
            raise CannotCopy(f"{source}: {error}; take an earlier copy") from error
    if wrong != "ok":
        raise CannotCopy(f"{source}: {wrong}; take an earlier copy")


@contextlib.contextmanager
def _readable(source: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        yield connection


def _run(database: URL, program: str, *words: str) -> None:
    """PostgreSQL's own tool; the password goes by its environment. Raises CannotCopy."""
    found = shutil.which(program)
    if found is None:
        raise CannotCopy(
            f"{program} is missing: install PostgreSQL's client programs of the server's version"
        )
    without = database.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(database.password)} if database.password else {})
    done = subprocess.run(  # noqa: S603  # a program found by its name, no shell
        [found, "--dbname", without, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MINUTES_MAX * 60,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise CannotCopy(f"{program}, {name_of(database)}: {lines[-1]}")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
