"""Claims: made by the operator, taken once by the locker that they were made for."""

from typing import Any, Final

from sqlalchemy import Connection, Row

from sync import seal
from sync.central import lockers
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.access.audit import Event
from sync.central.authority import register
from sync.central.authority.issuing import Authority
from sync.central.authority.register import NotProvisioned, Reason, actor_of
from sync.central.authority.settings import Bureau
from sync.central.authority.tables import CLAIM
from sync.central.desk import Desk
from sync.central.store import find
from sync.wire import provision

HOUR_MS: Final = 3_600_000
SECRET_BYTES: Final = 16
_UNKNOWN: Final = "this claim is not known here; have a new one made"


def make(
    connection: Connection, desk: Desk, actor: Actor, locker: str, area: str, *, plan: str, hours: int
) -> str:
    """A claim's secret, told this once: what is kept cannot make a request. Earlier ones of the locker end.

    Raises CannotEnrol for a name or an area that cannot be.
    """
    lockers.require_names(locker, area)
    secret = provision.secret_from(desk.chance.random_bytes(SECRET_BYTES))
    key = seal.SigningKey.from_seed(provision.seed_of(secret))
    now_ms = desk.clock.wall_ms()
    row = CLAIM.c
    open_ones = CLAIM.update().where(row.locker == locker, row.taken_ms == 0, row.ends_ms > now_ms)
    connection.execute(open_ones.values(ends_ms=now_ms))
    connection.execute(
        CLAIM.insert().values(
            claim=key.id.hex(),
            public=key.public.hex(),
            locker=locker,
            area=area,
            made_by=actor.who,
            made_ms=now_ms,
            ends_ms=now_ms + hours * HOUR_MS,
            plan=plan,
            taken_ms=0,
            own="",
            digest="",
        )
    )
    audit.write(connection, now_ms, actor, Event.CLAIM_MADE, locker, {"claim": key.id.hex(), "hours": hours})
    return secret


def take(
    connection: Connection, desk: Desk, bureau: Bureau, authority: Authority | None, frame: bytes
) -> bytes | None:
    """What the locker gets: signed by the centre, sealed for who asked. None while nobody can sign.

    The same key may ask again for a lost answer until the claim ends. Raises NotProvisioned.
    """
    row = _claim(connection, frame)
    asked = _request(row, frame)
    now_ms = desk.clock.wall_ms()
    if row.ends_ms <= now_ms:
        raise NotProvisioned(Reason.CLAIM_EXPIRED, "this claim has ended; have a new one made")
    digest = register.wanted(asked.csr, row.locker).digest
    if row.taken_ms and (row.own, row.digest) != (asked.own, digest):
        raise NotProvisioned(Reason.CLAIM_USED, "this claim was used, by another key; have a new one made")
    try:
        known = lockers.enrol(connection, desk, row.locker, row.area, asked.own)
    except lockers.CannotEnrol as error:
        raise NotProvisioned(Reason.LOCKER_OTHERWISE, str(error)) from error
    given = register.give(connection, authority, asked.csr, row.locker, now_ms)
    if not row.taken_ms:
        taken = CLAIM.update().where(CLAIM.c.claim == row.claim)
        connection.execute(taken.values(taken_ms=now_ms, own=asked.own, digest=digest))
        detail = {"claim": row.claim, "waits": given is None}
        audit.write(connection, now_ms, actor_of(row.locker), Event.CLAIM_TAKEN, row.locker, detail)
    if given is None:
        return None
    return _sealed(desk, bureau, row, asked, given[0], known)


def note_refusal(connection: Connection, frame: bytes, refused: NotProvisioned, now_ms: int) -> None:
    """Of claims that we made: what strangers send fills no journal."""
    try:
        row = _claim(connection, frame)
    except NotProvisioned:
        return
    detail = {"claim": row.claim, "refused": refused.reason.value}
    audit.write(connection, now_ms, actor_of(row.locker), Event.CLAIM_REFUSED, row.locker, detail)


def _claim(connection: Connection, frame: bytes) -> Row[Any]:
    """The claim whose secret signed this frame. Raises NotProvisioned: guessed and foreign look alike."""
    if len(frame) >= seal.HEAD_BYTES:
        name = frame[1 : 1 + seal.KEY_ID_BYTES].hex()
        row = find(connection, CLAIM, {"claim": name})
        if row is not None and _is_signed(frame, row.public):
            return row
    raise NotProvisioned(Reason.UNKNOWN_CLAIM, _UNKNOWN)


def _is_signed(frame: bytes, public: str) -> bool:
    try:
        seal.open_frame(frame, seal.keyring(bytes.fromhex(public)))
    except seal.SealError:
        return False
    return True


def _request(row: Row[Any], frame: bytes) -> provision.Request:
    """Raises NotProvisioned."""
    try:
        asked = provision.read_request(frame[seal.HEAD_BYTES :])
        own, consent = seal.key_from_hex(asked.own), bytes.fromhex(asked.consent)
        seal.key_from_hex(asked.seal)
    except ValueError as error:
        raise NotProvisioned(Reason.BAD_REQUEST, str(error)) from error
    if asked.locker != row.locker:
        raise NotProvisioned(Reason.UNKNOWN_CLAIM, _UNKNOWN)
    if not seal.verify(own, consent, asked.consented):
        raise NotProvisioned(Reason.BAD_REQUEST, "the locker's own key has not signed the request")
    return asked


def _sealed(
    desk: Desk, bureau: Bureau, row: Row[Any], asked: provision.Request, pem: str, known: dict[str, Any]
) -> bytes:
    told = provision.answer(
        {
            "locker": row.locker,
            "area": row.area,
            "certificate": pem,
            "root": bureau.place.root(),
            "centre": known,
            "hub": bureau.hub,
            "broker": {"host": bureau.broker_host, "port": bureau.broker_port},
            "plan": row.plan,
            "release_keys": list(bureau.release_keys),
        }
    )
    text = seal.seal(bytes.fromhex(asked.seal), told, desk.chance.random_bytes)
    return seal.frame(desk.keys.sign, text.encode())
