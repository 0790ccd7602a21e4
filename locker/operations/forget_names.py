"""Names leave the journal some days after what they were kept for, once the centre has their entries.

A few a round, oldest first. First the bytes, then the fact that says so: cut off in between, the next round
does the same again.
"""

from collections.abc import Callable, Collection
from heapq import nsmallest
from typing import Final, Protocol, TypeVar

from locker.domain import purposes
from locker.domain.events import NamesPurged
from locker.domain.ids import Seq
from locker.domain.state import LockerState
from locker.operations.ports import Decided, World
from locker.operations.present_code import trusted

T = TypeVar("T")
DAY_MS: Final = 86_400_000
AT_ONCE: Final = 20
"""Entries a round: each is a page written anew, while no door's decision can be written down."""
PAST_AT_ONCE: Final = 200
"""Of an earlier epoch, which is walked from its beginning each time."""


class NamedJournal(Protocol):
    """The journal as far as it forgets."""

    @property
    def state(self) -> LockerState: ...

    @property
    def acknowledged(self) -> Seq: ...

    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T: ...

    async def purge_names(self, seqs: Collection[Seq]) -> bool:
        """See `locker.journal.store.Store.purge_names`."""
        ...

    async def purge_past(self, epoch: str, count: int) -> bool:
        """See `locker.journal.store.Store.purge_past`."""
        ...


async def forget_names(world: World, journal: NamedJournal) -> bool:
    """One round. Whether it found anything to do: there may be more. Raises JournalFailing."""
    if not trusted(world):
        return False
    before_ms = world.clock.wall_ms() - journal.state.policy.personal_days * DAY_MS
    return await _forget_past(journal, before_ms) or await _forget(journal, before_ms)


def next_ms(state: LockerState) -> int | None:
    """From when on, by the wall clock, the next round finds something, if the centre has it; None: never."""
    ends = [at_ms for at_ms, seq in purposes.ended(state) if at_ms and seq]
    ends += [each.at_ms for each in state.named.past]
    return min(ends) + state.policy.personal_days * DAY_MS if ends else None


async def _forget(journal: NamedJournal, before_ms: int) -> bool:
    acknowledged = journal.acknowledged
    due = (
        (at_ms, seq)
        for at_ms, seq in purposes.ended(journal.state)
        if 0 < at_ms < before_ms and 0 < seq <= acknowledged
    )
    seqs = tuple(sorted({seq for _, seq in nsmallest(AT_ONCE, due)}))
    if not seqs:
        return False
    epoch = journal.state.epoch
    if await journal.purge_names(seqs):
        await journal.commit("clock", lambda state: Decided(None, _said(state, epoch, NamesPurged(seqs))))
    return True


async def _forget_past(journal: NamedJournal, before_ms: int) -> bool:
    past = next((each for each in journal.state.named.past if each.at_ms < before_ms), None)
    if past is None:
        return False
    epoch = journal.state.epoch
    if await journal.purge_past(past.epoch, PAST_AT_ONCE):
        fact = NamesPurged((), past.epoch)
        await journal.commit("clock", lambda state: Decided(None, _said(state, epoch, fact)))
    return True


def _said(state: LockerState, epoch: str, fact: NamesPurged) -> tuple[NamesPurged, ...]:
    """Of an epoch that ended meanwhile nothing is to be said any more: its turn comes as a past one."""
    return (fact,) if state.epoch == epoch else ()
