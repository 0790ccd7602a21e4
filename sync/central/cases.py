"""A pre-review has passed: the case may be handed in.

The token goes out at once, the typed code when the locker's journal holds the grant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, or_, select

from locker.domain import codes, directives, tokens
from locker.domain.compartment import Size
from locker.domain.encoding import canonical
from locker.domain.events import AuthorisationGranted
from locker.domain.ids import AuthorisationId, CaseNumber, Seq
from locker.domain.policy import Policy
from sync import seal
from sync.central import masks
from sync.central.desk import Desk, Refusal, Refused, locker_row, note
from sync.central.directives import append
from sync.central.statement import Statement
from sync.central.store import find, insert
from sync.central.tables import AUTHORISATION

HOUR_MS: Final = 3_600_000
BACKDATE_MS: Final = 5 * 60_000
"""A kiosk whose clock runs a little behind must not call a fresh code too early."""
PHONE_DIGITS_ASKED: Final = 4
TOKEN_NONCE_BYTES: Final = 8
_own: Final = AUTHORISATION.c
_TAKEN: Final = Statement(
    select(_own.locator).where(
        _own.locker == bindparam("locker"),
        or_(
            _own.ended_ms > bindparam("rested_ms"),
            (_own.ended == "") & (_own.valid_until_ms > bindparam("rested_ms")),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    phone: str
    language: str = "zh"
    """In which they want their messages: `sync.central.messages.templates.LANGUAGES`."""


@dataclass(frozen=True, slots=True)
class PreReview:
    """What the city's case system, or a clerk, says of a case that passed."""

    case: str
    service_item: str
    papers: tuple[str, ...]
    deferred: tuple[str, ...]
    size: Size
    applicant: Person
    locker: str
    valid_hours: int
    department: str = ""
    """Of the register, by id or name: whom the case is with; empty where nobody says."""


def authorise(
    connection: Connection, desk: Desk, passed: PreReview, actor: str, kind: str = "pre_review_passed"
) -> str:
    """The new authorisation; ``kind`` is what the trail calls it. Raises Refused."""
    locker = locker_row(connection, passed.locker)
    now_ms = desk.clock.wall_ms()
    taken = _taken(connection, passed.locker, now_ms)
    locator = codes.free_locator(taken, codes.CENTRE_LOCATORS, desk.chance.draw)
    if locator is None:
        raise Refused(Refusal.NO_LOCATOR, f"{passed.locker} has no free drop-off code; choose another locker")
    secret = desk.chance.digits(codes.SECRET_DIGITS)
    says = _grant(desk, locker, passed, locator, secret, now_ms)
    plain = {
        "phone": passed.applicant.phone,
        "language": passed.applicant.language,
        "typed": codes.typed_text(locator, secret),
        "token": _token(desk, locker.area, passed, says),
    }
    append(connection, passed.locker, says, now_ms)
    values = {
        "authorisation": says.authorisation,
        "case_number": passed.case,
        "service_item": passed.service_item,
        "papers": canonical(list(passed.papers)),
        "deferred": canonical(list(passed.deferred)),
        "size": passed.size.name,
        "locker": passed.locker,
        "name": says.name,
        "phone": says.phone,
        "sealed": desk.sealed(plain),
        "locator": locator,
        # Its number there is of no meaning: a snapshot numbers anew.
        "directive": directives.write(Seq(1), says),
        "valid_from_ms": says.valid_from_ms,
        "valid_until_ms": says.valid_until_ms,
        "made_ms": now_ms,
    }
    insert(connection, AUTHORISATION, [values])
    note(
        connection,
        passed.case,
        kind,
        says.authorisation,
        actor,
        now_ms,
        locker=passed.locker,
        service_item=passed.service_item,
        deferred=len(passed.deferred),
    )
    return says.authorisation


def _grant(
    desk: Desk, locker: Row[Any], passed: PreReview, locator: str, secret: str, now_ms: int
) -> AuthorisationGranted:
    """What the locker is told: digests of the code and the phone, masked names, never more."""
    key = desk.code_key(locker)
    return AuthorisationGranted(
        authorisation=AuthorisationId(desk.chance.new_id()),
        case=CaseNumber(passed.case),
        service_item=passed.service_item,
        papers=passed.papers,
        deferred=passed.deferred,
        size=passed.size,
        valid_from_ms=now_ms - BACKDATE_MS,
        valid_until_ms=now_ms + passed.valid_hours * HOUR_MS,
        locator=locator,
        typed_digest=codes.keyed_digest(key, "drop_off", locator + secret),
        phone4_digest=phone_digest(key, passed.applicant.phone, passed.case),
        name=masks.name(passed.applicant.name),
        phone=masks.phone(passed.applicant.phone),
    )


def _token(desk: Desk, area: str, passed: PreReview, says: AuthorisationGranted) -> str:
    """Any locker of the area takes it, with no earlier message."""
    token = tokens.Token(
        purpose=tokens.TokenPurpose.DROP_OFF,
        scope=tokens.Scope.AREA,
        where=area,
        reference=says.authorisation,
        case=passed.case,
        size=passed.size,
        from_minute=says.valid_from_ms // tokens.MINUTE_MS,
        until_minute=says.valid_until_ms // tokens.MINUTE_MS,
        nonce=desk.chance.random_bytes(TOKEN_NONCE_BYTES),
    )
    return signed_token(desk, token)


def authorisation_row(connection: Connection, authorisation: str) -> Row[Any]:
    """Raises Refused."""
    row = find(connection, AUTHORISATION, {"authorisation": authorisation})
    if row is None:
        raise Refused(Refusal.UNKNOWN_AUTHORISATION, "no such authorisation")
    return row


def state_of(row: Row[Any] | Mapping[str, Any], now_ms: int) -> str:
    """``waiting`` for its locker, ``granted``, ``expired``, or how it ended."""
    values = row if isinstance(row, Mapping) else row._mapping  # noqa: SLF001  # SQLAlchemy's public name for it
    if values["ended"]:
        return str(values["ended"])
    if values["valid_until_ms"] <= now_ms:
        return "expired"
    return "granted" if values["granted_ms"] else "waiting"


def token_of(desk: Desk, row: Row[Any]) -> str:
    """The signed token of an authorisation or item: it opens vacant compartments only. Raises Refused."""
    if not row.sealed:
        raise Refused(Refusal.NOT_NOW, "its case ended long ago: it has no label any more")
    return desk.opened(row.sealed)["token"]


def signed_token(desk: Desk, token: tokens.Token) -> str:
    """Digits to scan. Raises Refused for texts that do not fit a token."""
    try:
        body = tokens.pack(token)
    except tokens.BadToken as error:
        raise Refused(Refusal.UNFIT, f"does not fit on a label: {error}") from error
    digits = codes.bytes_to_digits(seal.frame(desk.keys.sign, body))
    return codes.ScanKind.TOKEN + digits


def phone_digest(key: bytes, phone: str, case: str) -> str:
    return codes.keyed_digest(key, "phone4", f"{phone[-PHONE_DIGITS_ASKED:]}:{case}")


def _taken(connection: Connection, locker: str, now_ms: int) -> frozenset[str]:
    """Locators of living rights, and of those that ended within the rest period."""
    times = {"locker": locker, "rested_ms": now_ms - Policy().locator_rest_ms}
    return frozenset(row.locator for row in _TAKEN.all(connection, times))
