"""Purging: names and rows go where the centre has them, and no verdict changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from locker.domain.events import GuessesCounted
from locker.domain.ids import Seq
from locker.journal import verify
from locker.journal.errors import PurgeRefused, WriteFailed
from locker.journal.reader import Reader
from locker.operations.ports import Decided, JournalFailing
from tests.locker.journal.histories import Life, live, opened

NAMES = ("王*明", "138****1234")


def on_disk(path: Path) -> bytes:
    """Every byte that a thief of the card would find."""
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


async def test_names_leave_the_file_and_the_chain_holds(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(1), 400)
        head = journal.head
        assert all(name.encode() in on_disk(path) for name in NAMES)
        await journal.acknowledge(journal.state.seq)
        named = [seq for seq in range(1, journal.state.seq + 1) if await journal.personal(Seq(seq))]
        kept = Seq(named[0])
        assert await journal.purge_personal(journal.state.seq, frozenset({kept})) == len(named) - 1
        assert await journal.personal(Seq(named[-1])) == {}
        assert await journal.personal(kept) != {}
        assert await journal.purge_personal(Seq(kept + 1)) == 1
        assert not any(name.encode() in on_disk(path) for name in NAMES)
    verdict = verify.check(path)
    assert (verdict.wrong, verdict.head, verdict.named, verdict.purged) == ("", head, 0, len(named))
    async with opened(path) as journal:
        assert journal.head == head


async def test_nothing_goes_that_nobody_else_has(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.sqlite3") as journal:
        await live(journal, Life(2), 60)
        anchored = await journal.anchor()
        await journal.acknowledge(Seq(20))
        with pytest.raises(PurgeRefused, match="not at the centre yet"):
            await journal.purge_personal(Seq(22))
        with pytest.raises(PurgeRefused, match="not at the centre yet"):
            await journal.purge_rows(anchored.seq)
        with pytest.raises(PurgeRefused, match="no anchor"):
            await journal.purge_rows(Seq(20))
        assert not journal.failing
        assert await journal.purge_personal(Seq(21)) >= 0


async def test_a_reader_in_between_does_not_hinder_a_purge(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(3), 100)
        reader = Reader(path)
        assert len(reader.entries(0, 1000, 1 << 30)) >= 100
        await journal.acknowledge(journal.state.seq)
        assert await journal.purge_personal(journal.state.seq) > 0
        assert not any(entry.personal for entry in reader.entries(0, 1000, 1 << 30)[:-1])
        reader.close()


async def test_after_a_checkpoint_that_failed_nothing_becomes_durable(tmp_path: Path) -> None:
    """Its failure is told on the loop only later: what was handed to the store meanwhile fails as well."""
    async with opened(tmp_path / "j") as journal:
        await live(journal, Life(3), 5)
        with pytest.raises(WriteFailed):
            journal._store._move("NO SUCH MODE")
        with pytest.raises(JournalFailing, match="an earlier write failed"):
            await journal.commit("kiosk", lambda _: Decided(None, (GuessesCounted("unknown_code", 1),)))
        assert journal.failing


@pytest.mark.parametrize(
    "rot",
    [
        "UPDATE staff SET record = replace(record, 'helper', 'helpes')",
        "UPDATE compartments SET record = replace(record, '\"unknown\"', '\"closed\"')",
        "DELETE FROM authorisations WHERE rowid IN (SELECT min(rowid) FROM authorisations)",
        "UPDATE meta SET value = value + 1 WHERE name = 'boot'",
        "UPDATE meta SET value = value || '0' WHERE name = 'rows_sum'",
    ],
)
async def test_a_row_that_its_card_has_changed_is_made_anew_at_the_next_start(
    tmp_path: Path, rot: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j"
    async with opened(path) as journal:
        await live(journal, Life(3), 60)
        state = journal.state
    async with opened(path) as journal:
        assert journal.state == state
    assert caplog.text == ""
    with closing(sqlite3.connect(path)) as connection:
        changed = connection.execute(rot).rowcount
        connection.commit()
    assert changed > 0
    async with opened(path) as journal:
        assert journal.state == state
    assert "made anew from its entries" in caplog.text
    caplog.clear()
    async with opened(path) as journal:
        assert journal.state == state
    assert caplog.text == ""


async def test_a_journal_of_an_older_make_has_no_sum_and_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "j"
    async with opened(path) as journal:
        await live(journal, Life(3), 60)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM meta WHERE name = 'rows_sum'")
        connection.commit()
    async with opened(path) as journal:
        await live(journal, Life(4), 1)
        lived_to = journal.state.seq
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM meta WHERE name = 'rows_sum'").fetchone() == (1,)
    async with opened(path) as journal:
        assert journal.state.seq == lived_to
