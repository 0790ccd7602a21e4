"""A hub's database made by older software goes on; one made by newer software is left alone."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from sync.central import commands, migrations
from sync.central import tables as t
from sync.central.migrations import STEPS, StoreTooNew
from sync.central.store import Store

UNNUMBERED = Path(__file__).with_name("unnumbered.sql").read_text("utf-8")
DOOR = (
    "INSERT INTO compartment VALUES"
    " ('hall-1', 7, 'A', 'M', 'low', 1, 2, 1, 'closed', 'absent', '', '', '', 1)"
)


def old_database(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {UNNUMBERED} {DOOR}; COMMIT;")
    connection.close()
    return path


def shape(path: Path) -> dict[str, list[Any]]:
    """Tables with their columns, and indexes; where a column stands in its table is nobody's business."""
    connection = sqlite3.connect(path)
    names = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
    ).fetchall()
    found = {
        name: sorted(
            tuple(column[1:4]) + tuple(column[5:])
            for column in connection.execute(
                f"PRAGMA {'table' if kind == 'table' else 'index'}_info({name})"
            ).fetchall()
        )
        for kind, name in names
    }
    connection.close()
    return found


def numbered(path: Path) -> int:
    connection = sqlite3.connect(path)
    (number,) = connection.execute("SELECT number FROM schema_number").fetchone()
    connection.close()
    return int(number)


def test_a_new_database_has_the_latest_number(tmp_path: Path) -> None:
    Store.open(tmp_path / "new" / "central.sqlite").close()
    assert numbered(tmp_path / "new" / "central.sqlite") == len(STEPS)
    assert (tmp_path / "new" / "central.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_database_without_a_number_becomes_what_a_new_one_is(tmp_path: Path) -> None:
    old, new = old_database(tmp_path / "old.sqlite"), tmp_path / "new.sqlite"
    Store.open(new).close()
    assert shape(old) != shape(new)
    for _ in range(2):
        store = Store.open(old)
        row = store.read_now(lambda c: c.execute(select(t.COMPARTMENT)).one())
        assert (row.number, row.position, row.blocked) == (7, "closed", "")
        store.close()
    assert shape(old) == shape(new)
    assert numbered(old) == len(STEPS)


def test_the_last_database_without_a_number_is_numbered_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "central.sqlite"
    Store.open(path).close()
    before = shape(path)
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE schema_number")
    connection.close()
    Store.open(path).close()
    assert shape(path) == before
    assert numbered(path) == len(STEPS)


def test_a_step_that_fails_leaves_what_the_steps_before_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_database(tmp_path / "old.sqlite")

    def half(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (n INTEGER)"))
        raise OSError("no room")

    def second(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE locker ADD COLUMN note TEXT NOT NULL DEFAULT 'n'"))

    monkeypatch.setattr(migrations, "STEPS", (*STEPS, half))
    with pytest.raises(OSError, match="no room"):
        Store.open(path)
    assert numbered(path) == len(STEPS)
    assert "half" not in shape(path)
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, second))
    Store.open(path).close()
    assert numbered(path) == len(STEPS) + 1
    assert any(column[0] == "note" for column in shape(path)["locker"])


def test_a_newer_database_is_refused_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.init(tmp_path / "hub", [])
    path = tmp_path / "hub" / "central.sqlite"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE schema_number SET number = 77")
    connection.execute("DROP TABLE notice")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="has schema 77, this software knows up to 1: install the later"):
        Store.open(path)
    assert path.read_bytes() == before
    assert StoreTooNew in commands.EXPECTED
    capsys.readouterr()
