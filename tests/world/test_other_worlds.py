"""A third of the worlds of the test run: see `test_world.py`."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.world import seeds
from tests.world.disks import WorldVfs


@pytest.mark.timeout(seeds.LIMIT_S)
@pytest.mark.parametrize("seed", seeds.SECOND)
def test_what_must_never_happen_does_not(
    seed: int, vfs: WorldVfs, points: Counter[str], record_property: Callable[[str, object], None]
) -> None:
    seeds.clean(seed, vfs, points, record_property)


def test_these_worlds_went_through_many_corners(points: Counter[str]) -> None:
    assert len(seeds.known(points)) >= seeds.POINTS_LEAST
