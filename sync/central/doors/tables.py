"""Doors that the centre bars. A row stands for as long as it wants the door barred. Times are wall ms."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of


def _big() -> Any:
    return Field(default=0, sa_type=BigInteger)


class DoorBar(Base, table=True):
    __tablename__: ClassVar[str] = "door_bar"

    locker: str = Field(primary_key=True)
    door: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    reason: str = Field(default="", sa_type=Text)
    who: str
    at_ms: int = _big()
    seen_ms: int = _big()
    """When the locker's journal was seen to hold it; 0 before."""


DOOR_BAR = table_of(DoorBar)
