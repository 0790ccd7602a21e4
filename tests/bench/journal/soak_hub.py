"""The power goes at each operation of how a hub begins, and of a migration: some hundred places each."""

from pathlib import Path

import pytest

from tests.bench.figures import Sheet
from tests.power.hub import Cuts, lived
from tests.power.test_hub import left, nothing, two_steps, visit  # noqa: F401  # two_steps: a fixture
from tests.power.vfs import Vfs


@pytest.fixture
def vfs() -> Vfs:
    return Vfs()


@pytest.mark.usefixtures("two_steps")
async def test_a_migration_at_every_operation(sheet: Sheet, vfs: Vfs, tmp_path: Path) -> None:
    database = tmp_path / "central.sqlite"
    recording = await lived(vfs, database, nothing, left(database, tmp_path))
    tally = Cuts(vfs, recording, doubled=1).everywhere(seed=5)
    sheet.at_most(
        "cuts of a migration that broke the hub",
        tally.total() - tally[""],
        "cuts",
        0,
        f"{tally.total()} cuts",
    )


async def test_the_beginning_at_every_operation(sheet: Sheet, vfs: Vfs, tmp_path: Path) -> None:
    database = tmp_path / "central.sqlite"
    recording = await lived(vfs, database, visit)
    tally = Cuts(vfs, recording).everywhere(seed=1)
    sheet.at_most(
        "cuts of a hub's first life that broke it",
        tally.total() - tally[""],
        "cuts",
        0,
        f"{tally.total()} cuts",
    )
