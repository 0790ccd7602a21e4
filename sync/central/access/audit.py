"""What was looked at and what was done, by whom: a chain of rows, each covering the one before it.

A row is written in the transaction of its act: neither is there without the other. It names objects by
their references and never holds a person's name, number or code. The hub signs the chain's end from time
to time (`sign`): from then on not even the owner of the database can write the past anew unseen.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.exc import IntegrityError

from locker.domain.encoding import canonical
from sync import seal
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.access.tables import AUDIT, AUDIT_HEAD, AUDIT_SIGNED
from sync.central.ledger import storable
from sync.central.statement import Statement
from sync.central.store import change, insert

START: Final = "0" * 64
"""What the first row follows."""
PAGE_ROWS: Final = 1000
REASON_CHARACTERS_MAX: Final = 200
_HEAD_NUMBER: Final = 1
_ONWARD: Final = Statement(
    AUDIT_HEAD.update()
    .where(AUDIT_HEAD.c.number == _HEAD_NUMBER)
    .values(seq=AUDIT_HEAD.c.seq + 1)
    .returning(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash)
)
_LEAF: Final = b"doclocker/audit/1\n"
_HEAD: Final = b"doclocker/audit-head/1\n"
_LONG_NUMBER: Final = re.compile(r"\d{7,}")
"""Phones, identity cards and codes are such; nothing that a reason needs is."""


class Event(StrEnum):
    """What happens around the actions of the matrix."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # pragma: allowlist secret  # the name of an event
    SECOND_FACTOR_ENROLLED = "second_factor_enrolled"
    RECOVERY_CODE_USED = "recovery_code_used"
    REFUSED = "refused"
    RESTORED = "restored"
    PERSONAL_LOOK = "personal_look"
    LOST_CODE = "lost_code"
    AUTHORITY_MADE = "authority_made"
    CLAIM_MADE = "claim_made"
    CLAIM_TAKEN = "claim_taken"
    CLAIM_REFUSED = "claim_refused"
    CERTIFICATE_ISSUED = "certificate_issued"
    CERTIFICATE_RENEWED = "certificate_renewed"
    CERTIFICATE_REVOKED = "certificate_revoked"
    NAME_RELEASE_ASKED = "name_release_asked"
    NAME_RELEASED = "name_released"
    CENTRE_KEY_MADE = "centre_key_made"
    CENTRE_KEY_SWITCHED = "centre_key_switched"
    CENTRE_KEY_RETIRED = "centre_key_retired"


@dataclass(frozen=True, slots=True)
class Problem:
    """Where the journal is not what it was. ``seq``: the row, or the one before a gap."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    rows: int
    head: str
    signed_to: int
    """Up to where a signature of the hub holds it."""
    problems: tuple[Problem, ...]


def write(
    connection: Connection,
    now_ms: int,
    actor: Actor,
    action: Action | Event,
    subject: str,
    detail: Mapping[str, str | int | bool] | None = None,
    *,
    reason: str = "",
) -> int:
    """Its number. Call it last in a transaction: until the commit nobody else can write one.

    ``subject`` is a reference (a case, an item, a locker). Of ``reason``, which a person typed, long numbers
    are blotted out; ``detail`` is for what the hub itself knows.
    """
    told = dict(detail or {})
    if reason:
        told["reason"] = _LONG_NUMBER.sub("•••", reason)[:REASON_CHARACTERS_MAX]
    seq, previous = _next(connection)
    values: dict[str, Any] = {
        "seq": seq,
        "at_ms": now_ms,
        "actor": actor.who,
        "roles": ",".join(sorted(actor.roles)),
        "action": str(action),
        "object": storable(subject),
        "detail": canonical(told),
        "previous": previous,
    }
    values["hash"] = _hash(values)
    insert(connection, AUDIT, [values])
    change(connection, AUDIT_HEAD, {"number": _HEAD_NUMBER}, {"hash": values["hash"]})
    return seq


def _next(connection: Connection) -> tuple[int, str]:
    """The next number and the hash before it. The row stays locked: a second writer waits for our commit."""
    row = _ONWARD.first(connection, {})
    if row is None:
        _begin(connection)
        row = _ONWARD.one(connection, {})
    return row.seq, row.hash


def _begin(connection: Connection) -> None:
    """Once in a journal's life; of two that begin it at the same moment one finds it begun."""
    try:
        with connection.begin_nested():
            connection.execute(AUDIT_HEAD.insert().values(number=_HEAD_NUMBER, seq=0, hash=START))
    except IntegrityError:
        return


def _hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(_LEAF + canonical(values).encode()).hexdigest()


# --- the chain's end, signed -----------------------------------------------------------------------------


def sign(connection: Connection, key: seal.SigningKey, now_ms: int) -> tuple[int, str] | None:
    """The head that is signed now; None where nothing came since. Keep it elsewhere as well: in a log."""
    end = _end(connection)
    if connection.execute(select(AUDIT_SIGNED.c.seq).where(AUDIT_SIGNED.c.seq >= end.seq)).first():
        return None
    if not end.seq:
        return None
    signature = key.sign(_said(end.seq, now_ms, end.hash))
    connection.execute(
        AUDIT_SIGNED.insert().values(
            seq=end.seq, at_ms=now_ms, hash=end.hash, key=key.id.hex(), signature=signature.hex()
        )
    )
    return end.seq, end.hash


def _said(seq: int, at_ms: int, digest: str) -> bytes:
    return _HEAD + canonical({"seq": seq, "at_ms": at_ms, "hash": digest}).encode()


# --- checking and carrying away --------------------------------------------------------------------------


def verify(connection: Connection, *publics: bytes) -> Verdict:
    """Every row, link and signature, and the end, by the hub's public keys; also beside a running hub."""
    all_signed = connection.execute(select(AUDIT_SIGNED).order_by(AUDIT_SIGNED.c.seq)).all()
    signed = {row.seq: row for row in all_signed if _holds(row, publics)}
    problems = [
        Problem(row.seq, "its signature is not the hub's") for row in all_signed if row.seq not in signed
    ]
    last_signed = max(signed, default=0)
    # Rows may be added while we read: the end must lie between what the hub says before and after.
    ends, expected, previous = [_end(connection)], 1, START
    for row in rows(connection):
        problems += [Problem(row.seq, what) for what in _wrong_with(row, expected, previous)]
        if row.seq in signed and signed.pop(row.seq).hash != row.hash:
            problems.append(Problem(row.seq, "is not what the hub signed"))
        if row.seq == ends[0].seq and row.hash != ends[0].hash:
            problems.append(Problem(row.seq, "is not where the hub says that the chain ended"))
        expected, previous = row.seq + 1, row.hash
    problems += [Problem(seq, "was signed and is missing") for seq in signed]
    ends.append(_end(connection))
    if not ends[0].seq <= expected - 1 <= ends[1].seq:
        problems.append(Problem(expected - 1, f"the hub wrote up to {ends[1].seq}"))
    return Verdict(expected - 1, previous, last_signed, tuple(problems))


def _wrong_with(row: Row[Any], expected: int, previous: str) -> Iterator[str]:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    if row.seq != expected:
        yield f"{row.seq - expected} rows before it are missing"
    elif row.previous != previous:
        yield "does not follow the row before it"
    if values.pop("hash") != _hash(values):
        yield "is not what was written"


@dataclass(frozen=True, slots=True)
class _End:
    seq: int
    hash: str


def _end(connection: Connection) -> _End:
    row = connection.execute(select(AUDIT_HEAD).where(AUDIT_HEAD.c.number == _HEAD_NUMBER)).first()
    return _End(row.seq, row.hash) if row else _End(0, START)


def _holds(row: Row[Any], publics: Sequence[bytes]) -> bool:
    try:
        signature = bytes.fromhex(row.signature)
    except ValueError:
        return False
    said = _said(row.seq, row.at_ms, row.hash)
    return any(seal.verify(public, signature, said) for public in publics)


def rows(connection: Connection, after: int = 0) -> Iterator[Row[Any]]:
    """All after ``after``, in order, a page at a time."""
    while found := page(connection, after, PAGE_ROWS):
        yield from found
        after = found[-1].seq


def page(connection: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    query = select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(limit)
    return connection.execute(query).all()


def lines(connection: Connection) -> Iterator[str]:
    """JSON lines: the rows, then the signed heads. What `_hash` covers stands in them as it was hashed."""
    for row in rows(connection):
        yield canonical({"kind": "act", **dict(row._mapping)})  # noqa: SLF001  # SQLAlchemy's public name for it
    for row in connection.execute(select(AUDIT_SIGNED).order_by(AUDIT_SIGNED.c.seq)).all():
        yield canonical({"kind": "signed", **dict(row._mapping)})  # noqa: SLF001  # same


def latest(
    connection: Connection,
    limit: int,
    before: int | None = None,
    *,
    actor: str = "",
    action: str = "",
    object: str = "",  # noqa: A002  # the column's name
) -> Sequence[Row[Any]]:
    """The newest first; of one actor, one kind of act, one object where they are named."""
    named = (("actor", actor), ("action", action), ("object", object))
    query = select(AUDIT).where(*(AUDIT.c[name] == value for name, value in named if value))
    if before is not None:
        query = query.where(AUDIT.c.seq < before)
    return connection.execute(query.order_by(AUDIT.c.seq.desc()).limit(limit)).all()


def signed_to(connection: Connection) -> int:
    """Up to which number the hub has signed it; 0 before the first time."""
    return connection.execute(select(func.max(AUDIT_SIGNED.c.seq))).scalar() or 0
