"""The register of windows and departments: who stands where, which helper is whose account."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from sync.central.access import accounts
from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.custody.parties import Kind
from sync.central.tables import LOCKER, STAFF
from sync.central.windows import api, register

PLACES: Final = f"{ROOT}/places"


def add(frame: Frame) -> None:
    pages, one = _Pages(frame), f"{PLACES}/{{place}}"
    frame.add(PLACES, Action.SEE_PLACES, pages.every)
    for path, page in (
        (PLACES, pages.make),
        (f"{one}/name", pages.rename),
        (f"{one}/end", pages.end),
        (f"{one}/accounts", pages.bind),
        (f"{one}/accounts/remove", pages.unbind),
        (f"{PLACES}/helpers/account", pages.person),
    ):
        frame.add(path, Action.MANAGE_PLACES, page, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def every(self, visit: Visit) -> Response:
        def look(connection: Connection) -> dict[str, Any]:
            areas = connection.execute(select(LOCKER.c.area).distinct()).scalars()
            known = api.read(connection, visit.actor)
            return {
                "places": known.places,
                "helpers": known.helpers,
                "areas": sorted(area for area in areas if visit.actor.sees(area)),
                "people": [row for row in accounts.listed(connection, visit.actor) if not row.ended_ms],
                "staff": connection.execute(select(STAFF.c.staff).order_by(STAFF.c.staff)).scalars().all(),
            }

        values = await self.frame.office.store.read(look)
        values["manages"] = may(visit.actor, Action.MANAGE_PLACES)
        values["kinds"] = [kind.value for kind in register.KINDS]
        return self.frame.page(visit, "places.html", values)

    async def make(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        body = forms.read(api.PlaceIn, {name: forms.one(form, name) for name in ("kind", "area", "name")})
        kind, desk = Kind(body.kind), self.frame.office.desk
        return await self._do(lambda c: register.add(c, desk, visit.actor, kind, body.area, body.name))

    async def rename(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        body = forms.read(api.NameIn, {"name": forms.one(form, "name")})
        place, desk = visit.request.path_params["place"], self.frame.office.desk
        return await self._do(lambda c: register.rename(c, desk, visit.actor, place, body.name))

    async def end(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        place, desk = visit.request.path_params["place"], self.frame.office.desk
        return await self._do(lambda c: register.end(c, desk, visit.actor, place))

    async def bind(self, visit: Visit) -> Response:
        return await self._bound(visit, on=True)

    async def unbind(self, visit: Visit) -> Response:
        return await self._bound(visit, on=False)

    async def _bound(self, visit: Visit, *, on: bool) -> Response:
        form = await self.frame.form(visit)
        body = forms.read(api.WhoIn, {"account": forms.one(form, "account")})
        place, desk = visit.request.path_params["place"], self.frame.office.desk
        return await self._do(lambda c: register.bind(c, desk, visit.actor, place, body.account, on=on))

    async def person(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        body = forms.read(api.PersonIn, {"account": forms.one(form, "account") or None})
        staff, desk = forms.one(form, "staff"), self.frame.office.desk
        return await self._do(lambda c: register.bind_staff(c, desk, visit.actor, staff, body.account or ""))

    async def _do(self, act: Any) -> Response:
        await self.frame.office.store.write(act)
        return RedirectResponse(PLACES, 303)
