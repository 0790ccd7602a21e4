"""Booked slots, kept for good. Times are wall ms."""

from typing import ClassVar

from sqlalchemy import Index, Text
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


class BookingRow(Base, table=True):
    __tablename__: ClassVar[str] = "booking"
    __table_args__ = (
        Index("booking_right", "authorisation", "state"),
        Index("booking_locker", "locker", "state"),
        Index("booking_said", "locker", "dn_epoch", "dn_seq"),
    )

    booking: str = Field(primary_key=True)
    authorisation: str
    case_number: str
    locker: str
    size: str
    from_ms: int = columns.big()
    until_ms: int = columns.big()
    made_ms: int = columns.big()
    made_by: str = ""
    state: str
    """`slots.State`."""
    why: str = Field(default="", sa_type=Text)
    since_ms: int = columns.big()
    """When this state began."""
    dn_epoch: str = ""
    dn_seq: int = columns.big()
    """The state entry that told the locker."""


BOOKING = table_of(BookingRow)
