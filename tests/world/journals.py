"""What a locker's journal has said, kept outside of it: nothing of it may ever change or go."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from locker.domain.entry import Entry
from tests.world.reference import Fact

JOURNAL: Final = "journal.sqlite3"
TRUSTED: Final = frozenset({"ntp", "centre", "rtc"})
START: Final = bytes(32)
Complaint = tuple[int, str]
"""The number of an invariant, and what speaks against it."""


class Row(NamedTuple):
    """An entry as it stands in the file."""

    seq: int
    public: str
    personal_digest: bytes | None
    hash: bytes


def row_of(entry: Entry) -> Row:
    named = hashlib.sha256(entry.salt + entry.personal.encode()).digest() if entry.personal else None
    return Row(entry.seq, entry.public, named, entry.hash)


def fact_of(row: Row) -> Fact:
    body = json.loads(row.public)
    return Fact(
        row.seq,
        body["type"],
        body["data"],
        body["boot"],
        body["mono"],
        body["time"],
        body["tq"] in TRUSTED,
        body["cause"],
    )


def rows_of(files: Mapping[str, bytes], name: str, scratch: Path, after: int = 0) -> list[Row]:
    """The entries in a disk's image, read by SQLite itself from real files.

    Raises sqlite3.Error where it is no journal.
    """
    with suppress(FileNotFoundError):
        (scratch / "image-shm").unlink()
    for end in ("", "-wal"):
        (scratch / f"image{end}").write_bytes(files.get(name + end, b""))
    uri = f"file:{scratch / 'image'}?vfs=unix"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        query = "SELECT seq, public, personal_digest, hash FROM entry WHERE seq > ? ORDER BY seq"
        return [Row(*row) for row in connection.execute(query, (after,))]


def histories_of(files: Mapping[str, bytes], name: str, scratch: Path) -> list[list[Row]]:
    """The entries of every epoch in a disk's image, the first epoch first."""
    present = rows_of(files, name, scratch)
    with closing(sqlite3.connect(f"file:{scratch / 'image'}?vfs=unix", uri=True)) as connection:
        # Nobody reads an earlier epoch at a start: a bit of it may have gone unnoticed.
        connection.text_factory = lambda text: text.decode(errors="replace")
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 6) = 'entry_'"
        past = [
            [
                Row(*row)
                for row in connection.execute(
                    f"SELECT seq, public, personal_digest, hash FROM {table} ORDER BY seq"  # noqa: S608  # ours
                )
            ]
            for (table,) in connection.execute(names).fetchall()
        ]
    by_epoch = {born(rows): rows for rows in past}
    found, epoch = [present], parent(present)
    while epoch in by_epoch:
        found.insert(0, by_epoch.pop(epoch))
        epoch = parent(found[0])
    return found


def born(rows: list[Row]) -> str:
    """The epoch of entries that begin with the first."""
    return str(fact_of(rows[0]).data.get("epoch", "")) if rows else ""


def parent(rows: list[Row]) -> str:
    return str(fact_of(rows[0]).data.get("parent_epoch", "")) if rows else ""


@dataclass
class Past:
    """One locker's. ``hashes`` by seq, of everything that was ever durable there."""

    epoch: str = ""
    last: int = 0
    hashes: dict[int, bytes] = field(default_factory=dict)
    told_s: dict[int, float] = field(default_factory=dict)
    """When the world heard of it; those that the centre is not known to have."""
    head: bytes = START
    boot: int = 0
    mono_ms: int = 0

    def add(self, row: Row, fact: Fact, now_s: float) -> Iterator[Complaint]:
        """The next entry; the first of an epoch that follows another one names where that ended."""
        if fact.kind == "EpochStarted" and row.seq == 1 and fact.data["parent_epoch"]:
            named = (fact.data["parent_epoch"], fact.data["parent_head"], fact.data["parent_hash"])
            if named != (self.epoch, self.last, self.head.hex()):
                yield 14, f"an epoch follows {named}, and {self.last} was the last of {self.epoch}"
            self.last, self.head, self.hashes, self.told_s = 0, START, {}, {}
        if row.seq != self.last + 1:
            yield 13, f"entry {row.seq} follows {self.last}: numbers are not gapless"
        leaf = row.public.encode() + (row.personal_digest or hashlib.sha256(b"").digest())
        link = hashlib.sha256(b"\x01" + self.head + hashlib.sha256(b"\x00" + leaf).digest()).digest()
        if self.last + 1 == row.seq and link != row.hash:
            yield 14, f"entry {row.seq} does not follow {self.last}: its hash is another one"
        if fact.seq != row.seq:
            yield 20, f"entry {row.seq} calls itself {fact.seq}"
        yield from self._time(row.seq, fact)
        if fact.kind == "EpochStarted":
            self.epoch = fact.data["epoch"]
        self.last, self.head = row.seq, row.hash
        self.hashes[row.seq] = row.hash
        self.told_s[row.seq] = now_s

    def _time(self, seq: int, fact: Fact) -> Iterator[Complaint]:
        before = (self.boot, self.mono_ms)
        if fact.boot < self.boot or (fact.boot == self.boot and fact.mono_ms < self.mono_ms):
            yield (
                20,
                f"entry {seq} is of (boot, mono) {(fact.boot, fact.mono_ms)}, the one before of {before}",
            )
        self.boot, self.mono_ms = fact.boot, fact.mono_ms

    def compare(self, rows: list[Row]) -> Iterator[Complaint]:
        """``rows``, as found after a start, against what was durable before."""
        found = {row.seq: row.hash for row in rows}
        top = max(found, default=0)
        if self.last > top:
            yield 13, f"entries {top + 1} to {self.last} were durable and are gone; the journal ends at {top}"
        for seq, known in self.hashes.items():
            there = found.get(seq)
            if there is not None and there != known:
                yield 14, f"entry {seq} was {known.hex()[:16]} and is {there.hex()[:16]} now"
                return
        if rows and len(rows) != top - rows[0].seq + 1:
            yield 13, f"of entries {rows[0].seq} to {top} only {len(rows)} are there"
