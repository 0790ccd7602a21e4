"""Outgoing items as a working list: announced, in a locker, overdue, refused, withdrawn, collected."""

from typing import Any, Final

from sqlalchemy import Connection, Row, and_, select

from sync.central import paging
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.desk import Desk
from sync.central.intake.lists import Wanted, with_text
from sync.central.onward.tables import ONWARD
from sync.central.tables import DEPOSIT, OUTGOING_ITEM

OVERDUE: Final = "overdue"
COLLECTED: Final = "collected"
STATES: Final = ("announced", "awaiting_pickup", OVERDUE, "refused", "withdrawn", "recalled", COLLECTED)
"""As the list is asked for; ``overdue`` are those among ``awaiting_pickup`` that were held too long."""
_OPEN: Final = ("announced", "awaiting_pickup", "recalled", "refused", "withdrawn")
_ORDER: Final = (OUTGOING_ITEM.c.made_ms, OUTGOING_ITEM.c.item)
_WAITING: Final = paging.Keyset("outgoing", _ORDER)
_DONE: Final = paging.Keyset("outgoing_done", _ORDER, newest_first=True)


def outgoing(
    connection: Connection, desk: Desk, actor: Actor, wanted: Wanted, page: paging.Asked
) -> paging.Page[Row[Any]]:
    """Whatever is not collected, or of one state; the oldest first, of collected ones the latest.

    Raises Refused.
    """
    own, stay = OUTGOING_ITEM.c, DEPOSIT.c
    held = and_(
        stay.case_number == own.case_number,
        stay.item == own.item,
        stay.locker == own.locker,
        stay.phase.in_(["awaiting_pickup", "refused"]),
    )
    query = (
        select(
            OUTGOING_ITEM,
            stay.door,
            stay.since_ms,
            stay.overdue,
            ONWARD.c.state.label("onward"),
            ONWARD.c.carrier,
            ONWARD.c.tracking,
        )
        .select_from(OUTGOING_ITEM.outerjoin(DEPOSIT, held).outerjoin(ONWARD, ONWARD.c.item == own.item))
        .where(scope.sees(actor, own.locker))
    )
    state = "awaiting_pickup" if wanted.state == OVERDUE else wanted.state
    query = query.where(own.state.in_([state] if state else _OPEN))
    if wanted.state == OVERDUE:
        query = query.where(stay.overdue)
    if wanted.locker:
        query = query.where(own.locker == wanted.locker)
    query = with_text(query, wanted.text, own.case_number, own.service_item, own.results, own.name)
    return (_DONE if wanted.state == COLLECTED else _WAITING).page(connection, desk, query, page)


def of_case(connection: Connection, actor: Actor, case: str) -> list[Row[Any]]:
    """The items of a case that exist for this actor, the latest first."""
    own = OUTGOING_ITEM.c
    query = (
        select(OUTGOING_ITEM, ONWARD.c.state.label("onward"), ONWARD.c.carrier, ONWARD.c.tracking)
        .outerjoin(ONWARD, ONWARD.c.item == own.item)
        .where(own.case_number == case, scope.sees(actor, own.locker))
    )
    return list(connection.execute(query.order_by(own.made_ms.desc(), own.item)).all())
