"""A journal and other software than wrote it: what is kept before a change, and what is tried beforehand."""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from locker.ctl.rehearse import CannotRehearse, readable, rehearse
from locker.domain.events import Booted, EpochStarted, StaffEnrolled
from locker.domain.ids import Epoch, LockerId, StaffId
from locker.journal import schema
from locker.journal.errors import JournalCorrupt, JournalTooNew, JournalUnreadable
from locker.journal.journal import Journal
from locker.journal.store import Store
from locker.operations.ports import Decided
from tests.locker.operations.world import VirtualClock

LATER: Final = "CREATE TABLE later (x);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a locker that has been up once."""
    path = tmp_path / "journal.sqlite3"

    async def live() -> None:
        with ThreadPoolExecutor(1) as thread:
            journal = await Journal.open(path, VirtualClock(), os.urandom, thread)
            facts = (
                EpochStarted(Epoch("0" * 32), LockerId("loc-1")),
                Booted("test", journal.boot),
                StaffEnrolled(StaffId("h1"), frozenset({"helper"}), "b", "p", 0, name="赵敏"),
            )
            await journal.commit("daemon", lambda _state: Decided(None, facts))
            await journal.close()

    asyncio.run(live())
    return path


def later(monkeypatch: pytest.MonkeyPatch, *steps: str) -> None:
    """From here on this is later software."""
    known = schema.migrations()
    monkeypatch.setattr(schema, "migrations", lambda: (*known, *steps))


def numbered(path: Path) -> tuple[int, int]:
    """Schema and last entry."""
    with closing(sqlite3.connect(path)) as connection:
        return (
            connection.execute("PRAGMA user_version").fetchone()[0],
            connection.execute("SELECT max(seq) FROM entry").fetchone()[0],
        )


def test_before_a_change_a_copy_is_kept_from_which_earlier_software_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as upgraded:
        later(upgraded, LATER)
        Store(path).close()
        assert numbered(path) == (2, 3)
        copy = schema.before(path, 1)
        assert numbered(copy) == (1, 3)
        assert [each.stat().st_mode & 0o777 for each in (copy, copy.parent)] == [0o600, 0o700]
        taken = copy.stat().st_mtime_ns
        Store(path).close()
        assert copy.stat().st_mtime_ns == taken, "once, not at every start"
    with pytest.raises(JournalTooNew):
        Store(path)
    copy.replace(path)
    Store(path).close()


def test_a_new_journal_needs_no_copy(tmp_path: Path) -> None:
    Store(tmp_path / "journal.sqlite3").close()
    assert not schema.before(tmp_path / "journal.sqlite3", 0).parent.exists()


def test_a_copy_of_an_earlier_try_is_replaced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = schema.before(path, 1)
    copy.parent.mkdir()
    copy.write_bytes(b"of another day")
    copy.with_name(f"{copy.name}.new").write_bytes(b"half")
    later(monkeypatch, LATER)
    Store(path).close()
    assert numbered(copy) == (1, 3)
    assert [each.name for each in copy.parent.iterdir()] == [copy.name]


def test_without_a_copy_nothing_is_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path.parent / "before").write_text("a file where the folder is to be")
    later(monkeypatch, LATER)
    with pytest.raises(JournalUnreadable, match="schema-1"):
        Store(path)
    assert numbered(path) == (1, 3)


def test_a_rehearsal_changes_nothing_and_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def there() -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}

    before = there()
    (path.parent / "rehearsal").mkdir()
    (path.parent / "rehearsal" / "journal.sqlite3").write_text("of one that was interrupted")
    later(monkeypatch, LATER)
    assert rehearse(path).startswith("3 entries replayed")
    assert {name: data for name, data in there().items() if not name.endswith(("-wal", "-shm"))} == before
    assert not (path.parent / "rehearsal").exists()


def test_a_change_that_does_not_work_is_found_in_the_rehearsal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, "CREATE TABLE later (x); SELECT no_such_function();")
    with pytest.raises(JournalUnreadable, match="no_such_function"):
        rehearse(path)
    assert not (path.parent / "rehearsal").exists()
    assert numbered(path) == (1, 3)


def test_what_earlier_software_wrote_otherwise_is_found_in_the_rehearsal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '-1' WHERE name = 'fold_version'")
        connection.execute("UPDATE entry SET public = replace(public, 'Booted', 'Woken') WHERE seq = 2")
    with pytest.raises(JournalCorrupt):
        rehearse(path)


def test_what_came_after_an_entry_is_readable_or_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert readable(path, 0) == 3
    assert readable(path, 3) == 0
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE entry SET public = replace(public, 'Booted', 'Woken') WHERE seq = 2")
    assert readable(path, 2) == 1
    with pytest.raises(CannotRehearse, match="entry 2"):
        readable(path, 1)
    with monkeypatch.context() as upgraded:
        later(upgraded, LATER)
        assert readable(path, 2) == 1, "an older schema is brought up"
        Store(path).close()
    with pytest.raises(CannotRehearse, match="schema 2"):
        readable(path, 3)
