"""A locker in memory whose journal is the real one, on a disk that forgets: what it told, and when."""

import asyncio
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from locker.domain.entry import Entry
from locker.domain.ids import Seq
from locker.domain.state import LockerState
from locker.journal.journal import Journal
from locker.operations.follow_doors import DoorFollower
from locker.operations.ports import Clock, Decided
from locker.operations.recover import recover
from tests.locker.operations.world import MemoryWorld
from tests.power.disk import Disk

T = TypeVar("T")
P = ParamSpec("P")


class AtOnce(Executor):
    """Work is done when it is given: nothing here waits for a thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  # an executor hands everything on to whoever waits
            future.set_exception(error)
        return future


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """After ``operations`` of the disk somebody was told that entries up to ``seq`` are durable."""

    operations: int
    seq: int
    head: bytes


@dataclass(slots=True)
class Recording:
    """One life on ``disk``; ``told`` in order."""

    disk: Disk
    path: Path
    told: list[Acknowledged] = field(default_factory=list)
    journals: list[Journal] = field(default_factory=list)
    pulses: list[tuple[int, int]] = field(default_factory=list)
    """What went to the doors."""
    begun: int = 0
    """How many operations it took before the story itself began."""

    @property
    def story(self) -> range:
        """The places to cut it: after each of so many operations."""
        return range(self.begun, len(self.disk.log) + 1)

    def skip(self, known: set[bytes]) -> None:
        """Begin the story where it leaves those whose ways are ``known``; adds its own way."""
        way, new = hashlib.sha256(), True
        for count, operation in enumerate(self.disk.log, 1):
            way.update(repr(operation).encode())
            if new and way.digest() in known:
                self.begun = max(self.begun, count)
            else:
                new = False
            known.add(way.digest())

    async def open(self, clock: Clock, random_bytes: Callable[[int], bytes]) -> Journal:
        """The journal at ``path``; every commit from now on is noted as told."""
        journal = await Journal.open(self.path, clock, random_bytes, AtOnce())
        journal.subscribe(self._heard)
        self.journals.append(journal)
        return journal

    def _heard(self, _state: LockerState, entries: tuple[Entry, ...]) -> None:
        if entries:  # none: that the journal fails
            self.told.append(Acknowledged(len(self.disk.log), entries[-1].seq, entries[-1].hash))

    def checkpoint(self) -> None:
        self.journals[-1]._store.checkpoint()

    async def end(self) -> None:
        """The power goes. What an orderly end would still write does not count."""
        operations = len(self.disk.log)
        for journal in self.journals:
            await journal.close()
        del self.disk.log[operations:]

    def promised(self, operations: int) -> Acknowledged:
        """What had been acknowledged when the power went after so many operations."""
        before = bisect_right(self.told, operations, key=lambda each: each.operations)
        return self.told[before - 1] if before else Acknowledged(0, 0, b"")


class KeptJournal:
    """The real journal with the face of `MemoryJournal`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._events: list[Any] = []
        self._subscribers: list[Callable[[LockerState, tuple[Entry, ...]], None]] = []
        journal.subscribe(self._heard)

    @property
    def state(self) -> LockerState:
        return self._journal.state

    @property
    def head(self) -> bytes:
        return self._journal.head

    @property
    def acknowledged(self) -> Seq:
        return self._journal.acknowledged

    async def acknowledge(self, seq: Seq) -> None:
        await self._journal.acknowledge(seq)

    @property
    def boot(self) -> int:
        return self._journal.boot

    @boot.setter
    def boot(self, boot: int) -> None:
        self._journal.boot = boot

    @property
    def failing(self) -> bool:
        return self._journal.failing

    @failing.setter
    def failing(self, failing: bool) -> None:
        self._journal.failing = failing

    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        answer = await self._journal.commit(cause, decide)
        await asyncio.sleep(0)  # noqa: TID251  # one turn of the loop: subscribers hear of it
        return answer

    async def begin_epoch(self, cause: str, decide: Callable[[LockerState, bytes], Decided[T]]) -> T:
        answer = await self._journal.begin_epoch(cause, decide)
        await asyncio.sleep(0)  # noqa: TID251  # one turn of the loop: subscribers hear of it
        return answer

    async def personal(self, seq: Seq) -> Mapping[str, str]:
        return await self._journal.personal(seq)

    async def purge_names(self, seqs: Collection[Seq]) -> bool:
        return await self._journal.purge_names(seqs)

    async def purge_past(self, epoch: str, count: int) -> bool:
        return await self._journal.purge_past(epoch, count)

    def subscribe(self, callback: Callable[[LockerState, tuple[Entry, ...]], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def events(self, *kinds: type[Any]) -> list[Any]:
        return [event for event in self._events if not kinds or isinstance(event, kinds)]

    def _heard(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        self._events += [entry.event for entry in entries]
        for subscriber in tuple(self._subscribers):
            subscriber(state, entries)


class DiskWorld(MemoryWorld):
    """`MemoryWorld` on a real journal file."""

    journal: Any  # the same face, another class

    @classmethod
    async def on(cls, recording: Recording, *, item_sensors: bool = True) -> "DiskWorld":
        self = cls(item_sensors=item_sensors)
        journal = await recording.open(self.clock, self.chance.randbytes)
        self.journal = KeptJournal(journal)
        self.world = replace(self.world, journal=self.journal)
        self.follower = DoorFollower(self.world)
        self.hands.report = self.follower.report
        self.journal.subscribe(self.follower.entries_committed)
        await recover(self.world, "test", self.journal.boot, self.cabinet)
        self.report_all()
        await self.settle()
        recording.pulses = self.hands.pulses
        return self
