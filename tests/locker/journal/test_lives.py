"""Whatever happens to a journal in whatever order, it stays what a simple list of facts says it is."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from locker.domain.fold import fold
from locker.domain.ids import Seq
from locker.domain.state import LockerState
from locker.journal import replay, verify
from locker.journal.errors import PurgeRefused, WriteFailed
from locker.journal.journal import Journal
from tests.locker.journal.histories import Life, SetClock, told, unsynced

if TYPE_CHECKING:
    from locker.domain.entry import Entry

T = TypeVar("T")


class Lives(RuleBasedStateMachine):
    """The model is the list of what subscribers were told, folded by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="lives-"))
        self._path = self._folder / "journal.sqlite3"
        self._loop = asyncio.Runner()
        self._executor = ThreadPoolExecutor(1)
        self._clock = SetClock()
        self._told: list[Entry] = []
        self._anchors: list[int] = []
        self._acknowledged = 0

    @initialize(seed=st.integers(0, 1 << 32))
    def begin(self, seed: int) -> None:
        self._life = Life(seed)
        self._open()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def _open(self) -> None:
        opening = Journal.open(self._path, self._clock, Random(1).randbytes, self._executor)
        self._journal = self._run(opening)
        self._journal.subscribe(lambda _, entries: self._told.extend(entries))
        unsynced(self._journal)

    @rule(count=st.integers(1, 20), later_ms=st.integers(-50, 5_000))
    def something_happens(self, count: int, later_ms: int) -> None:
        self._clock.now_ms = max(0, self._clock.now_ms + later_ms)

        async def happen() -> None:
            for _ in range(count):
                facts = self._life.next(self._journal.state)
                await self._journal.commit("applicant", told(facts))

        self._run(happen())

    @rule()
    def it_is_started_again(self) -> None:
        state, head, boot = self._journal.state, self._journal.head, self._journal.boot
        self._run(self._journal.close())
        self._open()
        assert (self._journal.state, self._journal.head) == (state, head)
        assert list(self._journal.state.deposits) == list(state.deposits)
        assert boot <= self._journal.boot

    @rule(share=st.floats(0, 1))
    def the_centre_acknowledges(self, share: float) -> None:
        seq = int(len(self._told) * share)
        self._run(self._journal.acknowledge(Seq(seq)))
        self._acknowledged = max(self._acknowledged, seq)
        assert self._journal.acknowledged == self._acknowledged

    @rule()
    def an_anchor_is_set(self) -> None:
        anchored = self._run(self._journal.anchor())
        self._anchors.append(anchored.seq)

    @rule(share=st.floats(0, 1))
    def names_are_purged(self, share: float) -> None:
        before = int(self._acknowledged * share) + 1
        self._run(self._journal.purge_personal(Seq(before)))

    @rule(choice=st.randoms(use_true_random=False))
    def rows_are_purged(self, choice: Random) -> None:
        if self._anchors:
            at = choice.choice(self._anchors)
            try:
                self._run(self._journal.purge_rows(Seq(at)))
            except PurgeRefused:
                # Not acknowledged yet, or purged further already.
                assert at > self._acknowledged or at < max(self._anchors)

    @rule()
    def the_disk_fails_once(self) -> None:
        """A journal that failed is only good for being opened again."""
        before = len(self._told)
        store = self._journal._store
        append = store.append

        def failing(*_: object) -> None:
            raise WriteFailed(self._path, "disk I/O error")

        store.append = failing  # type: ignore[assignment, method-assign]  # a disk that fails
        for _ in range(2):
            facts = self._life.next(self._journal.state)
            try:
                self._run(self._journal.commit("applicant", told(facts)))
            except WriteFailed:
                store.append = append  # type: ignore[method-assign]  # mended
        assert (self._journal.failing, len(self._told)) == (True, before)
        self.it_is_started_again()

    @invariant()
    def the_state_is_the_fold_of_what_was_told(self) -> None:
        state = LockerState()
        for entry in self._told:
            state = fold(state, entry.seq, entry.stamp, entry.event)
        assert self._journal.state == state
        assert self._journal.head == (self._told[-1].hash if self._told else bytes(32))
        assert [entry.seq for entry in self._told] == list(range(1, len(self._told) + 1))

    @invariant()
    def the_file_says_the_same(self) -> None:
        work = self._executor.submit(replay.differences, self._journal._store)
        assert work.result() == []
        assert verify.check(self._path).wrong == ""

    def teardown(self) -> None:
        stamps = [(entry.stamp.boot, entry.stamp.mono_ms) for entry in self._told]
        assert stamps == sorted(stamps)
        self._run(self._journal.close())
        self._loop.close()
        self._executor.shutdown()
        shutil.rmtree(self._folder)


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
