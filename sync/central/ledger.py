"""The lockers' journals as the hub keeps them: every entry once, in order, exactly as it was hashed.

`ingest` runs in the caller's transaction: entries, what they change, and `stored_to` become durable together.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from locker.domain import chain, entry
from locker.domain.errors import DomainError
from locker.domain.events import TYPES, Event
from sync import wire
from sync.central import store
from sync.central.alarms import Trouble, raise_alarm
from sync.central.project import CannotProject, Place, project
from sync.central.tables import LEDGER, LOCKER, STREAM

UNPROCESSABLE: Final = (
    DomainError,
    CannotProject,
    SQLAlchemyError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
)
"""What one bad entry can do to its projection. It is kept raw, and the log goes on."""


KIND_CHARACTERS_MAX: Final = 60


class Contradiction(Exception):
    """A batch tells another history than the one that is stored: a cloned card, or tampering."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One entry that was new, for what follows from it in the same transaction."""

    place: Place
    event: Event
    case: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far the epoch is stored now. ``gap``: entries are missing before this batch. ``refused``: why
    nothing of it was stored; it is not to be acknowledged where ``silent``."""

    stored_to: int
    hash: str
    gap: bool = False
    refused: str = ""
    silent: bool = False
    new: int = 0
    repeated: int = 0


Follow = Callable[[Applied], None]


def ingest(
    connection: Connection, batch: wire.UpBatch, now_ms: int, follow: Follow = lambda _: None
) -> Outcome:
    """Store what is new of ``batch``; ``follow`` sees each applied entry."""
    stored_to, head = open_stream(connection, batch.locker, batch.epoch, now_ms)
    if batch.from_seq > stored_to + 1:
        return Outcome(stored_to, head, gap=True)
    try:
        hashes = [link.hex() for link in wire.up_hashes(batch)]
        _require_agreement(connection, batch, hashes, stored_to)
    except (wire.WireError, Contradiction) as error:
        kind = "fork" if isinstance(error, Contradiction) else "chain_broken"
        raise_alarm(connection, batch.locker, Trouble(kind, batch.epoch, str(error)), now_ms)
        return Outcome(stored_to, head, refused=kind)
    fresh = range(max(stored_to + 1, batch.from_seq), batch.to_seq + 1)
    if any(_version(batch.entries[seq - batch.from_seq]) != entry.VERSION for seq in fresh):
        trouble = Trouble("unknown_version", batch.epoch, f"within {batch.from_seq}..{batch.to_seq}")
        raise_alarm(connection, batch.locker, trouble, now_ms)
        return Outcome(stored_to, head, refused="unknown_version", silent=True)
    rows: list[dict[str, object]] = []
    for seq in fresh:
        index = seq - batch.from_seq
        row = _Row(batch.locker, batch.epoch, seq, batch.entries[index], batch.personal[index], hashes[index])
        rows.append(_apply(connection, row, now_ms, follow))
    if rows:
        connection.execute(LEDGER.insert(), rows)
        stored_to, head = batch.to_seq, hashes[-1]
        _advance(connection, batch.locker, batch.epoch, stored_to, head)
    return Outcome(stored_to, head, new=len(fresh), repeated=len(batch.entries) - len(fresh))


def open_stream(connection: Connection, locker: str, epoch: str, now_ms: int) -> tuple[int, str]:
    """How far an epoch is stored, and the hash there; an epoch never seen before is begun."""
    row = store.find(connection, STREAM, {"locker": locker, "epoch": epoch})
    if row:
        return row.stored_to, row.hash
    before = connection.execute(select(STREAM.c.ordinal).where(STREAM.c.locker == locker)).scalars().all()
    connection.execute(
        STREAM.insert().values(
            locker=locker,
            epoch=epoch,
            ordinal=max(before, default=0) + 1,
            stored_to=0,
            hash=chain.START.hex(),
            first_seen_ms=now_ms,
        )
    )
    return 0, chain.START.hex()


def hash_at(connection: Connection, locker: str, epoch: str, seq: int) -> str:
    """The stored hash of an entry, `chain.START` for 0, "" where it is not stored."""
    if seq == 0:
        return chain.START.hex()
    row = store.find(connection, LEDGER, {"locker": locker, "epoch": epoch, "seq": seq})
    return "" if row is None else str(row.hash)


def _require_agreement(
    connection: Connection, batch: wire.UpBatch, hashes: Sequence[str], stored_to: int
) -> None:
    """Raises Contradiction where this batch cannot be part of the history that is stored already."""
    if hash_at(connection, batch.locker, batch.epoch, batch.from_seq - 1) != batch.prev:
        raise Contradiction(f"another history before {batch.from_seq}")
    for seq in range(batch.from_seq, min(batch.to_seq, stored_to) + 1):
        if hash_at(connection, batch.locker, batch.epoch, seq) != hashes[seq - batch.from_seq]:
            raise Contradiction(f"another entry at {seq}")


def _version(public: str) -> object:
    """The version an entry claims; ours where it cannot even be read: then it is quarantined, not refused."""
    try:
        body = json.loads(public)
    except (ValueError, RecursionError):
        return entry.VERSION
    return body.get("v", entry.VERSION) if isinstance(body, dict) else entry.VERSION


@dataclass(frozen=True, slots=True)
class _Row:
    locker: str
    epoch: str
    seq: int
    public: str
    personal: wire.Kept | wire.Purged | None
    hash: str

    @property
    def text(self) -> str:
        return self.personal.text if isinstance(self.personal, wire.Kept) else ""

    @property
    def salt(self) -> bytes:
        return bytes.fromhex(self.personal.salt) if isinstance(self.personal, wire.Kept) else b""


def _apply(connection: Connection, row: _Row, now_ms: int, follow: Follow) -> dict[str, object]:
    """Write what the entry changes; the row to be stored, whatever became of that."""
    kind, case, problem = "", "", ""
    try:
        kind = _kind(row.public)
        # A savepoint: whatever a bad entry began to change is taken back, the entry itself stays.
        with connection.begin_nested():
            found, stamp, _, event = entry.read(row.public, row.text)
            if found != row.seq:
                raise CannotProject(f"it calls itself {found}")
            place = Place(connection, row.locker, row.epoch, row.seq, stamp, now_ms)
            case = project(place, event)
            follow(Applied(place, event, case))
    except UNPROCESSABLE as error:
        problem = f"{type(error).__name__}: {error}"[:500]
        trouble = "quarantined"
        if kind not in TYPES:
            trouble, problem = "unknown_type", f"unknown type {kind!r}"
        subject = Trouble(trouble, f"{row.epoch}/{kind}", f"{row.seq}: {problem}")
        raise_alarm(connection, row.locker, subject, now_ms)
    return {
        "locker": row.locker,
        "epoch": row.epoch,
        "seq": row.seq,
        "kind": kind,
        "case_number": case,
        "public": row.public,
        "personal": row.text,
        "salt": row.salt,
        "personal_digest": wire.personal_digest(row.personal).hex(),
        "hash": row.hash,
        "received_ms": now_ms,
        "problem": problem,
    }


def _kind(public: str) -> str:
    body = json.loads(public)
    kind = body["type"]
    if not isinstance(kind, str):
        raise TypeError("the type is not a text")
    return kind[:KIND_CHARACTERS_MAX]


def _advance(connection: Connection, locker: str, epoch: str, stored_to: int, head: str) -> None:
    keys = {"locker": locker, "epoch": epoch}
    store.change(connection, STREAM, keys, {"stored_to": stored_to, "hash": head})
    raise_head(connection, locker, epoch, stored_to)


_FURTHER: Final = (
    LOCKER.update()
    .where(LOCKER.c.locker == bindparam("name"), LOCKER.c.epoch == bindparam("of_epoch"))
    .where(LOCKER.c.head < bindparam("told"))
    .values(head=bindparam("told"))
)


def raise_head(connection: Connection, locker: str, epoch: str, head: int) -> None:
    """The locker has so many entries, by its own word or because they are stored."""
    connection.execute(_FURTHER, {"name": locker, "of_epoch": epoch, "told": head})
