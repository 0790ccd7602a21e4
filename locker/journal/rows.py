"""Stored rows, and every statement that reads or writes them.

Statements are SQLAlchemy Core on the declared tables, compiled once and executed by sqlite3 itself: the
layers in between would cost as much again as the commit.
"""

from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, literal_column, null, select, union_all, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql import ClauseElement

from locker.domain import chain
from locker.journal.errors import JournalCorrupt
from locker.journal.tables import ANCHOR, ENTRY, META, PROJECTIONS, key_of

NOBODY: Final = chain.personal_digest(b"", b"")
"""The digest where there never was a personal part."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One row. ``personal`` is empty where nobody was named, and once purged: the digest tells which."""

    seq: int
    public: str
    personal: str
    salt: bytes
    personal_digest: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class StoredAnchor:
    seq: int
    hash: bytes
    state: str


def past(table: str, epoch: str) -> str:
    """The name of ``table`` as it is kept for an earlier epoch. Raises ValueError for what is no epoch."""
    return f"{table}_{int(epoch, 16):032x}"


def forget_past(epoch: str) -> str:
    """Of one earlier epoch: the oldest ``count`` entries that name somebody lose that."""
    table = past(ENTRY.name, epoch)
    named = f"SELECT seq FROM {table} WHERE personal IS NOT NULL LIMIT :count"  # noqa: S608  # our own name
    return f"UPDATE {table} SET personal = NULL, salt = NULL WHERE seq IN ({named})"  # noqa: S608  # our own


_KINDS: Final[tuple[Any, ...]] = (int, str, (str, NoneType), (bytes, NoneType), (bytes, NoneType), bytes)


def stored(row: tuple[Any, ...]) -> StoredEntry:
    """Raises JournalCorrupt where a column is of another kind than was written: rotten bits can do that."""
    if not all(isinstance(value, kind) for value, kind in zip(row, _KINDS, strict=True)):
        raise JournalCorrupt(row[0], "one of its columns is of another kind than was written")
    seq, public, personal, salt, digest, link = row
    return StoredEntry(seq, public, personal or "", salt or b"", digest or NOBODY, link)


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


def _binds(*names: str) -> dict[str, Any]:
    return {name: bindparam(name) for name in names}


def _upsert(table: Any, key: str, value: str) -> str:
    statement = insert(table).values(_binds(key, value))
    return _sql(
        statement.on_conflict_do_update(index_elements=[key], set_={value: statement.excluded[value]})
    )


ROW: Final = ("seq", "public", "personal", "salt", "personal_digest", "hash")
ADD: Final = _sql(insert(ENTRY).values(_binds(*ROW)))
ADD_ANCHOR: Final = _sql(insert(ANCHOR).values(_binds("seq", "hash", "state")))
PAST: Final = (ENTRY.name, ANCHOR.name)
"""Tables of which each earlier epoch of the journal has its own."""
DECLARED: Final = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"
EPOCHS: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'entry\\_%' ESCAPE '\\'"
RENAME_META: Final = _sql(update(META).where(META.c.name == bindparam("name")).values(name=bindparam("new")))
PUT_META: Final = _upsert(META, "name", "value")
KEYS: Final = {name: key_of(table) for name, table in PROJECTIONS.items()}
PUT: Final = {name: _upsert(table, key_of(table), "record") for name, table in PROJECTIONS.items()}
DROP: Final = {
    name: _sql(delete(table).where(table.c[key_of(table)] == bindparam("id")))
    for name, table in PROJECTIONS.items()
}
CLEAR: Final = {name: _sql(delete(table)) for name, table in PROJECTIONS.items()}
RECORDS: Final = {
    # In the order in which they came to be: a state that was loaded walks its records as the running one did.
    name: f"SELECT {key_of(table)}, record FROM {name} ORDER BY rowid"  # noqa: S608  # our own names
    for name, table in PROJECTIONS.items()
}
READ_META: Final = _sql(select(META.c.name, META.c.value))
META_OF: Final = _sql(select(META.c.value).where(META.c.name == bindparam("name")))
ENTRIES: Final = _sql(
    select(*(ENTRY.c[name] for name in ROW))
    .where(ENTRY.c.seq > bindparam("after"))
    .order_by(ENTRY.c.seq)
    .limit(bindparam("count"))
    .offset(literal_column("0"))  # else Core binds one by a name of its own
)
LAST: Final = _sql(
    select(ENTRY.c.seq, ENTRY.c.hash, ENTRY.c.boot).where(
        ENTRY.c.seq == select(func.max(ENTRY.c.seq)).scalar_subquery()
    )
)
PERSONAL: Final = _sql(select(ENTRY.c.personal).where(ENTRY.c.seq == bindparam("at")))
ANCHORS: Final = _sql(select(ANCHOR.c.seq, ANCHOR.c.hash, ANCHOR.c.state).order_by(ANCHOR.c.seq))
NAMED: Final = _sql(
    select(ENTRY.c.seq).where(ENTRY.c.seq <= bindparam("up_to"), ENTRY.c.personal.is_not(None))
)
FORGET: Final = _sql(
    update(ENTRY)
    .where(ENTRY.c.seq == bindparam("at"), ENTRY.c.personal.is_not(None))
    .values(personal=null(), salt=null())
)
PURGE: Final = _sql(delete(ENTRY).where(ENTRY.c.seq <= bindparam("up_to")))
PURGE_ANCHORS: Final = _sql(delete(ANCHOR).where(ANCHOR.c.seq < bindparam("up_to")))
OLDEST: Final = _sql(select(func.min(ENTRY.c.seq)))
HASH_AT: Final = _sql(
    union_all(
        select(ENTRY.c.hash).where(ENTRY.c.seq == bindparam("at")),
        select(ANCHOR.c.hash).where(ANCHOR.c.seq == bindparam("at")),
    )
)
