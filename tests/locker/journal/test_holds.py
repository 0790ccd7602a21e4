"""Whether a journal has an entry that was seen in it: now, in an earlier epoch, or nowhere."""

import contextlib
import shutil
from pathlib import Path

import pytest

from locker.domain import events as ev
from locker.domain.history import Break
from locker.journal.holds import missing
from locker.journal.reader import Reader
from tests.locker.journal.histories import opened, told
from tests.locker.journal.test_epochs import SECOND, begin
from tests.locker.journal.told_case import EPOCH, tell


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite3"
    await tell(path)
    return path


def end(path: Path) -> tuple[int, bytes]:
    with contextlib.closing(Reader(path)) as reader:
        return reader.head()


async def live(path: Path, seed: int = 0) -> None:
    async with opened(path, seed) as journal:
        await journal.commit("daemon", told((ev.GuessesCounted("unknown_code", seed + 1),)))


async def test_a_journal_that_went_on_has_it(path: Path) -> None:
    seq, link = end(path)
    await live(path)
    assert missing(path, EPOCH, seq, link) is None
    assert missing(path, "", 0, b"") is None


@pytest.mark.rule("LKR-117")
async def test_an_older_image_and_another_branch_have_it_not(path: Path, tmp_path: Path) -> None:
    old, branch = tmp_path / "old.sqlite3", tmp_path / "branch.sqlite3"
    shutil.copyfile(path, old)
    shutil.copyfile(path, branch)
    await live(path)
    await live(branch, 1)
    assert missing(old, EPOCH, *end(path)) is Break.LOST_ROWS
    assert missing(branch, EPOCH, *end(path)) is Break.FORKED


async def test_an_epoch_that_was_begun_elsewhere(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    shutil.copyfile(path, old)
    before = end(path)
    await live(path)
    async with opened(path) as journal:
        await begin(journal, SECOND)
    assert missing(old, SECOND, *end(path)) is Break.SUPERSEDED
    assert missing(path, EPOCH, *before) is None, "its own past is there"
    assert missing(path, EPOCH, before[0] + 2, before[1]) is Break.LOST_ROWS
    assert missing(path, EPOCH, before[0], b"\0" * 32) is Break.FORKED


async def test_what_was_purged_lies_behind_it(path: Path) -> None:
    seq, link = end(path)
    async with opened(path) as journal:
        for n in range(3):
            await journal.commit("daemon", told((ev.GuessesCounted("unknown_code", n + 1),)))
        anchor = await journal.anchor()
        await journal.acknowledge(journal.state.seq)
        assert await journal.purge_rows(anchor.seq) > seq
    assert missing(path, EPOCH, seq, link) is None
