"""Which days are worked, as this process knows them. Days are dates in the hall, ISO."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

WEEK_DAYS: Final = 5
"""From Monday."""
COUNTED_MAX: Final = 400
"""Working days at once; beyond it somebody counts in years."""


@dataclass(slots=True)
class WorkDays:
    """Days that differ from their day of the week; renewed from the database by `keep`."""

    differing: Mapping[date, bool] = field(default_factory=dict)
    """Whether they are worked."""

    def works(self, day: date) -> bool:
        return self.differing.get(day, day.weekday() < WEEK_DAYS)

    def after(self, day: date, count: int) -> date:
        """The working day that many after ``day``; a year in which nobody works ends the search."""
        looked = 0
        while count > 0 and looked < COUNTED_MAX * 7:
            day += timedelta(days=1)
            looked += 1
            count -= self.works(day)
        return day
