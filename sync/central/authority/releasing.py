"""A locker's name for another controller: asked by one person, agreed by another.

For one that lost its keys and has no copy of them, or was stolen. From the agreement on nothing that the old
key signs is heard, and its certificates are revoked; the next claim for the name takes the place of the key.
What the ledger holds stays, under the key by which it was signed. What is said to the new controller
(`lockers.enrol`: it is known) has it open nothing before the hub has told what lies there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.central import store
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.access.audit import Event
from sync.central.authority import register
from sync.central.authority.tables import CLAIM, FORMER_KEY, NAME_RELEASE
from sync.central.desk import Desk, Refusal, Refused
from sync.central.store import find, put
from sync.central.tables import LOCKER, STREAM

AGREED_WITHIN_MS: Final = 24 * 3_600_000
"""Longer, and nobody remembers what they looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """As it stands on a page."""

    row: Row[Any]
    may_agree: bool


def waiting(connection: Connection, actor: Actor, now_ms: int) -> Sequence[Asked]:
    """Requests of this actor's areas that a second person may still agree to."""
    own = NAME_RELEASE.c
    query = select(NAME_RELEASE).where(own.agreed_ms == 0, own.asked_ms > now_ms - AGREED_WITHIN_MS)
    rows = connection.execute(query.order_by(own.asked_ms, own.locker)).all()
    return [Asked(row, row.asked_by != actor.who) for row in rows if actor.sees(row.area)]


def ask(connection: Connection, desk: Desk, actor: Actor, locker: str, why: str) -> str:
    """The request's name; an earlier one of this locker is over. Journaled. Raises Refused."""
    row, now_ms = _locker(connection, actor, locker), desk.clock.wall_ms()
    own = NAME_RELEASE.c
    connection.execute(NAME_RELEASE.delete().where(own.locker == locker, own.agreed_ms == 0))
    release = desk.chance.new_id()
    asked = {"locker": locker, "area": row.area, "why": why, "asked_by": actor.who, "asked_ms": now_ms}
    put(connection, NAME_RELEASE, {"release": release}, asked)
    audit.write(connection, now_ms, actor, Event.NAME_RELEASE_ASKED, locker, {"release": release}, reason=why)
    return release


def agree(connection: Connection, desk: Desk, actor: Actor, release: str) -> str:
    """The locker, whose key counts no more; its certificates are revoked. Journaled. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    asked = find(connection, NAME_RELEASE, {"release": release})
    if asked is None or not actor.sees(asked.area):
        raise Refused(Refusal.UNKNOWN_LOCKER, "no such request is known here")
    if asked.agreed_ms or asked.asked_ms <= now_ms - AGREED_WITHIN_MS:
        raise Refused(Refusal.NOT_NOW, "this request is over: ask again")
    if asked.asked_by == actor.who:
        raise Refused(Refusal.SAME_PERSON, "somebody else has to agree")
    row = _locker(connection, actor, asked.locker)
    agreed = {"agreed_by": actor.who, "agreed_ms": now_ms}
    store.change(connection, NAME_RELEASE, {"release": release}, agreed)
    _give_up(connection, row, now_ms)
    register.revoke(connection, actor, row.locker, now_ms, asked.why)
    detail = {"release": release, "asked_by": asked.asked_by}
    audit.write(connection, now_ms, actor, Event.NAME_RELEASED, row.locker, detail, reason=asked.why)
    return str(row.locker)


def _locker(connection: Connection, actor: Actor, locker: str) -> Row[Any]:
    """One that has a key. Raises Refused."""
    row = find(connection, LOCKER, {"locker": locker})
    if row is None or not actor.sees(row.area) or not row.public:
        raise Refused(Refusal.UNKNOWN_LOCKER, f"no locker {locker!r} with a key is enrolled here")
    return row


def _give_up(connection: Connection, row: Row[Any], now_ms: int) -> None:
    """No key, no claim; of each journal it is remembered whose it was."""
    epochs = connection.execute(select(STREAM.c.epoch).where(STREAM.c.locker == row.locker)).scalars().all()
    for epoch in epochs:
        if find(connection, FORMER_KEY, {"locker": row.locker, "epoch": epoch}) is None:
            put(connection, FORMER_KEY, {"locker": row.locker, "epoch": epoch}, {"public": row.public})
    store.change(connection, LOCKER, {"locker": row.locker}, {"public": "", "online": False})
    own = CLAIM.c
    open_ones = CLAIM.update().where(own.locker == row.locker, own.taken_ms == 0, own.ends_ms > now_ms)
    connection.execute(open_ones.values(ends_ms=now_ms))
