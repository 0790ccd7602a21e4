"""The figures of some days: sums, and how long visits took."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.figures.count import VISITS, WHAT
from sync.central.figures.tables import FIGURE, OCCUPANCY
from sync.central.tables import LOCKER

MINUTE_MS: Final = 60_000
KINDS: Final = tuple(WHAT.values())


class By(StrEnum):
    """What one line of a table stands for."""

    DAY = "day"
    MONTH = "month"
    LOCKER = "locker"
    AREA = "area"
    SERVICE_ITEM = "service_item"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Days:
    """yyyymmdd, both ends counted."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Visits:
    """How long visits took, those of which it is known."""

    known: int
    median_ms: int
    ninetieth_ms: int
    within_a_minute: float
    """A share of the known ones."""

    @classmethod
    def of(cls, took_ms: Iterable[int]) -> "Visits":
        known = sorted(took for took in took_ms if took > 0)
        if not known:
            return cls(0, 0, 0, 0.0)
        quick = sum(1 for took in known if took < MINUTE_MS)
        return cls(len(known), _rank(known, 0.5), _rank(known, 0.9), quick / len(known))


@dataclass(frozen=True, slots=True)
class Line:
    """``counts`` by kind (`KINDS`)."""

    name: str
    counts: Mapping[str, int]
    drop_off: Visits
    pick_up: Visits
    late: int = 0
    """Of the pickups: their items had been overdue."""

    @property
    def on_time(self) -> float | None:
        """Share of pickups before their item was overdue; None without any."""
        collected = self.counts.get("pick_up", 0)
        return 1 - self.late / collected if collected else None


def lines(connection: Connection, actor: Actor, days: Days, by: By) -> list[Line]:
    """One for each value of ``by`` that has figures, in its order."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    took: dict[tuple[str, str], list[int]] = defaultdict(list)
    late: Counter[str] = Counter()
    for row in _rows(connection, actor, days):
        name = _NAME[by](row)
        counts[name][row.what] += 1
        late[name] += row.late
        if row.what in VISITS:
            took[name, row.what].append(row.took_ms)
    return [_line(name, counts[name], took, late[name]) for name in sorted(counts)]


def whole(connection: Connection, actor: Actor, days: Days) -> Line:
    """All of it in one line."""
    rows = _rows(connection, actor, days)
    took = {("", kind): [row.took_ms for row in rows if row.what == kind] for kind in VISITS}
    return _line("", Counter(row.what for row in rows), took, sum(row.late for row in rows))


def nothing(name: str) -> Line:
    """Of which no visit is known."""
    return _line(name, Counter(), {}, 0)


def occupancy(connection: Connection, actor: Actor, first_ms: int, last_ms: int) -> list[tuple[int, int]]:
    """Hour (wall ms) and percent of all doors in use, in order."""
    own = OCCUPANCY.c
    query = (
        select(own.hour_ms, func.sum(own.doors).label("doors"), func.sum(own.used).label("used"))
        .where(own.hour_ms.between(first_ms, last_ms), scope.sees(actor, own.locker))
        .group_by(own.hour_ms)
        .order_by(own.hour_ms)
    )
    return [
        (row.hour_ms, round(100 * row.used / row.doors)) for row in connection.execute(query) if row.doors
    ]


def _line(name: str, counts: Mapping[str, int], took: Mapping[tuple[str, str], list[int]], late: int) -> Line:
    visits = {kind: Visits.of(took.get((name, kind), ())) for kind in VISITS}
    return Line(name, counts, visits["drop_off"], visits["pick_up"], late)


def _rows(connection: Connection, actor: Actor, days: Days) -> list[Row[Any]]:
    own = FIGURE.c
    query: Select[Any] = (
        select(
            own.what, own.day, own.hour, own.locker, own.service_item, own.took_ms, own.late, LOCKER.c.area
        )
        .select_from(FIGURE.join(LOCKER, LOCKER.c.locker == own.locker))
        .where(own.day.between(days.first, days.last), scope.sees(actor, own.locker))
    )
    return list(connection.execute(query).all())


def _rank(ordered: list[int], part: float) -> int:
    """The nearest rank: a duration that really was."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


_NAME: Final[Mapping[By, Callable[[Row[Any]], str]]] = MappingProxyType(
    {
        By.DAY: lambda row: f"{row.day // 10_000}-{row.day // 100 % 100:02}-{row.day % 100:02}",
        By.MONTH: lambda row: f"{row.day // 10_000}-{row.day // 100 % 100:02}",
        By.LOCKER: lambda row: str(row.locker),
        By.AREA: lambda row: str(row.area),
        By.SERVICE_ITEM: lambda row: str(row.service_item),
        By.HOUR: lambda row: f"{row.hour:02}",
    }
)
