"""SIGKILL at each step of an opening, on a real journal in a real process; then it goes on."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from locker.journal.dump import dump

STEPS_MAX = 60
Live = Callable[[Path, int], int]


@pytest.fixture
def live() -> Iterator[Live]:
    """Call it for one life in a folder, killed at a step, and how it ended."""
    command = [sys.executable, "-m", "tests.locker.dying"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as lives:
        assert lives.stdin is not None
        assert lives.stdout is not None
        told, ended = lives.stdin, lives.stdout

        def run(folder: Path, at: int) -> int:
            print(at, folder, file=told, flush=True)
            return int(ended.readline())

        yield run


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_kill_at_any_step_loses_nothing_and_pulses_no_grant_twice(tmp_path: Path, live: Live) -> None:
    survived = False
    for at in range(1, STEPS_MAX):
        folder = tmp_path / str(at)
        folder.mkdir()
        code = live(folder, at)
        if code == 0:
            survived = True
            break
        assert code == -signal.SIGKILL
        acknowledged = len(list(dump(folder / "journal.sqlite3")))
        assert live(folder, 0) == 0
        judge(folder, acknowledged)
    assert survived, "there are more steps than this test looks at"
    assert at > 15, "the steps were not counted"


def judge(folder: Path, acknowledged: int) -> None:
    """One hand-in, in the one compartment that was pulsed for it, whatever happened."""
    rows = [json.loads(line) for line in dump(folder / "journal.sqlite3")]
    events = [json.loads(row["public"]) for row in rows]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert len(events) >= acknowledged
    doors = json.loads((folder / "doors.json").read_text())
    granted = [e["data"]["door"] for e in events if e["type"] == "OpeningRequested"]
    for door in doors["pulses"]:
        granted.remove(door)
    handed_in = [e["data"]["door"] for e in events if e["type"] == "SubmissionDeposited"]
    assert handed_in == doors["inside"]
    assert len(handed_in) == 1
    assert doors["open"] == []
