"""A locker whose root is read-only: the daemon and what runs at night write into its state alone."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251  # seeded

import pytest

from hw_sim.stack import Stack, command
from tests.processes import judge
from tests.processes.people import People
from tests.processes.rig import HERE, PATIENCE_S, NursedStack, Rig, rig

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(600),
    # What a daemon sees of file systems is changed by a mount name space, and only root makes one; where the
    # units run, systemd shows it the same by ProtectSystem=strict (`make vm`, `make boxes`).
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems anew"),
]
PHONE = "13511112222"
NIGHTLY = (
    ["journal", "verify", "--note"],
    ["check", "--watch-s", "1", "--note"],
    ["journal", "rehearse", "--note"],
)


class ReadOnlyStack(NursedStack):
    """Its locker sees a root that it cannot write to."""

    def _run(self, name: str, words: list[str]) -> None:
        if name != "locker":
            super()._run(name, words)
        else:
            state = self.locker_config.parent / "state"
            state.mkdir(exist_ok=True)
            alone = [shutil.which("unshare") or "unshare", "--mount", sys.executable]
            Stack._run(self, name, [*alone, str(HERE / "read_only_root.py"), str(state), *words])


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, rig(Path(folder) / "r", ReadOnlyStack) as made:
        yield made


def beside(running: Rig, *words: str) -> "subprocess.CompletedProcess[str]":
    """As the locker sees the machine."""
    inside = ["nsenter", f"--mount=/proc/{running.stack.process('locker')}/ns/mnt", "--"]
    return subprocess.run([*inside, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_a_locker_with_a_read_only_root_serves_and_looks_after_itself(running: Rig) -> None:
    config = running.stack.locker_config
    outside = beside(running, "touch", str(config))
    assert "Read-only file system" in outside.stderr, "the root was not read-only"

    people = People(running, Random(5))
    people.hands_in("ro-1", people.pre_reviewed("ro-1", PHONE))
    people.takes_in("ro-1")
    for words in NIGHTLY:
        done = beside(running, command("lockerctl"), *words, "--config", str(config))
        assert done.returncode == 0, done.stdout + done.stderr

    running.quiet()
    assert judge.judged(running, people.acknowledged) == []
    assert running.troubles() == set()
    assert "Read-only file system" not in (running.folder / "logs" / "locker.log").read_text("utf-8")
    assert running.end("locker") == 0
