"""Codes that people say they have lost: looked at later, so that the answer to who asks tells nothing."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of

_ROW_NUMBER: Any = BigInteger().with_variant(Integer(), "sqlite")


class LostCodeRow(Base, table=True):
    __tablename__: ClassVar[str] = "lost_code"
    __table_args__ = (Index("lost_code_who", "who", "at_ms"),)

    number: int | None = Field(default=None, primary_key=True, sa_type=_ROW_NUMBER)
    who: str
    """Keyed digest of case and phone: by it three an hour are counted."""
    asked_sealed: str = Field(default="", sa_type=Text)
    """``{"case", "phone"}`` for the hub itself; empty once it was looked at."""
    at_ms: int = Field(default=0, sa_type=BigInteger)


LOST_CODE = table_of(LostCodeRow)
