"""Reading while the daemon writes: short, read-only, from any one thread at a time."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, NoReturn

from locker.domain import chain
from locker.domain.centre_keys import CentreKeys
from locker.journal import rows
from locker.journal.errors import JournalCorrupt, RowsPurged, reading
from locker.journal.rows import StoredEntry, stored

READ_MAX_S: Final = 1.0
"""A read transaction holds back the checkpoint, and the write-ahead log grows meanwhile."""
STEPS_BETWEEN_LOOKS: Final = 10_000
"""Of SQLite's machine: well under a millisecond."""


class Reader:
    """Blocking: run it in an executor. Never writes, never checkpoints. Raises JournalUnreadable."""

    def __init__(self, path: Path, past: str = "") -> None:
        """``past``: an earlier epoch of this journal, to be read instead of the present one."""
        self._path = path
        self._alone = Lock()
        self._until_s = 0.0
        with reading(self._path):
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            for view in _views(past):
                self._connection.execute(view)
            self._connection.execute("PRAGMA query_only = ON")
        self._connection.set_progress_handler(self._too_long, STEPS_BETWEEN_LOOKS)

    def close(self) -> None:
        """After the read in progress: SQLite crashes where a connection goes from under one."""
        with self._alone:
            self._connection.close()

    def entries(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """Entries from ``after + 1`` on, at most ``limit``, and of texts together at most ``max_bytes``, but
        always the first. Raises RowsPurged where that one is no longer kept."""
        found: list[StoredEntry] = []
        size = 0
        with self._reading() as connection:
            for row in connection.execute(rows.ENTRIES, {"after": after, "count": limit}):
                entry = stored(row)
                size += len(entry.public.encode()) + len(entry.personal.encode())
                if found and size > max_bytes:
                    break
                found.append(entry)
        if found and found[0].seq != after + 1:
            self._explain(after + 1, found[0].seq)
        return found

    def head(self) -> tuple[int, bytes]:
        """Seq and hash of the last entry; 0 and `chain.START` before the first."""
        with self._reading() as connection:
            seq, link, _ = connection.execute(rows.LAST).fetchone() or (0, chain.START, 0)
        return seq, link

    def oldest(self) -> int:
        """Seq of the first entry kept; 0 where there is none."""
        with self._reading() as connection:
            return connection.execute(rows.OLDEST).fetchone()[0] or 0

    def hash_at(self, seq: int) -> bytes:
        """The hash of one entry, or of an anchor where it was purged; `chain.START` of 0.

        Raises RowsPurged, and KeyError beyond the head.
        """
        if seq == 0:
            return chain.START
        with self._reading() as connection:
            row = connection.execute(rows.HASH_AT, {"at": seq}).fetchone()
        if row:
            return bytes(row[0])
        if 0 < seq < self.oldest():
            raise RowsPurged(seq, self.oldest())
        raise KeyError(seq)

    def countersigned(self) -> bytes:
        """The frame with the centre's latest signed word on what it has stored; empty before one came.

        Nothing vouches for it but its own signature: what is no frame at all any more is empty as well.
        """
        with self._reading() as connection:
            row = connection.execute(rows.META_OF, {"name": "countersigned"}).fetchone()
        try:
            return bytes.fromhex(row[0]) if row else b""
        except (ValueError, TypeError):
            return b""

    def epoch(self) -> str:
        """Of this journal; empty before its first entry."""
        with self._reading() as connection:
            row = connection.execute(rows.META_OF, {"name": "epoch"}).fetchone()
        return str(json.loads(row[0])) if row else ""

    def centre_keys(self) -> CentreKeys:
        """What the centre said last of its keys."""
        with self._reading() as connection:
            row = connection.execute(rows.META_OF, {"name": "centre_keys"}).fetchone()
        said = json.loads(row[0]) if row else {"told": (), "retired": ()}
        return CentreKeys(tuple(said["told"]), tuple(said["retired"]))

    def epochs(self) -> list[str]:
        """The earlier epochs of this journal."""
        with self._reading() as connection:
            return sorted(name.removeprefix("entry_") for (name,) in connection.execute(rows.EPOCHS))

    def _explain(self, wanted: int, got: int) -> NoReturn:
        if got == self.oldest():
            raise RowsPurged(wanted, got)
        raise JournalCorrupt(wanted, "it is missing")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._alone, reading(self._path):
            self._until_s = time.monotonic() + READ_MAX_S
            yield self._connection

    def _too_long(self) -> bool:
        return time.monotonic() > self._until_s


def _views(past: str) -> list[str]:
    """What a connection needs so that every statement reads an earlier epoch. None for the present one."""
    if not past:
        return []
    epoch = f"{int(past, 16):032x}"
    tables = [
        f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{rows.past(table, epoch)}"  # noqa: S608  # our own names
        for table in rows.PAST
    ]
    meta = (
        f"CREATE TEMP VIEW meta AS SELECT 'epoch' AS name, '\"{epoch}\"' AS value"  # noqa: S608  # hex digits
        " UNION ALL SELECT 'countersigned', value FROM main.meta"
        f" WHERE name = 'countersigned_{epoch}'"
    )
    return [*tables, meta]
