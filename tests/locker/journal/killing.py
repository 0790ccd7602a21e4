"""Kill a writing process somewhere, and look at what it left."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed kills at the same line

from locker.domain.state import LockerState
from locker.journal import replay, verify
from locker.journal.store import Store

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Left:
    acknowledged: int
    """The last entry that the process was told is durable."""
    state: LockerState
    differences: list[str]
    wrong: str


def killed(path: Path, seed: int) -> Left:
    acknowledged = until_killed(path, seed)
    store = Store(path)
    try:
        state, different = replay.load(store).state, replay.differences(store)
    finally:
        store.close()
    return Left(acknowledged, state, different, verify.check(path).wrong)


def until_killed(path: Path, seed: int) -> int:
    command = [sys.executable, "-m", "tests.locker.journal.writer", str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in range(Random(seed).randrange(1, 300)):
            said = process.stdout.readline()
        process.kill()
        # What it still said before the signal counts: it was told so.
        last = [said, *process.stdout.read().splitlines()][-1]
        process.wait(10)
    return int(last)
