"""How full lockers get, and what people do then. Which worlds get that full: `test_world.py`."""

from functools import partial
from pathlib import Path
from typing import Final

from sync.central.doors import bars
from sync.central.office import Office
from tests.world import cabinets, seeds
from tests.world.centre import CLERK, Size
from tests.world.disks import WorldVfs
from tests.world.people import crowds
from tests.world.people.applicants import Applicant
from tests.world.people.plan import people
from tests.world.times import MINUTE_S
from tests.world.world import World, run

TRIES: Final = 400
"""Minutes in which they come again."""


async def _barred(office: Office, locker: str, door: int) -> None:
    await bars.bar(office, CLERK, locker, door, "painters")


def test_worlds_of_the_test_run_are_of_every_kind() -> None:
    found = {crowds.drawn(seed) for seed in seeds.SEEDS}
    assert found == {crowds.QUIET, crowds.USUAL, crowds.CROWDED}
    assert len(seeds.SEEDS) == seeds.WORLDS
    assert sum(cabinets.lockers(seed) for seed in seeds.SEEDS) == seeds.WORLDS + 2


def test_who_finds_it_full_goes_where_the_page_says(tmp_path: Path, vfs: WorldVfs) -> None:
    async def story(world: World) -> None:
        full, other = world.machines
        town = people(world, 0.01, 0, well_behaved=True)
        await world.begin()
        for door in full.model.numbers:
            await world.centre.does(partial(_barred, locker=full.name, door=door))
        person = Applicant(town, full, world.chance("one"), "CASE100001", "13800000001")
        world.spawn(person.lives(Size.S, 3 * MINUTE_S, 72))
        for _ in range(TRIES):
            if not person.receipt:
                await world.until(world.loop.time() + MINUTE_S)
        assert person.receipt
        assert world.contents.where(person.thing)[0] == other.name  # type: ignore[index]  # it lies somewhere
        assert {
            "the locker is full",
            "the page names a locker with room",
            "went where there was room",
        } <= set(world.points)

    run(2, tmp_path, story, vfs, lockers=2)
