"""A journal with more than one epoch in its file: replay, verification, evidence, purges, cursor."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from locker.domain import chain
from locker.domain import events as ev
from locker.domain.ids import Epoch, LockerId, Seq
from locker.domain.state import LockerState, state_text
from locker.journal import verify, verify_evidence
from locker.journal.evidence import export
from locker.journal.journal import Journal
from locker.journal.reader import Reader
from locker.journal.replay import differences, replayed
from locker.journal.store import Store
from locker.operations.ports import Decided
from tests.locker.journal.histories import opened
from tests.locker.journal.told_case import EPOCH, SIGNER, tell

SECOND, THIRD = Epoch("0" * 31 + "2"), Epoch("0" * 31 + "3")


async def begin(journal: Journal, epoch: Epoch, *more: ev.Event) -> None:
    def decide(state: LockerState, head: bytes) -> Decided[None]:
        born = ev.EpochStarted(epoch, LockerId("loc-1"), state.epoch, state.seq, head.hex(), "lost_rows")
        return Decided(None, (born, *more))

    await journal.begin_epoch("centre", decide)


async def test_it_starts_from_one_on_the_state_that_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    async with opened(path) as journal:
        await journal.acknowledge(Seq(5), b"frame")
        before = journal.state
        await begin(journal, SECOND, ev.Stopped("a"))
        assert (journal.state.seq, journal.state.epoch, journal.acknowledged) == (2, SECOND, 0)
        assert journal.state.deposits == before.deposits
        await journal.commit("x", lambda _: Decided(None, (ev.Stopped("b"),)))
        await journal.acknowledge(Seq(2), b"late", before.epoch)
        assert journal.acknowledged == 0, "it was said of what is over"
        live = journal.state
    async with opened(path) as journal:
        assert (journal.state, journal.acknowledged) == (live, 0)
    store = Store(path)
    assert state_text(replayed(store)) == state_text(live)
    assert differences(store) == []
    store.close()
    assert verify.check(path).wrong == ""


async def test_it_must_name_what_it_follows(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    async with opened(path) as journal:
        live = journal.state
        for wrong in (
            ev.Stopped("a"),
            ev.EpochStarted(SECOND, LockerId("loc-1"), live.epoch, live.seq, "00" * 32, "forked"),
            ev.EpochStarted(SECOND, LockerId("loc-1")),
        ):
            with pytest.raises(ValueError, match="naming its parent"):
                await journal.begin_epoch("x", lambda _state, _head, wrong=wrong: Decided(None, (wrong,)))  # type: ignore[misc]  # mypy cannot see the default
        assert journal.state is live
        await journal.commit("x", lambda _: Decided(None, (ev.Stopped("b"),)))


async def test_entries_before_stay_readable_and_give_evidence(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    async with opened(path) as journal:
        first, count = journal.state.epoch, journal.state.seq
        await begin(journal, SECOND)
        await begin(journal, THIRD, ev.Stopped("a"))
    reader = Reader(path)
    assert reader.epochs() == [first, SECOND]
    assert (reader.epoch(), reader.head()[0], reader.oldest()) == (THIRD, 2, 1)
    reader.close()
    past = Reader(path, first)
    assert (past.epoch(), past.head()[0], len(past.entries(0, 1000, 1 << 20))) == (first, count, count)
    verdict = verify_evidence.check(export(past, "C-1", SIGNER))
    past.close()
    assert verdict.wrong == ""
    assert verdict.shown
    assert first == EPOCH
    assert verify.check(path).wrong == ""


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            "UPDATE entry_{epoch} SET public = replace(public, 'Configured', 'Konfigured') WHERE seq = 2",
            "its hash does",
        ),
        ("DELETE FROM entry_{epoch} WHERE seq = 3", "missing"),
        ("DELETE FROM entry_{epoch} WHERE seq = (SELECT max(seq) FROM entry_{epoch})", "not the end named"),
    ],
)
async def test_what_was_done_to_an_epoch_that_is_over_is_found(
    tmp_path: Path, change: str, wrong: str
) -> None:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    async with opened(path) as journal:
        first = journal.state.epoch
        await begin(journal, SECOND)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(change.format(epoch=first))
    found = verify.check(path).wrong
    assert wrong in found
    assert first in found


async def test_it_can_be_purged_and_stand_on_an_anchor_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    async with opened(path) as journal:
        anchored = await journal.anchor()
        await journal.acknowledge(journal.state.seq)
        await journal.purge_rows(anchored.seq)
        await begin(journal, SECOND, ev.Stopped("a"))
        again = await journal.anchor()
        await journal.acknowledge(journal.state.seq)
        assert await journal.purge_rows(again.seq) == again.seq
        live = journal.state
    store = Store(path)
    assert state_text(replayed(store)) == state_text(live)
    store.close()
    assert verify.check(path).wrong == ""


async def test_a_reader_beside_it_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    async with opened(path) as journal:
        reader = Reader(path)
        assert reader.oldest() == 1
        await begin(journal, SECOND)
        assert (reader.head()[0], reader.epoch(), reader.hash_at(0)) == (1, SECOND, chain.START)
        reader.close()
