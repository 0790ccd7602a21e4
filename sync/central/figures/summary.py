"""The figures of some days: sums, and how long visits took, exact to the second (rounded down).

From sums (`tally`): that what is asked of a fleet's month does not cost by its visits.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, func, select

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.figures import tally
from sync.central.figures.count import VISITS, WHAT
from sync.central.figures.tables import OCCUPANCY
from sync.central.figures.tally import SECOND_MS, UNKNOWN, By, Cell, Days

MINUTE_S: Final = 60
KINDS: Final = tuple(WHAT.values())


@dataclass(frozen=True, slots=True)
class Visits:
    """How long visits took, those of which it is known. In whole seconds: multiples of 1000."""

    known: int
    median_ms: int
    ninetieth_ms: int
    within_a_minute: float
    """A share of the known ones."""

    @classmethod
    def of(cls, counted: Mapping[int, int]) -> "Visits":
        """``counted``: how many took how many whole seconds (`tally.UNKNOWN`: not known)."""
        known = sorted((seconds, n) for seconds, n in counted.items() if seconds != UNKNOWN and n)
        if not known:
            return cls(0, 0, 0, 0.0)
        every = sum(n for _, n in known)
        quick = sum(n for seconds, n in known if seconds < MINUTE_S)
        median, ninetieth = (_rank(known, int(part * every)) * SECOND_MS for part in (0.5, 0.9))
        return cls(every, median, ninetieth, quick / every)


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
    counted: dict[str, list[Cell]] = defaultdict(list)
    name = _NAME.get(by, str)
    for cell in tally.cells(connection, actor, days, by):
        counted[name(cell.name)].append(cell)
    return [_line(each, counted[each]) for each in sorted(counted)]


def whole(connection: Connection, actor: Actor, days: Days) -> Line:
    """All of it in one line."""
    return _line("", tally.cells(connection, actor, days, None))


def nothing(name: str) -> Line:
    """Of which no visit is known."""
    return _line(name, ())


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


def _line(name: str, cells: Iterable[Cell]) -> Line:
    counts: Counter[str] = Counter()
    took: dict[str, Counter[int]] = {kind: Counter() for kind in VISITS}
    late = 0
    for cell in cells:
        counts[cell.what] += cell.n
        late += cell.late
        if cell.what in took:
            took[cell.what][cell.seconds] += cell.n
    visits = {kind: Visits.of(took[kind]) for kind in VISITS}
    return Line(name, counts, visits["drop_off"], visits["pick_up"], late)


def _rank(ordered: Iterable[tuple[int, int]], rank: int) -> int:
    """The nearest one: a duration that really was. ``rank`` counts from 0 and is below how many there are."""
    for seconds, n in ordered:
        rank -= n
        if rank < 0:
            return seconds
    raise ValueError(rank)


_NAME: Final[Mapping[By, Callable[[Any], str]]] = MappingProxyType(
    {
        By.DAY: lambda day: f"{day // 10_000}-{day // 100 % 100:02}-{day % 100:02}",
        By.MONTH: lambda month: f"{month // 100}-{month % 100:02}",
        By.HOUR: lambda hour: f"{int(hour):02}",
    }
)
