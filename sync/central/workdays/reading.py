"""Lines of a calendar → days: ``2027-02-06,放假,春节``. A line with the columns' names may be the first."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

LINES_MAX: Final = 400
CALLED_MAX: Final = 40
KINDS: Final[Mapping[str, bool]] = MappingProxyType(
    {
        **dict.fromkeys(("off", "holiday", "rest", "放假", "休", "休息", "节假日"), False),
        **dict.fromkeys(("work", "working", "上班", "班", "补班", "调休上班"), True),
    }
)
_HEADS: Final = frozenset({"day", "date", "日期"})


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    works: bool
    called: str


class NotRead(Exception):
    """``line``: the first that does not fit, as an editor counts them."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def read(text: str) -> tuple[Day, ...]:
    """Raises NotRead, also for a day that stands twice."""
    days: dict[date, Day] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff"))), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() in _HEADS):
            continue
        found = _day(cells)
        if found is None or found.day in days or number > LINES_MAX:
            raise NotRead(number)
        days[found.day] = found
    return tuple(days.values())


def _day(cells: list[str]) -> Day | None:
    kind = KINDS.get(cells[1].lower()) if len(cells) > 1 else None
    called = cells[2] if len(cells) > 2 else ""  # noqa: PLR2004  # the third of three columns
    try:
        day = date.fromisoformat(cells[0].replace("/", "-"))
    except ValueError:
        return None
    if kind is None or len(called) > CALLED_MAX or not called.isprintable():
        return None
    return Day(day, kind, called)
