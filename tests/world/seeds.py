"""The worlds of the test run, shared by three files, so by three processes; `make world` lives others."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tests.world import pace, reached, report
from tests.world.disks import WorldVfs
from tests.world.life import Outcome
from tests.world.runner import Job, live

DAYS: Final = 1.0
WORLDS: Final = 30
"""Each of another seed, so of another cabinet, other people and other faults."""
LEFT_OUT: Final = frozenset({7, 8, 16, 21, 33})
"""Two lockers take half as long again: two such worlds, 2 and 23, are enough here."""
SEEDS: Final = tuple(seed for seed in range(1, WORLDS + len(LEFT_OUT) + 1) if seed not in LEFT_OUT)
FIRST, SECOND, THIRD = (SEEDS[first::3] for first in range(3))
LIMIT_S: Final = 1_200
"""Of real time, for one world on a machine that does other things as well."""
POINTS_LEAST: Final = 40


def clean(seed: int, vfs: WorldVfs, points: Counter[str], told: Callable[[str, object], None]) -> None:
    """Live the world of ``seed``; what it reached is added to ``points``, what it took is ``told``."""
    job = Job(seed, DAYS)
    outcome = live(job, vfs)
    points += outcome.points
    told(pace.DAYS, outcome.days)
    told(pace.SPENT, outcome.took_s)
    told(pace.OCCUPIED, outcome.occupied[0])
    told(pace.PEAK, outcome.occupied[1])
    print(f"world {seed}: {_speed(outcome)}")
    assert not outcome.problem, "\n".join(report.of_violation(job, outcome, None))
    assert outcome.pulses, "nobody came"


def _speed(outcome: Outcome) -> str:
    rate = 60 * outcome.days / outcome.took_s
    mean, peak, high = outcome.occupied
    full = f"{outcome.crowd}: {mean:.0%} occupied, {peak:.0%} at most, {high:.0%} of the time 80% and more"
    return f"{rate:.1f} locker-days a minute, {outcome.entries} entries, {outcome.pulses} pulses, {full}"


def known(points: Counter[str]) -> set[str]:
    """Those of the list that were reached."""
    return {point for point in reached.points() if points[point]}


def missed(points: Counter[str], wanted: Sequence[str]) -> Iterator[str]:
    return (point for point in wanted if not points[point])
