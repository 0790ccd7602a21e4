"""Subscriptions, how far the hub's facts were taken over for them, and what is still to be delivered.

Times are wall ms.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Index

from sync.central import columns
from sync.central.tables import Base, table_of


class Webhook(Base, table=True):
    """One receiver."""

    webhook: str = columns.key()
    called: str = ""
    url: str = columns.text()
    kinds: str = columns.text("[]")
    """Types of events; one that ends in ``*`` means all that begin so."""
    areas: str = columns.text("[]")
    secret_sealed: str = columns.text()
    made_by: str = ""
    made_ms: int = columns.big()
    state: str = "on"
    """``on``, ``off``, ``removed``."""
    why: str = columns.text()
    since_ms: int = columns.big()


class Delivery(Base, table=True):
    """One event on its way to one receiver. ``body`` is what is sent, byte for byte, each time."""

    __tablename__: ClassVar[str] = "webhook_delivery"
    __table_args__ = (
        Index("webhook_delivery_state", "webhook", "state", "number"),
        Index("webhook_delivery_done", "done_ms"),
    )

    number: int | None = columns.number()
    webhook: str
    event: str
    """Its name for the receiver: the same however often it is sent."""
    type: str
    case_number: str = ""
    body: str = columns.text()
    state: str = "due"
    """``due``, ``sent``, ``parked``."""
    detail: str = columns.text()
    attempts: int = 0
    made_ms: int = columns.big()
    """Since when it is tried; anew with each replay."""
    next_ms: int = columns.big()
    done_ms: int = columns.big()
    """0 while it is due."""


class Position(Base, table=True):
    """How far an epoch was taken over; the centre's facts (``""``): up to where none is looked at again."""

    __tablename__: ClassVar[str] = "webhook_position"

    locker: str = columns.key()
    epoch: str = columns.key()
    taken_to: int = columns.big()


class FactTaken(Base, table=True):
    """A fact of the centre that was taken over, behind which an earlier one may still appear."""

    __tablename__: ClassVar[str] = "webhook_fact"

    number: int = columns.key(sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    taken_ms: int = columns.big()


WEBHOOK = table_of(Webhook)
DELIVERY = table_of(Delivery)
POSITION = table_of(Position)
FACT_TAKEN = table_of(FactTaken)
