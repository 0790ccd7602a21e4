"""From what is stored to a state: by the projections at a start, by the entries themselves in a replay."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from locker.domain import chain
from locker.domain.entry import read
from locker.domain.errors import IllegalTransition, UnreadableFact
from locker.domain.events import Anchored, Event
from locker.domain.fold import fold
from locker.domain.state import FOLD_VERSION, LockerState, state_hash
from locker.journal.errors import JournalCorrupt
from locker.journal.project import snapshot, state_from, state_of
from locker.journal.rows import StoredEntry
from locker.journal.store import Store

_LOGGER = logging.getLogger(__name__)

LINKS_CHECKED: Final = 1000
"""At a start: some 10 ms, and longer than any unsynced tail. The nightly replay checks them all."""
BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Loaded:
    state: LockerState
    head: bytes
    boot: int
    """The greatest in any entry."""


def load(store: Store) -> Loaded:
    """The last durable state. Raises JournalCorrupt where the file contradicts itself."""
    seq, head, boot = store.last()
    meta = store.meta()
    if not meta:
        store.replace_projections(snapshot(LockerState()))
        meta = store.meta()
    state = _projected(store)
    if state.seq != seq:
        at = min(state.seq, seq) + 1
        raise JournalCorrupt(at, f"the entries end at {seq}, the state was made of {state.seq}")
    if json.loads(meta.get("head", '""')) != (head.hex() if seq else ""):
        raise JournalCorrupt(seq, "its hash is not the stored head")
    _check_last_links(store, seq)
    return Loaded(state, head, boot)


def _projected(store: Store) -> LockerState:
    meta = store.meta()
    if meta.get("fold_version") == str(FOLD_VERSION):
        records = store.records()
        sound = store.sound(meta, records)
        if not sound:
            _LOGGER.critical(
                "the card has changed what the journal's state rests on: made anew from its entries"
            )
        try:
            if sound:
                return state_of(meta, records)
        except UnreadableFact:
            pass  # written by software whose records had other fields: the entries tell
    state = replayed(store)
    store.replace_projections(snapshot(state))
    return state


def replayed(store: Store) -> LockerState:
    """The fold of every entry kept, from the first or from the anchor before it. Checks every link."""
    state, previous = base(store)
    for entry in linked(state.seq, previous, every(store, state.seq)):
        try:
            seq, stamp, _, event = read(entry.public, "")
            _check_anchor(state, seq, event)
            state = fold(state, seq, stamp, event)
        except (UnreadableFact, IllegalTransition, KeyError) as error:
            raise JournalCorrupt(entry.seq, f"this software cannot follow it ({error})") from error
    return state


def _check_anchor(state: LockerState, at: int, event: Event) -> None:
    """An anchor says what the state before it was; after a purge nothing else does."""
    if not isinstance(event, Anchored) or event.seq != state.seq or event.fold_version != FOLD_VERSION:
        return
    if event.state_hash != state_hash(state):
        raise JournalCorrupt(at, "the state before it is not the one that was anchored")


def base(store: Store) -> tuple[LockerState, bytes]:
    """State and hash on which the oldest entry kept stands. Raises JournalCorrupt where nothing fits.

    The first entry of an epoch with a parent stands on an anchor 0: the state that it took over.
    """
    first = next(iter(store.entries(0, 1)), None)
    if first is None:
        return LockerState(), chain.START
    for anchor in store.anchors():
        if anchor.seq == first.seq - 1:
            try:
                return state_from(anchor.state), anchor.hash
            except UnreadableFact as error:
                raise JournalCorrupt(anchor.seq, f"the anchored state is unreadable ({error})") from error
    if first.seq == 1:
        return LockerState(), chain.START
    raise JournalCorrupt(first.seq, "nothing is kept before it, and no anchor stands there")


def every(store: Store, after: int) -> Iterator[StoredEntry]:
    while batch := store.entries(after, BATCH):
        yield from batch
        after = batch[-1].seq


def linked(after: int, previous: bytes, entries: Iterable[StoredEntry]) -> Iterator[StoredEntry]:
    """The same entries, each found to follow the last. Raises JournalCorrupt at the first that is not."""
    for entry in entries:
        if entry.seq != after + 1:
            raise JournalCorrupt(after + 1, "it is missing")
        if (entry.salt or entry.personal) and chain.personal_digest(
            entry.salt, entry.personal.encode()
        ) != entry.personal_digest:
            raise JournalCorrupt(entry.seq, "its personal part is not what was hashed")
        link = chain.link(previous, chain.leaf(entry.public.encode(), entry.personal_digest))
        if link != entry.hash:
            raise JournalCorrupt(entry.seq, "its hash does not follow from its text and the entry before")
        after, previous = entry.seq, entry.hash
        yield entry


def _check_last_links(store: Store, last: int) -> None:
    after = last - LINKS_CHECKED
    before = store.entries(after - 1, 1) if after > 0 else []
    if before and before[0].seq == after:
        previous = before[0].hash
    else:
        state, previous = base(store)
        after = state.seq
    for _ in linked(after, previous, every(store, after)):
        pass


def differences(store: Store) -> list[str]:
    """Names of the tables whose rows are not what a replay of the entries gives. Empty: all is well."""
    fresh, meta, records = snapshot(replayed(store)), store.meta(), store.records()
    wrong = [name for name, rows in fresh.put.items() if sorted(rows) != sorted(records[name])]
    return wrong + [name for name, value in fresh.scalars if meta.get(name) != value]
