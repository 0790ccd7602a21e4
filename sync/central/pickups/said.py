"""What stands of all this, as it would be said to a locker now: behind its rights and items."""

import json
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.directives import KINDS, StateEntry
from locker.domain.encoding import build
from locker.domain.events import (
    AuthorisationGranted,
    AuthorisationRevoked,
    CodeReissueOrdered,
    EntrustmentEnded,
    ItemRecalled,
)
from locker.domain.ids import AuthorisationId, EntrustmentId, ItemId, OrderId
from sync.central.pickups.tables import ENTRUSTMENT, RECALL, REISSUE
from sync.central.tables import AUTHORISATION, LOCKER, OUTGOING_ITEM

REVOKED: Final = "revoked"
WAITS: Final = ("announced", "awaiting_pickup", "refused")
"""States of an item that its locker may still have to do with."""


class Order(StrEnum):
    ORDERED = "ordered"
    MADE = "made"
    VOID = "void"
    REFUSED = "refused"


def standing(connection: Connection, locker: str, now_ms: int) -> Iterable[StateEntry]:
    """Entrustments of what waits and their ends, recalls, revocations, orders that are not answered."""
    waiting = select(OUTGOING_ITEM.c.item).where(OUTGOING_ITEM.c.locker == locker).where(_WAITS)
    agent, recall, order = ENTRUSTMENT.c, RECALL.c, REISSUE.c
    mine = [agent.locker == locker, agent.item.in_(waiting)]
    for row in connection.execute(select(ENTRUSTMENT).where(*mine).order_by(agent.made_ms)):
        # An end with the entrustment itself: it may not have been heard of.
        yield kept(row.directive)
        if row.ended:
            yield EntrustmentEnded(EntrustmentId(row.entrustment), row.ended)
    called = [recall.locker == locker, recall.item.in_(waiting)]
    for row in connection.execute(select(RECALL).where(*called).order_by(recall.at_ms)):
        yield ItemRecalled(ItemId(row.item), row.reason)
    yield from _revocations(connection, locker, now_ms)
    open_ = [order.locker == locker, order.state == Order.ORDERED.value]
    for row in connection.execute(select(REISSUE).where(*open_).order_by(order.asked_ms)):
        yield ordered(row)


def _revocations(connection: Connection, locker: str, now_ms: int) -> Iterable[StateEntry]:
    own = AUTHORISATION.c
    area = select(LOCKER.c.area).where(LOCKER.c.locker == locker).scalar_subquery()
    where = [own.locker == LOCKER.c.locker, LOCKER.c.area == area, own.ended == REVOKED]
    query = select(AUTHORISATION).join(LOCKER, own.locker == LOCKER.c.locker).where(*where)
    for row in connection.execute(query.where(own.valid_until_ms > now_ms).order_by(own.made_ms)):
        yield from revoked(row, locker, REVOKED)


def revoked(right: Row[Any], locker: str, reason: str) -> Iterable[StateEntry]:
    """The end of a right, as its own locker and the others of its area are told."""
    if right.locker != locker:
        # Only what makes its token known there: a typed code is good at its own locker alone.
        granted = kept(right.directive)
        if isinstance(granted, AuthorisationGranted):
            yield replace(granted, locator="", typed_digest="", phone4_digest="", name="", phone="")
    yield AuthorisationRevoked(AuthorisationId(right.authorisation), reason)


def ordered(row: Row[Any]) -> CodeReissueOrdered:
    return CodeReissueOrdered(
        OrderId(row.order_name), ItemId(row.item), EntrustmentId(row.entrustment), row.stolen
    )


def kept(text: str) -> StateEntry:
    """What a kept state entry says."""
    body = json.loads(text)
    return build(KINDS[body["type"]], body["data"])


_WAITS: Final = OUTGOING_ITEM.c.state.in_(WAITS)
