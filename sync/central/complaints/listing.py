"""Complaints as people look at them. What stands in another's areas is as if it did not exist."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, case, false, func, select, true

from sync.central import store
from sync.central.access.actor import Actor
from sync.central.access.matrix import MATRIX, Action
from sync.central.access.tables import ACCOUNT
from sync.central.complaints.states import CLOSED, State
from sync.central.complaints.tables import COMPLAINT, COMPLAINT_STEP
from sync.central.desk import Refusal, Refused
from sync.central.paging import Keyset

LISTED_MAX: Final = 200
ORDER: Final = Keyset("complaints", (COMPLAINT.c.made_ms, COMPLAINT.c.complaint), newest_first=True)
_OWN: Final = COMPLAINT.c
_IS_OPEN: Final = _OWN.state.not_in([state.value for state in CLOSED])


class Which(StrEnum):
    OPEN = "open"
    MINE = "mine"
    OVERDUE = "overdue"
    TO_ASK = "to_ask"
    CLOSED = "closed"
    ALL = "all"


_WHICH: Final[Mapping[Which, Callable[[Actor, int], ColumnElement[bool]]]] = MappingProxyType(
    {
        Which.OPEN: lambda _actor, _now_ms: _IS_OPEN,
        Which.MINE: lambda actor, _now_ms: _IS_OPEN & (_OWN.assignee == actor.who),
        Which.OVERDUE: lambda _actor, now_ms: _IS_OPEN & (_OWN.due_ms < now_ms),
        Which.TO_ASK: lambda _actor, _now_ms: _OWN.state == State.RESOLVED.value,
        Which.CLOSED: lambda _actor, _now_ms: ~_IS_OPEN,
        Which.ALL: lambda _actor, _now_ms: true(),
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    which: Which = Which.OPEN
    category: str = ""
    locker: str = ""
    reference: str = ""
    """As it stands on a kiosk's screen, or the number in it alone."""


def asked(actor: Actor, wanted: Wanted, now_ms: int) -> Select[Any]:
    """Without an order: the API pages through it by `ORDER`."""
    query = select(COMPLAINT).where(sees(actor), _WHICH[wanted.which](actor, now_ms))
    if wanted.category:
        query = query.where(_OWN.category == wanted.category)
    if wanted.locker:
        query = query.where(_OWN.locker == wanted.locker)
    if wanted.reference:
        query = query.where(_has_reference(wanted.reference))
    return query


_REFERENCE: Final = re.compile(r"(?:(?P<locker>[a-z0-9-]+)[^a-z0-9]+)?(?P<entry>[0-9]{1,12})")


def _has_reference(text: str) -> ColumnElement[bool]:
    """Of a request for help: its locker and the number of its entry, however it is said on the phone."""
    found = _REFERENCE.fullmatch(text.strip().lower())
    if found is None:
        return false()
    locker = _OWN.locker == found["locker"] if found["locker"] else true()
    return _OWN.source.like(f"%/help/%/{found['entry']}") & locker


def listed(connection: Connection, actor: Actor, wanted: Wanted, now_ms: int) -> Sequence[Row[Any]]:
    """As they are to be done: what is due first, on top; closed ones below, the latest first."""
    closed_last = case((_IS_OPEN, 0), else_=1)
    query = asked(actor, wanted, now_ms).order_by(
        closed_last, case((_IS_OPEN, _OWN.due_ms), else_=-_OWN.closed_ms), _OWN.complaint
    )
    return connection.execute(query.limit(LISTED_MAX)).all()


def counts(connection: Connection, actor: Actor, now_ms: int) -> Mapping[Which, int]:
    """How many there are of what is to be done."""
    which = (Which.OPEN, Which.MINE, Which.OVERDUE, Which.TO_ASK)
    sums = [
        func.coalesce(func.sum(case((_WHICH[each](actor, now_ms), 1), else_=0)), 0).label(each.value)
        for each in which
    ]
    row = connection.execute(select(*sums).where(sees(actor))).one()
    return {each: getattr(row, each.value) for each in which}


def sees(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.sees_all else _OWN.area.in_(sorted(actor.areas))


def one(connection: Connection, actor: Actor, complaint: str) -> Row[Any]:
    """Raises Refused."""
    row = store.find(connection, COMPLAINT, {"complaint": complaint})
    if row is None or not actor.sees(row.area):
        raise Refused(Refusal.UNKNOWN_COMPLAINT, "no such complaint")
    return row


def history(connection: Connection, complaint: str) -> Sequence[Row[Any]]:
    """Every step, in order."""
    steps = COMPLAINT_STEP.c
    return connection.execute(
        select(COMPLAINT_STEP).where(steps.complaint == complaint).order_by(steps.number)
    ).all()


def assignable(connection: Connection, area: str) -> Mapping[str, str]:
    """Who may work on a complaint of ``area``: as the journal names them, and as colleagues call them."""
    roles = {str(role) for role in MATRIX[Action.WORK_TICKET].roles}
    found = connection.execute(
        select(ACCOUNT).where(ACCOUNT.c.ended_ms == 0).order_by(ACCOUNT.c.account)
    ).all()
    return {
        f"person:{row.account}": row.shown or row.account
        for row in found
        if roles & set(json.loads(row.roles)) and {"*", area} & set(json.loads(row.areas))
    }
