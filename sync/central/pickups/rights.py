"""Lengthen an authorisation, or revoke it."""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain import directives, tokens
from locker.domain.deposit import HELD
from locker.domain.events import AuthorisationExtended, AuthorisationGranted
from locker.domain.ids import AuthorisationId, Seq
from locker.domain.policy import Policy
from sync.central import messages
from sync.central.cases import TOKEN_NONCE_BYTES, authorisation_row, signed_token
from sync.central.desk import Desk, Refusal, Refused, locker_row, note
from sync.central.directives import append
from sync.central.pickups.said import REVOKED, kept, revoked
from sync.central.store import change
from sync.central.tables import AUTHORISATION, DEPOSIT, LOCKER

HOUR_MS: Final = 3_600_000


def extend(connection: Connection, desk: Desk, authorisation: str, valid_hours: int, who: str) -> Row[Any]:
    """The right, good for so many hours from now; its locker is to be told. Raises Refused.

    The typed code stays; the token is a new one, because the old one says when it ends.
    """
    now_ms = desk.clock.wall_ms()
    row = _unused(connection, authorisation)
    if not may_lengthen(row, now_ms):
        raise Refused(Refusal.NOT_NOW, "it ran out too long ago: its code may be another's; authorise anew")
    if not row.sealed:
        raise Refused(Refusal.NOT_NOW, "its code and phone are known to nobody here: authorise anew")
    until_ms = now_ms + valid_hours * HOUR_MS
    before = kept(row.directive)
    if not isinstance(before, AuthorisationGranted) or until_ms <= row.valid_until_ms:
        raise Refused(Refusal.BAD_DAY, "it is good for longer already")
    says = replace(before, valid_until_ms=until_ms)
    sealed = desk.sealed(desk.opened(row.sealed) | {"token": _token(connection, desk, row, says)})
    said = directives.write(Seq(1), says)
    values = {"valid_until_ms": until_ms, "directive": said, "sealed": sealed}
    append(connection, row.locker, AuthorisationExtended(AuthorisationId(authorisation), until_ms), now_ms)
    change(connection, AUTHORISATION, {"authorisation": authorisation}, values)
    messages.say(
        connection,
        desk,
        template="drop_off_code",
        case=row.case_number,
        subject=authorisation,
        contact_sealed=sealed,
        codes_sealed=sealed,
        variables={"expires_ms": until_ms},
        locker=row.locker,
    )
    what: dict[str, str | int] = {"locker": row.locker, "until_ms": until_ms}
    note(connection, row.case_number, "authorisation_extended", authorisation, who, now_ms, **what)
    return row


def may_lengthen(row: Row[Any], now_ms: int) -> bool:
    """Whether its typed code is still its own: a locator rests for a while, then it is another's."""
    return bool(row.valid_until_ms >= now_ms - Policy().locator_rest_ms)


def revoke(connection: Connection, desk: Desk, authorisation: str, reason: str, who: str) -> list[str]:
    """The lockers that are to be told: any of the area would honour its token. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = _unused(connection, authorisation)
    area = locker_row(connection, row.locker).area
    told = select(LOCKER.c.locker).where(LOCKER.c.area == area).order_by(LOCKER.c.locker)
    lockers = list(connection.execute(told).scalars())
    for locker in lockers:
        for says in revoked(row, locker, reason):
            append(connection, locker, says, now_ms)
    change(
        connection, AUTHORISATION, {"authorisation": authorisation}, {"ended": REVOKED, "ended_ms": now_ms}
    )
    what = {"locker": row.locker, "reason": reason}
    note(connection, row.case_number, "authorisation_revoked", authorisation, who, now_ms, **what)
    return lockers


def _unused(connection: Connection, authorisation: str) -> Row[Any]:
    row = authorisation_row(connection, authorisation)
    stay = DEPOSIT.c
    lies = [
        stay.case_number == row.case_number,
        stay.authorisation == authorisation,
        stay.phase.in_([phase.value for phase in HELD]),
    ]
    if row.ended or connection.execute(select(stay.deposit).where(*lies)).first():
        raise Refused(Refusal.NOT_NOW, "this authorisation was used, or has ended")
    return row


def _token(connection: Connection, desk: Desk, row: Row[Any], says: AuthorisationGranted) -> str:
    token = tokens.Token(
        purpose=tokens.TokenPurpose.DROP_OFF,
        scope=tokens.Scope.AREA,
        where=locker_row(connection, row.locker).area,
        reference=says.authorisation,
        case=says.case,
        size=says.size,
        from_minute=says.valid_from_ms // tokens.MINUTE_MS,
        until_minute=says.valid_until_ms // tokens.MINUTE_MS,
        nonce=desk.chance.random_bytes(TOKEN_NONCE_BYTES),
    )
    return signed_token(desk, token)
