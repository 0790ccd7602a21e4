"""The journals of a fleet, in one SQLite file that need not outlive the run."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hw_sim.fleet.frames import NOBODY, ZERO, linked, personal_digest, spelled
from hw_sim.fleet.visits import Fact
from hw_sim.fleet.words import BODY_BYTES_MAX, ENTRIES_MAX, TEXT_BYTES_MAX, VERSION, body

SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE entry (
  locker INTEGER, seq INTEGER, public TEXT NOT NULL, personal TEXT NOT NULL, salt BLOB NOT NULL,
  hash BLOB NOT NULL, PRIMARY KEY (locker, seq)
) WITHOUT ROWID;
"""
INSERT: Final = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)"
SELECT: Final = (
    "SELECT seq, public, personal, salt, hash FROM entry WHERE locker = ? AND seq > ? ORDER BY seq LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored, sent and hashed."""

    seq: int
    public: str
    personal: str
    salt: bytes
    hash: bytes

    @property
    def travelling(self) -> dict[str, str] | None:
        """Its personal part as it travels."""
        return {"salt": self.salt.hex(), "text": self.personal} if self.personal else None


@dataclass(frozen=True, slots=True)
class Stamp:
    """When, as this locker knows: wall and monotonic milliseconds, of which start."""

    boot: int
    mono_ms: int
    wall_ms: int
    quality: str = "ntp"


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries as a body, and where they end."""

    from_seq: int
    to_seq: int
    body: bytes


class Shelf:
    """The file with every journal of the fleet."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.executescript(SCHEMA)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(INSERT, rows)
        self._file.execute("COMMIT")

    def after(self, locker: int, seq: int, limit: int) -> Iterator[Row]:
        return (Row(*found) for found in self._file.execute(SELECT, (locker, seq, limit)))

    def close(self) -> None:
        self._file.close()


class Journal:
    """One locker's up-log."""

    def __init__(self, shelf: Shelf, number: int, epoch: str) -> None:
        """``number``: which of the fleet. ``epoch``: 32 hex digits, born with it."""
        self._shelf = shelf
        self._number = number
        self.epoch = epoch
        self.head = 0
        self.head_hash = ZERO

    def commit(self, stamped: Iterable[tuple[Fact, Stamp]], salt: bytes) -> int:
        """Store facts in order; the new head. ``salt``: 16 bytes that nobody guesses, of this commit."""
        rows = []
        for fact, stamp in stamped:
            self.head += 1
            public = spelled(
                {
                    "v": VERSION,
                    "seq": self.head,
                    "type": fact.type,
                    "boot": stamp.boot,
                    "mono": stamp.mono_ms,
                    "time": stamp.wall_ms,
                    "tq": stamp.quality,
                    "subject": fact.subject,
                    "cause": fact.cause,
                    "data": fact.data,
                }
            )
            personal = spelled(fact.personal) if fact.personal else ""
            own_salt = salt if personal else b""
            digest = personal_digest(own_salt, personal) if personal else NOBODY
            self.head_hash = linked(self.head_hash, public, digest)
            rows.append((self._number, self.head, public, personal, own_salt, self.head_hash))
        self._shelf.add(rows)
        return self.head

    def hash_at(self, seq: int) -> bytes:
        """Of an entry up to the head."""
        if seq in (0, self.head):
            return self.head_hash if seq else ZERO
        return next(self._shelf.after(self._number, seq - 1, 1)).hash

    def rows(self, after: int, limit: int) -> list[Row]:
        return list(self._shelf.after(self._number, after, limit))

    def batch(self, locker: str, after: int) -> Batch:
        """The entries behind ``after``, which is below the head, as many as may travel together."""
        rows: list[Row] = []
        size = 0
        for row in self._shelf.after(self._number, after, ENTRIES_MAX):
            size += len(row.public.encode()) + len(row.personal.encode())
            if rows and size > TEXT_BYTES_MAX:
                break
            rows.append(row)
        while True:
            said = body(
                "up_log",
                locker,
                epoch=self.epoch,
                to=rows[-1].seq,
                prev=self.hash_at(after).hex(),
                entries=[row.public for row in rows],
                personal=[row.travelling for row in rows],
                hash=rows[-1].hash.hex(),
                **{"from": after + 1},
            )
            if len(said) <= BODY_BYTES_MAX or len(rows) == 1:
                return Batch(after + 1, rows[-1].seq, said)
            del rows[len(rows) // 2 :]
