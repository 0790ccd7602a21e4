"""Is this journal what it was when it was written? A check on its own: standard library only, one file.

    python verify.py journal.sqlite3 [--head SEQ:HASH]

Exit 0 and a summary, or exit 1 and the first entry that is not what it was. It shares no code with the
daemon: who doubts the daemon may read this instead. The rules it checks:

    digest = SHA-256(salt ‖ personal text)           SHA-256 of nothing where nobody was ever named
    leaf   = SHA-256(0x00 ‖ public text ‖ digest)
    hash   = SHA-256(0x01 ‖ hash of the entry before ‖ leaf)       32 zero bytes before the first

Entries are numbered from 1 without a gap. Where old ones were purged, the oldest kept follows an anchor, and
an entry named Anchored confirms its number and hash. A head that somebody else holds (an acknowledgement, a
signed head) shows what the file alone cannot: that the end was cut off, or that all of it was written anew.

A journal that had to begin anew (an old card was put back) numbers from 1 again; its first entry,
EpochStarted, names the number and hash at which the epoch before ended. Entries of that epoch are kept in
``entry_EPOCH``, and are checked as well.
"""

import argparse
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

START = bytes(32)
PAST = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'entry\\_%' ESCAPE '\\'"
QUERY = "SELECT seq, public, personal, salt, personal_digest, hash FROM entry ORDER BY seq"


@dataclass(frozen=True)
class Row:
    """As stored; texts as their bytes, so that a flipped bit is a finding and not a decoding error."""

    seq: int
    public: object
    personal: bytes | None
    salt: bytes | None
    personal_digest: bytes | None
    hash: bytes


@dataclass(frozen=True)
class Verdict:
    """``seq`` and ``wrong`` name the first entry that is not what it was; ``wrong`` is empty if all are."""

    first: int
    last: int
    head: bytes
    named: int
    purged: int
    seq: int = 0
    wrong: str = ""


class Wrong(Exception):
    """The first thing that does not hold."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(f"entry {seq}: {what}")
        self.seq = seq
        self.what = what


class Walk:
    """One pass over the entries. ``held`` is a head that somebody else holds."""

    def __init__(self, anchors: dict[int, bytes], held: tuple[int, bytes] | None) -> None:
        self._anchors = anchors
        self._held = held
        self._base: tuple[int, str] | None = None
        """The anchor on which the oldest entry kept stands, until an entry confirms it."""
        self.first = 1
        self.seq = 0
        self.head = START
        self.named = 0
        self.purged = 0
        self.parent = ("", 0, "")
        """Epoch, number and hash that the first entry names as what it follows."""

    def step(self, row: Row) -> None:
        if self.seq == 0 and row.seq > 1:
            self._start_behind(row.seq)
        at = self.seq + 1
        if row.seq != at:
            raise Wrong(at, f"missing; the next one there is {row.seq}")
        if not isinstance(row.public, bytes):
            raise Wrong(at, "it has no text")
        link = hashlib.sha256(b"\x01" + self.head + self._leaf(row, row.public)).digest()
        if link != row.hash:
            raise Wrong(at, "its hash does not follow from its text and the entry before")
        self._read(at, row.public)
        self.seq, self.head = at, link
        self._compare_held()

    def _start_behind(self, first: int) -> None:
        if first - 1 not in self._anchors:
            raise Wrong(1, f"missing; the next one there is {first}, and it follows no anchor")
        self.first, self.seq, self.head = first, first - 1, self._anchors[first - 1]
        self._base = (self.seq, self.head.hex())
        self._compare_held()

    def _compare_held(self) -> None:
        if self._held and self._held[0] == self.seq and self._held[1] != self.head:
            raise Wrong(self.seq, "another entry than the one whose hash was given")

    def _leaf(self, row: Row, public: bytes) -> bytes:
        digest = row.personal_digest
        if digest is None:
            digest = hashlib.sha256(b"").digest()
            if row.personal is not None or row.salt is not None:
                raise Wrong(row.seq, "a personal part without a digest")
        elif row.personal is None and row.salt is None:
            self.purged += 1
        else:
            self.named += 1
            if hashlib.sha256((row.salt or b"") + (row.personal or b"")).digest() != digest:
                raise Wrong(row.seq, "its personal part is not what was hashed")
        return hashlib.sha256(b"\x00" + public + digest).digest()

    def _read(self, at: int, public: bytes) -> None:
        try:
            body = json.loads(public)
            number, kind, data = body["seq"], body["type"], body["data"]
        except (ValueError, KeyError, TypeError):
            raise Wrong(at, "its text is not an entry") from None
        if number != at:
            raise Wrong(at, f"its text says that it is entry {number}")
        if kind == "Anchored" and (data.get("seq"), data.get("hash")) == self._base:
            self._base = None
        if kind == "EpochStarted" and isinstance(data, dict):
            names = ("parent_epoch", "parent_head", "parent_hash")
            epoch, head, link = (data.get(name) for name in names)
            self.parent = (str(epoch or ""), int(head or 0), str(link or ""))

    def rest(self) -> None:
        """Of an epoch that is over: nothing was noted of its end but what the next one names."""
        if self._base:
            raise Wrong(self.first, "what went before was purged, and no entry confirms its anchor")

    def finish(self, meta: dict[str, str]) -> None:
        """``meta`` is what the daemon noted of the end when it last wrote."""
        self.rest()
        if self._held and self._held[0] > self.seq:
            raise Wrong(self.seq + 1, f"missing; the head that was given is {self._held[0]}")
        if self._held and 0 < self._held[0] < self.first - 1:
            raise Wrong(self.first, f"the head that was given, {self._held[0]}, was purged: give a later one")
        noted = int(meta.get("seq", "0"))
        if noted > self.seq:
            raise Wrong(self.seq + 1, f"missing; the daemon wrote {noted} entries")
        if noted < self.seq:
            raise Wrong(noted + 1, f"the daemon never wrote it, only {noted} entries")
        if self.seq and json.loads(meta.get("head", '""')) != self.head.hex():
            raise Wrong(self.seq, "its hash is not the one that the daemon noted")


def check(path: Path, held: tuple[int, bytes] | None = None) -> Verdict:
    """Walk the whole journal. ``held`` is a head that somebody else holds.

    Raises OSError where there is no file; sqlite3.Error and ValueError where it is no journal.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")  # one moment in time, also of a journal that is being written
        anchors = {int(seq): bytes(link) for seq, link in connection.execute("SELECT seq, hash FROM anchor")}
        meta = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('seq', 'head')"))
        past = sorted(name for (name,) in connection.execute(PAST))
        connection.text_factory = bytes
        walk = Walk(anchors, held)
        verdict = judged((Row(*row) for row in connection.execute(QUERY)), meta, walk)
        return verdict if verdict.wrong else _with_past(connection, past, walk, verdict)
    finally:
        connection.close()


def judged(rows: Iterator[Row], meta: dict[str, str], walk: Walk) -> Verdict:
    found: dict[str, Any] = {}
    try:
        for row in rows:
            walk.step(row)
        walk.finish(meta)
    except Wrong as wrong:
        found = {"seq": wrong.seq, "wrong": wrong.what}
    return Verdict(walk.first, walk.seq, walk.head, walk.named, walk.purged, **found)


def _with_past(connection: sqlite3.Connection, past: list[str], present: Walk, verdict: Verdict) -> Verdict:
    """``verdict``, unless an earlier epoch in the file is not what it was, or does not lead to the next."""
    ends: dict[str, tuple[int, str]] = {}
    named = [present.parent]
    for table in past:
        epoch = table.removeprefix("entry_")
        anchors = connection.execute(f"SELECT seq, hash FROM anchor_{int(epoch, 16):032x}")  # noqa: S608  # hex
        walk = Walk({int(seq): bytes(link) for seq, link in anchors}, None)
        rows = connection.execute(QUERY.replace("FROM entry", f"FROM entry_{int(epoch, 16):032x}"))
        try:
            for row in rows:
                walk.step(Row(*row))
            walk.rest()
        except Wrong as wrong:
            return replace(verdict, seq=wrong.seq, wrong=f"of the earlier epoch {epoch}: {wrong.what}")
        ends[epoch] = (walk.seq, walk.head.hex())
        named.append(walk.parent)
    said = {epoch: (head, link) for epoch, head, link in named}
    for epoch, end in ends.items():
        if said.get(epoch, end) != end:
            return replace(verdict, seq=end[0], wrong=f"of the earlier epoch {epoch}: not the end named")
    return verdict


def _head(text: str) -> tuple[int, bytes]:
    seq, _, link = text.partition(":")
    value = bytes.fromhex(link)
    if not seq.isdecimal() or len(value) != len(START):
        raise ValueError(text)
    return int(seq), value


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="verify", description="Check the evidence chain of a locker's journal."
    )
    parser.add_argument("journal", type=Path)
    parser.add_argument("--head", type=_head, metavar="SEQ:HASH", help="a head that somebody else holds")
    asked = parser.parse_args(arguments)
    try:
        verdict = check(asked.journal, asked.head)
    except (OSError, sqlite3.Error, ValueError) as error:
        print(f"{asked.journal}: not readable as a journal: {error}")
        return 1
    if verdict.wrong:
        print(f"{asked.journal}: entry {verdict.seq}: {verdict.wrong}")
        return 1
    names = f"{verdict.named} with names, {verdict.purged} with names purged"
    print(f"{asked.journal}: entries {verdict.first} to {verdict.last} hold ({names})")
    print(f"head {verdict.last}:{verdict.head.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
