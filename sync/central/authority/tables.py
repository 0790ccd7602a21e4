"""Claims and certificates, kept for good. Times are wall ms."""

from typing import ClassVar

from sqlalchemy import Index

from sync.central import columns
from sync.central.tables import Base, table_of


class ClaimRow(Base, table=True):
    __tablename__: ClassVar[str] = "provision_claim"

    claim: str = columns.key()
    """The name of the claim's key, as it stands in a frame."""
    public: str
    """The public half of the key that the secret makes: nobody can make a request by it."""
    locker: str
    area: str
    made_by: str
    made_ms: int = columns.big()
    ends_ms: int = columns.big()
    plan: str = columns.text()
    """Of the cabinet: what `locker.toml` is to hold beside the locker's name and its way to the broker."""
    taken_ms: int = columns.big()
    own: str = ""
    """Who took it: the locker's own key, in hex."""
    digest: str = ""
    """And the key that its certificate is for."""


class CertificateRow(Base, table=True):
    __tablename__: ClassVar[str] = "certificate"
    __table_args__ = (Index("certificate_name", "name"),)

    serial: str = columns.key()
    """In hex."""
    name: str
    purpose: str
    """`issuing.Purpose`."""
    digest: str = columns.text()
    """Of its public key."""
    pem: str = columns.text()
    not_after_ms: int = columns.big()
    issued_ms: int = columns.big()
    revoked_ms: int = columns.big()
    why: str = columns.text()


class WaitingRow(Base, table=True):
    """Requests that came while the authority's key was locked."""

    __tablename__: ClassVar[str] = "certificate_waiting"

    digest: str = columns.key()
    """Of the key that the certificate is to be for."""
    name: str
    csr: str = columns.text()
    asked_ms: int = columns.big()


class NameReleaseRow(Base, table=True):
    """Somebody asked that another controller may take a locker's name; done once a second person agreed."""

    __tablename__: ClassVar[str] = "name_release"
    __table_args__ = (Index("name_release_locker", "locker"),)

    release: str = columns.key()
    locker: str
    area: str
    why: str = columns.text()
    asked_by: str
    asked_ms: int = columns.big()
    agreed_by: str = ""
    """Empty: nobody yet."""
    agreed_ms: int = columns.big()


class FormerKeyRow(Base, table=True):
    """By which key a journal was signed whose locker has another one now, or none yet."""

    __tablename__: ClassVar[str] = "former_locker_key"

    locker: str = columns.key()
    epoch: str = columns.key()
    public: str


CLAIM = table_of(ClaimRow)
CERTIFICATE = table_of(CertificateRow)
WAITING = table_of(WaitingRow)
NAME_RELEASE = table_of(NameReleaseRow)
FORMER_KEY = table_of(FormerKeyRow)
