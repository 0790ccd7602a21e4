"""The power goes at every storage operation of every flow, and at random ones of made-up lives."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from locker.journal import schema
from tests.power import cuts
from tests.power.use_cases import beginning, made_up, use_cases
from tests.power.vfs import Vfs

LIVES = 10
CUTS_A_LIFE = 500


@pytest.mark.timeout(300)
async def test_a_new_locker_is_cut_at_every_operation(vfs: Vfs, path: Path) -> None:
    recording = await cuts.lived(vfs, path, beginning)
    assert len(recording.told) > 10
    assert set(cuts.Cuts(vfs, recording).everywhere(each=3, seed=1)) == {""}


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


@pytest.mark.parametrize("less", ["NORMAL", "OFF"])
async def test_less_than_full_synchronous_loses_what_was_promised(
    vfs: Vfs, path: Path, less: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the disk is too kind, and all of this proves nothing."""
    honest = schema._set_up

    def set_up(connection: sqlite3.Connection) -> None:
        honest(connection)
        connection.execute(f"PRAGMA synchronous = {less}")

    monkeypatch.setattr(schema, "_set_up", set_up)
    recording = await cuts.lived(vfs, path, made_up(1))
    monkeypatch.undo()
    tally = cuts.Cuts(vfs, recording).anywhere(200, seed=1)
    assert lost(tally) > 50


def lost(tally: Counter[str]) -> int:
    return sum(count for problem, count in tally.items() if "was promised" in problem or "missing" in problem)
