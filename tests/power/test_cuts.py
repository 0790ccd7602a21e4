"""The power goes at every storage operation of every flow, and at random ones of made-up lives."""

from pathlib import Path

import pytest

from tests.power import cuts
from tests.power.use_cases import beginning, made_up, use_cases
from tests.power.vfs import Vfs

LIVES = 10
CUTS_A_LIFE = 500


@pytest.mark.timeout(300)
async def test_a_new_locker_is_cut_at_every_operation(vfs: Vfs, path: Path) -> None:
    recording = await cuts.lived(vfs, path, beginning)
    assert len(recording.told) > 10
    assert set(cuts.Cuts(vfs, recording).everywhere(each=1, seed=1)) == {""}


@pytest.mark.parametrize("name", use_cases())
async def test_every_operation_of_every_flow(
    vfs: Vfs, path: Path, name: str, told_before: set[bytes]
) -> None:
    recording = await cuts.lived(vfs, path, use_cases()[name])
    recording.skip(told_before)
    tally = cuts.Cuts(vfs, recording).everywhere(each=1, seed=2)
    assert set(tally) == {""}
    assert tally.total() >= 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(LIVES))
async def test_random_cuts_of_made_up_lives(vfs: Vfs, path: Path, seed: int) -> None:
    recording = await cuts.lived(vfs, path, made_up(seed))
    assert set(cuts.Cuts(vfs, recording).anywhere(CUTS_A_LIFE, seed)) == {""}
