"""Who bears a certificate, who may come in by a claim: as operators look at it, and what they do about it.

Whose they are: those of lockers in an actor's areas. Servers and the hub itself are shown to whom every area
exists; theirs are made and ended on the hub's machine alone, for it would cut off whoever does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, select

from sync import certificates
from sync.central.access.actor import Actor
from sync.central.authority import claims, register, releasing
from sync.central.authority.issuing import Authority, revocations
from sync.central.authority.keep import LEFT_MS
from sync.central.authority.releasing import Asked
from sync.central.authority.root import CannotSign
from sync.central.authority.settings import Bureau
from sync.central.authority.tables import CERTIFICATE, CLAIM, WAITING
from sync.central.desk import Desk, Refusal, Refused
from sync.central.store import find
from sync.central.tables import LOCKER
from sync.wire import provision


class State(StrEnum):
    """Of a name. The first is what wants a person first."""

    OVER = "over"
    ENDING = "ending"
    GOOD = "good"
    REVOKED = "revoked"


_ORDER: Final = tuple(State)


@dataclass(frozen=True, slots=True)
class Bearer:
    name: str
    purpose: str
    area: str
    """Of a locker; empty for others."""
    ends_ms: int
    """Of the certificate that is good for longest; of none, when the last was revoked."""
    state: State


@dataclass(frozen=True, slots=True)
class Seen:
    bearers: Sequence[Bearer]
    claims: Sequence[Row[Any]]
    """That nobody has taken yet, soonest over first."""
    waiting: Sequence[str]
    """Names whose requests wait for the authority's key."""
    releases: Sequence[Asked] = ()
    """Of names that another controller is to have."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What a new claim's maker is told, once."""

    locker: str
    hub: str
    hours: int
    code: str = field(repr=False)


def look(connection: Connection, actor: Actor, now_ms: int) -> Seen:
    """Everything of this actor's areas."""
    own = CLAIM.c
    outstanding = select(CLAIM).where(own.taken_ms == 0, own.ends_ms > now_ms)
    found = connection.execute(outstanding.order_by(own.ends_ms, own.locker)).all()
    bearers = [each for each in _bearers(connection, now_ms) if _is_theirs(actor, each)]
    names = {each.name for each in bearers} | {row.locker for row in found if actor.sees(row.area)}
    asked = connection.execute(select(WAITING.c.name).order_by(WAITING.c.name)).scalars()
    return Seen(
        sorted(bearers, key=lambda each: (_ORDER.index(each.state), each.ends_ms, each.name)),
        [row for row in found if actor.sees(row.area)],
        [name for name in asked if actor.sees_all or name in names],
        releasing.waiting(connection, actor, now_ms),
    )


def _is_theirs(actor: Actor, bearer: Bearer) -> bool:
    return actor.sees(bearer.area) if bearer.area else actor.sees_all


def _bearers(connection: Connection, now_ms: int) -> list[Bearer]:
    own = CERTIFICATE.c
    living_ms = func.max(case((own.revoked_ms == 0, own.not_after_ms), else_=0)).label("living_ms")
    ended_ms = func.max(own.revoked_ms).label("ended_ms")
    joined = CERTIFICATE.outerjoin(LOCKER, LOCKER.c.locker == own.name)
    query = select(own.name, own.purpose, LOCKER.c.area, living_ms, ended_ms).select_from(joined)
    rows = connection.execute(query.group_by(own.name, own.purpose, LOCKER.c.area)).all()
    return [
        Bearer(
            row.name,
            row.purpose,
            row.area or "",
            row.living_ms or row.ended_ms,
            _state(row.living_ms, now_ms),
        )
        for row in rows
    ]


def _state(living_ms: int, now_ms: int) -> State:
    if not living_ms:
        return State.REVOKED
    if living_ms <= now_ms:
        return State.OVER
    return State.ENDING if living_ms - now_ms < LEFT_MS else State.GOOD


def make_claim(
    connection: Connection,
    desk: Desk,
    bureau: Bureau | None,
    actor: Actor,
    locker: str,
    area: str,
    hours: int,
) -> Slip:
    """Journaled. Earlier ones of the locker end. Raises Refused; CannotEnrol for names that cannot be."""
    bureau = _there(bureau)
    if not bureau.hub.startswith("https://"):
        raise Refused(Refusal.NO_AUTHORITY, "lockers come by TLS alone: set [authority] url to https://…")
    if not actor.sees(area):
        raise Refused(Refusal.UNKNOWN_AREA, f"no area {area!r}")
    _require_free(connection, actor, locker, area, desk.clock.wall_ms())
    secret = claims.make(connection, desk, actor, locker, area, plan="", hours=hours)
    root = bureau.place.root()
    trust = provision.Trust(root, desk.keys.sign.public.hex())
    pin = trust.pin(certificates.fingerprint(root))
    return Slip(locker, bureau.hub, hours, provision.code(secret, pin))


def _require_free(connection: Connection, actor: Actor, locker: str, area: str, now_ms: int) -> None:
    """That the name is nobody else's, nor promised to anybody else. Raises Refused."""
    row = find(connection, LOCKER, {"locker": locker})
    own = CLAIM.c
    promised = select(own.area).where(own.locker == locker, own.taken_ms == 0, own.ends_ms > now_ms)
    areas = {str(each) for each in connection.execute(promised).scalars()}
    if (row is not None and row.area != area) or not all(actor.sees(each) for each in areas):
        raise Refused(Refusal.LOCKER_ELSEWHERE, "this name is taken in another area; choose another")


def revoke(
    connection: Connection, desk: Desk, bureau: Bureau | None, actor: Actor, locker: str, why: str
) -> bool:
    """Every certificate of a locker; journaled. Whether the brokers' list tells it already: if not, the root
    is locked, and somebody must type its passphrase. Raises Refused, OSError."""
    bureau, now_ms = _there(bureau), desk.clock.wall_ms()
    row = find(connection, LOCKER, {"locker": locker})
    if row is None or not actor.sees(row.area) or not register.revoke(connection, actor, locker, now_ms, why):
        raise Refused(Refusal.UNKNOWN_LOCKER, f"no certificate of {locker!r} is known here")
    return _told_to_brokers(connection, bureau, locker, now_ms)


def release(connection: Connection, desk: Desk, bureau: Bureau | None, actor: Actor, asked: str) -> bool:
    """Agree that another controller takes a locker's name; the same. Raises Refused, OSError."""
    bureau = _there(bureau)
    locker = releasing.agree(connection, desk, actor, asked)
    return _told_to_brokers(connection, bureau, locker, desk.clock.wall_ms())


def _told_to_brokers(connection: Connection, bureau: Bureau, locker: str, now_ms: int) -> bool:
    # First the mark, then the list: whoever waits for a new list must know what it is about.
    bureau.place.throw_out(locker)
    authority = _opened(bureau)
    if authority is not None:
        bureau.place.put_revoked(revocations(authority, register.revoked(connection), now_ms))
    return authority is not None


def _there(bureau: Bureau | None) -> Bureau:
    if bureau is None or not bureau.place.is_there:
        raise Refused(Refusal.NO_AUTHORITY, "this hub has no certificate authority: see provisioning.md")
    return bureau


def _opened(bureau: Bureau) -> Authority | None:
    try:
        return bureau.place.open()
    except CannotSign:
        return None
