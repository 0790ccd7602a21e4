"""Of the planted mistakes: only what their authors name counts as found."""

from collections.abc import Iterator

import pytest

from tests.bench.world import soak_mutants
from tests.world.life import Outcome
from tests.world.mutants.planted import MUTANTS
from tests.world.runner import Job

NAME = "left_open_is_not_noticed"
NAMED, OTHER = "invariant 24", "invariant 29"


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the worlds to come end."""
    kinds: list[str] = []
    left = _of(kinds)
    monkeypatch.setattr(soak_mutants, "lived_in_time", lambda job: _ended(job, next(left)))
    return kinds


def _of(kinds: list[str]) -> Iterator[str]:
    yield from kinds


def _ended(job: Job, kind: str) -> Outcome:
    return Outcome(job.seed, job.days, kind=kind, problem=f"{kind}: seen" if kind else "")


def test_another_violation_is_told_and_does_not_count(ends: list[str]) -> None:
    ends += ["", OTHER, "KeyError in look", OTHER, NAMED]
    row = soak_mutants.needed(NAME, {}, 9)
    assert (row["seed"], row["worlds"], row["kind"]) == (5, 5, NAMED)
    assert row["others"] == {OTHER: 2, "KeyError in look": 1}


def test_a_run_goes_on_with_what_was_counted(ends: list[str]) -> None:
    ends += [OTHER, ""]
    row = soak_mutants.needed(NAME, {"worlds": 7, "others": {OTHER: 1}}, 9)
    assert (row["seed"], row["worlds"]) == (0, 9)
    assert row["others"] == {OTHER: 2}


def test_every_author_names_an_invariant() -> None:
    assert all(mutant.numbers <= set(range(1, 31)) and mutant.numbers for mutant in MUTANTS.values())
    assert MUTANTS[NAME].named(NAMED)
    assert not MUTANTS[NAME].named(OTHER)
