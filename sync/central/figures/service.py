"""What people could not get done, what they say of their visits, and what lockers asked for, in some days."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.complaints import listing
from sync.central.complaints.ratings import GRADES, SATISFIED
from sync.central.complaints.states import CLOSED, State
from sync.central.complaints.tables import COMPLAINT, RATING
from sync.central.figures.fullness import Span, hour_of
from sync.central.figures.tally import By
from sync.central.tables import AUTHORISATION, LOCKER, OUTGOING_ITEM, TICKET

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
AGES: Final[Mapping[str, int]] = MappingProxyType({"day": 1, "three_days": 3, "week": 7, "older": 10**6})
"""Names of ages, and below how many days each is."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Complaints of one category that were registered in these days, and what became of them so far."""

    registered: int = 0
    satisfied: int = 0
    given_up: int = 0
    late: int = 0
    """Their time was over at least once."""
    ages: Mapping[str, int] = field(default_factory=dict)
    """Of those still open, by `AGES`."""

    @property
    def still_open(self) -> int:
        return self.registered - self.satisfied - self.given_up

    @property
    def on_time(self) -> float | None:
        return 1 - self.late / self.registered if self.registered else None


@dataclass(frozen=True, slots=True)
class Ratings:
    grades: Mapping[int, int]

    @property
    def given(self) -> int:
        return sum(self.grades.values())

    @property
    def satisfied(self) -> float | None:
        """Share of grades 3 to 5, as the national scale counts; None without any."""
        good = sum(count for grade, count in self.grades.items() if grade >= SATISFIED)
        return good / self.given if self.given else None


@dataclass(frozen=True, slots=True)
class Told:
    """Of one line of a table: a locker, an area, a day."""

    complaints: Cause
    ratings: Ratings


NOTHING: Final = Told(Cause(), Ratings({}))


def causes(connection: Connection, actor: Actor, span: Span, now_ms: int) -> Mapping[str, Cause]:
    """By category, the most frequent first; registered in these days."""
    by: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in _complaints(connection, actor, span):
        by[row.category].append(row)
    return {name: _cause(by[name], now_ms) for name in sorted(by, key=lambda name: (-len(by[name]), name))}


def ratings(connection: Connection, actor: Actor, span: Span) -> Ratings:
    counted: Counter[int] = Counter()
    for row in _ratings(connection, actor, span):
        counted[row.grade] += row.given
    return Ratings({grade: counted[grade] for grade in reversed(GRADES)})


def tickets(connection: Connection, actor: Actor, span: Span, now_ms: int) -> Mapping[str, Mapping[str, int]]:
    """What lockers asked for, by kind and by how long ago."""
    own = TICKET.c
    found = select(own.kind, own.at_ms).where(
        own.at_ms.between(span.first_ms, span.last_ms), scope.sees(actor, own.locker)
    )
    by: dict[str, list[int]] = defaultdict(list)
    for row in connection.execute(found).all():
        by[row.kind].append(row.at_ms)
    return {kind: _ages(by[kind], now_ms) for kind in sorted(by, key=lambda kind: (-len(by[kind]), kind))}


def lines(connection: Connection, actor: Actor, span: Span, by: By, now_ms: int) -> Mapping[str, Told]:
    """Under the same names as `summary.lines`."""
    name = _NAME[by]
    complaints: dict[str, list[Row[Any]]] = defaultdict(list)
    grades: dict[str, Counter[int]] = defaultdict(Counter)
    for row in _complaints(connection, actor, span):
        complaints[name(row, row.made_ms + span.offset_ms)].append(row)
    for row in _ratings(connection, actor, span):
        grades[name(row, row.hour * HOUR_MS)][row.grade] += row.given
    return {
        each: Told(_cause(complaints[each], now_ms), Ratings(dict(grades[each])))
        for each in complaints.keys() | grades.keys()
    }


def _cause(rows: Sequence[Row[Any]], now_ms: int) -> Cause:
    states = Counter(row.state for row in rows)
    waiting = [row.made_ms for row in rows if State(row.state) not in CLOSED]
    return Cause(
        registered=len(rows),
        satisfied=states[State.SATISFIED],
        given_up=states[State.GIVEN_UP],
        late=sum(row.level > 0 for row in rows),
        ages=_ages(waiting, now_ms),
    )


def _ages(since_ms: Iterable[int], now_ms: int) -> Mapping[str, int]:
    counted: Counter[str] = Counter()
    for each in since_ms:
        days = (now_ms - each) / DAY_MS
        counted[next(name for name, below in AGES.items() if days < below)] += 1
    return {name: counted[name] for name in AGES}


def _complaints(connection: Connection, actor: Actor, span: Span) -> Sequence[Row[Any]]:
    own = COMPLAINT.c
    items = [
        select(table.c.service_item).where(table.c.case_number == own.case_number).limit(1).scalar_subquery()
        for table in (AUTHORISATION, OUTGOING_ITEM)
    ]
    item = func.coalesce(*items, "").label("service_item")
    columns = (own.category, own.state, own.level, own.made_ms, own.locker, own.area, item)
    registered = own.made_ms.between(span.first_ms, span.last_ms)
    query: Select[Any] = select(*columns).where(registered, listing.sees(actor))
    return connection.execute(query).all()


def _ratings(connection: Connection, actor: Actor, span: Span) -> Sequence[Row[Any]]:
    """Counted by the database, an hour each: there are as many as visits."""
    own = RATING.c
    hour = hour_of(own.at_ms, span.offset_ms).label("hour")
    keys = (own.locker, LOCKER.c.area, own.service_item, own.grade, hour)
    query: Select[Any] = (
        select(*keys, func.count().label("given"))
        .select_from(RATING.join(LOCKER, LOCKER.c.locker == own.locker))
        .where(own.at_ms.between(span.first_ms, span.last_ms), scope.sees(actor, own.locker))
        .group_by(*keys)
    )
    return connection.execute(query).all()


def _day(local_ms: int, form: str) -> str:
    return datetime.fromtimestamp(local_ms / 1000, UTC).strftime(form)


_NAME: Final[Mapping[By, Callable[[Row[Any], int], str]]] = MappingProxyType(
    {
        By.DAY: lambda _row, local_ms: _day(local_ms, "%Y-%m-%d"),
        By.MONTH: lambda _row, local_ms: _day(local_ms, "%Y-%m"),
        By.LOCKER: lambda row, _local_ms: str(row.locker),
        By.AREA: lambda row, _local_ms: str(row.area),
        By.SERVICE_ITEM: lambda row, _local_ms: str(row.service_item),
        By.HOUR: lambda _row, local_ms: _day(local_ms, "%H"),
    }
)
