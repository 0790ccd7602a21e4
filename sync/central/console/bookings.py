"""Book a slot for an authorisation: when it begins and how long it lasts."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import RedirectResponse, Response

from sync.central.access import scope
from sync.central.access.matrix import Action
from sync.central.bookings import desk
from sync.central.bookings.slots import AHEAD_MAX_MS, HOUR_MS, LENGTH_MAX_MS, Wanted
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.office import Repeatable

AHEAD_HOURS: Final = AHEAD_MAX_MS // HOUR_MS
LENGTH_HOURS: Final = LENGTH_MAX_MS // HOUR_MS


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    path = f"{ROOT}/authorisations/{{authorisation}}/slot"
    frame.add(path, Action.BOOK_SLOT, pages.blank)
    frame.add(path, Action.BOOK_SLOT, pages.book, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def blank(self, visit: Visit) -> Response:
        return await self._form(visit, problem="")

    async def _form(self, visit: Visit, problem: str) -> Response:
        name = visit.request.path_params["authorisation"]
        row = await self.frame.office.store.read(lambda c: scope.authorisation_row(c, visit.actor, name))
        # On the full hour, as people say it: an hour that has begun is offered as "now".
        now_ms = self.frame.office.desk.clock.wall_ms()
        next_ms = (now_ms // HOUR_MS + 1) * HOUR_MS
        values = {
            "row": row,
            "starts": [now_ms, *(next_ms + n * HOUR_MS for n in range(AHEAD_HOURS - 1))],
            "lengths": range(1, LENGTH_HOURS + 1),
            "once": self.frame.office.desk.chance.new_id(),
            "problem": problem,
        }
        return self.frame.page(visit, "booking.html", values, 422 if problem else 200)

    async def book(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        name = visit.request.path_params["authorisation"]
        start, hours = forms.one(form, "start"), forms.number(form, "hours")
        if not (start.isascii() and start.isdigit() and len(start) <= 15 and isinstance(hours, int)):  # noqa: PLR2004  # far beyond any date
            return await self._form(visit, "why.slot")
        wanted = Wanted(name, int(start), int(start) + hours * HOUR_MS)
        once = Repeatable(f"console/{forms.one(form, 'once')[:32]}", f"{name} {start} {hours}")
        await desk.book(self.frame.office, visit.actor, wanted, once)
        row = await self.frame.office.store.read(lambda c: scope.authorisation_row(c, visit.actor, name))
        return RedirectResponse(f"{ROOT}/lockers/{row.locker}/slots", 303)
