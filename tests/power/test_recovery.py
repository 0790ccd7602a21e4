"""Recovery itself is cut, again and again; so is the first start of newer software."""

import sqlite3
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Final

import pytest

from locker.journal import replay, schema, store
from locker.journal.errors import JournalTooNew
from locker.journal.replay import load
from locker.journal.store import Store
from tests.power import cuts
from tests.power.disk import Disk, after
from tests.power.recording import Recording
from tests.power.use_cases import made_up, use_cases
from tests.power.vfs import Vfs

CUT_TWICE: Final = (
    "test_a_typed_code_opens_one_door_and_the_papers_are_receipted",
    "test_a_loaded_item_is_collected_once",
)
EVERY: Final = 16
"""Of the story's operations one in so many is the first cut; the second is everywhere in the recovery."""
TIMES: Final = 5
SECOND_STEP: Final = """
CREATE TABLE parcel (number INTEGER PRIMARY KEY, note VARCHAR NOT NULL);
INSERT INTO parcel SELECT seq, public FROM entry;
ALTER TABLE anchor ADD COLUMN note VARCHAR;
"""


@pytest.fixture
async def old(vfs: Vfs, path: Path) -> Recording:
    """A life that ended in a cut, with entries both in the file and in its log."""
    return await cuts.lived(vfs, path, made_up(3))


def left_by(recording: Recording) -> Disk:
    return Disk(after(recording.disk, len(recording.disk.log), Random(1)))


@pytest.mark.parametrize("name", CUT_TWICE)
async def test_a_recovery_is_cut_at_every_operation(vfs: Vfs, path: Path, name: str) -> None:
    recording = await cuts.lived(vfs, path, use_cases()[name])
    judged = cuts.Cuts(vfs, recording)
    for place in recording.story[::EVERY]:
        assert set(judged.twice(place, seed=4)) == {""}


async def test_a_recovery_that_is_cut_five_times_ends_in_the_same_state(vfs: Vfs, old: Recording) -> None:
    for seed in range(20):
        chance = Random(seed)
        found = after(old.disk, chance.randrange(len(old.disk.log) // 3, len(old.disk.log)), chance)
        assert len(states_over_and_over(vfs, old, found, chance)) == 1


@pytest.mark.parametrize("newer", ["schema", "folding", "both"])
async def test_an_upgrade_that_is_cut_five_times_ends_in_the_same_state(
    vfs: Vfs, old: Recording, newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if newer != "folding":
        steps = [*schema.migrations(), SECOND_STEP]
        monkeypatch.setattr(schema, "migrations", lambda: steps)
    if newer != "schema":
        for module in (replay, store):
            monkeypatch.setattr(module, "FOLD_VERSION", 99)
    upgraded = set()
    for seed in range(15):
        chance = Random(seed)
        upgraded |= states_over_and_over(vfs, old, after(old.disk, len(old.disk.log), None), chance)
    ((seq, *_),) = upgraded
    assert seq == old.told[-1].seq


def states_over_and_over(
    vfs: Vfs, old: Recording, found: dict[str, bytes], chance: Random
) -> set[tuple[int, bytes, str, str]]:
    """What `TIMES` starts find, each cut somewhere on its way."""
    states: set[tuple[int, bytes, str, str]] = set()
    for _ in range(TIMES):
        disk = Disk(found)
        with vfs.on(disk):
            kept = Store(old.path)
            loaded = load(kept)
            parcels = _parcels(kept)
            tables = str((kept.records(), parcels))
            states.add((loaded.state.seq, loaded.head, tables, str(sorted(kept.meta().items()))))
            kept.close()
        found = after(disk, chance.randrange(len(disk.log) + 1), chance)
    return states


def _parcels(kept: Store) -> list[tuple[int, str]]:
    """What the second step of the schema made of the entries; nothing where it is not known."""
    if len(schema.migrations()) == 1:
        return []
    return kept._connection.execute("SELECT number, note FROM parcel ORDER BY number").fetchall()


async def test_a_killed_process_loses_nothing(vfs: Vfs, path: Path) -> None:
    recording = await cuts.lived(vfs, path, use_cases()[CUT_TWICE[0]])
    assert set(cuts.Cuts(vfs, recording).kindly()) == {""}


async def test_a_migration_is_cut_at_every_operation(
    vfs: Vfs, old: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [*schema.migrations(), SECOND_STEP]
    monkeypatch.setattr(schema, "migrations", lambda: steps)
    upgraded = await cuts.reopened(vfs, old, left_by(old))
    assert b"parcel" in upgraded.disk.files[str(old.path)]
    tally = cuts.Cuts(vfs, upgraded, doubled=1).everywhere(each=4, seed=5)
    assert set(tally) == {""}
    assert tally.total() > 100


async def test_other_rules_of_folding_are_cut_at_every_operation(
    vfs: Vfs, old: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (replay, store):
        monkeypatch.setattr(module, "FOLD_VERSION", 99)
    rebuilt = await cuts.reopened(vfs, old, left_by(old))
    tally = cuts.Cuts(vfs, rebuilt, doubled=1).everywhere(each=1, seed=6)
    assert set(tally) == {""}
    assert tally.total() > 20


async def test_a_newer_schema_is_refused_and_left_as_it_is(vfs: Vfs, old: Recording) -> None:
    disk = left_by(old)
    with vfs.on(disk):
        newer = sqlite3.connect(old.path)
        newer.execute("PRAGMA user_version = 77")
        newer.close()
        before = bytes(disk.files[str(old.path)])
        with pytest.raises(JournalTooNew):
            Store(old.path)
    assert disk.files[str(old.path)] == before
