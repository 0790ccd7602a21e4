"""A hub's database made by older software goes on; one made by newer software is left alone."""

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, insert, select

from sync.central import commands, migrations
from sync.central import tables as t
from sync.central.migrations import StoreTooNew, numbered
from sync.central.store import Store
from tests.postgres import Cluster

UNNUMBERED = Path(__file__).with_name("unnumbered.sql").read_text("utf-8")
DOOR = (
    "INSERT INTO compartment VALUES"
    " ('hall-1', 7, 'A', 'M', 'low', 1, 2, 1, 'closed', 'absent', '', '', '', 1)"
)
FOLDER = migrations.FOLDER
STEP = """
from alembic import op
import sqlalchemy as sa

revision = "{name}"
down_revision = "{before}"

def upgrade():
    {does}
"""


def old_database(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {UNNUMBERED} {DOOR}; COMMIT;")
    connection.close()
    return path


def steps(folder: Path, *chain: tuple[str, str, str]) -> Path:
    """The steps there are, and more: name, what comes before it, what it does."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, does in chain:
        text = STEP.format(name=name, before=before, does=does)
        (folder / "versions" / f"{name}.py").write_text(text)
    return folder


def shape(path: Path) -> dict[str, list[Any]]:
    """Tables with their columns, and indexes; where a column stands in its table is nobody's business."""
    connection = sqlite3.connect(path)
    names = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
    ).fetchall()
    found = {
        name: sorted(
            tuple(column[1:4]) + tuple(column[5:]) if kind == "table" else tuple(column[2:])
            for column in connection.execute(
                f"PRAGMA {'table' if kind == 'table' else 'index'}_info({name})"
            ).fetchall()
        )
        for kind, name in names
    }
    connection.close()
    return found


def value(path: Path, query: str) -> Any:
    connection = sqlite3.connect(path)
    ((found,),) = connection.execute(query).fetchall()
    connection.close()
    return found


def lacking(engine: Engine) -> str:
    """What the steps leave out of the tables there are, as the text of the next step; "" for nothing."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = produce_migrations(context, migrations.metadata()).upgrade_ops
        return "" if found is None or found.is_empty() else render_python_code(found)


def test_a_new_database_is_at_the_end_of_every_chain(tmp_path: Path) -> None:
    path = tmp_path / "new" / "central.sqlite"
    for _ in range(2):
        Store.open(path).close()
        found = str(value(path, "SELECT group_concat(version_num) FROM alembic_version"))
        assert set(found.split(",")) == migrations.heads()
        assert value(path, "SELECT number FROM schema_number") == numbered.LAST
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_steps_make_the_tables_that_there_are(tmp_path: Path, postgres: Cluster) -> None:
    for engine in (create_engine(f"sqlite:///{tmp_path / 'a'}"), create_engine(postgres.database())):
        with engine.begin() as connection:
            migrations.run(connection)
        missing = lacking(engine)
        engine.dispose()
        assert missing == "", f"sync/central/migrations/versions lack on {engine.dialect.name}:\n{missing}"


def test_what_is_made_at_once_is_what_the_tables_say(tmp_path: Path, postgres: Cluster) -> None:
    for where in (tmp_path / "a.sqlite", postgres.database()):
        store = Store.open(where)
        missing = lacking(store._writer)
        store.close()
        assert missing == ""


def test_a_table_without_a_step_is_found(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a'}")
    with engine.begin() as connection:
        migrations.run(connection)
        connection.exec_driver_sql("DROP TABLE ticket")
        connection.exec_driver_sql("DROP INDEX deposit_case")
    found = set(re.findall(r"op\.\w+\('\w+", lacking(engine)))
    assert found >= {"op.create_table('ticket", "op.create_index('deposit_case"}
    engine.dispose()


def test_every_step_belongs_to_one_chain() -> None:
    steps = migrations.steps()
    assert [name for name, of_before in steps.items() if not of_before] == ["baseline"]
    for name, of_before in steps.items():
        text = (FOLDER / "versions" / f"{name}.py").read_text("utf-8")
        assert len(name) <= 32, "as much as its column holds"  # Alembic's
        # What a step depends on would vanish from the table of versions, and read as not done.
        assert "depends_on" not in text.replace("depends_on: Final = None", "")
        assert set(of_before) <= steps.keys()


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
    assert value(old, "SELECT number FROM schema_number") == numbered.LAST


def test_a_numbered_database_goes_on(tmp_path: Path) -> None:
    path, new = old_database(tmp_path / "old.sqlite"), tmp_path / "new.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE compartment ADD COLUMN blocked TEXT NOT NULL DEFAULT '';"
        "CREATE TABLE schema_number (number INTEGER NOT NULL PRIMARY KEY);"
        "INSERT INTO schema_number VALUES (1)"
    )
    connection.close()
    Store.open(path).close()
    Store.open(new).close()
    assert shape(path) == shape(new)
    assert value(path, "SELECT number FROM schema_number") == numbered.LAST


def test_a_step_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_database(tmp_path / "old.sqlite")
    before = shape(path)
    wider = ("wider", "baseline", 'op.add_column("locker", sa.Column("note", sa.Text()))')
    bad = steps(tmp_path / "bad", wider, ("full", "wider", 'raise OSError("no room")'))
    monkeypatch.setattr(migrations, "FOLDER", bad)
    with pytest.raises(OSError, match="no room"):
        Store.open(path)
    assert shape(path) == before
    monkeypatch.setattr(migrations, "FOLDER", steps(tmp_path / "good", wider))
    Store.open(path).close()
    assert any(column[0] == "note" for column in shape(path)["locker"])
    connection = sqlite3.connect(path)
    assert {name for (name,) in connection.execute("SELECT version_num FROM alembic_version")} == (
        migrations.heads()
    )
    connection.close()
    assert "wider" in migrations.heads()


def test_chains_of_two_rooms_do_not_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "central.sqlite"
    table = 'op.create_table("{0}", sa.Column("n", sa.Integer()))'
    one = [("one_1", "baseline", table.format("first")), ("one_2", "one_1", table.format("second"))]
    Store.open(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "FOLDER", steps(tmp_path / "one", *one))
        Store.open(path).close()
        both = steps(tmp_path / "both", *one, ("other_1", "baseline", table.format("third")))
        patch.setattr(migrations, "FOLDER", both)
        Store.open(path).close()
        assert {"first", "second", "third"} <= shape(path).keys()
        assert {"one_2", "other_1"} <= migrations.heads()
    with pytest.raises(StoreTooNew, match="has schema o"):
        Store.open(path)


def _newer(c: Connection) -> None:
    c.exec_driver_sql("DELETE FROM alembic_version")
    c.exec_driver_sql("INSERT INTO alembic_version VALUES ('much_later')")


def _newer_numbered(c: Connection) -> None:
    c.exec_driver_sql("UPDATE schema_number SET number = 77")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_newer, "has schema much_later, this software knows up to .*: install the later"),
        (_newer_numbered, "has schema 77, this software knows up to 2: install the later"),
    ],
)
def test_a_newer_database_is_refused_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, told: str
) -> None:
    commands.init(tmp_path / "hub", [])
    path = tmp_path / "hub" / "central.sqlite"
    store = Store.open(path)
    store.write_now(change)
    store.write_now(lambda c: c.exec_driver_sql("DROP TABLE notice"))
    store.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=told):
        Store.open(path)
    assert path.read_bytes() == before
    assert StoreTooNew in commands.EXPECTED
    capsys.readouterr()


def test_a_newer_one_is_refused_on_postgresql_too(postgres: Cluster) -> None:
    url = postgres.database()
    store = Store.open(url)
    store.write_now(_newer)
    store.close()
    with pytest.raises(StoreTooNew, match="much_later"):
        Store.open(url)


def test_an_entry_is_kept_exactly(tmp_path: Path, postgres: Cluster) -> None:
    for where in (tmp_path / "a.sqlite", postgres.database()):
        store = Store.open(where)
        odd = "\0 领 \U0001f5c4 {"
        row = {"locker": "a", "epoch": "e", "seq": 1, "public": odd, "personal": odd, "received_ms": 1}
        empty = {"kind": "", "case_number": "", "salt": b"", "personal_digest": "", "hash": "", "problem": ""}
        store.write_now(lambda c: c.execute(insert(t.LEDGER).values({**row, **empty})))  # noqa: B023  # at once
        found = store.read_now(lambda c: c.execute(select(t.LEDGER)).one())
        store.close()
        assert (found.public, found.personal) == (odd, odd)
