"""Whether this software can go on with a journal: asked before an update, and before going back."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Final

SCRATCH: Final = "rehearsal"
ROOM_TIMES: Final = 3
"""The copy, the copy of before that a migration makes, and what it writes anew."""
AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 1 << 20


class CannotRehearse(Exception):
    """It cannot, or could not be tried. The message says which."""


def readable(path: Path, after: int) -> int:
    """How many entries follow ``after``, all of which this software understands. Beside a stopped daemon, and
    quick. Raises CannotRehearse, JournalError, sqlite3.Error."""
    from locker.domain.entry import read  # noqa: PLC0415  # late: heavy
    from locker.domain.errors import UnreadableFact  # noqa: PLC0415  # late
    from locker.journal.reader import Reader  # noqa: PLC0415  # late
    from locker.journal.schema import migrations  # noqa: PLC0415  # late

    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(migrations()):
        raise CannotRehearse(f"{path} has schema {found}, this software knows up to {len(migrations())}")
    count = 0
    with contextlib.closing(Reader(path)) as reader:
        while entries := reader.entries(after + count, AT_ONCE, BYTES_AT_ONCE):
            for entry in entries:
                try:
                    read(entry.public, "")
                except UnreadableFact as error:
                    raise CannotRehearse(f"entry {entry.seq}: {error}") from error
            count += len(entries)
    return count


def rehearse(path: Path) -> str:
    """What became of a copy: brought to this software's schema, replayed, compared. Nothing is left of it.

    Beside a running daemon. Raises CannotRehearse, JournalError, sqlite3.Error, OSError.
    """
    from locker.ctl.backup import copy_journal  # noqa: PLC0415  # late: heavy
    from locker.journal.replay import differences, load  # noqa: PLC0415  # late
    from locker.journal.store import Store  # noqa: PLC0415  # late

    scratch = path.parent / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    if shutil.disk_usage(path.parent).free < ROOM_TIMES * path.stat().st_size:
        raise CannotRehearse(
            f"{path.parent}: no room for {ROOM_TIMES} copies of the journal; free some first"
        )
    with contextlib.ExitStack() as undo:
        scratch.mkdir(mode=0o700)
        undo.callback(shutil.rmtree, scratch)
        copy = scratch / path.name
        copy_journal(path, copy)
        _need_sound(copy)
        with contextlib.closing(Store(copy)) as store:
            state = load(store).state
            if wrong := differences(store):
                raise CannotRehearse(f"replayed, these differ: {', '.join(wrong)}")
    return f"{state.seq} entries replayed, {len(state.deposits)} deposits, as the running one has them"


def _need_sound(copy: Path) -> None:
    """Every page, index and row as SQLite itself checks them. Raises CannotRehearse, sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
    if said != ["ok"]:
        raise CannotRehearse(f"the file itself is damaged: {'; '.join(said)}")
