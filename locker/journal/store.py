"""The file itself: the one connection that writes and checkpoints. Used on one thread only."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from locker.domain import chain
from locker.domain.entry import Entry
from locker.domain.ids import Seq
from locker.domain.state import COLLECTIONS, FOLD_VERSION
from locker.journal import reserve, rows, schema
from locker.journal.errors import PurgeRefused, WriteFailed, reading
from locker.journal.lock import JournalLock
from locker.journal.project import Changes, Records
from locker.journal.row_sums import NAME, RowSums
from locker.journal.rows import StoredAnchor, StoredEntry, stored

CHECKPOINT_COMMITS: Final = 200
"""1.6 MiB of write-ahead log, which the next start reads: a grant changes 8 pages. With 50 the card would be
written 1.6 % more, with 800 0.5 % less."""


class Store:
    """Raises JournalBusy, NotAJournal, JournalTooNew, JournalUnreadable, JournalCorrupt from construction.

    After a write that failed, a checkpoint too, no other is tried: nothing that came after it is durable.
    """

    _failed = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._since_checkpoint = CHECKPOINT_COMMITS
        """As if due: where each is killed before its own were many, the log would only grow."""
        self._sums: RowSums | None = None
        self._lock = JournalLock(path)
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            with reading(self.path):
                self._connection = schema.connect(path)
            undo.pop_all()

    def close(self) -> None:
        """Checkpoints as the last connection of the file; a reader that is still there may prevent that."""
        self._connection.close()
        self._lock.release()

    # --- writing ---

    def append(self, entries: Sequence[Entry], changes: Changes, anchor: StoredAnchor | None = None) -> None:
        """All of it durable, or WriteFailed and none of it."""
        with self._writing() as run:
            self._add(run, entries, changes, anchor)

    def begin_epoch(
        self, past: str, ground: StoredAnchor, entries: Sequence[Entry], changes: Changes
    ) -> None:
        """Entries and anchors so far are put aside under the name of their epoch, ``past``; ``entries`` are
        the first of a new one, on the state of ``ground``. All of it durable, or WriteFailed and none of it.

        Renaming moves no row: it takes as long for a year as for a day.
        """
        with self._writing() as run:
            for table in rows.PAST:
                (declared,) = run.execute(rows.DECLARED, {"name": table}).fetchone()
                run.execute(f"ALTER TABLE {table} RENAME TO {rows.past(table, past)}")
                run.execute(declared)
            run.execute(rows.RENAME_META, {"name": "countersigned", "new": f"countersigned_{past}"})
            run.execute(rows.PUT_META, {"name": "acknowledged", "value": "0"})
            self._add(run, entries, changes, ground)

    def _add(
        self,
        run: sqlite3.Cursor,
        entries: Sequence[Entry],
        changes: Changes,
        anchor: StoredAnchor | None,
    ) -> None:
        run.executemany(rows.ADD, [_row(entry) for entry in entries])
        self._apply(run, changes, ("head", json.dumps(entries[-1].hash.hex())))
        if anchor:
            run.execute(rows.ADD_ANCHOR, {"seq": anchor.seq, "hash": anchor.hash, "state": anchor.state})

    def replace_projections(self, changes: Changes) -> None:
        """Instead of all that is there: ``changes`` from an empty state."""
        with self._writing() as run:
            for name in COLLECTIONS:
                run.execute(rows.CLEAR[name])
            self._sums = RowSums({}, dict.fromkeys(COLLECTIONS, ()))
            self._apply(run, changes, ("fold_version", str(FOLD_VERSION)))

    def _apply(self, run: sqlite3.Cursor, changes: Changes, *more: tuple[str, str]) -> None:
        """``more``: what else stands in ``meta``."""
        if self._sums is None:
            self._sums = RowSums(self.meta(), self.records())
        self._sums.follow(changes)
        for name, keys in changes.gone.items():
            run.executemany(rows.DROP[name], [{"id": key} for key in keys])
        for name, records in changes.put.items():
            key = rows.KEYS[name]
            run.executemany(rows.PUT[name], [{key: value, "record": text} for value, text in records])
        scalars = (*changes.scalars, *more, (NAME, self._sums.text))
        run.executemany(rows.PUT_META, [{"name": name, "value": value} for name, value in scalars])

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. Waits for no reader. Raises WriteFailed."""
        self._move("PASSIVE")

    @property
    def checkpoint_due(self) -> bool:
        return self._since_checkpoint >= CHECKPOINT_COMMITS

    def _move(self, mode: str) -> None:
        self._since_checkpoint = 0
        try:
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        except sqlite3.Error as error:
            self._failed = True
            raise WriteFailed(self.path, str(error)) from error

    def _scrub(self) -> bool:
        """What was purged must not live on in the write-ahead log. False where a reader still needs it."""
        try:
            self._connection.execute("PRAGMA busy_timeout = 0").fetchall()
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {schema.BUSY_MS}").fetchall()
        except sqlite3.Error as error:
            self._failed = True
            raise WriteFailed(self.path, str(error)) from error
        self._since_checkpoint = 0
        return not busy

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        if self._failed:
            raise WriteFailed(self.path, "an earlier write failed")
        reserve.give_up_if_short(self.path.parent)
        run = self._connection.cursor()
        try:
            run.execute("BEGIN IMMEDIATE")
            yield run
            run.execute("COMMIT")
            self._since_checkpoint += 1
        except sqlite3.Error as error:
            self._failed = True
            raise WriteFailed(self.path, str(error)) from error
        finally:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):  # the reason is already on its way
                    run.execute("ROLLBACK")
            run.close()

    # --- reading ---

    def meta(self) -> Mapping[str, str]:
        with reading(self.path):
            return dict(self._connection.execute(rows.READ_META))

    def records(self) -> Records:
        with reading(self.path):
            return {name: self._connection.execute(rows.RECORDS[name]).fetchall() for name in COLLECTIONS}

    def sound(self, meta: Mapping[str, str], records: Records) -> bool:
        """Whether these, just read, are the rows that were written; true where an older make kept no sum."""
        self._sums = RowSums(meta, records)
        return meta.get(NAME, self._sums.text) == self._sums.text

    def entries(self, after: int, count: int) -> list[StoredEntry]:
        with reading(self.path):
            found = self._connection.execute(rows.ENTRIES, {"after": after, "count": count})
            return [stored(row) for row in found]

    def last(self) -> tuple[int, bytes, int]:
        """Seq, hash and boot of the last entry there is; zeros before the first."""
        with reading(self.path):
            return self._connection.execute(rows.LAST).fetchone() or (0, chain.START, 0)

    def anchors(self) -> list[StoredAnchor]:
        with reading(self.path):
            return [StoredAnchor(*row) for row in self._connection.execute(rows.ANCHORS)]

    def personal(self, seq: Seq) -> Mapping[str, str]:
        with reading(self.path):
            row = self._connection.execute(rows.PERSONAL, {"at": seq}).fetchone()
            return json.loads(row[0]) if row and row[0] else {}

    # --- what the centre has, and what may go ---

    @property
    def acknowledged(self) -> Seq:
        return Seq(int(self.meta().get("acknowledged", "0")))

    def acknowledge(self, seq: Seq, frame: bytes = b"") -> None:
        """The centre has stored everything up to ``seq``, by its signed ``frame``. Raises WriteFailed."""
        with self._writing() as run:
            run.execute(rows.PUT_META, {"name": "acknowledged", "value": str(seq)})
            if frame:
                run.execute(rows.PUT_META, {"name": "countersigned", "value": frame.hex()})

    def purge_personal(self, before: Seq, keep: Collection[Seq] = ()) -> int:
        """Names out of the entries below ``before`` but those of ``keep``; digests stay. Returns how many.

        Raises PurgeRefused beyond what the centre has; WriteFailed.
        """
        self._may_go(before - 1)
        with self._writing() as run:
            named = [seq for (seq,) in run.execute(rows.NAMED, {"up_to": before - 1}) if seq not in keep]
            run.executemany(rows.FORGET, [{"at": seq} for seq in named])
        self._move("TRUNCATE")  # what was purged must not live on in the write-ahead log
        return len(named)

    def purge_names(self, seqs: Collection[Seq]) -> bool:
        """Names out of these entries; digests stay. Whether they are gone from file and write-ahead log: one
        who reads just now may hold the log, and it is never waited for. Said again it does no harm.

        Raises PurgeRefused beyond what the centre has; WriteFailed.
        """
        self._may_go(max(seqs))
        with self._writing() as run:
            run.executemany(rows.FORGET, [{"at": seq} for seq in seqs])
        return self._scrub()

    def purge_past(self, epoch: str, count: int) -> bool:
        """Names out of ``count`` more entries of an earlier epoch, also of those that the centre never had:
        it believes nothing more of that epoch. Whether none is left, in the log neither. Raises WriteFailed.
        """
        with self._writing() as run:
            known = run.execute(rows.DECLARED, {"name": rows.past("entry", epoch)}).fetchone()
            more = known and run.execute(rows.forget_past(epoch), {"count": count}).rowcount == count
        return self._scrub() and not more

    def purge_rows(self, up_to: Seq) -> int:
        """Entries up to an anchor of just that seq. Returns how many.

        Raises PurgeRefused beyond what the centre has or where no anchor is; WriteFailed.
        """
        self._may_go(up_to)
        anchored = (anchor for anchor in self.anchors() if anchor.seq == up_to)
        if next(anchored, None) is None:
            raise PurgeRefused(f"no anchor at {up_to}: commit one first")
        with self._writing() as run:
            count = run.execute(rows.PURGE, {"up_to": up_to}).rowcount
            run.execute(rows.PURGE_ANCHORS, {"up_to": up_to})
        self._move("TRUNCATE")  # what was purged must not live on in the write-ahead log
        return count

    def _may_go(self, up_to: int) -> None:
        if up_to > self.acknowledged:
            raise PurgeRefused(
                f"entry {up_to} is not at the centre yet ({self.acknowledged} is): wait for it"
            )


def _row(entry: Entry) -> dict[str, Any]:
    named = bool(entry.personal)
    return {
        "seq": entry.seq,
        "public": entry.public,
        "personal": entry.personal if named else None,
        "salt": entry.salt if named else None,
        "personal_digest": chain.personal_digest(entry.salt, entry.personal.encode()) if named else None,
        "hash": entry.hash,
    }
