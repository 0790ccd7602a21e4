"""Accounts, sessions, keys and the journal of acts. What opens something lies here as a digest or sealed.

Times are wall ms.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


class AccountRow(Base, table=True):
    """One person at the hub."""

    __tablename__: ClassVar[str] = "account"
    __table_args__ = (Index("account_subject", "subject"),)

    account: str = columns.key()
    shown: str = ""
    """What colleagues call them."""
    password: str = columns.text()
    """Argon2id, as its standard writes it; empty: this person signs in elsewhere."""
    first_password: bool = False
    """It was given out by somebody else and must be changed before anything."""
    roles: str = columns.text("[]")
    areas: str = columns.text("[]")
    totp_sealed: str = columns.text()
    """``{"totp"}`` for the hub's own seal key; empty before the second factor is enrolled."""
    totp_step: int = columns.big()
    """The last 30 s step whose code was taken: none is taken twice."""
    subject: str = columns.text()
    """``issuer|sub`` at the city's own identity."""
    made_ms: int = columns.big()
    changed_ms: int = columns.big()
    ended_ms: int = columns.big()


class RecoveryCodeRow(Base, table=True):
    """In place of a lost second factor, once. Digests only."""

    __tablename__: ClassVar[str] = "recovery_code"

    account: str = columns.key()
    digest: str = columns.key()
    used_ms: int = columns.big()


class SessionRow(Base, table=True):
    """Somebody who signed in, or is about to. Its token is known to one browser only."""

    __tablename__: ClassVar[str] = "session"
    __table_args__ = (Index("session_account", "account"),)

    digest: str = columns.key()
    account: str
    stage: str
    """See `sessions.Stage`."""
    made_ms: int = columns.big()
    seen_ms: int = columns.big()
    secret_sealed: str = columns.text()
    """A second factor that is being enrolled: ``{"totp"}``."""


class BrowserRow(Base, table=True):
    """A browser in which this person once signed in: strangers' failures do not slow it."""

    __tablename__: ClassVar[str] = "known_browser"

    digest: str = columns.key()
    account: str = columns.key()
    seen_ms: int = columns.big()


class FailuresRow(Base, table=True):
    """Wrong tries of one lane: an account's, an address's or a browser's. Names lie as keyed digests."""

    __tablename__: ClassVar[str] = "sign_in_failures"
    __table_args__ = (Index("sign_in_failures_last", "last_ms"),)

    lane: str = columns.key()
    failures: int = 0
    last_ms: int = columns.big()


class ElsewhereRow(Base, table=True):
    """A sign-in that went to the city's own identity and has not come back yet."""

    __tablename__: ClassVar[str] = "sign_in_elsewhere"

    digest: str = columns.key()
    """Of what the browser keeps meanwhile."""
    state: str
    nonce: str
    verifier: str
    onward: str = columns.text()
    made_ms: int = columns.big()


class ApiKeyRow(Base, table=True):
    """A program's right to ask. The key itself was shown once."""

    __tablename__: ClassVar[str] = "api_key"
    __table_args__ = (Index("api_key_digest", "digest", unique=True),)

    name: str = columns.key()
    prefix: str
    """Its first characters, by which people tell keys apart."""
    digest: str
    scopes: str = columns.text("[]")
    areas: str = columns.text("[]")
    made_ms: int = columns.big()
    made_by: str = ""
    expires_ms: int = columns.big()
    revoked_ms: int = columns.big()
    used_ms: int = columns.big()


class AuditRow(Base, table=True):
    """One act or look. Never changed; each row's hash covers the one before it."""

    __tablename__: ClassVar[str] = "audit"
    __table_args__ = (Index("audit_object", "object"), Index("audit_actor", "actor"))

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at_ms: int = columns.big()
    actor: str
    roles: str
    action: str
    object: str
    detail: str = columns.text("{}")
    previous: str
    hash: str


class AuditHeadRow(Base, table=True):
    """Where the chain ends. One row, locked by whoever appends."""

    __tablename__: ClassVar[str] = "audit_head"

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    seq: int = columns.big()
    hash: str = ""


class AuditSealRow(Base, table=True):
    """A head that the hub signed: what came before it cannot be written anew without the hub's key."""

    __tablename__: ClassVar[str] = "audit_signed"

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at_ms: int = columns.big()
    hash: str
    key: str
    signature: str


ACCOUNT = table_of(AccountRow)
RECOVERY_CODE = table_of(RecoveryCodeRow)
SESSION = table_of(SessionRow)
BROWSER = table_of(BrowserRow)
FAILURES = table_of(FailuresRow)
ELSEWHERE = table_of(ElsewhereRow)
API_KEY = table_of(ApiKeyRow)
AUDIT = table_of(AuditRow)
AUDIT_HEAD = table_of(AuditHeadRow)
AUDIT_SIGNED = table_of(AuditSealRow)
