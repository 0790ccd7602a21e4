"""A connection to a journal file of the right kind, and the numbered steps to the present schema."""

import os
import sqlite3
from contextlib import ExitStack, closing
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from locker.journal.errors import JournalTooNew, JournalUnreadable, NotAJournal
from locker.journal.tables import APPLICATION_ID

PAGE_BYTES: Final = 1024
"""By tests/bench/journal: pages of 4 KiB write 2.8 times as much to the card for the same events."""
BUSY_MS: Final = 5000
"""Readers hold nothing that a writer waits for; only a reader that recovers after a crash does, briefly."""


@cache
def migrations() -> tuple[str, ...]:
    """The steps in order; step 1 makes schema 1 of an empty file."""
    files = [
        file for file in resources.files("locker.journal.migrations").iterdir() if file.name.endswith(".sql")
    ]
    return tuple(file.read_text("utf-8") for file in sorted(files, key=lambda file: file.name))


def connect(path: Path) -> sqlite3.Connection:
    """The one writing connection. An empty file becomes a journal; an older one is brought up.

    Raises NotAJournal, JournalTooNew, JournalUnreadable; sqlite3.Error as it comes.
    """
    if not path.exists():
        _create(path)
    connection = sqlite3.connect(path, isolation_level=None)
    with ExitStack() as undo:
        undo.callback(connection.close)
        _check_kind(connection, path)
        _set_up(connection)
        _migrate(connection, path)
        undo.pop_all()
    return connection


def _create(path: Path) -> None:
    """Readable by its owner alone from the first moment, and in its directory for good."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    empty = _pragma(connection, "schema_version") == 0
    if application != APPLICATION_ID and not empty:
        raise NotAJournal(path)
    if version > len(migrations()):
        raise JournalTooNew(path, version, len(migrations()))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _set_up(connection: sqlite3.Connection) -> None:
    for pragma in (
        f"page_size = {PAGE_BYTES}",  # has effect in an empty file only
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL loses what was acknowledged when the power goes
        "wal_autocheckpoint = 0",  # `Store.checkpoint` does it between commits, when nobody waits
        "foreign_keys = ON",
        "secure_delete = ON",  # purged names are overwritten, not only unlinked
        f"busy_timeout = {BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Each step whole or not at all, so that a cut in between is met by doing it again."""
    steps, found = migrations(), _pragma(connection, "user_version")
    if 0 < found < len(steps):
        try:
            _keep_copy(connection, before(path, found))
        except OSError as error:
            raise JournalUnreadable(before(path, found), str(error)) from error
    for number in range(found + 1, len(steps) + 1):
        marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
        connection.executescript(f"BEGIN IMMEDIATE;\n{steps[number - 1]}\n{marks}\nCOMMIT;")


def before(path: Path, version: int) -> Path:
    """Where the journal lies as it was before it left schema ``version``: for earlier software to go on from.

    Whoever tidies up removes it after a week (`systemd/locker/tmpfiles.conf`): there are names in it.
    """
    return path.parent / "before" / f"schema-{version}.sqlite3"


def _keep_copy(connection: sqlite3.Connection, copy: Path) -> None:
    """Whole and durable before the first step; one of an earlier try is replaced."""
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    new = copy.with_name(f"{copy.name}.new")
    new.unlink(missing_ok=True)
    _create(new)
    with closing(sqlite3.connect(new)) as target:
        connection.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    handle = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(copy)
    _sync_folder(copy.parent)
    _sync_folder(copy.parent.parent)
