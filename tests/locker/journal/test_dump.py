"""Lines for people and programs."""

import json
from pathlib import Path

from locker.domain import chain
from locker.journal.dump import dump
from locker.journal.rows import NOBODY
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
