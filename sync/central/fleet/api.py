"""The fleet under `/api/v1`: lockers at a glance, what is wrong, where they stand, who near here has room."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Query
from sqlalchemy import Connection, select

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import time_of
from sync.central.fleet import alarms, sites
from sync.central.fleet import models as m
from sync.central.fleet.board import Glance
from sync.central.fleet.tables import SITE
from sync.central.fleet.watch import Watch
from sync.central.office import Office
from sync.central.paging import Keyset, Listed, WhichPage
from sync.central.presence import Presence

NEAR_MAX: Final = 50
LOCKERS: Final = Keyset("lockers")
SITES: Final = Keyset("sites", (SITE.c.locker,))

LockerPath = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,24}$")]
AreaQuery = Annotated[str, Query(pattern=r"^[a-z0-9-]{0,24}$")]
LockerQuery = Annotated[str, Query(pattern=r"^[a-z0-9-]{0,24}$")]
AlarmPath = Annotated[int, Path(ge=1, lt=2**63)]


def add(app: FastAPI, office: Office, watch: Watch, gate: Gate) -> None:
    api = APIRouter(prefix="/api/v1")
    _add_lockers(api, office, watch, gate)
    _add_alarms(api, office, gate)
    _add_sites(api, office, watch, gate)
    app.include_router(api)


def _add_lockers(api: APIRouter, office: Office, watch: Watch, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_LOCKERS))
    glances = Glances()

    @api.get("/lockers")
    async def lockers(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        area: AreaQuery = "",
        state: Presence | None = None,
    ) -> Listed[m.GlanceOut]:
        """By name; of one area, or in one state."""
        _, every = await watch.since(0, actor.sees)
        wanted = [g for g in every if area in {"", g.area} and state in {None, g.presence}]
        return LOCKERS.page_of(office.desk, wanted, page, lambda g: [g.locker]).told(glances.told)

    @api.get("/near")
    async def near(
        actor: Annotated[Actor, sees],
        lat: Annotated[float, Query(ge=-90, le=90)],
        lon: Annotated[float, Query(ge=-180, le=180)],
        size: Annotated[str, Query(pattern=r"^[SML]?$")] = "",
        limit: Annotated[int, Query(ge=1, le=NEAR_MAX)] = 5,
    ) -> list[m.NearOut]:
        """Lockers in service with a free door of ``size``, the nearest first. Degrees, WGS 84."""
        _, every = await watch.since(0, actor.sees)
        found = sites.near(sites.Point(lat, lon), every, watch.places, size=size, most=limit)
        return [m.NearOut(site=_site(each.place), metres=each.metres, free=each.free) for each in found]


def _add_alarms(api: APIRouter, office: Office, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_LOCKERS))
    notes = Depends(gate.allowed(Action.ACKNOWLEDGE_ALARM))

    @api.get("/alarms")
    async def listed(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        seen: bool = False,
        locker: LockerQuery = "",
    ) -> Listed[m.AlarmOut]:
        """Open ones, the latest first; ``seen``: also those that somebody has taken note of."""
        query = alarms.asked(actor, seen=seen, locker=locker)
        found = await office.store.read(lambda c: alarms.ORDER.page(c, office.desk, query, page))
        return found.told(_alarm)

    @api.post("/alarms/{number}/acknowledgement", status_code=204)
    async def acknowledge(number: AlarmPath, body: m.NoteIn, actor: Annotated[Actor, notes]) -> None:
        """Taken note of, as often as it was raised so far: one more of the same opens it again."""
        now_ms = office.desk.clock.wall_ms()
        await office.store.write(lambda c: alarms.acknowledge(c, actor, number, body.note, now_ms))


def _add_sites(api: APIRouter, office: Office, watch: Watch, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_LOCKERS))
    configures = Depends(gate.allowed(Action.CONFIGURE_LOCKER))

    @api.get("/sites")
    async def listed(actor: Annotated[Actor, sees], page: WhichPage) -> Listed[m.SiteOut]:
        """Where lockers stand, by the lockers' names."""

        def look(connection: Connection) -> Any:
            query = select(SITE).where(scope.sees(actor, SITE.c.locker))
            return SITES.page(connection, office.desk, query, page)

        return (await office.store.read(look)).told(lambda row: _site(sites.place_of(row)))  # type: ignore[no-any-return]  # of rows

    @api.put("/sites/{locker}", status_code=204)
    async def put(locker: LockerPath, body: m.SiteIn, actor: Annotated[Actor, configures]) -> None:
        """Where a locker stands from now on."""
        place = sites.Place(locker, body.name, body.address, sites.Point(body.latitude, body.longitude))
        now_ms = office.desk.clock.wall_ms()
        await office.store.write(lambda c: sites.put(c, actor, place, now_ms))
        watch.moved()


@dataclass(frozen=True, slots=True)
class Glances:
    """Rows as they are answered: most are what they were the last time."""

    _known: dict[str, tuple[Glance, m.GlanceOut]] = field(default_factory=dict)

    def told(self, glance: Glance) -> m.GlanceOut:
        before = self._known.get(glance.locker)
        if before is None or before[0] is not glance:
            before = self._known[glance.locker] = (glance, _glance(glance))
        return before[1]


def _glance(glance: Glance) -> m.GlanceOut:
    return m.GlanceOut(
        locker=glance.locker,
        area=glance.area,
        presence=Presence(glance.presence),
        last_heard=time_of(glance.last_heard_ms),
        software=glance.software,
        rooms={
            size: m.RoomOut(doors=room.doors, vacant=room.free, used=room.used, broken=room.broken)
            for size, room in glance.rooms.items()
        },
        alarms=glance.alarms,
        latest_alarm=glance.latest_alarm,
        unsynced=glance.unsynced,
        untold=glance.untold,
        clock=glance.clock,
        disk_used_percent=glance.disk_used_percent,
        mark=glance.mark,
    )


def _alarm(row: Any) -> m.AlarmOut:
    return m.AlarmOut(
        number=row.number,
        locker=row.locker,
        kind=row.kind,
        subject=row.subject,
        detail=row.detail,
        count=row.times,
        raised=time_of(row.raised_ms),
        last=time_of(row.last_ms),
        open=row.open,
        seen_by=row.who or "",
        note=row.note or "",
        seen=time_of(row.at_ms or 0),
    )


def _site(place: sites.Place) -> m.SiteOut:
    return m.SiteOut(
        locker=place.locker,
        name=place.name,
        address=place.address,
        latitude=place.point.latitude,
        longitude=place.point.longitude,
    )
