"""Who is near, and when a locker is told so: not more often than it helps somebody."""

from dataclasses import replace
from functools import partial

import pytest

from locker.domain import directives
from locker.domain.events import NeighboursTold
from sync.central import lockers
from sync.central.access.actor import Role, person
from sync.central.directives import begin
from sync.central.fleet import sites
from sync.central.fleet.board import Glance, Room
from sync.central.fleet.neighbours import APART_MS, Neighbourhood, nearest
from sync.central.fleet.sites import Place, Point
from sync.central.fleet.watch import Watch
from sync.central.tables import DIRECTIVE
from sync.seal import SigningKey
from tests.sync.central.conftest import Parts

HERE, NORTH = "hall-1", "north"
OPERATOR = person("Zhao", [Role.FLEET_OPERATOR], [NORTH])


def glance(locker: str, free: int, *, area: str = NORTH, presence: str = "online") -> Glance:
    rooms = {"S": Room(10, 10 - free)}
    return Glance(locker, area, presence, 0, rooms, 0, "", 0, 0, "ntp", 0, "", "")


PLACES = {
    name: Place(name, title, "", Point(30.0 + north, 120.0))
    for name, title, north in (
        (HERE, "Hall", 0.0),
        ("park-1", "Park", 0.01),
        ("lake-1", "", 0.02),
        ("road-1", "Road", 0.03),
    )
}


def test_the_nearest_come_first_and_those_without_room_make_way() -> None:
    every = [
        glance(HERE, 0),
        glance("park-1", 0),
        glance("lake-1", 4),
        glance("road-1", 2, presence="offline"),
        glance("elsewhere", 9, area="south"),
    ]
    near = nearest(every[0], every, PLACES)
    assert [(each.locker, each.name, each.free) for each in near] == [
        ("park-1", "Park", 0),
        ("lake-1", "lake-1", 4),
        ("road-1", "Road", 0),
    ]
    assert 1_100 < near[0].metres < 1_120


class Sight(Watch):
    """Sees what a test says."""

    rows: list[Glance]

    async def since(self, number: int, sees: object) -> tuple[int, list[Glance]]:
        del number, sees
        return 1, self.rows


@pytest.mark.rule("CEN-43")
async def test_a_locker_is_told_once_then_when_it_is_crowded_and_things_have_changed(parts: Parts) -> None:
    other = SigningKey.from_seed(b"o" * 32).public.hex()
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "park-1", NORTH, other))
    for place in (PLACES[HERE], PLACES["park-1"]):
        parts.store.write_now(partial(sites.put, actor=OPERATOR, place=place, now_ms=parts.clock.now_ms))
    watch = Sight(parts.store, parts.clock, places=dict(PLACES))
    hood = Neighbourhood(parts.store, parts.clock, watch)

    async def told(here: int, there: int) -> frozenset[str]:
        watch.rows = [glance(HERE, here), glance("park-1", there)]
        return await hood.tell()

    assert await told(9, 9) == {HERE, "park-1"}
    assert await told(9, 0) == frozenset()
    parts.clock.now_ms += APART_MS
    assert await told(9, 0) == frozenset()
    assert await told(1, 0) == {HERE}
    assert await told(1, 9) == frozenset()
    parts.clock.now_ms += APART_MS
    watch.places["park-1"] = replace(PLACES["park-1"], name="New park")
    assert await told(9, 9) == {HERE}
    says = [directives.read(row.text).says for row in parts.rows(DIRECTIVE) if row.locker == HERE]
    names = [[near.name for near in each.neighbours] for each in says if isinstance(each, NeighboursTold)]
    assert names == [["Park"], ["Park"], ["New park"]]
    # A new numbering knows nothing of what was said in the one before.
    parts.store.write_now(lambda c: begin(c, HERE, parts.desk.chance))
    assert HERE in await told(9, 9)
