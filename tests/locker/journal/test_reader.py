"""Reading beside the writer: what is durable, no more at once than asked for, and never a write."""

import json
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from locker.domain import chain
from locker.journal import reader as reading
from locker.journal.dump import dump
from locker.journal.errors import JournalCorrupt, JournalUnreadable, ReadTooLong, RowsPurged
from locker.journal.journal import Journal
from locker.journal.reader import Reader
from locker.journal.rows import NOBODY
from tests.locker.journal.histories import Life, live, opened


async def test_it_sees_what_is_durable(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        reader = Reader(path)
        assert (reader.head(), reader.oldest(), reader.entries(0, 10, 1000)) == ((0, chain.START), 0, [])
        await live(journal, Life(1), 50)
        assert reader.head() == (journal.state.seq, journal.head)
        found = reader.entries(0, 1000, 1 << 30)
        assert [entry.seq for entry in found] == list(range(1, journal.state.seq + 1))
        previous = chain.START
        for entry in found:
            assert entry.personal_digest == chain.personal_digest(entry.salt, entry.personal.encode())
            assert (entry.personal == "") == (entry.personal_digest == NOBODY)
            previous = chain.link(previous, chain.leaf(entry.public.encode(), entry.personal_digest))
            assert entry.hash == reader.hash_at(entry.seq) == previous
        assert reader.hash_at(0) == chain.START
        with pytest.raises(KeyError):
            reader.hash_at(journal.state.seq + 1)
        reader.close()


async def test_it_takes_no_more_than_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(2), 50)
    reader = Reader(path)
    assert [entry.seq for entry in reader.entries(10, 5, 1 << 30)] == [11, 12, 13, 14, 15]
    few = reader.entries(10, 1000, 2000)
    size = sum(len(entry.public.encode()) + len(entry.personal.encode()) for entry in few)
    assert 2 <= len(few) < 20
    assert size <= 2000
    assert len(reader.entries(10, 1000, 1)) == 1  # else a long entry would stop the stream
    reader.close()


async def test_it_closes_after_the_read_in_progress(tmp_path: Path) -> None:
    """A daemon that stops does so in mid-read; a connection closed under a read takes the process with it."""
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(4), 200)
    for _ in range(20):
        reader, reading_on = Reader(path), threading.Event()

        def read(reader: Reader = reader, reading_on: threading.Event = reading_on) -> None:
            with suppress(sqlite3.ProgrammingError):  # closed
                while True:
                    reader.entries(0, 1000, 1 << 30)
                    reading_on.set()

        thread = threading.Thread(target=read)
        thread.start()
        assert reading_on.wait(10)
        reader.close()
        thread.join(10)
        assert not thread.is_alive()


async def purged(journal: Journal) -> int:
    await live(journal, Life(3), 40)
    anchored = await journal.anchor()
    await journal.acknowledge(journal.state.seq)
    await journal.purge_rows(anchored.seq)
    return anchored.seq


async def test_what_was_purged_is_not_made_up(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        at = await purged(journal)
        head = journal.head
    reader = Reader(path)
    with pytest.raises(RowsPurged, match="ask the centre") as refused:
        reader.entries(5, 10, 1000)
    assert (refused.value.seq, refused.value.oldest) == (6, at + 1)
    with pytest.raises(RowsPurged):
        reader.hash_at(at - 1)
    assert reader.oldest() == at + 1
    (only,) = reader.entries(at, 10, 1000)
    link = chain.link(reader.hash_at(at), chain.leaf(only.public.encode(), only.personal_digest))
    assert only.hash == link == head
    assert [json.loads(line)["seq"] for line in dump(path)] == [at + 1]
    reader.close()


async def test_a_gap_is_no_purge(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(4), 20)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM entry WHERE seq = 9")
    connection.close()
    reader = Reader(path)
    with pytest.raises(JournalCorrupt, match="entry 9"):
        reader.entries(8, 10, 1000)
    reader.close()


async def test_it_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(5), 20)
        reader = Reader(path)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM entry")
        reader.close()


async def test_a_read_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(6), 20)
    monkeypatch.setattr(reading, "READ_MAX_S", -1.0)
    monkeypatch.setattr(reading, "STEPS_BETWEEN_LOOKS", 1)
    reader = Reader(path)
    with pytest.raises(ReadTooLong, match="ask for less"):
        reader.entries(0, 1000, 1 << 30)
    reader.close()


def test_no_file_no_reader(tmp_path: Path) -> None:
    with pytest.raises(JournalUnreadable):
        Reader(tmp_path / "journal.sqlite3")
    assert list(tmp_path.iterdir()) == []
