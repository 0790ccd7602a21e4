"""What the hub keeps of lockers that they do not say themselves."""

from typing import ClassVar

from sqlalchemy import BigInteger, Float, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of


class Site(Base, table=True):
    """Where a locker stands. ``latitude`` and ``longitude``: degrees, WGS 84."""

    locker: str = Field(primary_key=True)
    name: str = ""
    address: str = Field(default="", sa_type=Text)
    latitude: float = Field(sa_type=Float)
    longitude: float = Field(sa_type=Float)


class AlarmSeen(Base, table=True):
    """A person has taken note of an alarm as it was then: one more of the same opens it again."""

    __tablename__: ClassVar[str] = "alarm_seen"

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    times: int
    """How often it had been raised."""
    who: str
    note: str = Field(default="", sa_type=Text)
    at_ms: int = Field(sa_type=BigInteger)


SITE = table_of(Site)
ALARM_SEEN = table_of(AlarmSeen)
