"""Lines for people and programs."""

import json
from pathlib import Path

import pytest

from locker.domain import chain
from locker.journal import dump as dumping
from locker.journal.dump import dump
from locker.journal.errors import ReadTooLong
from locker.journal.reader import Reader
from locker.journal.rows import NOBODY, StoredEntry
from tests.locker.journal.histories import Life, live, opened


async def test_a_dump_names_people_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(7), 300)
        seq, head = journal.state.seq, journal.head
    without, with_names = list(dump(path)), list(dump(path, personal=True))
    assert len(without) == len(with_names) == seq
    assert json.loads(without[-1])["hash"] == head.hex()
    assert json.loads(json.loads(without[0])["public"])["type"] == "EpochStarted"
    assert "王*明" not in "".join(without)
    assert "王*明" in "".join(with_names)
    previous = chain.START
    for line in map(json.loads, without):  # enough to check the chain with
        digest = bytes.fromhex(line["personal_digest"]) if "personal_digest" in line else NOBODY
        previous = chain.link(previous, chain.leaf(line["public"].encode(), digest))
        assert previous.hex() == line["hash"]


async def test_a_dump_beside_the_writer_goes_on_where_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(8), 30)
        assert [json.loads(line)["seq"] for line in dump(path, after=25)] == list(
            range(26, journal.state.seq + 1)
        )
        assert list(dump(path, after=journal.state.seq)) == []


async def test_where_the_machine_is_busy_fewer_entries_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(9), 60)
    whole = list(dump(path))

    class Slow(Reader):
        bears = 7

        def entries(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
            if limit > self.bears:
                raise ReadTooLong(str(path))
            return super().entries(after, limit, max_bytes)

    monkeypatch.setattr(dumping, "Reader", Slow)
    assert list(dump(path)) == whole
    Slow.bears = 0
    with pytest.raises(ReadTooLong):
        list(dump(path))
