"""Orders of new codes, entrustments and recalls. Names masked, phones sealed. Times are wall ms."""

from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


class ReissueRow(Base, table=True):
    """An order of a new pickup code, kept for good."""

    __tablename__: ClassVar[str] = "reissue"
    __table_args__ = (
        Index("reissue_case", "case_number", "asked_ms"),
        Index("reissue_item", "item"),
        Index("reissue_open", "locker", "state"),
    )

    order_name: str = Field(primary_key=True)
    item: str
    entrustment: str = ""
    """Whose code; empty: the recipient's."""
    case_number: str
    locker: str
    stolen: bool = False
    reason: str = columns.text()
    who: str
    asked_ms: int = columns.big()
    state: str
    """``ordered``, then the locker's word: ``made``, ``void``, ``refused``."""
    told_ms: int = columns.big()
    """When the locker had said so; 0 before."""


class EntrustmentRow(Base, table=True):
    """Who may collect an item for its recipient."""

    __tablename__: ClassVar[str] = "entrustment"
    __table_args__ = (Index("entrustment_item", "item"), Index("entrustment_locker", "locker", "ended"))

    entrustment: str = Field(primary_key=True)
    item: str
    case_number: str
    locker: str
    name: str = ""
    phone: str = ""
    """Masked."""
    sealed: str = columns.text()
    """``{"phone"}`` for the hub's own seal key."""
    directive: str = columns.text()
    """The state entry that entrusts, to be said again."""
    valid_from_ms: int = columns.big()
    valid_until_ms: int = columns.big()
    who: str
    made_ms: int = columns.big()
    known_ms: int = columns.big()
    """When the locker's journal was seen to hold it; 0 before."""
    ended: str = ""
    ended_ms: int = columns.big()


class RecallRow(Base, table=True):
    """An item that is to come out of its locker, or not to go in."""

    __tablename__: ClassVar[str] = "recall"
    __table_args__ = (Index("recall_locker", "locker"),)

    item: str = Field(primary_key=True)
    locker: str
    reason: str = columns.text()
    who: str
    at_ms: int = columns.big()


REISSUE = table_of(ReissueRow)
ENTRUSTMENT = table_of(EntrustmentRow)
RECALL = table_of(RecallRow)
