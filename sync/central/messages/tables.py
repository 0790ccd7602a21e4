"""What was tried to tell people, and which receipts still lack a good time."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of


def _key(**more: Any) -> Any:
    return Field(primary_key=True, **more)


def _big_key() -> Any:
    return Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


def _big() -> Any:
    return Field(default=0, sa_type=BigInteger)


def _text() -> Any:
    return Field(default="", sa_type=Text)


class AttemptRow(Base, table=True):
    """One try to send one message by one channel, and what came of it. Never a number or a code."""

    __tablename__: ClassVar[str] = "notice_attempt"
    __table_args__ = (Index("notice_attempt_channel", "channel", "at_ms"),)

    notice: str = _key()
    number: int = _key()
    """From 1, over all channels."""
    channel: str
    at_ms: int = _big()
    outcome: str = _text()
    """Empty: it was taken."""


class UnsureReceiptRow(Base, table=True):
    """A receipt whose time was told as "to be confirmed": the clock of its locker was not good."""

    __tablename__: ClassVar[str] = "unsure_receipt"

    locker: str = _key()
    epoch: str = _key()
    seq: int = _big_key()
    """The entry that made it."""
    number: str = ""
    deposit: str = ""
    case_number: str = ""
    contact_sealed: str = _text()
    made_ms: int = _big()
    """When it reached the centre."""


ATTEMPT = table_of(AttemptRow)
UNSURE_RECEIPT = table_of(UnsureReceiptRow)
