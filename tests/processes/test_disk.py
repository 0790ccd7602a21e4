"""The locker's disk is full, or becomes read-only, in mid-service; then somebody mends it.

On a small file system of its own, which only root can make.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251  # seeded

import pytest

from tests.processes import judge
from tests.processes.disk import Disk
from tests.processes.people import People
from tests.processes.rig import PATIENCE_S, Rig, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(600),
    # Only a file system of its own can be filled up under a daemon, and only root mounts one; for everybody
    # else power/test_faults shows the same in one process.
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system"),
    pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="the kernel has no loop devices"),
]
PHONE = "13711112222"


@pytest.fixture(scope="module")
def broken() -> Iterator[tuple[Rig, Disk]]:
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    running = Rig(folder / "r")
    disk = Disk(folder / "image", running.state_dir)
    try:
        running.start()
        yield running, disk
    finally:
        running.stack.stop()
        disk.unmount()
        shutil.rmtree(folder)


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_nothing_opens_the_page_says_whom_to_call_and_the_centre_knows(
    broken: tuple[Rig, Disk], how: str
) -> None:
    running, disk = broken
    people = People(running, Random(2))
    before, after = f"{how}-1", f"{how}-2"
    people.hands_in(before, people.pre_reviewed(before, PHONE))
    typed = people.pre_reviewed(after, PHONE)
    running.quiet()
    people.posts("code", typed=typed)
    entries, pulses = running.status()["seq"], len(running.pulses())

    disk.fill() if how == "full" else disk.break_off()
    for _ in range(8):
        people.posts("act", act="open")
        people.posts("act", act="leave")
        people.posts("code", typed=typed)
        people.posts("code", scanned=running.badge)
        people.posts(
            "act", act="pin", digits="000000"
        )  # a full disk refuses drop-offs; this is to be recorded
    view = people.look()
    assert view is not None
    assert (view["screen"], view["refused"]["reason"]) == ("problem", "journal_failing")
    assert "12345" in view["lead"], "the help line"
    assert running.status()["journal_failing"]
    until("the centre's alarm", lambda: "journal_failing" in running.troubles(), PATIENCE_S)
    assert len(running.pulses()) == pulses, "a door was opened that nothing recorded"

    # Its process may be ended in order; what it promised is there once the disk is mended.
    assert running.end("locker") == 0
    disk.free() if how == "full" else disk.mend()
    running.start_locker()
    running.quiet()
    assert running.status()["seq"] > entries
    assert not running.status()["journal_failing"]
    people.hands_in(after, typed)
    people.takes_in(after)
    assert judge.judged(running, people.acknowledged) == []
    assert judge.verified(running) == ""
    assert running.troubles() == {"journal_failing"}
