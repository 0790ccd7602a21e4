"""What was tried to tell people, and which receipts still lack a good time."""

from typing import ClassVar

from sqlalchemy import Index

from sync.central import columns
from sync.central.tables import Base, table_of


class AttemptRow(Base, table=True):
    """One try to send one message by one channel, and what came of it. Never a number or a code."""

    __tablename__: ClassVar[str] = "notice_attempt"
    __table_args__ = (Index("notice_attempt_channel", "channel", "at_ms"),)

    notice: str = columns.key()
    number: int = columns.key()
    """From 1, over all channels."""
    channel: str
    at_ms: int = columns.big()
    outcome: str = columns.text()
    """Empty: it was taken."""


class UnsureReceiptRow(Base, table=True):
    """A receipt whose time was told as "to be confirmed": the clock of its locker was not good."""

    __tablename__: ClassVar[str] = "unsure_receipt"

    locker: str = columns.key()
    epoch: str = columns.key()
    seq: int = columns.big_key()
    """The entry that made it."""
    number: str = ""
    deposit: str = ""
    case_number: str = ""
    contact_sealed: str = columns.text()
    made_ms: int = columns.big()
    """When it reached the centre."""


ATTEMPT = table_of(AttemptRow)
UNSURE_RECEIPT = table_of(UnsureReceiptRow)
