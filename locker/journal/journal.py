"""The journal as the operations meet it: decisions one after the other, each durable before its answer.

Conforms to `operations.ports.Journal`. Everything here runs on the event loop; the store has its own thread.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from locker.domain import chain
from locker.domain.entry import Entry, Stamp, write
from locker.domain.events import Anchored, EpochStarted, Event, MainsLost
from locker.domain.fold import fold
from locker.domain.ids import Seq
from locker.domain.state import FOLD_VERSION, LockerState, state_hash, state_text
from locker.journal.errors import JournalClosed, WriteFailed
from locker.journal.project import Changes, changes
from locker.journal.replay import Loaded, load
from locker.journal.rows import StoredAnchor
from locker.journal.steps import Steps
from locker.journal.store import Store
from locker.operations.ports import Clock, Decided, JournalFailing

T = TypeVar("T")
Subscriber = Callable[[LockerState, tuple[Entry, ...]], None]

SALT_BYTES: Final = 16
"""So that nobody can try phone numbers against a digest."""


@dataclass(frozen=True, slots=True)
class _Transaction:
    after: LockerState
    entries: tuple[Entry, ...]
    changes: Changes
    anchor: StoredAnchor | None


class Journal:
    """Made by `open`. Every write waits for its turn; reads of ``state`` never wait."""

    def __init__(
        self,
        store: Store,
        loaded: Loaded,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        executor: Executor,
    ) -> None:
        self._store = store
        self._state = loaded.state
        self._head = loaded.head
        self.boot = max(loaded.state.boot, loaded.boot) + 1
        """Of this run; in the stamp of all its entries."""
        self.failing = False
        """Whether a write failed: nothing more is written by this process."""
        self._acknowledged = store.acknowledged
        self._clock = clock
        self._steps = Steps()
        """Of the wall clock: a transaction that shows one that nobody has told of says so itself."""
        self._last_mono_ms = 0
        self._random_bytes = random_bytes
        self._executor = executor
        self._turn = asyncio.Lock()
        self._subscribers: dict[object, Subscriber] = {}
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, random_bytes: Callable[[int], bytes], executor: Executor
    ) -> "Journal":
        """``executor`` has one thread. Raises a JournalError that says what is wrong and what to do."""

        def opened() -> Journal:
            store = Store(path)
            with ExitStack() as undo:
                undo.callback(store.close)
                journal = cls(store, load(store), clock, random_bytes, executor)
                undo.pop_all()
            return journal

        return await asyncio.get_running_loop().run_in_executor(executor, opened)

    @property
    def state(self) -> LockerState:
        """The fold of everything durable."""
        return self._state

    @property
    def head(self) -> bytes:
        """The hash of the last entry; `chain.START` before the first."""
        return self._head

    @property
    def acknowledged(self) -> Seq:
        """Up to where the centre has stored this journal, by its own word."""
        return self._acknowledged

    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        """See `operations.ports.Journal.commit`.

        A caller who is cancelled while waiting for its turn has done nothing; one who is cancelled later has
        only lost the answer: what the store was given is written, and the state follows.
        """
        await self._turn.acquire()
        with ExitStack() as turn:
            turn.callback(self._turn.release)
            decided = decide(self._state)
            if not decided.events:
                return decided.answer
            self._check_writable()
            transaction = self._transaction(cause, decided.events, self._state, self._head)
            turn.pop_all()  # from here on the store's answer ends it
        await self._finish_turn(lambda: self._append(transaction), lambda _: self._move_to(transaction))
        return decided.answer

    async def begin_epoch(self, cause: str, decide: Callable[[LockerState, bytes], Decided[T]]) -> T:
        """Like `commit`, of the first entries of a new history: numbered from 1, chained anew, on the state
        as it is. ``decide`` is also given the hash of the last entry; its first event names the parent.

        The entries so far are kept apart under the name of their epoch. All of it is durable, or nothing.
        """
        await self._turn.acquire()
        with ExitStack() as turn:
            turn.callback(self._turn.release)
            decided = decide(self._state, self._head)
            if not decided.events:
                return decided.answer
            self._check_writable()
            first, past = decided.events[0], self._state.epoch
            if not isinstance(first, EpochStarted) or (first.parent_epoch, first.parent_hash) != (
                past,
                self._head.hex(),
            ):
                raise ValueError("a new epoch begins by naming its parent")
            base = replace(self._state, seq=Seq(0))
            transaction = self._transaction(cause, decided.events, base, chain.START)
            ground = StoredAnchor(Seq(0), chain.START, state_text(base))
            turn.pop_all()  # from here on the store's answer ends it

        def begun(_: None) -> None:
            self._acknowledged = Seq(0)
            self._move_to(transaction)

        await self._finish_turn(
            lambda: self._store.begin_epoch(past, ground, transaction.entries, transaction.changes), begun
        )
        return decided.answer

    async def anchor(self, cause: str = "daemon") -> Anchored:
        """Commit the anchor of the present state: entries up to it may be purged once the centre has them."""

        def decide(state: LockerState) -> Decided[Anchored]:
            fact = Anchored(state.seq, self._head.hex(), state_hash(state), FOLD_VERSION)
            return Decided(fact, (fact,))

        return await self.commit(cause, decide)

    async def say_step(self, cause: str) -> None:
        """The clock was just put right: say so at once, unless the next entry would show no step."""
        await self.commit(cause, lambda _: Decided(None, self._steps.until(self._stamp())))

    async def personal(self, seq: Seq) -> Mapping[str, str]:
        """The personal fields of one entry; empty once purged, and where nobody was named."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._store.personal, seq)

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Have ``callback`` told of every commit after it is durable, on the loop, in order, before the
        committer goes on; and once, with no entries, that the journal is ``failing``.

        Returns what ends that.
        """
        key = object()
        self._subscribers[key] = callback

        def end() -> None:
            self._subscribers.pop(key, None)

        return end

    async def acknowledge(self, seq: Seq, frame: bytes = b"", epoch: str = "") -> None:
        """The centre has stored everything up to ``seq``; durable on return, never moved back. ``frame`` is
        its latest signed word on that, as it came: kept beside, for whoever asks for evidence.

        Said of an ``epoch`` that is over, it changes nothing; "" is the present one. Raises JournalFailing.
        """
        await self._turn.acquire()
        if (epoch and epoch != self._state.epoch) or seq <= self._acknowledged:
            self._turn.release()
            return
        await self._write_alone(
            lambda: self._store.acknowledge(seq, frame), lambda _: self._set_acknowledged(seq)
        )

    async def purge_personal(self, before: Seq, keep: Collection[Seq] = ()) -> int:
        """See `Store.purge_personal`. Returns how many entries lost their names."""
        await self._turn.acquire()
        return await self._write_alone(lambda: self._store.purge_personal(before, keep), _nothing)

    async def purge_names(self, seqs: Collection[Seq]) -> bool:
        """See `Store.purge_names`."""
        await self._turn.acquire()
        return await self._write_alone(lambda: self._store.purge_names(seqs), _nothing)

    async def purge_past(self, epoch: str, count: int) -> bool:
        """See `Store.purge_past`."""
        await self._turn.acquire()
        return await self._write_alone(lambda: self._store.purge_past(epoch, count), _nothing)

    async def purge_rows(self, up_to: Seq) -> int:
        """See `Store.purge_rows`. Returns how many entries went."""
        await self._turn.acquire()
        return await self._write_alone(lambda: self._store.purge_rows(up_to), _nothing)

    async def close(self) -> None:
        """After the write in progress. Later commits with events raise JournalFailing."""
        await self._turn.acquire()
        if self._closed:
            self._turn.release()
            return
        self._closed = True
        await self._finish_turn(self._store.close, _nothing)

    # --- one turn: its holder alone writes ---

    def _check_writable(self) -> None:
        if self._closed:
            raise JournalClosed
        if self.failing:
            raise WriteFailed(self._store.path, "an earlier write failed")

    def _transaction(
        self, cause: str, events: tuple[Event, ...], state: LockerState, head: bytes
    ) -> _Transaction:
        """``events`` after ``state``, whose last entry has the hash ``head``."""
        stamp, after, entries, anchor = self._stamp(), state, list[Entry](), None
        for event in (*events, *self._steps.unsaid(stamp, events)):
            if isinstance(event, Anchored):
                if (event.seq, event.hash) != (after.seq, head.hex()):
                    raise ValueError("an anchor names the entry right before it")
                anchor = StoredAnchor(after.seq, head, state_text(after))
            entry = write(Seq(after.seq + 1), stamp, cause, event, self._random_bytes(SALT_BYTES), head)
            after, head = fold(after, entry.seq, stamp, event), entry.hash
            entries.append(entry)
        return _Transaction(after, tuple(entries), changes(self._state, after), anchor)

    def _stamp(self) -> Stamp:
        # A clock that is wrong for once must not make the journal's own order wrong.
        self._last_mono_ms = max(self._last_mono_ms, self._clock.mono_ms())
        return Stamp(self.boot, self._last_mono_ms, self._clock.wall_ms(), self._clock.quality())

    def _append(self, transaction: _Transaction) -> None:
        self._store.append(transaction.entries, transaction.changes, transaction.anchor)

    def _move_to(self, transaction: _Transaction) -> None:
        self._state = transaction.after
        self._head = transaction.entries[-1].hash
        loop = asyncio.get_running_loop()
        for subscriber in tuple(self._subscribers.values()):
            # Its own turn of the loop: what it raises is reported there, and spoils nobody else's commit.
            loop.call_soon(subscriber, self._state, transaction.entries)
        # Whoever is about to lose power has little to put in order at the next start.
        power_goes = any(isinstance(entry.event, MainsLost) for entry in transaction.entries)
        if self._store.checkpoint_due or power_goes:
            checkpoint = loop.run_in_executor(self._executor, self._store.checkpoint)
            checkpoint.add_done_callback(self._note_failure)

    def _set_acknowledged(self, seq: Seq) -> None:
        self._acknowledged = seq

    async def _write_alone(self, work: Callable[[], T], settle: Callable[[T], None]) -> T:
        try:
            self._check_writable()
        except JournalFailing:
            self._turn.release()
            raise
        return await self._finish_turn(work, settle)

    async def _finish_turn(self, work: Callable[[], T], settle: Callable[[T], None]) -> T:
        """Run ``work`` on the store's thread; then settle and end the turn, even if the caller is gone."""

        def ended(done: asyncio.Future[T]) -> None:
            self._note_failure(done)
            if not done.cancelled() and done.exception() is None:
                settle(done.result())
            self._turn.release()

        try:
            future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        except RuntimeError:  # the executor takes no more work: the program is stopping
            self._turn.release()
            raise JournalClosed from None
        future.add_done_callback(ended)
        return await asyncio.shield(future)

    def _note_failure(self, done: "asyncio.Future[Any]") -> None:
        if done.cancelled() or not isinstance(done.exception(), WriteFailed) or self.failing:
            return
        self.failing = True
        for subscriber in tuple(self._subscribers.values()):
            asyncio.get_running_loop().call_soon(subscriber, self._state, ())


def _nothing(_: object) -> None:
    pass
