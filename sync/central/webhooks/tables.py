"""Subscriptions, how far the hub's facts were taken over for them, and what is still to be delivered.

Times are wall ms.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of

_ROW_NUMBER: Any = BigInteger().with_variant(Integer(), "sqlite")


def _key(**more: Any) -> Any:
    return Field(primary_key=True, **more)


def _big() -> Any:
    return Field(default=0, sa_type=BigInteger)


def _text(default: str = "") -> Any:
    return Field(default=default, sa_type=Text)


class Webhook(Base, table=True):
    """One receiver."""

    webhook: str = _key()
    called: str = ""
    url: str = _text()
    kinds: str = _text("[]")
    """Types of events; one that ends in ``*`` means all that begin so."""
    areas: str = _text("[]")
    secret_sealed: str = _text()
    made_by: str = ""
    made_ms: int = _big()
    state: str = "on"
    """``on``, ``off``, ``removed``."""
    why: str = _text()
    since_ms: int = _big()


class Delivery(Base, table=True):
    """One event on its way to one receiver. ``body`` is what is sent, byte for byte, each time."""

    __tablename__: ClassVar[str] = "webhook_delivery"
    __table_args__ = (
        Index("webhook_delivery_state", "webhook", "state", "number"),
        Index("webhook_delivery_done", "done_ms"),
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=_ROW_NUMBER)
    webhook: str
    event: str
    """Its name for the receiver: the same however often it is sent."""
    type: str
    case_number: str = ""
    body: str = _text()
    state: str = "due"
    """``due``, ``sent``, ``parked``."""
    detail: str = _text()
    attempts: int = 0
    made_ms: int = _big()
    """Since when it is tried; anew with each replay."""
    next_ms: int = _big()
    done_ms: int = _big()
    """0 while it is due."""


class Position(Base, table=True):
    """How far an epoch was taken over; the centre's facts (``""``): up to where none is looked at again."""

    __tablename__: ClassVar[str] = "webhook_position"

    locker: str = _key()
    epoch: str = _key()
    taken_to: int = _big()


class FactTaken(Base, table=True):
    """A fact of the centre that was taken over, behind which an earlier one may still appear."""

    __tablename__: ClassVar[str] = "webhook_fact"

    number: int = _key(sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    taken_ms: int = _big()


WEBHOOK = table_of(Webhook)
DELIVERY = table_of(Delivery)
POSITION = table_of(Position)
FACT_TAKEN = table_of(FactTaken)
