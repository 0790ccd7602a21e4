"""Whole worlds, people and all faults in them; nothing that must never happen happens."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest

from tests.world import occupancy, seeds
from tests.world.disks import WorldVfs
from tests.world.runner import Job, live

SHORT: Final = Job(11, 0.04)
COMMON: Final = (
    *(f"opening for {purpose}: shut again" for purpose in ("drop_off", "load", "pick_up", "intake")),
    *("deposit: taken in", "deposit: collected", "start: with a history", "journal: StaffSignedIn"),
    *("screen: receipt", "screen: collected", "journal: ReceiptIssued", "journal: DirectiveApplied"),
    *("a guided round: intake", "a hand-over slip: intake", "a helper stands beside a visitor"),
    *("a second person stands beside", "a stocktake", "a look behind an occupied door: expected"),
    *("a slot was booked", "a visit was rated", "help: help_sent", "a lost code: lost_sent"),
    *("settings were changed from afar", "a service window stands", "a door was opened by key"),
    *("a slip was confirmed", "a complaint: resolved", occupancy.REACHED, occupancy.FULL),
)
"""No dozen worlds without these."""
TRACE: Final = """
from tests.world.runner import live
from tests.world.test_world import SHORT
print(live(SHORT).trace)
"""


@pytest.mark.timeout(seeds.LIMIT_S)
@pytest.mark.parametrize("seed", seeds.FIRST)
def test_what_must_never_happen_does_not(
    seed: int, vfs: WorldVfs, points: Counter[str], record_property: Callable[[str, object], None]
) -> None:
    seeds.clean(seed, vfs, points, record_property)


def test_these_worlds_went_through_many_corners(points: Counter[str]) -> None:
    """Of the worlds above. What no world ever reaches, `make world` tells."""
    assert len(seeds.known(points)) >= seeds.POINTS_LEAST
    assert not list(seeds.missed(points, COMMON))


@pytest.mark.timeout(seeds.LIMIT_S)
def test_the_same_seed_is_the_same_world(vfs: WorldVfs) -> None:
    """Whatever ran before in this process, and however Python mixes its hashes."""
    first = live(SHORT, vfs)
    assert first.pulses
    assert live(SHORT, vfs).trace == first.trace
    other = subprocess.run(
        [sys.executable, "-c", TRACE],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == first.trace
    assert live(Job(SHORT.seed + 1, SHORT.days), vfs).trace != first.trace
