"""Twenty visits, and in each one process killed at some moment; `bench/processes/soak_processes` goes on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import judge
from tests.processes.rig import VICTIMS, Rig, rig
from tests.processes.rounds import Rounds

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
SEED = 11
ROUNDS = 20


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    # A socket's name must be short: not below pytest's own folder.
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, rig(Path(folder) / "r") as made:
        yield made


def test_whatever_is_killed_in_mid_visit_nothing_is_lost_and_nothing_doubled(running: Rig) -> None:
    rounds = Rounds(running, SEED)
    rounds.begin()
    rounds.play(ROUNDS)
    assert judge.judged(running, rounds.people.acknowledged) == []
    assert judge.verified(running) == ""
    # No alarm where nothing is wrong.
    assert running.troubles() == set()
    assert {kill.split()[0] for kill in rounds.kills} == set(VICTIMS)
    assert rounds.in_mid_visit >= ROUNDS / 2
    assert len(rounds.people.acknowledged) == ROUNDS + 1
