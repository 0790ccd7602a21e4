"""Helpers and technicians at the lockers: who may work where, until when; badges taken away."""

import json
from dataclasses import dataclass
from typing import Final

from starlette.responses import RedirectResponse, Response

from sync.central import staff
from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.console.pages import ROOT, Frame, Visit

STAFF: Final = f"{ROOT}/staff"


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    frame.add(STAFF, Action.SEE_STAFF, pages.every)
    frame.add(f"{STAFF}/{{staff}}/revoke", Action.REVOKE_STAFF, pages.revoke, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def every(self, visit: Visit) -> Response:
        found = await self.frame.office.store.read(
            lambda c: staff.listed(c, scope.lockers_of(c, visit.actor))
        )
        values = {
            "people": [(person, json.loads(person.row.roles)) for person in found],
            "enrols": may(visit.actor, Action.ENROL_STAFF),
            "revokes": may(visit.actor, Action.REVOKE_STAFF),
            "now_ms": self.frame.office.desk.clock.wall_ms(),
        }
        return self.frame.page(visit, "staff_list.html", values)

    async def revoke(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        await self.frame.office.revoke_staff(visit.request.path_params["staff"], visit.actor)
        return RedirectResponse(STAFF, 303)
