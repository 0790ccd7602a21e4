"""What people complain of, and how long the hall may take: one table, in hours in which it works.

A locker is open all night, its hall is not: whoever could not open a door at nine in the evening is called
in the morning. On which days it works says the hub's calendar (`sync.central.workdays`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sync.central.workdays.calendar import WorkDays

OPENS: Final = 9
CLOSES: Final = 17
LEVELS_MAX: Final = 2
"""1: the lead sees it on top; 2: whoever answers for the hall."""
NEXT_LEVEL_H: Final = 4
ASK_H: Final = 8
"""From "resolved", or a call that nobody took: one working day until the applicant is asked."""
CALL_DAYS: Final = 3
"""Days with a call before a lead may close what nobody is satisfied with."""
PERSONAL_AFTER_MS: Final = 14 * 86_400_000
"""Number and name go so long after the end, as everywhere."""


class Category(StrEnum):
    CODE = "code"
    DOOR = "door"
    NOT_EMPTY = "not_empty"
    WRONG_ITEM = "wrong_item"
    MISSING = "missing"
    MESSAGE = "message"
    PAPERS = "papers"
    STAFF = "staff"
    LOW_RATING = "low_rating"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Limit:
    hours: int
    """In which the hall works, from registered to resolved."""
    why: str


LIMITS: Final[Mapping[Category, Limit]] = MappingProxyType(
    {
        Category.CODE: Limit(2, "somebody stands before the locker, or comes again today"),
        Category.DOOR: Limit(2, "their papers lie behind it"),
        Category.NOT_EMPTY: Limit(2, "somebody else's papers may lie open to a stranger"),
        Category.MISSING: Limit(4, "the sooner it is looked for, the likelier it is found"),
        Category.MESSAGE: Limit(4, "a code can be sent again at once; the number may have to be asked for"),
        Category.WRONG_ITEM: Limit(8, "the item has to go back through a window"),
        Category.LOW_RATING: Limit(8, "the next working day they still remember"),
        Category.PAPERS: Limit(16, "the officer of the case must look, and say everything at once"),
        Category.STAFF: Limit(24, "those who were there must be heard, and they work in shifts"),
        Category.OTHER: Limit(24, "nobody knows yet who has to look"),
    }
)


def after(wall_ms: int, hours: int, utc_offset_minutes: int, workdays: WorkDays) -> int:
    """When ``hours`` of work are over, counted from ``wall_ms``. Wall ms."""
    offset = timedelta(minutes=utc_offset_minutes)
    local = datetime.fromtimestamp(wall_ms / 1000, UTC) + offset
    left = timedelta(hours=hours)
    while True:
        begins, ends = _at(local, OPENS), _at(local, CLOSES)
        begins = max(begins, local)
        if workdays.works(local.date()) and begins < ends:
            if left <= ends - begins:
                return round((begins + left - offset).timestamp() * 1000)
            left -= ends - begins
        local = _at(local, 0) + timedelta(days=1)


def day_of(wall_ms: int, utc_offset_minutes: int) -> int:
    """A day as people in the hall count them: any number that differs from day to day."""
    return (wall_ms + utc_offset_minutes * 60_000) // 86_400_000


def _at(local: datetime, hour: int) -> datetime:
    return local.replace(hour=hour, minute=0, second=0, microsecond=0)
