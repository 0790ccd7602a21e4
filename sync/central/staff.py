"""Who may work at which locker. Badge and PIN are given out once; lockers get keyed digests."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from locker.domain import codes
from locker.domain.encoding import canonical
from locker.domain.events import StaffRevoked
from locker.domain.ids import StaffId
from sync.central import directives
from sync.central.desk import Desk, Refusal, Refused, locker_row
from sync.central.statement import Statement
from sync.central.store import put
from sync.central.tables import STAFF, STAFF_GRANT

DAY_MS: Final = 86_400_000
GRANT_DAYS: Final = 7
RENEW_BEFORE_MS: Final = 6 * DAY_MS
"""Renewed daily: a locker that was offline for some days still knows its helpers."""


TAKEN_AWAY: Final = 0
"""The end of a grant that was revoked: it is kept, for a locker whose card forgets must be told again."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    staff: str
    name: str
    roles: frozenset[str]
    pin: str
    lockers: tuple[str, ...]


def enrol(connection: Connection, desk: Desk, person: Enrolment) -> str:
    """The digits of the new badge, for printing and for nothing else. An older badge dies. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    badge = codes.bearer_text(codes.ScanKind.BADGE, int.from_bytes(desk.chance.random_bytes(16)))
    body = badge[1:-1]
    put(
        connection,
        STAFF,
        {"staff": person.staff},
        {"name": person.name, "roles": canonical(sorted(person.roles)), "made_ms": now_ms, "revoked_ms": 0},
    )
    for name in person.lockers:
        key = desk.code_key(locker_row(connection, name))
        put(
            connection,
            STAFF_GRANT,
            {"staff": person.staff, "locker": name},
            {
                "badge_digest": codes.keyed_digest(key, "badge", body),
                "pin_digest": codes.keyed_digest(key, f"pin:{person.staff}", person.pin),
                "until_ms": now_ms + GRANT_DAYS * DAY_MS,
            },
        )
        _say(connection, person.staff, name, now_ms)
    return badge


def renew(connection: Connection, now_ms: int) -> list[str]:
    """Grants of today's staff reach seven days ahead again; the lockers that have news."""
    rows = _ENDING.all(connection, {"taken_away": TAKEN_AWAY, "before_ms": now_ms + RENEW_BEFORE_MS})
    for row in rows:
        keys = {"staff": row.staff, "locker": row.locker}
        put(connection, STAFF_GRANT, keys, {"until_ms": now_ms + GRANT_DAYS * DAY_MS})
        _say(connection, row.staff, row.locker, now_ms)
    return sorted({row.locker for row in rows})


def revoke(connection: Connection, staff: str, lockers: frozenset[str] | None, now_ms: int) -> list[str]:
    """At these lockers (None: at all) their badge opens nothing any more, once each has heard of it; which.

    Raises Refused.
    """
    own = STAFF_GRANT.c
    query = select(own.locker).where(own.staff == staff, own.until_ms > TAKEN_AWAY).order_by(own.locker)
    granted = [str(locker) for locker in connection.execute(query).scalars()]
    told = [locker for locker in granted if lockers is None or locker in lockers]
    if not told:
        raise Refused(Refusal.UNKNOWN_STAFF, "no such staff number")
    for locker in told:
        directives.append(connection, locker, StaffRevoked(StaffId(staff)), now_ms)
    here = STAFF_GRANT.update().where(own.staff == staff, own.locker.in_(told))
    connection.execute(here.values(until_ms=TAKEN_AWAY))
    if told == granted:
        put(connection, STAFF, {"staff": staff}, {"revoked_ms": now_ms})
    return told


@dataclass(frozen=True, slots=True)
class Member:
    row: Row[Any]
    grants: tuple[Row[Any], ...]
    """Their rights at lockers, by name."""


def listed(connection: Connection, lockers: frozenset[str] | None) -> list[Member]:
    """Everybody who has, or had, a right at one of these lockers (None: at any)."""
    grants: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(select(STAFF_GRANT).order_by(STAFF_GRANT.c.locker)).all():
        if lockers is None or row.locker in lockers:
            grants.setdefault(row.staff, []).append(row)
    every = connection.execute(select(STAFF).order_by(STAFF.c.staff)).all()
    return [Member(row, _living(grants[row.staff])) for row in every if row.staff in grants]


def _living(grants: list[Row[Any]]) -> tuple[Row[Any], ...]:
    return tuple(grant for grant in grants if grant.until_ms > TAKEN_AWAY)


def _say(connection: Connection, staff: str, locker: str, now_ms: int) -> None:
    row = _GRANTED.one(connection, {"staff": staff, "locker": locker})
    directives.append(connection, locker, directives.enrolled(row), now_ms)


_JOINED: Final = STAFF_GRANT.join(STAFF, STAFF.c.staff == STAFF_GRANT.c.staff)
_ENDING: Final = Statement(
    select(STAFF_GRANT.c.staff, STAFF_GRANT.c.locker)
    .select_from(_JOINED)
    .where(STAFF_GRANT.c.until_ms > bindparam("taken_away"), STAFF_GRANT.c.until_ms < bindparam("before_ms"))
)
_GRANTED: Final = Statement(
    select(STAFF.c.name, STAFF.c.roles, STAFF_GRANT)
    .select_from(_JOINED)
    .where(STAFF_GRANT.c.staff == bindparam("staff"), STAFF_GRANT.c.locker == bindparam("locker"))
)
