"""The fleet on one page: every locker a row, renewed every second; alarms and what to do about them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection
from starlette.responses import JSONResponse, RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.console import details, forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.fleet import alarms, sites
from sync.central.fleet.board import FULL_PERCENT, Glance
from sync.central.fleet.watch import Watch

NUMBER_DIGITS_MAX: Final = 15
ALARMS_BESIDE: Final = 12
"""On the page of the fleet; all of them have a page of their own."""


def add(frame: Frame, watch: Watch) -> None:
    pages = _Pages(frame, watch)
    frame.add(ROOT, Action.SEE_LOCKERS, pages.fleet)
    frame.add(f"{ROOT}/fleet/changes", Action.SEE_LOCKERS, pages.changes)
    frame.add(f"{ROOT}/alarms", Action.SEE_LOCKERS, pages.alarms)
    frame.add(f"{ROOT}/alarms/{{number}}", Action.ACKNOWLEDGE_ALARM, pages.acknowledge, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    watch: Watch

    async def fleet(self, visit: Visit) -> Response:
        number, rows = await self.watch.since(0, visit.actor.sees)
        values = {
            "number": number,
            "rows": rows,
            "areas": sorted({row.area for row in rows}),
            "full": FULL_PERCENT,
            "places": self.watch.places,
            **await self._beside(visit, rows),
        }
        return self.frame.page(visit, "fleet.html", values)

    async def changes(self, visit: Visit) -> Response:
        """What the page does not show yet: rows to put in place, and the boxes beside them."""
        known = visit.request.query_params.get("since", "")
        since = int(known) if known.isdigit() and len(known) <= NUMBER_DIGITS_MAX else 0
        number, rows = await self.watch.since(since, visit.actor.sees)
        if number == since and not rows:
            return JSONResponse({"number": number, "rows": {}})
        _, every = await self.watch.since(0, visit.actor.sees)
        beside = await self._beside(visit, every)
        told = {
            "number": number,
            "rows": {row.locker: self._row(visit, row) for row in rows},
            "beside": self.frame.part(visit, "fleet_beside.html", beside),
        }
        return JSONResponse(told)

    def _row(self, visit: Visit, row: Glance) -> str:
        return self.frame.part(visit, "fleet_row.html", {"row": row, "places": self.watch.places})

    async def alarms(self, visit: Visit) -> Response:
        seen = visit.request.query_params.get("seen") == "1"
        found = await self.frame.office.store.read(lambda c: alarms.listed(c, visit.actor, seen=seen))
        values = {
            "alarms": found,
            "seen": seen,
            "may_note": may(visit.actor, Action.ACKNOWLEDGE_ALARM),
            "says": partial(details.alarm, visit.text),
        }
        return self.frame.page(visit, "alarms.html", values)

    async def acknowledge(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        number = visit.request.path_params["number"]
        wanted = int(number) if number.isdigit() and len(number) <= NUMBER_DIGITS_MAX else 0
        now_ms = self.frame.office.desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            alarms.acknowledge(connection, visit.actor, wanted, forms.one(form, "note"), now_ms)

        await self.frame.office.store.write(work)
        return RedirectResponse(f"{ROOT}/alarms", 303)

    async def _beside(self, visit: Visit, rows: Iterable[Glance]) -> dict[str, Any]:
        every = list(rows)
        opened = await self.frame.office.store.read(lambda c: alarms.listed(c, visit.actor, seen=False))
        return {
            "states": Counter(row.presence for row in every),
            "count": len(every),
            "opened": opened[:ALARMS_BESIDE],
            "opened_count": len(opened),
            "crowded": sites.full(every, self.watch.places),
        }
