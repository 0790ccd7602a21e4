"""Copies of the hub's database, and what going back to one leaves."""

import contextlib
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL

from sync.central import backup
from sync.central import tables as t
from sync.central.__main__ import main
from sync.central.access.tables import AUDIT, SESSION
from sync.central.alarms import Trouble, raise_alarm
from sync.central.alone import alone
from sync.central.config import load
from sync.central.desk import locker_row
from sync.central.directives import batch_after
from sync.central.hello import meet
from sync.central.store import Store
from tests.postgres import binary
from tests.sync.central.conftest import HandClock, Parts, new_desk
from tests.sync.central.test_cases import PASSED, authorise
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs lie where Debian keeps every version's."""
    monkeypatch.setenv("PATH", f"{Path(binary('pg_dump')).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def database(parts: Parts, tmp_path: Path) -> Path | URL:
    return parts.store.url or tmp_path / "central.sqlite"


def gone_back(parts: Parts, database: Path | URL, copy: Path) -> backup.Restored:
    """As the command does it: nobody else holds the file."""
    if parts.store.url is None:
        parts.store.close()
    told = backup.restore(database, parts.desk, copy, parts.clock.wall_ms())
    if parts.store.url is None:
        object.__setattr__(parts, "store", Store.open(database))
    return told


def test_what_a_copy_holds_is_one_moment_and_going_back_loses_what_came_after(
    parts: Parts, database: Path | URL, tmp_path: Path
) -> None:
    authorise(parts)
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    before = {table.name: parts.rows(table) for table in (t.LEDGER, t.DEPOSIT, t.AUTHORISATION, t.STREAM)}
    copy = backup.save(database, tmp_path / "copies", parts.clock.wall_ms())
    assert copy.stat().st_mode & 0o777 == 0o600
    authorise(parts, replace(PASSED, case="GS-2"))
    told = gone_back(parts, database, copy)
    assert {
        table.name: parts.rows(table) for table in (t.LEDGER, t.DEPOSIT, t.AUTHORISATION, t.STREAM)
    } == before
    assert (told.lockers, told.authorisations) == (1, 1)
    assert told.entries == sum(row.stored_to for row in before["stream"])
    with pytest.raises(backup.CannotCopy, match="there already"):
        backup.save(database, tmp_path / "copies", parts.clock.wall_ms())


@pytest.mark.rule("CEN-13")
def test_after_it_every_locker_is_told_everything_anew_and_no_alarm_is_raised_for_that(
    parts: Parts, database: Path | URL, tmp_path: Path
) -> None:
    authorise(parts)
    numbering = parts.rows(t.LOCKER)[0]
    copy = backup.save(database, tmp_path, parts.clock.wall_ms())
    authorise(parts, replace(PASSED, case="GS-2"))
    ahead = parts.rows(t.LOCKER)[0]
    gone_back(parts, database, copy)
    anew = parts.rows(t.LOCKER)[0]
    assert anew.dn_epoch not in {"", numbering.dn_epoch}
    link = parts.locker.link(dn_epoch=ahead.dn_epoch, dn_applied=ahead.dn_head, dn_hash=ahead.dn_hash)
    now_ms = parts.clock.wall_ms()
    hello = parts.store.write_now(lambda c: meet(c, parts.desk, locker_row(c, link.locker), link, now_ms))
    assert hello is not None
    assert (hello.dn_epoch, hello.dn_head) == (anew.dn_epoch, 1)
    assert parts.rows(t.ALARM) == []
    batch = parts.store.read_now(lambda c: batch_after(c, locker_row(c, "hall-1"), 0))
    assert batch is not None
    assert '"case":"GS-1"' in batch.entries[0]


def test_nobody_is_signed_in_after_it_and_the_journal_of_acts_says_so(
    parts: Parts, database: Path | URL, tmp_path: Path
) -> None:
    session = {
        "digest": "d",
        "account": "wang",
        "stage": "open",
        "made_ms": 1,
        "seen_ms": 1,
        "secret_sealed": "",
    }
    parts.store.write_now(lambda c: c.execute(SESSION.insert().values(**session)))
    copy = backup.save(database, tmp_path, parts.clock.wall_ms())
    gone_back(parts, database, copy)
    assert parts.rows(SESSION) == []
    last = parts.rows(AUDIT)[-1]
    assert (last.actor, last.action) == ("machine", "restored")


def test_a_damaged_copy_changes_nothing(parts: Parts, database: Path | URL, tmp_path: Path) -> None:
    authorise(parts)
    copy = backup.save(database, tmp_path / "copies", parts.clock.wall_ms())
    torn = tmp_path / "torn"
    torn.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    rows = parts.rows(t.AUTHORISATION)
    for wrong in (torn, tmp_path / "nothing"):
        with pytest.raises(backup.CannotCopy):
            backup.restore(database, parts.desk, wrong, parts.clock.wall_ms())
    assert parts.rows(t.AUTHORISATION) == rows
    assert len({row.dn_epoch for row in parts.rows(t.LOCKER)}) == 1


def test_what_was_there_before_is_kept_with_its_log_and_leftovers_are_replaced(tmp_path: Path) -> None:
    database, desk = tmp_path / "central.sqlite", new_desk(HandClock())
    store = Store.open(database)
    copy = backup.save(database, tmp_path, desk.clock.wall_ms())
    with contextlib.closing(sqlite3.connect(database)) as other:
        # Somebody else still reads: the last transaction stays in the log beside the file.
        other.execute("SELECT count(*) FROM alarm").fetchall()
        store.write_now(lambda c: raise_alarm(c, "hall-1", Trouble("door_forced", "d/1", "later"), 1))
        store.close()
        log = Path(f"{database}-wal").read_bytes()
        Path(f"{database}-wal.kept").write_bytes(log)
    Path(f"{database}-wal.kept").rename(f"{database}-wal")
    for left in ("", "-wal"):
        (tmp_path / f"central.sqlite.restoring{left}").write_bytes(b"half of something")
    told = backup.restore(database, desk, copy, desk.clock.wall_ms())
    with contextlib.closing(sqlite3.connect(told.aside)) as aside:
        assert aside.execute("SELECT detail FROM alarm").fetchall() == [("later",)]
    store = Store.open(database)
    assert store.read_now(lambda c: c.execute(t.ALARM.select()).all()) == []
    store.close()
    assert not list(tmp_path.glob("*.restoring*"))


def test_the_commands_make_a_copy_and_go_back_but_not_under_a_hub_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "hub"
    config = ("--config", str(home / "central.toml"))
    assert main(("init", "--dir", str(home))) == 0
    Store.open(home / "central.sqlite").close()
    assert main(("backup", "--to", str(tmp_path / "copies"), *config)) == 0
    (copy,) = (tmp_path / "copies").iterdir()
    assert str(copy) in capsys.readouterr().out
    with alone(load(home / "central.toml")):
        assert main(("restore", str(copy), *config)) == 1
    assert "stop it first" in capsys.readouterr().err
    assert main(("restore", str(copy), *config)) == 0
    assert "0 lockers, 0 entries" in capsys.readouterr().out
    assert main(("restore", str(tmp_path / "nothing"), *config)) == 1
    assert "is no file" in capsys.readouterr().err
