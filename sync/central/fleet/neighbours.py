"""What each locker is told of those near it: a full one can say where else to go, also without a link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, select

from locker.domain.asked import NEIGHBOURS_MAX, Neighbour
from locker.domain.events import NeighboursTold
from sync.central.directives import append
from sync.central.fleet.board import FULL_PERCENT, Glance
from sync.central.fleet.sites import Place
from sync.central.fleet.watch import Watch
from sync.central.personal.lost import Wake
from sync.central.platform import Clock
from sync.central.presence import Presence
from sync.central.store import Store
from sync.central.tables import LOCKER

EVERY_MS: Final = 60_000
APART_MS: Final = 600_000
"""From one word to the next for one locker: its log is for rights, not for weather."""
AT_ONCE: Final = 50
"""Lockers in one transaction, so that a hub that begins does not tell a whole fleet at once."""


@dataclass(frozen=True, slots=True)
class _Told:
    dn_epoch: str
    at_ms: int
    near: tuple[Neighbour, ...]


@dataclass(slots=True)
class Neighbourhood:
    """What was said is remembered for this run only: a hub that begins says it once more."""

    store: Store
    clock: Clock
    watch: Watch
    told: dict[str, _Told] = field(default_factory=dict)

    async def keep(self, wake: Wake) -> None:
        """Until cancelled. ``wake``: these lockers have something new to hear."""
        while True:
            wake(await self.tell())
            await self.clock.sleep_until(self.clock.mono_ms() + EVERY_MS)

    async def tell(self) -> frozenset[str]:
        """One pass; the lockers that are to be told."""
        _, every = await self.watch.since(0, lambda _area: True)
        epochs = await self.store.read(_epochs)
        now_ms, wanted = self.clock.wall_ms(), dict[str, _Told]()
        for glance in every:
            epoch = epochs.get(glance.locker, "")
            if glance.presence != Presence.ONLINE or not epoch or glance.locker not in self.watch.places:
                continue
            near = nearest(glance, every, self.watch.places)
            if near and _is_news(self.told.get(glance.locker), _Told(epoch, now_ms, near), glance):
                wanted[glance.locker] = _Told(epoch, now_ms, near)
                if len(wanted) == AT_ONCE:
                    break
        if wanted:
            await self.store.write(lambda connection: _say(connection, wanted))
            self.told |= wanted
        return frozenset(wanted)


def nearest(here: Glance, every: Iterable[Glance], places: Mapping[str, Place]) -> tuple[Neighbour, ...]:
    """Of the same area, where its tokens are good: the nearest first; those with room go before others."""
    point = places[here.locker].point
    found = [
        Neighbour(
            each.locker,
            places[each.locker].name or each.locker,
            point.metres_to(places[each.locker].point),
            max(0, each.room.free) if each.presence == Presence.ONLINE else 0,
        )
        for each in every
        if each.locker != here.locker and each.area == here.area and each.locker in places
    ]
    found.sort(key=lambda near: (near.free == 0, near.metres, near.locker))
    return tuple(sorted(found[:NEIGHBOURS_MAX], key=lambda near: (near.metres, near.locker)))


def _is_news(before: _Told | None, now: _Told, here: Glance) -> bool:
    if before is None or before.dn_epoch != now.dn_epoch:
        return True
    if now.at_ms - before.at_ms < APART_MS:
        return False
    stands = [(each.locker, each.name, each.metres) for each in now.near]
    if stands != [(each.locker, each.name, each.metres) for each in before.near]:
        return True
    # How much room there is elsewhere is asked for where there is little here.
    crowded = here.room.percent >= FULL_PERCENT
    return crowded and [each.free > 0 for each in now.near] != [each.free > 0 for each in before.near]


def _say(connection: Connection, wanted: Mapping[str, _Told]) -> None:
    for locker, told in sorted(wanted.items()):
        append(connection, locker, NeighboursTold(told.near), told.at_ms)


def _epochs(connection: Connection) -> dict[str, str]:
    """The numbering of each down-log; those that have none yet have said nothing."""
    rows = connection.execute(select(LOCKER.c.locker, LOCKER.c.dn_epoch)).all()
    return {row.locker: row.dn_epoch for row in rows}
