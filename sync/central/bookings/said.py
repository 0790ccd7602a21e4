"""The states of a booking, and what stands of bookings, as it would be said to its locker now."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.compartment import Size
from locker.domain.events import SlotBooked
from locker.domain.ids import AuthorisationId, BookingId
from sync.central.bookings.tables import BOOKING


class State(StrEnum):
    WAITING = "waiting"
    """Its locker has not told yet."""
    SET_ASIDE = "set_aside"
    USED = "used"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    """Its right ended."""
    REFUSED = "refused"
    """By the locker: there was no room any more."""


STANDING: Final = (State.WAITING.value, State.SET_ASIDE.value)


def standing(connection: Connection, locker: str) -> Iterable[SlotBooked]:
    """Those that are not over."""
    own = BOOKING.c
    query = select(BOOKING).where(own.locker == locker, own.state.in_(STANDING)).order_by(own.made_ms)
    for row in connection.execute(query):
        yield said(row)


def said(row: Row[Any]) -> SlotBooked:
    return SlotBooked(
        BookingId(row.booking),
        AuthorisationId(row.authorisation),
        Size[row.size],
        row.from_ms,
        row.until_ms,
    )
