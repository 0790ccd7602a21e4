"""Lines that fall asleep: what is passed over must be what would have been said."""

from pathlib import Path

import pytest

from hw_sim.layout import LAYOUTS, Layout, made
from tests.world import cabinets, wires
from tests.world.disks import WorldVfs
from tests.world.faults.plan import calm, strike
from tests.world.world import World, run

DEAD_S = 400.0


@pytest.mark.parametrize("awake_of", [1, 2])
def test_a_line_whose_only_board_is_lost_is_not_foretold(
    short: Path, vfs: WorldVfs, monkeypatch: pytest.MonkeyPatch, awake_of: int
) -> None:
    """Every fourth probe waits longer: no round, though each looks like the one before."""
    monkeypatch.setattr(wires, "AWAKE_OF", awake_of)
    assert with_a_dead_board(cabinets.sized(made("wkly-24")), short, vfs)


def test_a_question_to_a_lost_board_is_no_part_of_a_round(
    short: Path, vfs: WorldVfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands between two questions to the board beside it, and half a minute later between two others."""
    monkeypatch.setattr(wires, "AWAKE_OF", 1)
    assert with_a_dead_board(LAYOUTS["two-board"], short, vfs)


def with_a_dead_board(layout: Layout, short: Path, vfs: WorldVfs) -> int:
    """How often the lines of a cabinet fell asleep, or could have."""

    async def story(world: World) -> int:
        await world.begin()
        strike(world, "dead_board", world.machines[0], world.chance("strike"), DEAD_S)
        await world.until(world.loop.time() + DEAD_S)
        calm(world)
        await world.until(world.loop.time() + 60)
        return world.spoken.sleeps + world.spoken.awake

    (short / "w").mkdir()
    slept: int = run(5, short / "w", story, vfs, layout=layout)
    return slept
