"""Names that were purged stand in no byte of file and log, whatever lies beside them, in any order."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same order every time

import pytest

from locker.domain import events as ev
from locker.domain.compartment import Size
from locker.domain.ids import AuthorisationId, CaseNumber, Epoch, LockerId, Seq
from locker.journal import verify
from locker.journal.errors import PurgeRefused
from tests.locker.journal.histories import opened, told, unsynced
from tests.locker.journal.test_store import on_disk

MANY = 300


def granted(number: int, chance: Random) -> ev.AuthorisationGranted:
    """Entries of every length: so that pages are split and joined in every way."""
    papers = tuple("form" * chance.randrange(1, 9) for _ in range(chance.randrange(6)))
    return ev.AuthorisationGranted(
        AuthorisationId(f"a-{number}"), CaseNumber(f"c-{number}"), "licence", papers, (), Size.S,
        0, 1 << 41, "001", "0" * 64, "0" * 64, name=name_of(number), phone=f"138-{number:05d}",
    )  # fmt: skip


def name_of(number: int) -> str:
    return f"name-{number:05d}"


@pytest.mark.parametrize("seed", range(1))
async def test_whatever_the_order_no_byte_of_a_purged_name_is_left(tmp_path: Path, seed: int) -> None:
    chance, path = Random(seed), tmp_path / "j"
    async with opened(path) as journal:
        unsynced(journal)
        await journal.commit("daemon", told((ev.EpochStarted(Epoch("e" * 32), LockerId("l")),)))
        living: dict[int, Seq] = {}
        for number in range(MANY):
            await journal.commit("centre", told((granted(number, chance),)))
            living[number] = journal.state.seq
            if chance.random() < 0.1:
                await journal.acknowledge(journal.state.seq)
                goes = chance.sample(sorted(living), len(living) // 2)
                assert await journal.purge_names([living.pop(each) for each in goes] or [Seq(1)])
        await journal.acknowledge(journal.state.seq)
        head, found = journal.head, on_disk(path)
        for number in range(MANY):
            assert (name_of(number).encode() in found) is (number in living), number
    verdict = verify.check(path)
    assert (verdict.wrong, verdict.head, verdict.named) == ("", head, len(living))


async def test_a_reader_is_not_waited_for_and_what_it_held_goes_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "j"
    async with opened(path) as journal:
        await journal.commit("daemon", told((ev.EpochStarted(Epoch("e" * 32), LockerId("l")),)))
        await journal.commit("centre", told((granted(1, Random(1)),)))
        seqs = [journal.state.seq]
        await journal.acknowledge(seqs[0])
        with closing(sqlite3.connect(path)) as reading:
            reading.execute("BEGIN")
            assert reading.execute("SELECT count(*) FROM entry").fetchone() == (2,)
            assert not await journal.purge_names(seqs)
            assert name_of(1).encode() in on_disk(path)
        assert await journal.purge_names(seqs)
        assert name_of(1).encode() not in on_disk(path)


async def test_what_the_centre_does_not_have_keeps_its_name(tmp_path: Path) -> None:
    async with opened(tmp_path / "j") as journal:
        await journal.commit("daemon", told((ev.EpochStarted(Epoch("e" * 32), LockerId("l")),)))
        await journal.commit("centre", told((granted(1, Random(1)), granted(2, Random(1)))))
        await journal.acknowledge(Seq(2))
        with pytest.raises(PurgeRefused):
            await journal.purge_names([Seq(2), Seq(3)])
        assert await journal.personal(Seq(2)) != {}
