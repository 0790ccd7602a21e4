"""Whose lockers, cases and items: what lies in another's areas is as if it did not exist.

The same refusal, word for word, as for what nobody ever heard of: a guessed reference tells nothing.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, true

from sync.central import cases as authorisations
from sync.central import desk, outgoing, queries
from sync.central.access.actor import Actor
from sync.central.desk import Refusal, Refused
from sync.central.tables import LOCKER, STAFF_GRANT


def lockers_of(connection: Connection, actor: Actor) -> frozenset[str] | None:
    """The lockers that exist for this actor; None: all of them."""
    if actor.sees_all:
        return None
    query = select(LOCKER.c.locker).where(LOCKER.c.area.in_(sorted(actor.areas)))
    return frozenset(connection.execute(query).scalars())


def sees(actor: Actor, locker: ColumnElement[str]) -> ColumnElement[bool]:
    """A condition on a column of lockers' names: those that exist for this actor."""
    if actor.sees_all:
        return true()
    return locker.in_(select(LOCKER.c.locker).where(LOCKER.c.area.in_(sorted(actor.areas))))


def locker_row(connection: Connection, actor: Actor, locker: str) -> Row[Any]:
    """Raises Refused."""
    row = desk.locker_row(connection, locker)
    if not actor.sees(row.area):
        raise Refused(Refusal.UNKNOWN_LOCKER, f"no locker {locker!r} is enrolled here")
    return row


def authorisation_row(connection: Connection, actor: Actor, authorisation: str) -> Row[Any]:
    """Raises Refused."""
    row = authorisations.authorisation_row(connection, authorisation)
    if not _sees_locker(connection, actor, row.locker):
        raise Refused(Refusal.UNKNOWN_AUTHORISATION, "no such authorisation")
    return row


def item_row(connection: Connection, actor: Actor, item: str) -> Row[Any]:
    """Raises Refused."""
    row = outgoing.item_row(connection, item)
    if not _sees_locker(connection, actor, row.locker):
        raise Refused(Refusal.UNKNOWN_ITEM, "no such item")
    return row


def require_staff(connection: Connection, actor: Actor, staff: str) -> None:
    """That a new badge of this number would not be that of somebody at another's lockers. Raises Refused."""
    grants = select(STAFF_GRANT.c.locker).where(STAFF_GRANT.c.staff == staff)
    if not all(_sees_locker(connection, actor, name) for name in connection.execute(grants).scalars()):
        raise Refused(Refusal.STAFF_ELSEWHERE, "this staff number is taken; choose another")


def trail(connection: Connection, actor: Actor, case: str) -> list[queries.Step]:
    """The steps of a case at lockers that exist for this actor. Raises Refused where there is none.

    A step of the centre that names no locker is told to whom every locker of the case exists: who announces
    something under a guessed case number learns of their own announcement only.
    """
    steps = queries.trail(connection, case)
    mine = lockers_of(connection, actor)
    if mine is None:
        return steps
    places = [_place(step) for step in steps]
    whole = {place for place in places if place} <= mine
    seen = [step for step, place in zip(steps, places, strict=True) if (place in mine if place else whole)]
    if not any(place in mine for place in places):
        raise Refused(Refusal.UNKNOWN_CASE, f"nothing is known of case {case!r}")
    return seen


def _place(step: queries.Step) -> str:
    return str(step.detail.get("locker", "")) if step.source == "centre" else step.source


def cases(connection: Connection, actor: Actor, limit: int) -> list[dict[str, Any]]:
    return queries.cases(connection, limit, lockers_of(connection, actor))


def _sees_locker(connection: Connection, actor: Actor, locker: str) -> bool:
    area = connection.execute(select(LOCKER.c.area).where(LOCKER.c.locker == locker)).scalar()
    return actor.sees(area) if area is not None else actor.sees_all
