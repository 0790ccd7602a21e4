"""Under `/api/v1`: the calendar of a year."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path
from pydantic import AfterValidator, BaseModel, Field

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api_models import Strict, Text40
from sync.central.office import Office
from sync.central.workdays.book import of_year, put_year
from sync.central.workdays.reading import LINES_MAX, Day

YearPath = Annotated[int, Path(ge=2000, le=2999)]


def _is_day(text: str) -> str:
    date.fromisoformat(text)
    return text


class DayIn(Strict):
    day: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_is_day)]
    works: bool
    """False: a feast day. True: worked, though it is a Saturday or Sunday (调休)."""
    called: Text40


class YearIn(Strict):
    """All days of the year that differ from their day of the week."""

    days: Annotated[list[DayIn], Field(max_length=LINES_MAX)]


class DayOut(BaseModel):
    day: str
    works: bool
    called: str


class YearOut(BaseModel):
    days: list[DayOut]


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    sees = Depends(gate.allowed(Action.SEE_CALENDAR))
    manages = Depends(gate.allowed(Action.MANAGE_CALENDAR))

    @api.get("/workdays/{year}", dependencies=[sees])
    async def year_of(year: YearPath) -> YearOut:
        """Days that differ: all others are worked from Monday to Friday."""
        found = await office.store.read(lambda connection: of_year(connection, year))
        days = [DayOut(day=row.day, works=row.works, called=row.called) for row in found]
        return YearOut(days=days)

    @api.put("/workdays/{year}", status_code=204)
    async def put(year: YearPath, body: YearIn, actor: Annotated[Actor, manages]) -> None:
        days = [Day(date.fromisoformat(each.day), each.works, each.called) for each in body.days]
        await put_year(office, actor, year, days)

    app.include_router(api)
