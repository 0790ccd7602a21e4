"""What a day writes to the card: real processes, the locker's state on a file system that is counted.

Visits follow each other here; in a hall most stand alone, and what the daemon does once a minute is done for
each. So what a quiet minute after a visit writes is measured and added to each. What is counted is what the
card is given: the file system's own bytes as well, not what the card makes of it inside.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251  # seeded

import pytest

from hw_sim import clock
from tests.bench.figures import Sheet
from tests.processes.disk import Disk
from tests.processes.people import People
from tests.processes.rig import Rig

CASES = 12
"""Handed in, taken out, loaded, collected: four visits each, some 250 commits, so that the log is moved into
the file at least once."""
VISITS_OF_A_CASE = 4
ALONE = 2
MINUTE_S = 70.0
"""Longer than anything that the daemon does once a minute."""
IDLE_S = 130.0
VISITS_A_DAY = 80
LIMIT_MB = 50.0
DAY_S = 86_400.0
MB = 1e6


@pytest.fixture
def counted() -> Iterator[tuple[Rig, Disk]]:
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system to count on")
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    rig = Rig(folder / "r")
    disk = Disk(folder / "image", rig.state_dir, 256)
    try:
        rig.start()
        yield rig, disk
    finally:
        rig.stack.stop()
        disk.unmount()
        shutil.rmtree(folder)


def test_what_a_day_writes(counted: tuple[Rig, Disk], sheet: Sheet) -> None:
    rig, disk = counted
    people = People(rig, Random(1))
    _case(rig, people, "WARM")
    clock.pause_s(MINUTE_S)
    before = disk.written()
    clock.pause_s(IDLE_S)
    idle = (disk.written() - before) / IDLE_S
    began, entries = disk.written(), rig.status()["seq"]
    for number in range(CASES):
        _case(rig, people, f"CASE-{number}")
    visits = CASES * VISITS_OF_A_CASE
    a_visit = (disk.written() - began) / visits
    entries_each = (rig.status()["seq"] - entries) / visits
    afterwards = _afterwards(disk, people)
    day = VISITS_A_DAY * (a_visit + afterwards) + DAY_S * idle
    sheet.aims_at(
        f"written to the card, a day of {VISITS_A_DAY} visits",
        day / MB,
        "MB",
        LIMIT_MB,
        f"reckoned from {visits} visits of {entries_each:.1f} entries, {ALONE} quiet minutes after one, "
        f"{IDLE_S:.0f} s without",
    )
    sheet.tells("  a visit", a_visit / 1e3, "KB")
    sheet.tells("  the quiet minute after it", afterwards / 1e3, "KB")
    sheet.tells("  a day without any", DAY_S * idle / MB, "MB")


def _afterwards(disk: Disk, people: People) -> float:
    """What follows a visit within a minute, mean."""
    total = 0.0
    for number in range(ALONE):
        case, phone = f"ALONE-{number}", _phone(900 + number)
        people.hands_in(case, people.pre_reviewed(case, phone))
        before = disk.written()
        clock.pause_s(MINUTE_S)
        total += disk.written() - before
    return total / ALONE


def _case(rig: Rig, people: People, case: str) -> None:
    phone = _phone(rig.status()["seq"])
    people.hands_in(case, people.pre_reviewed(case, phone))
    people.takes_in(case)
    people.loads(case, people.label(case, phone))
    people.collects(case, people.scan_of(case, phone))


def _phone(number: int) -> str:
    return f"137{number:08d}"
