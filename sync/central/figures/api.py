"""Figures and the export of ratings under `/api/v1`."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import time_of
from sync.central.complaints import ratings
from sync.central.complaints.tables import RATING
from sync.central.figures import fullness, month, service
from sync.central.figures.month import Period, Row, Whole
from sync.central.figures.service import Cause
from sync.central.figures.summary import Visits
from sync.central.figures.tally import By
from sync.central.office import Office

DAYS_MAX: Final = 400
Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
EXPORTED_MAX: Final = 100_000


class VisitsOut(BaseModel):
    """Whole seconds, rounded down, from the accepted code to the shut door; of visits that told them."""

    known: int
    median_s: float
    p90_s: float
    within_60_s: float | None


class ComplaintsOut(BaseModel):
    registered: int
    satisfied: int
    given_up: int
    """Closed by a lead without the applicant's satisfaction."""
    open: int
    ages: dict[str, int]
    """Of the open ones: under a day, three days, a week, older."""
    on_time: float | None


class LineOut(BaseModel):
    name: str
    counts: dict[str, int]
    drop_off: VisitsOut
    pick_up: VisitsOut
    pick_up_on_time: float | None
    """Share of pickups before the item was overdue."""
    complaints: ComplaintsOut
    ratings: dict[str, int]
    """By grade, 5 best."""
    satisfied: float | None
    """Share of grades 3 to 5."""
    available: float | None
    """Share of door hours in which a door could have opened; at least, for offline lockers open doors too."""


class FiguresOut(BaseModel):
    first: date
    last: date
    whole: LineOut
    causes: dict[str, ComplaintsOut]
    tickets: dict[str, dict[str, int]]
    """What lockers asked for, by kind and age."""
    occupancy: dict[str, list[int]]
    """By size: percent of doors in use at each hour of the day."""
    by: By
    lines: list[LineOut]


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    api = APIRouter(prefix="/api/v1")
    sees = Depends(gate.allowed(Action.SEE_FIGURES))
    exports = Depends(gate.allowed(Action.SEE_RATINGS))
    offset = timedelta(minutes=office.desk.utc_offset_minutes)

    @api.get("/figures")
    async def figures(actor: Annotated[Actor, sees], first: Day, last: Day, by: By = By.DAY) -> FiguresOut:
        """Of at most 400 days, in the hub's own calendar; a longer or turned round span is its last day."""
        if not timedelta(0) <= last - first < timedelta(days=DAYS_MAX):
            first = last
        period, now_ms = Period(first, last, offset), office.desk.clock.wall_ms()

        def look(connection: Connection) -> FiguresOut:
            found = month.whole(connection, actor, period, now_ms)
            return FiguresOut(
                first=first,
                last=last,
                whole=_whole(found),
                causes={name: _cause(cause) for name, cause in found.causes.items()},
                tickets={
                    kind: dict(ages)
                    for kind, ages in service.tickets(connection, actor, period.span, now_ms).items()
                },
                occupancy=dict(fullness.by_hour(connection, actor, period.span)),
                by=by,
                lines=[_line(row) for row in month.rows(connection, actor, period, by, now_ms)],
            )

        return await office.store.read(look)

    @api.get("/ratings.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
    async def exported(
        actor: Annotated[Actor, exports],
        first: Day,
        last: Day,
    ) -> Response:
        """Ratings of these days as the provincial platform takes them; at most 100,000 rows."""
        return as_csv_response(await export(office, actor, Period(first, last, offset)), first, last)

    app.include_router(api)


async def export(office: Office, actor: Actor, period: Period) -> str:
    """CSV, with a byte order mark: spreadsheets take it for UTF-8 then."""
    now_ms, own = office.desk.clock.wall_ms(), RATING.c
    query = ratings.listed(actor, min(now_ms, period.span.last_ms + ratings.SETTLED_MS), period.span.first_ms)
    ordered = query.order_by(own.at_ms, own.number).limit(EXPORTED_MAX)
    found = await office.store.read(lambda c: c.execute(ordered).all())
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["number", "at", "kind", "reference", "locker", "service_item", "grade", "text"])
    writer.writerows(_exported(found))
    return "\ufeff" + text.getvalue()


def as_csv_response(text: str, first: date, last: date) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="ratings-{first}-{last}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def plain(name: str) -> str:
    """No spreadsheet takes a text for a formula."""
    return f"'{name}" if name[:1] in {"=", "+", "-", "@", "\t", "\r"} else name


def _exported(found: Any) -> Iterator[list[Any]]:
    for row in found:
        told = [plain(text) for text in (row.reference, row.locker, row.service_item)]
        yield [row.number, time_of(row.at_ms), row.kind, *told, row.grade, plain(row.text)]


def _whole(found: Whole) -> LineOut:
    told = service.Told(found.complaints, found.ratings)
    return _line(Row(found.line, told, found.available))


def _line(row: Row) -> LineOut:
    return LineOut(
        name=row.line.name,
        counts=dict(row.line.counts),
        drop_off=_visits(row.line.drop_off),
        pick_up=_visits(row.line.pick_up),
        pick_up_on_time=row.line.on_time,
        complaints=_cause(row.told.complaints),
        ratings={str(grade): count for grade, count in row.told.ratings.grades.items()},
        satisfied=row.told.ratings.satisfied,
        available=row.available,
    )


def _visits(visits: Visits) -> VisitsOut:
    return VisitsOut(
        known=visits.known,
        median_s=visits.median_ms / 1000,
        p90_s=visits.ninetieth_ms / 1000,
        within_60_s=visits.within_a_minute if visits.known else None,
    )


def _cause(cause: Cause) -> ComplaintsOut:
    return ComplaintsOut(
        registered=cause.registered,
        satisfied=cause.satisfied,
        given_up=cause.given_up,
        open=cause.still_open,
        ages=dict(cause.ages),
        on_time=cause.on_time,
    )
