"""The figures: a page for any days, the same as CSV, and a month on paper."""

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

from sync.central.access.matrix import Action
from sync.central.console import charts
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.figures import summary
from sync.central.figures.count import VISITS
from sync.central.figures.summary import By, Days, Line

DAYS_MAX: Final = 400
DAY_MS: Final = 86_400_000
HUNDRED: Final = 100


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    frame.add(f"{ROOT}/figures", Action.SEE_FIGURES, pages.figures)
    frame.add(f"{ROOT}/figures.csv", Action.SEE_FIGURES, pages.table)


@dataclass(frozen=True, slots=True)
class _Wanted:
    first: date
    last: date
    by: By

    @property
    def days(self) -> Days:
        return Days(int(self.first.strftime("%Y%m%d")), int(self.last.strftime("%Y%m%d")))


@dataclass(frozen=True, slots=True)
class _Found:
    lines: Sequence[Line]
    by_day: Sequence[Line]
    whole: Line
    full: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def figures(self, visit: Visit) -> Response:
        wanted, offset = self._wanted(visit), self.frame.offset
        first_ms = _wall_ms(wanted.first) - offset // timedelta(milliseconds=1)
        last_ms = first_ms + ((wanted.last - wanted.first).days + 1) * DAY_MS - 1

        def look(connection: Connection) -> _Found:
            actor, days = visit.actor, wanted.days
            return _Found(
                summary.lines(connection, actor, days, wanted.by),
                summary.lines(connection, actor, days, By.DAY),
                summary.whole(connection, actor, days),
                summary.occupancy(connection, actor, first_ms, last_ms),
            )

        found = await self.frame.office.store.read(look)
        values = {
            "wanted": wanted,
            "bys": list(By),
            "kinds": [kind for kind in summary.KINDS if found.whole.counts.get(kind)],
            "found": found,
            "visits": _visits_chart(visit, found.by_day),
            "occupancy": _occupancy_chart(visit, found.full, offset),
        }
        return self.frame.page(visit, "figures.html", values)

    async def table(self, visit: Visit) -> Response:
        wanted = self._wanted(visit)
        lines = await self.frame.office.store.read(
            lambda c: summary.lines(c, visit.actor, wanted.days, wanted.by)
        )
        name = f"figures-{wanted.first}-{wanted.last}-{wanted.by}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(as_csv(wanted.by, lines), media_type="text/csv; charset=utf-8", headers=headers)

    def _wanted(self, visit: Visit) -> _Wanted:
        """The days that were asked for; the present month where they do not fit."""
        asked = visit.request.query_params
        desk = self.frame.office.desk
        today = (datetime.fromtimestamp(desk.clock.wall_ms() / 1000, UTC) + self.frame.offset).date()
        by = By(asked["by"]) if asked.get("by") in set(By) else By.DAY
        first, last = _day(asked.get("first", "")), _day(asked.get("last", ""))
        if first is None or last is None or not timedelta(0) <= last - first < timedelta(days=DAYS_MAX):
            first, last = today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1])
        return _Wanted(first, last, by)


def as_csv(by: By, lines: Sequence[Line]) -> str:
    """With a byte order mark: spreadsheets take it for UTF-8 then. Times in seconds."""
    text = io.StringIO()
    writer = csv.writer(text)
    timed = [f"{kind}_{what}" for kind in VISITS for what in ("median_s", "p90_s", "within_60_s")]
    writer.writerow([by, *summary.KINDS, *timed])
    for line in lines:
        counts = [line.counts.get(kind, 0) for kind in summary.KINDS]
        writer.writerow([_plain(line.name), *counts, *_times(line.drop_off), *_times(line.pick_up)])
    return "\ufeff" + text.getvalue()


def _times(visits: summary.Visits) -> list[str]:
    if not visits.known:
        return ["", "", ""]
    seconds = (f"{ms / 1000:.1f}" for ms in (visits.median_ms, visits.ninetieth_ms))
    return [*seconds, f"{visits.within_a_minute:.3f}"]


def _plain(name: str) -> str:
    """No spreadsheet takes a name for a formula."""
    return f"'{name}" if name[:1] in {"=", "+", "-", "@", "\t", "\r"} else name


def _visits_chart(visit: Visit, by_day: Sequence[Line]) -> Markup | str:
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


def _wall_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
