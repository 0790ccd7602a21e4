"""The hub's tables. Declared with SQLModel; what runs for every entry are Core statements on them.

Names of people are stored masked; phones and codes only sealed for the hub's own key. Times are wall ms.
"""

from typing import Any, ClassVar

from sqlalchemy import Dialect, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from sync.central import columns


class Exact(TypeDecorator[str]):
    """Text as it was hashed, whatever is in it: PostgreSQL's own texts hold no NUL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BYTEA() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return value.encode() if value is not None and dialect.name == "postgresql" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return bytes(value).decode() if value is not None and dialect.name == "postgresql" else value


class Base(SQLModel, registry=registry()):
    """Its own registry: the locker's journal has tables of the same names."""


class Locker(Base, table=True):
    """One enrolled locker: who it is, what its link said last, how far its down-log is acknowledged."""

    locker: str = columns.key()
    area: str
    public: str
    """Hex of its Ed25519 public key."""
    code_key_sealed: str = columns.text()
    enrolled_ms: int = columns.big()
    # What its link said last; `link_*` follow the highest (boot, conn) of the epoch.
    epoch: str = ""
    boot: int = columns.big()
    conn: int = columns.big()
    online: bool = False
    link_reason: str = ""
    software: str = ""
    head: int = columns.big()
    """The highest seq of `epoch` that the locker is known to have."""
    last_heard_ms: int = columns.big()
    link_ms: int = columns.big()
    state_text: str = columns.text()
    """Its last snapshot for staff, canonical JSON."""
    dropped: str = columns.text("{}")
    """Frames that it dropped since its start, by kind; canonical JSON."""
    # The down-log.
    dn_epoch: str = ""
    dn_head: int = columns.big()
    dn_hash: str = ""
    dn_stored_to: int = columns.big()


class Stream(Base, table=True):
    """One epoch of one locker's up-log, as far as it is stored here."""

    locker: str = columns.key()
    epoch: str = columns.key()
    ordinal: int = 1
    """Epochs of a locker in the order in which they were first seen."""
    stored_to: int = columns.big()
    hash: str = ""
    parent_epoch: str = ""
    parent_head: int = columns.big()
    parent_hash: str = ""
    mark: str = ""
    """Why it is not the whole story: ``forked``, ``fork``, ``lost_rows``, ``hole``; empty while well."""
    first_seen_ms: int = columns.big()


class LedgerEntry(Base, table=True):
    """One entry of a locker's journal, exactly as the locker stored and hashed it. Never changed."""

    __tablename__: ClassVar[str] = "ledger_entry"
    __table_args__ = (Index("ledger_entry_case", "case_number"),)

    locker: str = columns.key()
    epoch: str = columns.key()
    seq: int = columns.big_key()
    kind: str = ""
    """Type of the fact; empty where it could not be read."""
    case_number: str = ""
    """The case it belongs to, where one could be found."""
    public: str = Field(default="", sa_type=Exact)
    personal: str = Field(default="", sa_type=Exact)
    salt: bytes = Field(default=b"", sa_type=LargeBinary)
    personal_digest: str = ""
    hash: str = ""
    received_ms: int = columns.big()
    problem: str = columns.text()
    """Why it lies here raw: unknown type, unreadable, not projected. Empty where it was applied."""


class CompartmentRow(Base, table=True):
    """What a locker's entries say of one door. A projection."""

    __tablename__: ClassVar[str] = "compartment"

    locker: str = columns.key()
    number: int = columns.key()
    cabinet: str = ""
    size: str = ""
    reach: str = ""
    row: int = 0
    column: int = 0
    item_sensor: bool = False
    position: str = "unknown"
    item: str = "unknown"
    deposit: str = ""
    doubt: str = columns.text()
    fault: str = columns.text()
    blocked: str = columns.text()
    configured: bool = True
    barred: str = columns.text()
    """Why the centre lets nothing new into it, as the locker has heard it."""


class DepositRow(Base, table=True):
    """One stay of one item. A projection."""

    __tablename__: ClassVar[str] = "deposit"
    __table_args__ = (Index("deposit_case", "case_number"),)

    locker: str = columns.key()
    deposit: str = columns.key()
    kind: str = ""
    door: int = 0
    case_number: str = ""
    authorisation: str = ""
    item: str = ""
    phase: str = ""
    proof: str = ""
    since_ms: int = columns.big()
    time_quality: str = ""
    receipt: str = ""
    overdue: bool = False


class OpeningRow(Base, table=True):
    """Which deposit a grant for a door was for, so that what the door did can be told with its case."""

    __tablename__: ClassVar[str] = "opening"

    locker: str = columns.key()
    grant_id: str = columns.key()
    door: int = 0
    purpose: str = ""
    deposit: str = ""
    outcome: str = ""


class CodeRow(Base, table=True):
    """Which deposit a pickup code is for. Never the code: only its seal, as the journal has it."""

    __tablename__: ClassVar[str] = "pickup_code"

    locker: str = columns.key()
    code: str = columns.key()
    deposit: str = ""
    ended: str = ""


class Ticket(Base, table=True):
    locker: str = columns.key()
    epoch: str = columns.key()
    seq: int = columns.big_key()
    kind: str = ""
    door: int = 0
    deposit: str = ""
    at_ms: int = columns.big()


class Alarm(Base, table=True):
    """Something a person must look at. ``subject`` keeps one trouble from being raised a thousand times."""

    __table_args__ = (Index("alarm_subject", "locker", "kind", "subject", unique=True),)

    number: int | None = columns.number()
    locker: str
    kind: str
    subject: str = columns.text()
    detail: str = columns.text()
    raised_ms: int = columns.big()
    count: int = 1
    last_ms: int = columns.big()


class DirectiveRow(Base, table=True):
    """One state entry of a locker's down-log, exactly as it is sent."""

    __tablename__: ClassVar[str] = "directive"
    __table_args__ = (Index("directive_made", "locker", "made_ms"),)

    locker: str = columns.key()
    dn_epoch: str = columns.key()
    seq: int = columns.big_key()
    text: str = columns.text()
    hash: str = ""
    made_ms: int = columns.big()
    outcome: str = columns.text()
    """What its locker made of it, as its journal tells; empty before."""
    told_ms: int = columns.big()


class AuthorisationRow(Base, table=True):
    """A passed pre-review: this case may be handed in."""

    __tablename__: ClassVar[str] = "authorisation"
    __table_args__ = (
        Index("authorisation_case", "case_number"),
        Index("authorisation_locker", "locker", "ended"),
        Index("authorisation_waiting", "granted_ms", "made_ms"),
    )

    authorisation: str = columns.key()
    case_number: str
    service_item: str
    papers: str = columns.text("[]")
    deferred: str = columns.text("[]")
    size: str
    locker: str
    name: str = ""
    phone: str = ""
    """Masked."""
    sealed: str = columns.text()
    """``{"phone", "typed", "token"}`` for the hub's own seal key."""
    locator: str = ""
    directive: str = columns.text()
    """The state entry that grants it, for snapshots."""
    valid_from_ms: int = columns.big()
    valid_until_ms: int = columns.big()
    made_ms: int = columns.big()
    granted_ms: int = columns.big()
    """When the locker's journal was seen to hold the grant; 0 before."""
    ended: str = ""
    ended_ms: int = columns.big()


class OutgoingItemRow(Base, table=True):
    """A result that waits to be loaded, lies in a locker, or was collected."""

    __tablename__: ClassVar[str] = "outgoing_item"
    __table_args__ = (
        Index("outgoing_item_case", "case_number"),
        Index("outgoing_item_state", "state", "made_ms"),
    )

    item: str = columns.key()
    case_number: str
    service_item: str
    """Of several results: the name of their matter."""
    results: str = columns.text("[]")
    """What lies together under one code, by name; empty: the one thing that ``service_item`` names."""
    size: str
    locker: str
    second_factor: bool = False
    name: str = ""
    phone: str = ""
    """Masked."""
    sealed: str = columns.text()
    """``{"phone", "token"}`` for the hub's own seal key."""
    directive: str = columns.text()
    state: str = "announced"
    """``announced``, then as its deposit: ``awaiting_pickup``, ``collected``, ``refused``, ``withdrawn``."""
    made_ms: int = columns.big()
    valid_until_ms: int = columns.big()


class StaffRow(Base, table=True):
    __tablename__: ClassVar[str] = "staff"

    staff: str = columns.key()
    name: str
    roles: str = columns.text("[]")
    made_ms: int = columns.big()
    revoked_ms: int = columns.big()


class StaffGrantRow(Base, table=True):
    """A staff member's right at one locker. Digests only: badge and PIN were given out once."""

    __tablename__: ClassVar[str] = "staff_grant"

    staff: str = columns.key()
    locker: str = columns.key()
    badge_digest: str
    pin_digest: str
    until_ms: int = columns.big()


class Notice(Base, table=True):
    """One message to a person. Its codes lie sealed and are opened per sending."""

    __table_args__ = (
        Index("notice_state", "state", "next_ms"),
        Index("notice_subject", "subject"),
        Index("notice_locker", "locker", "state"),
    )

    key: str = columns.key()
    """``locker/epoch/seq/kind``."""
    template: str
    locker: str
    epoch: str = ""
    seq: int = columns.big()
    subject: str = ""
    """Authorisation, deposit or code it is about; what is superseded is told by it."""
    contact_sealed: str = columns.text()
    codes_sealed: str = columns.text()
    variables: str = columns.text("{}")
    case_number: str = ""
    urgent: bool = False
    """Somebody has just asked for it: it goes out at night as well."""
    state: str = "held"
    """``held`` until the stream has caught up, ``due``, ``sent``, ``superseded``, ``clerk``."""
    detail: str = columns.text()
    attempts: int = 0
    next_ms: int = columns.big()
    made_ms: int = columns.big()
    sent_ms: int = columns.big()


class DeskFact(Base, table=True):
    """What the centre itself did in a case; its part of the trail."""

    __tablename__: ClassVar[str] = "desk_fact"
    __table_args__ = (Index("desk_fact_case", "case_number"),)

    number: int | None = columns.number()
    case_number: str
    kind: str
    reference: str = ""
    actor: str = ""
    detail: str = columns.text("{}")
    at_ms: int = columns.big()


class Repeat(Base, table=True):
    """An Idempotency-Key and what it made, so that a repeated request makes nothing new."""

    __tablename__: ClassVar[str] = "repeat"

    route: str = columns.key()
    key: str = columns.key()
    body_digest: str
    reference: str
    made_ms: int = columns.big()


class SchemaNumber(Base, table=True):
    """Which schema this database had before Alembic; see `migrations.numbered`. One row."""

    __tablename__: ClassVar[str] = "schema_number"

    number: int = columns.key()


def table_of(model: type[Base]) -> Table:
    return Base.metadata.tables[str(model.__tablename__)]


LOCKER = table_of(Locker)
STREAM = table_of(Stream)
LEDGER = table_of(LedgerEntry)
COMPARTMENT = table_of(CompartmentRow)
DEPOSIT = table_of(DepositRow)
OPENING = table_of(OpeningRow)
PICKUP_CODE = table_of(CodeRow)
TICKET = table_of(Ticket)
ALARM = table_of(Alarm)
DIRECTIVE = table_of(DirectiveRow)
AUTHORISATION = table_of(AuthorisationRow)
OUTGOING_ITEM = table_of(OutgoingItemRow)
STAFF = table_of(StaffRow)
STAFF_GRANT = table_of(StaffGrantRow)
NOTICE = table_of(Notice)
DESK_FACT = table_of(DeskFact)
REPEAT = table_of(Repeat)
SCHEMA = table_of(SchemaNumber)
