"""Where lockers stand: which are near, which have room, which are to be emptied first."""

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.central import store
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.fleet.board import FULL_PERCENT, Glance, Room
from sync.central.fleet.tables import SITE
from sync.central.presence import Presence

EARTH_M: Final = 6_371_009
"""Mean radius, IUGG."""
_NONE: Final = Room()


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float

    @property
    def on_sphere(self) -> tuple[float, float, float]:
        """On the unit sphere: the straight line between two such points grows with the way between them."""
        up, round_ = math.radians(self.latitude), math.radians(self.longitude)
        return math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up)

    def metres_to(self, other: "Point") -> int:
        """Along a great circle."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        north = math.sin((there - here) / 2) ** 2
        east = math.sin(math.radians(other.longitude - self.longitude) / 2) ** 2
        part = north + math.cos(here) * math.cos(there) * east
        return round(2 * EARTH_M * math.asin(math.sqrt(min(1.0, part))))


@dataclass(frozen=True, slots=True)
class Place:
    locker: str
    name: str
    address: str
    point: Point
    sphere: tuple[float, float, float] = field(init=False, repr=False, compare=False)
    """Of ``point``: a search for what is near looks at every place."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sphere", self.point.on_sphere)


@dataclass(frozen=True, slots=True)
class Near:
    place: Place
    metres: int
    free: int
    """Doors of the size that was asked for, or of any."""


@dataclass(frozen=True, slots=True)
class Full:
    """One that is to be emptied, and where people can be sent meanwhile (None: nowhere near has room)."""

    glance: Glance
    instead: Near | None


def places(connection: Connection) -> dict[str, Place]:
    return {row.locker: place_of(row) for row in connection.execute(select(SITE)).all()}


def place_of(row: Row[Any]) -> Place:
    return Place(row.locker, row.name, row.address, Point(row.latitude, row.longitude))


def put(connection: Connection, actor: Actor, place: Place, now_ms: int) -> None:
    """A locker stands there from now on. Raises Refused."""
    scope.locker_row(connection, actor, place.locker)
    values = {
        "name": place.name,
        "address": place.address,
        "latitude": place.point.latitude,
        "longitude": place.point.longitude,
    }
    store.put(connection, SITE, {"locker": place.locker}, values)
    audit.write(connection, now_ms, actor, Action.CONFIGURE_LOCKER, place.locker, {"site": True})


def near(
    point: Point,
    glances: Iterable[Glance],
    known: Mapping[str, Place],
    *,
    size: str = "",
    area: str = "",
    most: int | None = None,
) -> list[Near]:
    """Lockers in service with room, the nearest ``most`` first; those whose place is unknown are left out."""
    x, y, z = point.on_sphere
    found: list[tuple[float, str, Place, int]] = []
    for glance in glances:
        if glance.presence != Presence.ONLINE or (area and glance.area != area):
            continue
        place = known.get(glance.locker)
        free = (glance.rooms.get(size, _NONE) if size else glance.room).free
        if place is None or free < 1:
            continue
        i, j, k = place.sphere
        found.append(((x - i) ** 2 + (y - j) ** 2 + (z - k) ** 2, place.locker, place, free))
    nearest = sorted(found) if most is None else heapq.nsmallest(most, found)
    return [Near(place, point.metres_to(place.point), free) for _, _, place, free in nearest]


def full(glances: Iterable[Glance], known: Mapping[str, Place], most: int = 12) -> list[Full]:
    """Those from `FULL_PERCENT` on, the fullest first; not more than a round can empty."""
    every = list(glances)
    crowded = [each for each in every if each.rooms and each.room.percent >= FULL_PERCENT]
    crowded.sort(key=lambda each: (-each.room.percent, each.room.free, each.locker))
    return [Full(each, _instead(each, every, known)) for each in crowded[:most]]


def _instead(crowded: Glance, every: Iterable[Glance], known: Mapping[str, Place]) -> Near | None:
    """Of the same area: its tokens are taken there."""
    here = known.get(crowded.locker)
    if here is None:
        return None
    others = [each for each in every if each.locker != crowded.locker and each.room.percent < FULL_PERCENT]
    return next(iter(near(here.point, others, known, area=crowded.area, most=1)), None)
