"""How full doors are at which hour, and how many of them work: from what was sampled every hour."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Integer, case, func, literal_column, select

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.figures.count import HOUR_MS
from sync.central.figures.tables import OCCUPANCY
from sync.central.figures.tally import By
from sync.central.tables import LOCKER

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Span:
    """Wall ms, both ends counted, and how days are counted in it."""

    first_ms: int
    last_ms: int
    offset_ms: int


def by_hour(connection: Connection, actor: Actor, span: Span) -> Mapping[str, list[int]]:
    """For each size the percent of doors in use at each of 24 hours of the day, on average over the days."""
    own = OCCUPANCY.c
    hour = (hour_of(own.hour_ms, span.offset_ms) % literal_column(str(HOURS))).label("hour")
    query = (
        select(own.size, hour, func.sum(own.doors).label("doors"), func.sum(own.used).label("used"))
        .where(own.hour_ms.between(span.first_ms, span.last_ms), scope.sees(actor, own.locker))
        .group_by(own.size, hour)
    )
    found: dict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
    for row in connection.execute(query).all():
        if row.doors:
            found[row.size][int(row.hour)] = round(100 * row.used / row.doors)
    return {size: found[size] for size in sorted(found, key=_by_size)}


def available(connection: Connection, actor: Actor, span: Span, by: By | None = None) -> Mapping[str, float]:
    """Share of door hours in which a door could have opened: its locker heard of, itself not out of service.

    By locker or area; by None for all in one, under "". A locker that is offline opens doors by itself: the
    true share is at least this.
    """
    own = OCCUPANCY.c
    name = {By.LOCKER: own.locker, By.AREA: LOCKER.c.area}.get(by) if by else None
    works = case((own.heard, own.doors - own.broken), else_=0)
    sums = [func.sum(own.doors).label("doors"), func.sum(works).label("works")]
    query = (
        select(*([name.label("name")] if name is not None else []), *sums)
        .select_from(OCCUPANCY.join(LOCKER, LOCKER.c.locker == own.locker))
        .where(own.hour_ms.between(span.first_ms, span.last_ms), scope.sees(actor, own.locker))
    )
    if name is not None:
        query = query.group_by(name)
    elif by is not None:
        return {}
    rows = connection.execute(query).all()
    return {getattr(row, "name", ""): float(row.works) / float(row.doors) for row in rows if row.doors}


def hour_of(wall_ms: ColumnElement[Any], offset_ms: int) -> ColumnElement[int]:
    """Hours since 1970 as clocks there show them. In plain numbers: what is grouped by holds no parameter."""
    moved = wall_ms + literal_column(str(int(offset_ms)), Integer)
    return moved // literal_column(str(HOUR_MS), Integer)


def _by_size(size: str) -> int:
    return "SML".find(size)
