"""The figures: a page for any days, and the same as CSV."""

import csv
import io
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from sync.central.access.matrix import Action, may
from sync.central.console import charts
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.figures import month, service, summary
from sync.central.figures.api import as_csv_response, export, plain
from sync.central.figures.count import VISITS
from sync.central.figures.month import Period, Row, Whole
from sync.central.figures.summary import Line
from sync.central.figures.tally import By

DAYS_MAX: Final = 400
HUNDRED: Final = 100


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    frame.add(f"{ROOT}/figures", Action.SEE_FIGURES, pages.figures)
    frame.add(f"{ROOT}/figures.csv", Action.SEE_FIGURES, pages.table)
    frame.add(f"{ROOT}/ratings.csv", Action.SEE_RATINGS, pages.ratings)


@dataclass(frozen=True, slots=True)
class Wanted:
    first: date
    last: date
    by: By


@dataclass(frozen=True, slots=True)
class _Found:
    rows: Sequence[Row]
    by_day: Sequence[Line]
    whole: Whole
    full: Sequence[tuple[int, int]]
    tickets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def figures(self, visit: Visit) -> Response:
        wanted, offset, actor = self._wanted(visit), self.frame.offset, visit.actor
        period, now_ms = Period(wanted.first, wanted.last, offset), self.frame.office.desk.clock.wall_ms()

        def look(connection: Connection) -> _Found:
            span = period.span
            return _Found(
                month.rows(connection, actor, period, wanted.by, now_ms),
                summary.lines(connection, actor, period.days, By.DAY),
                month.whole(connection, actor, period, now_ms),
                summary.occupancy(connection, actor, span.first_ms, span.last_ms),
                service.tickets(connection, actor, span, now_ms),
            )

        found = await self.frame.office.store.read(look)
        values = {
            "wanted": wanted,
            "bys": list(By),
            "kinds": [kind for kind in summary.KINDS if found.whole.line.counts.get(kind)],
            "found": found,
            "ages": list(service.AGES),
            "may_export": may(actor, Action.SEE_RATINGS),
            "visits": visits_chart(visit, found.by_day),
            "occupancy": _occupancy_chart(visit, found.full, offset),
        }
        return self.frame.page(visit, "figures.html", values)

    async def table(self, visit: Visit) -> Response:
        wanted = self._wanted(visit)
        period = Period(wanted.first, wanted.last, self.frame.offset)
        now_ms = self.frame.office.desk.clock.wall_ms()
        rows = await self.frame.office.store.read(
            lambda c: month.rows(c, visit.actor, period, wanted.by, now_ms)
        )
        name = f"figures-{wanted.first}-{wanted.last}-{wanted.by}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(as_csv(wanted.by, rows), media_type="text/csv; charset=utf-8", headers=headers)

    async def ratings(self, visit: Visit) -> Response:
        """For the provincial platform, where it takes files."""
        wanted = self._wanted(visit)
        period = Period(wanted.first, wanted.last, self.frame.offset)
        text = await export(self.frame.office, visit.actor, period)
        return as_csv_response(text, wanted.first, wanted.last)

    def _wanted(self, visit: Visit) -> Wanted:
        """The days that were asked for; the present month where they do not fit."""
        asked = visit.request.query_params
        desk = self.frame.office.desk
        today = (datetime.fromtimestamp(desk.clock.wall_ms() / 1000, UTC) + self.frame.offset).date()
        by = By(asked["by"]) if asked.get("by") in set(By) else By.DAY
        first, last = _day(asked.get("first", "")), _day(asked.get("last", ""))
        if first is None or last is None or not timedelta(0) <= last - first < timedelta(days=DAYS_MAX):
            first, last = today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1])
        return Wanted(first, last, by)


def as_csv(by: By, rows: Sequence[Row]) -> str:
    """With a byte order mark: spreadsheets take it for UTF-8 then. Times in seconds, shares of one."""
    text = io.StringIO()
    writer = csv.writer(text)
    timed = [f"{kind}_{what}" for kind in VISITS for what in ("median_s", "p90_s", "within_60_s")]
    writer.writerow([by, *summary.KINDS, *timed, *_TOLD])
    for row in rows:
        line = row.line
        counts = [line.counts.get(kind, 0) for kind in summary.KINDS]
        times = [*_times(line.drop_off), *_times(line.pick_up)]
        writer.writerow([plain(line.name), *counts, *times, *_told(row)])
    return "\ufeff" + text.getvalue()


_TOLD: Final = (
    "pick_up_on_time",
    "complaints",
    "complaints_satisfied",
    "complaints_given_up",
    "complaints_on_time",
    "ratings",
    "ratings_satisfied",
    "available",
)


def _told(row: Row) -> list[str]:
    cause, rated = row.told.complaints, row.told.ratings
    counted = (str(each) for each in (cause.registered, cause.satisfied, cause.given_up))
    shares = (_share(each) for each in (rated.satisfied, row.available))
    return [_share(row.line.on_time), *counted, _share(cause.on_time), str(rated.given), *shares]


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"


def _times(visits: summary.Visits) -> list[str]:
    if not visits.known:
        return ["", "", ""]
    seconds = (f"{ms / 1000:.1f}" for ms in (visits.median_ms, visits.ninetieth_ms))
    return [*seconds, f"{visits.within_a_minute:.3f}"]


def visits_chart(visit: Visit, by_day: Sequence[Line]) -> Markup | str:
    if not by_day:
        return ""
    series: Mapping[str, list[int]] = {
        visit.text.word("figure", kind): [line.counts.get(kind, 0) for line in by_day] for kind in VISITS
    }
    drawn = charts.bars(visit.text("figures.visits"), [line.name[5:] for line in by_day], series)
    return Markup(drawn)  # noqa: S704  # our own drawing; every text in it is escaped


def _occupancy_chart(visit: Visit, full: Sequence[tuple[int, int]], offset: timedelta) -> Markup | str:
    if not full:
        return ""
    names = [_hour(hour_ms, offset) for hour_ms, _ in full]
    drawn = charts.line(visit.text("figures.occupancy"), names, [percent for _, percent in full], HUNDRED)
    return Markup(drawn)  # noqa: S704  # our own drawing; every text in it is escaped


def _hour(wall_ms: int, offset: timedelta) -> str:
    return (datetime.fromtimestamp(wall_ms / 1000, UTC) + offset).strftime("%m-%d %H")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
