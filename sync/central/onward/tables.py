"""Items on their way after a locker. No address is kept: it stands on the parcel. Times are wall ms."""

from typing import ClassVar

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


class OnwardRow(Base, table=True):
    """See `ways`. No row: nothing is said of the item yet."""

    __tablename__: ClassVar[str] = "onward"

    item: str = columns.key()
    state: str
    carrier: str = ""
    tracking: str = ""
    remark: str = Field(default="", sa_type=Text)
    who: str
    at_ms: int = Field(default=0, sa_type=BigInteger)


ONWARD = table_of(OnwardRow)
