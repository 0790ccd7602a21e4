"""What is counted. Worked out from the ledger, so it can be thrown away and counted anew."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from sync.central.tables import Base, table_of


def _big_key() -> Any:
    return Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


class Figure(Base, table=True):
    """One entry that counts. ``day``: yyyymmdd of the hub's own calendar. ``took_ms``: 0 where unknown."""

    __table_args__ = (Index("figure_day", "day"),)

    locker: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    seq: int = _big_key()
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
    hour_ms: int = _big_key()
    size: str = Field(primary_key=True)
    doors: int
    used: int
    broken: int = 0
    heard: bool = True
    """The locker was not offline. (Offline it opens doors all the same: what follows is a lower bound.)"""


class CountedTo(Base, table=True):
    """How far each epoch of each locker is counted."""

    __tablename__: ClassVar[str] = "counted_to"

    locker: str = Field(primary_key=True)
    epoch: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)


FIGURE = table_of(Figure)
OCCUPANCY = table_of(Occupancy)
COUNTED_TO = table_of(CountedTo)
