"""The certificates there are: issued, renewed, revoked. Every step stands in the journal of acts."""

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync import certificates, seal
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.access.audit import Event
from sync.central.authority.issuing import DAY_MS, LIFE_DAYS, Authority, Purpose, issue
from sync.central.authority.tables import CERTIFICATE, WAITING
from sync.central.store import find, put
from sync.central.tables import LOCKER
from sync.certificates import BadCertificate, Wanted
from sync.wire import provision

GRACE_MS: Final = 90 * DAY_MS
"""So long after its end a certificate may still be renewed by its key: then a person makes a new claim."""
VALID_MAX: Final = 2
"""Certificates of one locker at a time: the one it wears and the next."""


class Reason(StrEnum):
    """Why a locker does not get what it asks for."""

    UNKNOWN_CLAIM = "unknown_claim"
    CLAIM_USED = "claim_used"
    CLAIM_EXPIRED = "claim_expired"
    BAD_REQUEST = "bad_request"
    LOCKER_OTHERWISE = "locker_otherwise"
    UNKNOWN_CERTIFICATE = "unknown_certificate"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_OVER = "certificate_over"


class NotProvisioned(Exception):
    """Nothing was given and nothing changed. ``detail`` tells a technician what to do."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def actor_of(locker: str) -> Actor:
    """A locker that proved who it is."""
    return Actor(f"locker:{locker}", frozenset(), frozenset())


def wanted(csr: str, name: str) -> Wanted:
    """What a request asks for, in nobody else's name. Raises NotProvisioned."""
    try:
        found = certificates.read_request(csr)
    except BadCertificate as error:
        raise NotProvisioned(Reason.BAD_REQUEST, str(error)) from error
    if found.name != name:
        raise NotProvisioned(Reason.BAD_REQUEST, f"a request for {name} was expected")
    return found


def give(
    connection: Connection, authority: Authority | None, csr: str, name: str, now_ms: int
) -> tuple[str, bool] | None:
    """A locker's certificate for the key of ``csr``, and whether it is new; None while nobody can sign.

    Again for the same key: the same certificate. Raises NotProvisioned.
    """
    asked = wanted(csr, name)
    row = find(connection, CERTIFICATE, {"digest": asked.digest})
    if row is not None:
        if row.revoked_ms or row.name != name:
            raise NotProvisioned(
                Reason.CERTIFICATE_REVOKED, "its key is no longer good: begin anew by a claim"
            )
        return row.pem, False
    if authority is None:
        put(connection, WAITING, {"digest": asked.digest}, {"name": name, "csr": csr, "asked_ms": now_ms})
        return None
    pem = issue(authority, asked, Purpose.LOCKER, now_ms)
    keep(connection, pem, Purpose.LOCKER, now_ms)
    connection.execute(WAITING.delete().where(WAITING.c.digest == asked.digest))
    return pem, True


def keep(connection: Connection, pem: str, purpose: Purpose, now_ms: int) -> str:
    """Put a new one down; its serial. Of a locker's the oldest ends where there are more than two."""
    facts = certificates.read(pem)
    connection.execute(
        CERTIFICATE.insert().values(
            serial=facts.serial,
            name=facts.name,
            purpose=purpose.value,
            digest=facts.digest,
            pem=pem,
            not_after_ms=facts.not_after_ms,
            issued_ms=now_ms,
            revoked_ms=0,
            why="",
        )
    )
    if purpose is Purpose.LOCKER:
        for old in valid(connection, facts.name, now_ms)[VALID_MAX:]:
            end(connection, old.serial, now_ms, "superseded")
    return facts.serial


def valid(connection: Connection, name: str, now_ms: int) -> list[Row[Any]]:
    """Neither revoked nor over, the newest first."""
    row = CERTIFICATE.c
    query = select(CERTIFICATE).where(row.name == name, row.revoked_ms == 0, row.not_after_ms > now_ms)
    return list(connection.execute(query.order_by(row.issued_ms.desc(), row.not_after_ms.desc())).all())


def end(connection: Connection, serial: str, now_ms: int, why: str) -> None:
    changed = CERTIFICATE.update().where(CERTIFICATE.c.serial == serial, CERTIFICATE.c.revoked_ms == 0)
    connection.execute(changed.values(revoked_ms=now_ms, why=why))


def revoke(connection: Connection, actor: Actor, name: str, now_ms: int, why: str) -> int:
    """Every certificate of a name; how many. Those that ran out as well: they may not be renewed either."""
    row = CERTIFICATE.c
    query = select(row.serial).where(row.name == name, row.revoked_ms == 0)
    found = list(connection.execute(query).scalars())
    for serial in found:
        end(connection, serial, now_ms, why)
    connection.execute(WAITING.delete().where(WAITING.c.name == name))
    if found:
        detail = {"certificates": len(found)}
        audit.write(connection, now_ms, actor, Event.CERTIFICATE_REVOKED, name, detail, reason=why)
    return len(found)


def revoked(connection: Connection) -> list[tuple[str, int]]:
    """Serials and moments, as the list for brokers tells them."""
    row = CERTIFICATE.c
    query = select(row.serial, row.revoked_ms).where(row.revoked_ms > 0).order_by(row.revoked_ms, row.serial)
    return [(found.serial, found.revoked_ms) for found in connection.execute(query).all()]


def sign_waiting(connection: Connection, authority: Authority, actor: Actor, now_ms: int) -> list[str]:
    """Names whose requests waited for the authority's key; each asks again by itself."""
    rows = connection.execute(select(WAITING).order_by(WAITING.c.name)).all()
    for row in rows:
        if give(connection, authority, row.csr, row.name, now_ms):
            audit.write(connection, now_ms, actor, Event.CERTIFICATE_ISSUED, row.name, {"waited": True})
    return [row.name for row in rows]


# --- renewal ---------------------------------------------------------------------------------------------


def renew(connection: Connection, authority: Authority | None, frame: bytes, now_ms: int) -> str | None:
    """The next certificate of whoever proves the old one and the locker's own key; None: to be signed later.

    Raises NotProvisioned.
    """
    asked = _renewal(connection, frame)
    old = connection.execute(
        select(CERTIFICATE).where(CERTIFICATE.c.serial == asked.serial, CERTIFICATE.c.name == asked.locker)
    ).first()
    if old is None or not _is_proved(old.pem, asked):
        raise NotProvisioned(
            Reason.UNKNOWN_CERTIFICATE, "this certificate is not known; begin anew by a claim"
        )
    if old.revoked_ms:
        raise NotProvisioned(Reason.CERTIFICATE_REVOKED, "its certificate was revoked; begin anew by a claim")
    over_ms = now_ms - old.not_after_ms
    if over_ms > GRACE_MS:
        raise NotProvisioned(
            Reason.CERTIFICATE_OVER,
            f"it ran out {over_ms // DAY_MS} days ago, more than {GRACE_MS // DAY_MS}; begin anew by a claim",
        )
    given = give(connection, authority, asked.csr, asked.locker, now_ms)
    if given is None:
        return None
    pem, new = given
    if new:
        detail = {"old": old.serial, "new": certificates.read(pem).serial, "days": LIFE_DAYS}
        if over_ms > 0:
            detail["days_over"] = -(-over_ms // DAY_MS)
        who = actor_of(asked.locker)
        audit.write(connection, now_ms, who, Event.CERTIFICATE_RENEWED, asked.locker, detail)
    return pem


def _renewal(connection: Connection, frame: bytes) -> provision.Renewal:
    """Raises NotProvisioned unless the locker that it names has signed it."""
    try:
        asked = provision.read_renewal(frame[seal.HEAD_BYTES :])
        row = connection.execute(select(LOCKER.c.public).where(LOCKER.c.locker == asked.locker)).first()
        if row is None:
            raise NotProvisioned(Reason.UNKNOWN_CERTIFICATE, "no such locker; begin anew by a claim")
        seal.open_frame(frame, seal.keyring(bytes.fromhex(row.public)))
    except (provision.BadProvision, seal.SealError) as error:
        raise NotProvisioned(Reason.BAD_REQUEST, "the request is damaged, or not the locker's own") from error
    return asked


def _is_proved(pem: str, asked: provision.Renewal) -> bool:
    try:
        return certificates.is_signed_by(pem, bytes.fromhex(asked.proof), asked.proved)
    except ValueError:
        return False
