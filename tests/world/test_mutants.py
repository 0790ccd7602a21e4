"""The world is able to fail: each planted mistake is found at three known seeds; without, all is clean."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world.disks import WorldVfs
from tests.world.life import Outcome
from tests.world.mutants.mutant import Mutant
from tests.world.mutants.planted import MUTANTS
from tests.world.mutants.scenes import SCENES
from tests.world.mutants.stage import played

LEAST = 25
Plays = Callable[[str, int], Outcome]


@pytest.fixture
def plays(tmp_path: Path, vfs: WorldVfs) -> Plays:
    def play(scene: str, seed: int) -> Outcome:
        folder = tmp_path / str(seed)  # short: a socket's path in it has an end
        folder.mkdir()
        return played(scene, seed, folder, vfs)

    return play


@pytest.mark.parametrize("mutant", [pytest.param(each, id=each.name) for each in MUTANTS.values()])
def test_it_is_found(mutant: Mutant, plays: Plays) -> None:
    for seed in mutant.seeds:
        with mutant.plant():
            outcome = plays(mutant.scene, seed)
        assert mutant.found_by(outcome.kind), f"seed {seed}: {outcome.problem or 'nothing'}"


@pytest.mark.parametrize("scene", sorted({each.scene for each in MUTANTS.values()}))
def test_without_a_mistake_its_scene_is_clean(scene: str, plays: Plays) -> None:
    """At the first and the last of the seeds."""
    seeds = {seed for each in MUTANTS.values() if each.scene == scene for seed in each.seeds}
    for seed in (min(seeds), max(seeds)):
        outcome = plays(scene, seed)
        assert outcome.problem == "", f"seed {seed}"


def test_they_are_enough() -> None:
    assert len(MUTANTS) >= LEAST


def test_every_scene_shows_something() -> None:
    assert {each.scene for each in MUTANTS.values()} == set(SCENES)


def test_what_is_planted_is_taken_back(tmp_path: Path, vfs: WorldVfs) -> None:
    """All of them leave the world as it was."""
    traces = []
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        traces.append(played("vandals", 1, tmp_path / name, vfs).trace)
        for mutant in MUTANTS.values():
            with mutant.plant():
                pass
    assert traces[0] == traces[1]
