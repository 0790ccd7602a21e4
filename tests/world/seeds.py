"""The worlds of the test run. Two files share them, so that two processes do; `make world` lives others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.world import reached, report
from tests.world.disks import WorldVfs
from tests.world.life import Outcome
from tests.world.runner import Job, live

DAYS: Final = 1.0
FIRST: Final = tuple(range(1, 5))
SECOND: Final = tuple(range(5, 9))
LIMIT_S: Final = 1_200
"""Of real time, for one world on a machine that does other things as well."""
POINTS_LEAST: Final = 40


def clean(seed: int, vfs: WorldVfs, points: Counter[str]) -> None:
    """Live the world of ``seed``; what it reached is added to ``points``."""
    job = Job(seed, DAYS)
    outcome = live(job, vfs)
    points += outcome.points
    print(f"world {seed}: {_speed(outcome)}")
    assert not outcome.problem, "\n".join(report.of_violation(job, outcome, None))
    assert outcome.pulses, "nobody came"


def _speed(outcome: Outcome) -> str:
    rate = 60 * outcome.days / outcome.took_s
    return f"{rate:.1f} locker-days a minute, {outcome.entries} entries, {outcome.pulses} pulses"


def known(points: Counter[str]) -> set[str]:
    """Those of the list that were reached."""
    return {point for point in reached.points() if points[point]}


def missed(points: Counter[str], wanted: Sequence[str]) -> Iterator[str]:
    return (point for point in wanted if not points[point])
