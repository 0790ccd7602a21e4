"""Doors that the centre bars. A row stands for as long as it wants the door barred. Times are wall ms."""

from typing import ClassVar

from sqlalchemy import Text
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


class DoorBar(Base, table=True):
    __tablename__: ClassVar[str] = "door_bar"

    locker: str = Field(primary_key=True)
    door: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    reason: str = Field(default="", sa_type=Text)
    who: str
    at_ms: int = columns.big()
    seen_ms: int = columns.big()
    """When the locker's journal was seen to hold it; 0 before."""


DOOR_BAR = table_of(DoorBar)
