"""The declarations, the migrations, and what happens to files that are not what they should be."""

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_mock_engine, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import ExecutableDDLElement

from locker.journal import schema
from locker.journal.errors import JournalCorrupt, JournalTooNew, JournalUnreadable, NotAJournal
from locker.journal.store import Store
from locker.journal.tables import METADATA, PROJECTIONS
from tests.locker.journal.histories import Life, live, opened


def declared() -> dict[str, str]:
    statements: list[str] = []

    def write(statement: ExecutableDDLElement, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=sqlite.dialect())))

    engine = create_mock_engine("sqlite://", write)
    METADATA.create_all(engine, checkfirst=False)
    return named(statements)


def named(statements: list[str]) -> dict[str, str]:
    flat = [re.sub(r"\s+", " ", text).replace("( ", "(").replace(" )", ")").strip() for text in statements]
    return {text.split()[2]: text for text in flat}


def test_the_migrations_make_what_is_declared(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "journal.sqlite3")
    made = [text for (text,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    connection.close()
    assert named(made) == declared()


def test_the_connection_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "journal.sqlite3")
    asked = (
        "journal_mode",
        "synchronous",
        "page_size",
        "wal_autocheckpoint",
        "secure_delete",
        "user_version",
    )
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked}
    connection.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "page_size": schema.PAGE_BYTES,
        "wal_autocheckpoint": 0,
        "secure_delete": 1,
        "user_version": len(schema.migrations()),
    }
    assert (tmp_path / "journal.sqlite3").stat().st_mode & 0o077 == 0


async def test_computed_columns_tell_what_the_texts_say(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    async with opened(path) as journal:
        await live(journal, Life(1), 300)
        state = journal.state
    connection = sqlite3.connect(path)
    entry = connection.execute(
        "SELECT type, boot, mono, wall, tq, subject, cause FROM entry WHERE seq = 1"
    ).fetchone()
    assert entry == ("EpochStarted", 1, 1_000, 1_760_000_001_000, "ntp", "locker", "applicant")
    phases = dict(connection.execute('SELECT deposit, phase FROM deposits WHERE "case" IS NOT NULL'))
    assert phases == {key: record.phase.value for key, record in state.deposits.items()}
    empty = [
        (name, column.name)
        for name, table in PROJECTIONS.items()
        for column in table.columns
        if connection.execute(str(select(func.count()).select_from(table).where(column.is_(None)))).fetchone()
        != (0,)
    ]
    connection.close()
    assert empty == []


def test_a_journal_of_later_software_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalTooNew, match=r"schema 99.*install the later software") as refused:
        Store(path)
    assert (refused.value.found, refused.value.known) == (99, len(schema.migrations()))


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NotAJournal, match="correct the path"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"licence to kill " * 100)
    with pytest.raises(JournalCorrupt, match="not a database"):
        Store(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JournalUnreadable, match="check the disk"):
        Store(tmp_path / "nowhere" / "journal.sqlite3")


def test_a_migration_that_is_cut_short_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is simply done again."""
    path = tmp_path / "journal.sqlite3"
    Store(path).close()
    first = schema.migrations()
    second = "CREATE TABLE later (x);\nINSERT INTO later VALUES (1);"
    before = dumped(path)
    for cut in (
        "CREATE TABLE later (x);\nSELECT no_such_function();",
        second + "\nINSERT INTO nowhere VALUES (1);",
    ):
        monkeypatch.setattr(schema, "migrations", lambda cut=cut: [*first, cut])
        with pytest.raises(JournalUnreadable):
            Store(path)
        assert dumped(path) == before
    monkeypatch.setattr(schema, "migrations", lambda: [*first, second])
    Store(path).close()
    assert "CREATE TABLE later (x);" in dumped(path)
    Store(path).close()


def dumped(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]
    connection.close()
    return lines
