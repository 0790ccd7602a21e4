"""One month beside the one before it: everything a hall reports, gathered once for page, API and CSV."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from sync.central.access.actor import Actor
from sync.central.figures import fullness, service, summary
from sync.central.figures.fullness import Span
from sync.central.figures.service import NOTHING, Cause, Ratings, Told
from sync.central.figures.summary import Line
from sync.central.figures.tally import By, Days

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the hub's own calendar, both ends counted."""

    first: date
    last: date
    offset: timedelta

    @classmethod
    def month(cls, any_day: date, offset: timedelta) -> "Period":
        first = any_day.replace(day=1)
        return cls(first, first.replace(day=monthrange(first.year, first.month)[1]), offset)

    @property
    def before(self) -> "Period":
        """The month before the one in which this begins."""
        return Period.month(self.first.replace(day=1) - timedelta(days=1), self.offset)

    @property
    def days(self) -> Days:
        return Days(int(self.first.strftime("%Y%m%d")), int(self.last.strftime("%Y%m%d")))

    @property
    def span(self) -> Span:
        midnight = datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC) - self.offset
        first_ms = round(midnight.timestamp() * 1000)
        length_ms = ((self.last - self.first).days + 1) * DAY_MS
        return Span(first_ms, first_ms + length_ms - 1, self.offset // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Whole:
    """All of a period in one."""

    line: Line
    causes: Mapping[str, Cause]
    ratings: Ratings
    available: float | None
    """Share of door hours; None where nothing was sampled."""

    @property
    def complaints(self) -> Cause:
        """Of every category together."""
        every = self.causes.values()
        ages = {name: sum(each.ages.get(name, 0) for each in every) for name in service.AGES}
        return Cause(
            registered=sum(each.registered for each in every),
            satisfied=sum(each.satisfied for each in every),
            given_up=sum(each.given_up for each in every),
            late=sum(each.late for each in every),
            ages=ages,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table with everything that is known of it."""

    line: Line
    told: Told
    available: float | None


def whole(connection: Connection, actor: Actor, period: Period, now_ms: int) -> Whole:
    span = period.span
    return Whole(
        summary.whole(connection, actor, period.days),
        service.causes(connection, actor, span, now_ms),
        service.ratings(connection, actor, span),
        fullness.available(connection, actor, span).get(""),
    )


def rows(connection: Connection, actor: Actor, period: Period, by: By, now_ms: int) -> Sequence[Row]:
    """One for each value of ``by`` of which anything is known, in its order."""
    counted = {line.name: line for line in summary.lines(connection, actor, period.days, by)}
    told = service.lines(connection, actor, period.span, by, now_ms)
    works = fullness.available(connection, actor, period.span, by)
    nothing = summary.nothing
    return [
        Row(counted.get(name) or nothing(name), told.get(name, NOTHING), works.get(name))
        for name in sorted(counted.keys() | told.keys() | works.keys())
    ]
