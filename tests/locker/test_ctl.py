"""`lockerctl` as people run it: its answers, its exit codes, never a traceback."""

import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from locker.domain.events import Booted, EpochStarted, StaffEnrolled
from locker.domain.ids import Epoch, LockerId, StaffId
from locker.journal.journal import Journal
from locker.operations.ports import Decided
from tests.locker.configured import instead, write
from tests.locker.operations.world import VirtualClock

LOCKERCTL = str(Path(sys.executable).parent / "lockerctl")
HEAVY = ("sqlmodel", "sqlalchemy", "starlette", "pydantic", "uvicorn", "paho", "cryptography", "asyncio")
START_MAX_S = 1.0
"""A sober limit for a loaded machine; a few hundredths where it is alone."""

pytestmark = pytest.mark.processes


def run(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [LOCKERCTL, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.stdout == ""
    assert done.stderr.startswith("lockerctl: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """A locker that has been up once and is stopped."""
    (tmp_path / "state").mkdir()
    with ThreadPoolExecutor(1) as thread:
        journal = await Journal.open(
            tmp_path / "state" / "journal.sqlite3", VirtualClock(), os.urandom, thread
        )
        facts = (
            EpochStarted(Epoch("0" * 32), LockerId("loc-1")),
            Booted("test", journal.boot),
            StaffEnrolled(StaffId("h1"), frozenset({"helper"}), "b", "p", 0, name="赵敏"),
        )
        await journal.commit("daemon", lambda _state: Decided(None, facts))
        await journal.close()
    return write(tmp_path)


def test_help_costs_nothing() -> None:
    look = f"import sys, locker.ctl; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    began = time.perf_counter()
    assert "journal" in run("--help").stdout
    assert time.perf_counter() - began < START_MAX_S


def test_a_bad_command_line_is_2() -> None:
    for words in ((), ("open-all",), ("journal",), ("keys", "new")):
        assert "usage: lockerctl" in run(*words, code=2).stderr


def test_config_check_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    good = run("config", "check", "--config", write(tmp_path)).stdout
    assert "2 compartments, all wired" in good
    path = write(tmp_path, instead("lock", 'lock = "A/1/9"'))
    assert f"{path}:" in one_line(run("config", "check", "--config", path, code=2))
    assert "cannot be read" in one_line(run("config", "check", "--config", tmp_path / "none", code=2))


def test_status_without_a_daemon_says_so(config: Path) -> None:
    assert "no daemon listens" in one_line(run("status", "--config", config, code=1))


def test_dump_shows_entries_and_hides_names(config: Path) -> None:
    rows = [json.loads(line) for line in run("journal", "dump", "--config", config).stdout.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert "赵敏" not in json.dumps(rows, ensure_ascii=False)
    assert run("journal", "dump", "--config", config, "--after", "2").stdout.count("\n") == 1
    assert "赵敏" in run("journal", "dump", "--config", config, "--personal").stdout


def test_whoever_stops_reading_is_not_answered_with_a_traceback(config: Path) -> None:
    line = f"{LOCKERCTL} journal dump --config {config} | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


def test_verify_tells_a_good_journal_from_a_bad_one(config: Path) -> None:
    assert "entries 1 to 3 hold" in run("journal", "verify", "--config", config).stdout
    head = f"3:{'0' * 64}"
    run("journal", "verify", "--config", config, "--head", head, code=1)


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    config = write(tmp_path)
    assert "journal.sqlite3" in one_line(run("journal", "dump", "--config", config, code=1))
    run("journal", "verify", "--config", config, code=1)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.sqlite3").write_bytes(os.urandom(9000))
    assert "not a database" in one_line(run("journal", "dump", "--config", config, code=1))
    run("journal", "verify", "--config", config, code=1)


def test_new_keys_are_for_their_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    public = run("keys", "new", folder, "loc-1").stdout.strip()
    own = folder / "own.json"
    assert len(bytes.fromhex(public)) == 32
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    before = own.read_bytes()
    assert json.loads(before)["locker"] == "loc-1"
    assert public not in own.read_text()
    assert "own.json" in one_line(run("keys", "new", folder, "loc-1", code=1))
    assert own.read_bytes() == before


def test_keys_that_cannot_be_made_are_said(tmp_path: Path) -> None:
    assert "is no name" in one_line(run("keys", "new", tmp_path / "k", "Loc 1", code=1))
    assert not (tmp_path / "k").exists()
    (tmp_path / "file").write_text("x")
    assert "Name a folder" in one_line(run("keys", "new", tmp_path / "file", "loc-1", code=1))
    assert "Name a folder" in one_line(run("keys", "new", "/proc/none", "loc-1", code=1))
