"""The hub's store on a disk that forgets: what it committed and said, and what is found after a cut.

Every commit of a life is kept with what the whole database held then. After a cut the database must hold what
it held after one of those commits, and none before the last that had returned when the power went; and every
word said by then, to a locker or to a caller, must be true of it.
"""

import hashlib
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed, the same life and disk
from typing import Any, Final

import httpx
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from locker.domain.events import Event
from sync import seal, wire
from sync.central import lockers, store
from sync.central.desk import Desk, Keys
from sync.central.ingest import Ingest
from sync.central.migrations import StoreTooNew
from sync.central.notify import Notifier, SmsSettings
from sync.central.office import Office
from sync.central.platform import Chance, Threads
from sync.central.pump import Pump
from sync.central.store import Store, T
from tests.power.disk import Descent, Disk, after
from tests.power.recording import AtOnce
from tests.power.vfs import Vfs
from tests.sync.central.conftest import HandClock
from tests.sync.central.fake_locker import FakeLocker

Fact = tuple[Any, ...]
CHECKPOINT_PAGES: Final = 25
"""Small, so that short lives have checkpoints too."""
FACTS: Final = (
    "SELECT 'entry', locker, epoch, seq, hash FROM ledger_entry",
    "SELECT 'directive', locker, dn_epoch, seq, hash FROM directive",
    "SELECT 'authorisation', authorisation FROM authorisation",
    "SELECT 'item', item FROM outgoing_item",
    "SELECT 'staff', staff FROM staff",
    "SELECT 'enrolled', locker FROM locker",
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a database held; ``digest`` is of every row of every table."""

    digest: str
    facts: frozenset[Fact]
    gapless: bool
    """Each stream has its entries from 1 to `stored_to`, once each."""


def held(connection: sqlite3.Connection) -> Held:
    digest = hashlib.sha256()
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for (name,) in names:
        rows = connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608  # names from the file itself
        digest.update(repr((name, sorted(map(repr, rows)))).encode())
    facts = frozenset(row for query in FACTS for row in connection.execute(query))
    streams = {(locker, epoch): to for locker, epoch, to in connection.execute(
        "SELECT locker, epoch, stored_to FROM stream"
    )}  # fmt: skip
    seqs = Counter((fact[1], fact[2]) for fact in facts if fact[0] == "entry")
    numbered = all(fact[3] <= streams.get((fact[1], fact[2]), 0) for fact in facts if fact[0] == "entry")
    return Held(digest.hexdigest(), facts, numbered and all(seqs[key] == to for key, to in streams.items()))


@dataclass(slots=True)
class HubRecording:
    disk: Disk
    path: Path
    commits: list[tuple[int, Held]] = field(default_factory=list)
    """What was held after a commit that had returned after so many operations."""
    words: list[tuple[int, Fact]] = field(default_factory=list)
    """What was said after so many operations, and must be found from then on."""

    def committed(self, connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        self.commits.append((len(self.disk.log), held(raw)))

    def said(self, *facts: Fact) -> None:
        self.words += [(len(self.disk.log), fact) for fact in facts]

    def wrong(self, found: Held, operations: int) -> str:
        """What is wrong with what was found after a cut there; "" for nothing."""
        committed = bisect_right(self.commits, operations, key=lambda each: each[0])
        later = [each.digest for _, each in self.commits[max(committed - 1, 0) :]]
        if found.digest not in later:
            earlier = {each.digest for _, each in self.commits[:committed]}
            return "a commit that had returned is lost" if found.digest in earlier else "half a transaction"
        if not found.gapless:
            return "entries are missing or twice"
        told = self.words[: bisect_right(self.words, operations, key=lambda each: each[0])]
        lost = [fact for _, fact in told if fact not in found.facts]
        return f"said and not there: {lost[0]}" if lost else ""


class NotedStore(Store):
    """Every commit is noted when it has returned."""

    recording: HubRecording | None = None

    def write_now(self, work: Callable[[Connection], T], *, alone: bool = True) -> T:
        result = super().write_now(work, alone=alone)
        if self.recording:
            self.read_now(self.recording.committed)
        return result


def threads() -> Threads:
    return Threads(AtOnce(), AtOnce())


class Life:
    """A hub and one locker that speaks the wire."""

    def __init__(self, recording: HubRecording, opened: NotedStore, seed: int = 1) -> None:
        self.recording, self.store, self.clock = recording, opened, HandClock()
        keys = Keys(seal.SigningKey.from_seed(b"c" * 32), seal.SealKey.from_private(b"p" * 32))
        self.desk = Desk(keys, self.clock, Chance(Random(seed).randbytes))
        self.pump = Pump(opened, self.desk, self._say)
        self.office = Office(opened, self.desk, self.pump)
        self.ingest = Ingest(opened, self.desk, self._say, self.pump, lambda: None)
        self.locker = FakeLocker()
        self.heard: list[Any] = []
        self.sms = httpx.MockTransport(lambda _request: httpx.Response(200))

    @classmethod
    def begin(cls, recording: HubRecording) -> "Life":
        opened = NotedStore.open(recording.path, threads())
        opened.recording = recording
        opened.read_now(recording.committed)
        return cls(recording, opened)

    def enrol(self) -> None:
        locker = self.locker
        self.store.write_now(lambda c: lockers.enrol(c, self.desk, locker.locker, "north", locker.public))
        self.recording.said(("enrolled", locker.locker))

    async def says(self, name: wire.Name, words: wire.Payload) -> None:
        await self.ingest.take(wire.up(self.locker.locker, name).topic, self.locker.frame(words))
        await self.pump.step()

    async def tells(self, *events: Event, at_once: int = 4) -> None:
        """Entries go up, a few a batch."""
        first = self.locker.head + 1
        self.locker.add(*events)
        for at in range(first, self.locker.head + 1, at_once):
            await self.says(wire.Name.LOG, self.locker.batch(at, min(at + at_once - 1, self.locker.head)))

    async def comes_back(self) -> wire.Hello:
        self.locker.conn += 1
        await self.says(wire.Name.LINK, self.locker.link())
        return next(words for words in reversed(self.heard) if isinstance(words, wire.Hello))

    async def messages(self) -> None:
        """Whatever is due goes out."""
        async with httpx.AsyncClient(transport=self.sms) as client:
            await Notifier(self.store, self.desk, client, SmsSettings("http://127.0.0.1/sms", 480)).step()

    def _say(self, locker: str, words: wire.Hello | wire.DownBatch | wire.DownAck) -> None:
        self.heard.append(words)
        if isinstance(words, wire.DownBatch):
            self.recording.said(("directive", locker, words.dn_epoch, words.to_seq, words.hash))
        elif words.stored_to:
            self.recording.said(("entry", locker, words.up_epoch, words.stored_to, words.hash))


async def lived(
    vfs: Vfs, path: Path, life: Callable[[Life], Awaitable[None]], disk: Disk | None = None
) -> HubRecording:
    """Play a life, on an empty disk if on no other. What an orderly end would write does not count."""
    recording = HubRecording(disk or Disk(), path)
    with vfs.on(recording.disk):
        begun = Life.begin(recording)
        try:
            await life(begun)
        finally:
            operations = len(recording.disk.log)
            begun.store.close()
            del recording.disk.log[operations:]
    return recording


def often(*, query_only: bool, checkpoints: bool) -> list[str]:
    """The hub's own settings, with checkpoints after fewer pages."""
    pages = [] if query_only or not checkpoints else [f"wal_autocheckpoint={CHECKPOINT_PAGES}"]
    return [*PRAGMAS(query_only=query_only, checkpoints=checkpoints), *pages]


PRAGMAS: Final = store._pragmas


class Cuts:
    """Cuts of one recording; every one in ``doubled`` is cut once more, while it recovers."""

    def __init__(self, vfs: Vfs, recording: HubRecording, doubled: int = 4) -> None:
        self._vfs, self._recording, self._doubled = vfs, recording, doubled
        self._known: dict[bytes, Held] = {}

    def everywhere(self, seed: int, begun: int = 0) -> Counter[str]:
        """After every operation from ``begun`` on."""
        return self.spread(seed, range(begun, len(self._recording.disk.log) + 1))

    def spread(self, seed: int, places: range, most: int = 0) -> Counter[str]:
        """After the operations at ``places``; no more than ``most``, evenly spread, if it is not 0."""
        step = -(-len(places) // most) if most else 1
        return self._at((place, Random(f"{seed}/{place}")) for place in places[::step])

    def anywhere(self, count: int, seed: int, begun: int = 0) -> Counter[str]:
        chance = Random(seed)
        places = sorted(chance.randrange(begun, len(self._recording.disk.log) + 1) for _ in range(count))
        return self._at((place, Random(f"{seed}/{n}")) for n, place in enumerate(places))

    def _at(self, places: Iterable[tuple[int, Random]]) -> Counter[str]:
        tally: Counter[str] = Counter()
        descent = Descent(self._recording.disk)
        for place, chance in places:
            disk = Disk(descent.to(place).found(chance))
            wrong = self._judged(disk, place)
            if not wrong and disk.log and chance.randrange(self._doubled) == 0:
                wrong = self._judged(Disk(after(disk, chance.randrange(len(disk.log) + 1), chance)), place)
            tally[wrong] += 1
        return tally

    def _judged(self, disk: Disk, place: int) -> str:
        with self._vfs.on(disk):
            try:
                found = reopened(self._recording.path, self._known)
            except (SQLAlchemyError, sqlite3.Error, StoreTooNew) as error:
                return f"it cannot be opened: {error}"
        return self._recording.wrong(found, place)


def reopened(path: Path, known: dict[bytes, Held]) -> Held:
    """Opened as at a start, and looked at by SQLite itself; ``known``: what the same bytes held before."""
    opened = Store.open(path, threads())
    try:
        with opened._reader.connect() as connection:
            raw: Any = connection.connection.driver_connection
            there = hashlib.sha256(raw.serialize()).digest()
            if there not in known:
                (whole,) = raw.execute("PRAGMA integrity_check").fetchone()
                if whole != "ok":
                    raise sqlite3.DatabaseError(whole)
                known[there] = held(raw)
            return known[there]
    finally:
        opened.close()
