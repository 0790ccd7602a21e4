"""Days that differ from their day of the week. Times are wall ms."""

from typing import ClassVar

from sync.central import columns
from sync.central.tables import Base, table_of


class WorkDay(Base, table=True):
    __tablename__: ClassVar[str] = "work_day"

    day: str = columns.key()
    """ISO, as the hall counts days."""
    works: bool = False
    called: str = columns.text()
    """Which feast; for a day worked in its place, which one that is."""
    who: str = ""
    at_ms: int = columns.big()


WORK_DAY = table_of(WorkDay)
