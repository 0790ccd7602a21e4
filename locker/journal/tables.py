"""The tables, declared once. `migrations/` says the same in SQL; a test compares.

Every column that is derived from a hashed or stored text is computed by SQLite from that very text: it costs
no byte on the card, and it can never disagree with what was hashed.
"""

from typing import Any, ClassVar, Final

from sqlalchemy import Column, Computed, Integer, MetaData, Table, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from locker.domain.state import COLLECTIONS

APPLICATION_ID: Final = 0x446F634C
"""``DocL``: marks the file as ours."""

_registry: Final = registry()


class JournalTable(SQLModel, registry=_registry):
    """Own metadata: the hub declares other tables in the same process of a test."""

    metadata: ClassVar[MetaData] = _registry.metadata


def _from(text: str, field: str, column: str = "") -> Any:
    number = column.endswith(("seq", "boot", "mono", "wall")) or field.endswith(("_ms", "door", "seq"))
    computed = Computed(f"json_extract({text}, '$.{field}')", persisted=False)
    return Field(sa_column=Column(column or field, Integer if number else Text, computed))


def _record(field: str) -> Any:
    return _from("record", field)


class EntryRow(JournalTable, table=True):
    """One event. ``public`` is hashed as it stands; ``personal`` and ``salt`` are NULL once purged, and
    ``personal_digest`` is NULL where nobody was ever named.

    No index: one on ``subject`` was a third of all bytes written, and a walk over 100,000 rows takes 0.1 s.
    """

    __tablename__ = "entry"

    seq: int = Field(primary_key=True)
    public: str
    personal: str | None
    salt: bytes | None
    personal_digest: bytes | None
    hash: bytes
    type: str = _from("public", "type")
    boot: int = _from("public", "boot", "boot")
    mono: int = _from("public", "mono", "mono")
    wall: int = _from("public", "time", "wall")
    tq: str = _from("public", "tq")
    subject: str = _from("public", "subject")
    cause: str = _from("public", "cause")


class AnchorRow(JournalTable, table=True):
    """The state after ``seq``, kept so that the entries up to there may go."""

    __tablename__ = "anchor"

    seq: int = Field(primary_key=True)
    hash: bytes
    state: str


class MetaRow(JournalTable, table=True):
    """The scalars of the state as JSON, and four of the store's own: ``head`` (hex of the last entry's
    hash), ``fold_version``, ``acknowledged`` (what the centre has stored, by its signed word) and
    ``countersigned`` (that word itself, hex of the frame)."""

    __tablename__ = "meta"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}

    name: str = Field(primary_key=True)
    value: str


class CompartmentRow(JournalTable, table=True):
    __tablename__ = "compartments"

    number: int = Field(primary_key=True)
    record: str
    deposit: str = _record("deposit")
    doubt: str = _record("doubt")
    fault: str = _record("fault")


class DepositRow(JournalTable, table=True):
    __tablename__ = "deposits"

    deposit: str = Field(primary_key=True)
    record: str
    kind: str = _record("kind")
    door: int = _record("door")
    case: str = _record("case")
    phase: str = _record("phase")
    since_ms: int = _record("since_ms")


class OpeningRow(JournalTable, table=True):
    __tablename__ = "openings"

    grant: str = Field(primary_key=True)
    record: str
    door: int = _record("door")
    purpose: str = _record("purpose")
    phase: str = _record("phase")


class CodeRow(JournalTable, table=True):
    __tablename__ = "codes"

    code: str = Field(primary_key=True)
    record: str
    deposit: str = _record("deposit")
    locator: str = _record("locator")
    ended: str = _record("ended")


class AuthorisationRow(JournalTable, table=True):
    __tablename__ = "authorisations"

    authorisation: str = Field(primary_key=True)
    record: str
    locator: str = _record("locator")
    valid_until_ms: int = _record("valid_until_ms")
    deposit: str = _record("deposit")
    ended: str = _record("ended")


class ItemRow(JournalTable, table=True):
    __tablename__ = "items"

    item: str = Field(primary_key=True)
    record: str
    case: str = _record("case")
    recalled: str = _record("recalled")


class StaffRow(JournalTable, table=True):
    __tablename__ = "staff"

    staff: str = Field(primary_key=True)
    record: str
    until_ms: int = _record("until_ms")


METADATA: Final = JournalTable.metadata
ENTRY: Final[Table] = METADATA.tables["entry"]
ANCHOR: Final[Table] = METADATA.tables["anchor"]
META: Final[Table] = METADATA.tables["meta"]
PROJECTIONS: Final[dict[str, Table]] = {name: METADATA.tables[name] for name in COLLECTIONS}
"""One table for each collection of the state: its key, and the record as canonical JSON."""


def key_of(table: Table) -> str:
    """The name of the one column that is the key."""
    return next(iter(table.primary_key.columns)).name
