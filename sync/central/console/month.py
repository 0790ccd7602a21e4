"""A month on paper: what a hall reports, beside the month before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from sync.central.access.actor import EVERY_AREA
from sync.central.access.matrix import Action
from sync.central.console import charts
from sync.central.console.figures import visits_chart
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.figures import fullness, month, service, summary
from sync.central.figures.month import Period, Row, Whole
from sync.central.figures.summary import Line
from sync.central.figures.tally import By

MONTH_CHARACTERS: Final = 7
LOCKERS_SHOWN: Final = 60


def add(frame: Frame) -> None:
    frame.add(f"{ROOT}/figures/month", Action.SEE_FIGURES, _Pages(frame).month)


@dataclass(frozen=True, slots=True)
class _Found:
    now: Whole
    before: Whole
    by_day: Sequence[Line]
    lockers: Sequence[Row]
    items: Sequence[Row]
    full: Mapping[str, list[int]]
    tickets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def month(self, visit: Visit) -> Response:
        period, now_ms, actor = self._wanted(visit), self.frame.office.desk.clock.wall_ms(), visit.actor

        def look(connection: Connection) -> _Found:
            return _Found(
                month.whole(connection, actor, period, now_ms),
                month.whole(connection, actor, period.before, now_ms),
                summary.lines(connection, actor, period.days, By.DAY),
                month.rows(connection, actor, period, By.LOCKER, now_ms),
                month.rows(connection, actor, period, By.SERVICE_ITEM, now_ms),
                fullness.by_hour(connection, actor, period.span),
                service.tickets(connection, actor, period.span, now_ms),
            )

        found = await self.frame.office.store.read(look)
        onward = Period.month(date.fromordinal(period.last.toordinal() + 1), self.frame.offset)
        values = {
            "period": period,
            "before": period.before,
            "onward": onward,
            "areas": "" if EVERY_AREA in actor.areas else ", ".join(sorted(actor.areas)),
            "found": found,
            "heads": _heads(found),
            "ages": list(service.AGES),
            "lockers": found.lockers[:LOCKERS_SHOWN],
            "more_lockers": max(0, len(found.lockers) - LOCKERS_SHOWN),
            "visits": visits_chart(visit, found.by_day),
            "occupancy": _by_hour(visit, found.full),
            "rated": _ratings(visit, found),
            "made_ms": now_ms,
            "unfinished": now_ms <= period.span.last_ms,
        }
        return self.frame.page(visit, "month.html", values)

    def _wanted(self, visit: Visit) -> Period:
        """The month that was asked for; the present one where it does not fit."""
        offset = self.frame.offset
        today = (datetime.fromtimestamp(self.frame.office.desk.clock.wall_ms() / 1000, UTC) + offset).date()
        asked = visit.request.query_params.get("month", "")
        try:
            day = date.fromisoformat(f"{asked[:MONTH_CHARACTERS]}-01")
        except ValueError:
            day = today
        return Period.month(day if _FIRST_YEAR <= day.year <= _LAST_YEAR else today, offset)


_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2200


def _count(kind: str) -> Callable[[Whole], Any]:
    return lambda whole: whole.line.counts.get(kind, 0)


_HEADS: Final[Sequence[tuple[str, Callable[[Whole], Any], str]]] = (
    ("drop_off", _count("drop_off"), "count"),
    ("pick_up", _count("pick_up"), "count"),
    ("drop_off_median", lambda w: w.line.drop_off.median_ms / 1000 if w.line.drop_off.known else None, "s"),
    ("drop_off_p90", lambda w: w.line.drop_off.ninetieth_ms / 1000 if w.line.drop_off.known else None, "s"),
    (
        "drop_off_minute",
        lambda w: w.line.drop_off.within_a_minute if w.line.drop_off.known else None,
        "share",
    ),
    ("pick_up_median", lambda w: w.line.pick_up.median_ms / 1000 if w.line.pick_up.known else None, "s"),
    ("pick_up_p90", lambda w: w.line.pick_up.ninetieth_ms / 1000 if w.line.pick_up.known else None, "s"),
    ("pick_up_minute", lambda w: w.line.pick_up.within_a_minute if w.line.pick_up.known else None, "share"),
    ("on_time", lambda w: w.line.on_time, "share"),
    ("overdue", _count("overdue"), "count"),
    ("refused", _count("refused"), "count"),
    ("ticket", _count("ticket"), "count"),
    ("available", lambda w: w.available, "share"),
    ("complaints", lambda w: w.complaints.registered, "count"),
    ("complaints_on_time", lambda w: w.complaints.on_time, "share"),
    ("given_up", lambda w: w.complaints.given_up, "count"),
    ("ratings", lambda w: w.ratings.given, "count"),
    ("satisfied", lambda w: w.ratings.satisfied, "share"),
)
"""What the table on top shows, of this month and the one before; values are None where nothing is known."""


def _heads(found: _Found) -> list[tuple[tuple[str, Any, Any, str], ...]]:
    """Two figures a line, down the left half first."""
    asked = [(name, ask(found.now), ask(found.before), unit) for name, ask, unit in _HEADS]
    half = (len(asked) + 1) // 2
    return list(zip(asked[:half], asked[half:], strict=True))


def _by_hour(visit: Visit, full: Mapping[str, list[int]]) -> Markup | str:
    if not full:
        return ""
    names = [f"{hour:02}" for hour in range(fullness.HOURS)]
    drawn = charts.bars(visit.text("month.occupancy"), names, full)
    return Markup(drawn)  # noqa: S704  # our own drawing; every text in it is escaped


def _ratings(visit: Visit, found: _Found) -> Markup | str:
    if not found.now.ratings.given and not found.before.ratings.given:
        return ""
    grades = list(found.now.ratings.grades)
    series = {
        visit.text(f"month.{name}"): [whole.ratings.grades.get(grade, 0) for grade in grades]
        for name, whole in (("this", found.now), ("before", found.before))
    }
    drawn = charts.bars(
        visit.text("month.ratings"), [visit.text.word("grade", str(each)) for each in grades], series
    )
    return Markup(drawn)  # noqa: S704  # our own drawing; every text in it is escaped
