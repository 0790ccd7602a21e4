"""What is counted. Worked out from the ledger, so it can be thrown away and counted anew."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


def _key() -> Any:
    return Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class Figure(Base, table=True):
    """One entry that counts. ``day``: yyyymmdd of the hub's own calendar. ``took_ms``: 0 where unknown."""

    __table_args__ = (Index("figure_day", "day"),)

    locker: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    seq: int = columns.big_key()
    what: str
    day: int
    hour: int
    service_item: str = ""
    took_ms: int = Field(sa_type=BigInteger)
    late: bool = False
    """Of a pickup: its item had been overdue before."""


class Occupancy(Base, table=True):
    """Doors of one size at the turn of an hour."""

    locker: str = Field(primary_key=True)
    hour_ms: int = columns.big_key()
    size: str = Field(primary_key=True)
    doors: int
    used: int
    broken: int = 0
    heard: bool = True
    """The locker was not offline. (Offline it opens doors all the same: what follows is a lower bound.)"""


class Tally(Base, table=True):
    """How many figures there are of one kind: sums of `Figure`, written with them (`tally`)."""

    # Read by ranges of its key and by nothing else: SQLite need not look twice.
    __table_args__ = ({"sqlite_with_rowid": False},)

    axis: str = Field(primary_key=True)
    """`tally.Axis`: what ``name`` is."""
    period: int = _key()
    """Of `Axis.DAY` yyyymmdd, of the others yyyymm."""
    area: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    what: str = Field(primary_key=True)
    seconds: int = _key()
    """Whole ones, rounded down; -1 where no duration is known."""
    n: int
    late: int


class CountedTo(Base, table=True):
    """How far each epoch of each locker is counted."""

    __tablename__: ClassVar[str] = "counted_to"

    locker: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)


FIGURE = table_of(Figure)
OCCUPANCY = table_of(Occupancy)
TALLY = table_of(Tally)
COUNTED_TO = table_of(CountedTo)
