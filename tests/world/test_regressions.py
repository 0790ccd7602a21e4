"""Stories in which something once went wrong, shrunk and named for it. They hold for as long as people and
faults are planned as they were: a story that plans otherwise belongs into a test of its own."""

from typing import Final

import pytest

from tests.world import report
from tests.world.disks import WorldVfs
from tests.world.runner import Job, live

STORIES: Final[dict[str, Job]] = {
    "a quiet hour, in which nothing ever went wrong": Job(1, 1 / 24, visits_a_day=0, kinds=()),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STORIES)
def test_what_once_went_wrong_does_not(name: str, vfs: WorldVfs) -> None:
    outcome = live(STORIES[name], vfs)
    assert not outcome.problem, "\n".join(report.of_violation(STORIES[name], outcome, None))
