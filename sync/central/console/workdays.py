"""The calendar on one page a year: the list as text, to be corrected or pasted from a file."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.responses import RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.workdays import book
from sync.central.workdays.reading import NotRead, read

WORKDAYS: Final = f"{ROOT}/workdays"
YEARS: Final = range(2000, 3000)


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    frame.add(WORKDAYS, Action.SEE_CALENDAR, pages.look)
    frame.add(WORKDAYS, Action.MANAGE_CALENDAR, pages.enter, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def look(self, visit: Visit) -> Response:
        return await self._page(visit, self._year(visit.request.query_params.get("year", "")), None, "")

    async def enter(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        year, typed = self._year(forms.one(form, "year")), form.get("days", [""])[0]
        try:
            days = read(typed)
        except NotRead as error:
            return await self._page(visit, year, typed, visit.text("workdays.not_read", line=error.line))
        if any(each.day.year != year for each in days):
            return await self._page(visit, year, typed, visit.text("workdays.other_year", year=year))
        await book.put_year(self.frame.office, visit.actor, year, days)
        return RedirectResponse(f"{WORKDAYS}?year={year}", 303)

    def _year(self, asked: str) -> int:
        local = datetime.fromtimestamp(self.frame.office.desk.clock.wall_ms() / 1000, UTC) + self.frame.offset
        fits = asked.isascii() and asked.isdigit() and len(asked) == 4 and int(asked) in YEARS  # noqa: PLR2004  # digits of a year
        return int(asked) if fits else local.year

    async def _page(self, visit: Visit, year: int, typed: str | None, problem: str) -> Response:
        found = await self.frame.office.store.read(lambda connection: book.of_year(connection, year))
        words = {
            works: visit.text.word("workdays_kind", "work" if works else "off") for works in (False, True)
        }
        kept = "\n".join(f"{row.day},{words[row.works]},{row.called}" for row in found)
        values = {
            "year": year,
            "days": [(row, words[row.works]) for row in found],
            "typed": kept if typed is None else typed,
            "manages": may(visit.actor, Action.MANAGE_CALENDAR),
            "problem": problem,
        }
        return self.frame.page(visit, "workdays.html", values, 422 if problem else 200)
