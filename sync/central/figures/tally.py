"""Sums of figures, kept in the transaction that counts them: a question costs by answers, not by visits.

By day, and by month for lockers, service items and hours of the day: by day those are as many as visits.
Days that are no whole month are summed from the figures themselves.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    TextClause,
    case,
    func,
    literal_column,
    select,
    text,
)

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.figures.tables import FIGURE, TALLY
from sync.central.tables import LOCKER

UNKNOWN: Final = -1
"""Seconds of what told no duration."""
SECOND_MS: Final = 1000
LONGEST_MONTH: Final = 31


class By(StrEnum):
    """What one line of a table stands for."""

    DAY = "day"
    MONTH = "month"
    LOCKER = "locker"
    AREA = "area"
    SERVICE_ITEM = "service_item"
    HOUR = "hour"


class Axis(StrEnum):
    """What is summed for itself. All know the area: it says who sees what, and no locker changes its own."""

    DAY = "day"
    LOCKER = "locker"
    SERVICE_ITEM = "service_item"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Days:
    """yyyymmdd, both ends counted."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Cell:
    """How many figures of one line, kind and duration there are; ``late``: items that had been overdue."""

    name: Any
    what: str
    seconds: int
    n: int
    late: int


def add(connection: Connection, figures: Iterable[Mapping[str, Any]]) -> None:
    """Sum what was just counted: rows of `FIGURE`, each once."""
    rows = list(figures)
    named = sorted({row["locker"] for row in rows})
    asked = select(LOCKER.c.locker, LOCKER.c.area).where(LOCKER.c.locker.in_(named))
    areas = {row.locker: row.area for row in connection.execute(asked)}
    n, late = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    for row in rows:
        for key in _keys(row, areas[row["locker"]]):
            n[key] += 1
            late[key] += row["late"]
    connection.execute(
        _ADDING, [dict(zip(_KEYS, key, strict=True), n=n[key], late=late[key]) for key in sorted(n)]
    )


def cells(connection: Connection, actor: Actor, days: Days, by: By | None) -> Iterator[Cell]:
    """Every figure of these days once, lines told apart by ``by`` (None: all in one); in no order."""
    if by is not None and by in _MONTHLY:
        months = Days(_whole_from(days.first), _whole_to(days.last))
        yield from _cells(connection.execute(_summed(actor, _MONTHLY[by], months, TALLY.c.name)))
        for loose in _loose(days, months):
            yield from _cells(connection.execute(_counted(actor, loose, by)))
    else:
        yield from _cells(connection.execute(_summed(actor, Axis.DAY, days, _DAILY[by])))


def _cells(rows: Iterable[Row[Any]]) -> Iterator[Cell]:
    return (Cell(row.name, row.what, row.seconds, int(row.n), int(row.late)) for row in rows)


def _keys(row: Mapping[str, Any], area: str) -> Iterator[tuple[Any, ...]]:
    """Of every axis: the values of `_KEYS`."""
    seconds = row["took_ms"] // SECOND_MS if row["took_ms"] > 0 else UNKNOWN
    day, month = row["day"], row["day"] // 100
    yield (Axis.DAY, day, area, "", row["what"], seconds)
    yield (Axis.LOCKER, month, area, row["locker"], row["what"], seconds)
    yield (Axis.SERVICE_ITEM, month, area, row["service_item"], row["what"], seconds)
    yield (Axis.HOUR, month, area, f"{row['hour']:02}", row["what"], seconds)


def _summed(actor: Actor, axis: Axis, periods: Days, name: ColumnElement[Any]) -> Select[Any]:
    own = TALLY.c
    # PostgreSQL takes no constant for a group.
    named = [] if name is _ALL else [name]
    query: Select[Any] = (
        select(
            name.label("name"),
            own.what,
            own.seconds,
            func.sum(own.n).label("n"),
            func.sum(own.late).label("late"),
        )
        .where(own.axis == axis, own.period.between(periods.first, periods.last))
        .group_by(*named, own.what, own.seconds)
    )
    return query if actor.sees_all else query.where(own.area.in_(sorted(actor.areas)))


def _counted(actor: Actor, days: Days, by: By) -> Select[Any]:
    own = FIGURE.c
    name = own[by]
    took = own.took_ms // literal_column(str(SECOND_MS), Integer)
    seconds = case((own.took_ms > literal_column("0"), took), else_=literal_column(str(UNKNOWN)))
    late = func.sum(case((own.late, 1), else_=0)).label("late")
    return (
        select(name.label("name"), own.what, seconds.label("seconds"), func.count().label("n"), late)
        .where(own.day.between(days.first, days.last), scope.sees(actor, own.locker))
        .group_by(name, own.what, seconds)
    )


def _whole_from(day: int) -> int:
    """The first month (yyyymm; 13 is after December) of which no day is before ``day``."""
    month, number = divmod(day, 100)
    return month if number <= 1 else month + 1


def _whole_to(day: int) -> int:
    """The last month of which no day is after ``day``."""
    month, number = divmod(day, 100)
    whole = number >= LONGEST_MONTH or number >= monthrange(month // 100, month % 100)[1]
    return month if whole else month - 1


def _loose(days: Days, months: Days) -> Iterator[Days]:
    """What of ``days`` lies in none of ``months``."""
    if months.last < months.first:
        yield days
        return
    if days.first // 100 < months.first:
        yield Days(days.first, months.first * 100)
    if days.last // 100 > months.last:
        yield Days(months.last * 100 + 100, days.last)


_KEYS: Final = ("axis", "period", "area", "name", "what", "seconds")
_ADDING: Final[TextClause] = text(
    "INSERT INTO tally (axis, period, area, name, what, seconds, n, late)"
    " VALUES (:axis, :period, :area, :name, :what, :seconds, :n, :late)"
    " ON CONFLICT (axis, period, area, name, what, seconds)"
    " DO UPDATE SET n = tally.n + excluded.n, late = tally.late + excluded.late"
)
"""Both databases know these words; SQLAlchemy has them for each apart."""
_ALL: Final[ColumnElement[Any]] = literal_column("''")
_DAILY: Final[Mapping[By | None, ColumnElement[Any]]] = MappingProxyType(
    {
        None: _ALL,
        By.DAY: TALLY.c.period,
        By.MONTH: TALLY.c.period // literal_column("100", Integer),
        By.AREA: TALLY.c.area,
    }
)
_MONTHLY: Final[Mapping[By, Axis]] = MappingProxyType(
    {By.LOCKER: Axis.LOCKER, By.SERVICE_ITEM: Axis.SERVICE_ITEM, By.HOUR: Axis.HOUR}
)
