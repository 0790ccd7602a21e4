"""The lockers' journals as the hub keeps them: every entry once, in order, exactly as it was hashed.

`ingest` runs in the caller's transaction: entries, what they change, and `stored_to` become durable together.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from locker.domain import chain, entry
from locker.domain.errors import DomainError
from locker.domain.events import TYPES, Event
from sync import wire
from sync.central import store
from sync.central.alarms import Trouble
from sync.central.project import CannotProject, Place, project
from sync.central.project.keys import prefetch
from sync.central.project.sheet import Sheet
from sync.central.statement import OfMany, Statement
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
PROBLEM_CHARACTERS_MAX: Final = 500


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


Follow = Callable[[type[Event]], Sequence[Callable[[Applied], object]]]
"""What follows from entries of a type: of most nothing, and then nothing is called."""


class Spoilt(Exception):
    """The database refused something of these entries after it was written among others. Nothing is stored:
    the transaction is to be given up, and begun again with one batch alone, then ``careful``."""


def ingest(
    connection: Connection,
    batch: wire.UpBatch,
    now_ms: int,
    follow: Follow = lambda _: (),
    *,
    careful: bool = False,
) -> Outcome:
    """Store what is new of ``batch``; ``follow`` sees the applied ones. Raises Spoilt unless ``careful``."""
    (outcome,) = ingest_all(connection, [batch], now_ms, follow, careful=careful)
    return outcome


def ingest_all(
    connection: Connection,
    batches: Sequence[wire.UpBatch],
    now_ms: int,
    follow: Follow = lambda _: (),
    *,
    careful: bool = False,
) -> list[Outcome]:
    """The same for several, of any lockers, one after the other. ``careful``: a savepoint for every entry."""
    if not batches:
        return []
    session = _Session(connection, now_ms, follow, careful=careful)
    session.prepare(batches)
    outcomes = [session.take(batch) for batch in batches]
    session.finish()
    return outcomes


@dataclass(slots=True)
class _Stream:
    """How far an epoch is stored, as this transaction sees it."""

    ordinal: int
    stored_to: int
    hash: str
    moved: bool = False


class _Session:
    """What one transaction does to the ledger. It is written in bulk, at the latest by `finish`."""

    def __init__(self, connection: Connection, now_ms: int, follow: Follow, *, careful: bool) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._follow = follow
        self._careful = careful
        self._sheet = Sheet(connection)
        self._lockers: dict[str, dict[str, _Stream]] = {}
        self._rows: list[dict[str, object]] = []
        self._read: dict[int, list[_Row]] = {}

    def prepare(self, batches: Sequence[wire.UpBatch]) -> None:
        """Read them all, and fetch together what they will ask for."""
        lockers = {batch.locker for batch in batches}
        self._lockers = {locker: {} for locker in lockers}
        for row in _STREAMS.all(self._connection, sorted(lockers)):
            self._lockers[row.locker][row.epoch] = _Stream(row.ordinal, row.stored_to, row.hash)
        for batch in batches:
            known = self._lockers[batch.locker].get(batch.epoch)
            self._read[id(batch)] = _rows(batch, known.stored_to if known else 0)
        read = (row for rows in self._read.values() for row in rows)
        prefetch(self._sheet, ((row.locker, row.event) for row in read if row.event))

    def take(self, batch: wire.UpBatch) -> Outcome:
        streams = self._streams(batch)
        stream = streams[batch.epoch]
        if stream.ordinal < max(each.ordinal for each in streams.values()):
            # It is over: what it says now would be mixed with what a later one has said. A hello tells it so.
            return Outcome(stream.stored_to, stream.hash, refused="superseded", silent=True)
        if batch.from_seq > stream.stored_to + 1:
            return Outcome(stream.stored_to, stream.hash, gap=True)
        try:
            hashes = [link.hex() for link in wire.up_hashes(batch)]
            self._require_agreement(batch, hashes, stream)
        except (wire.WireError, Contradiction) as error:
            kind = "fork" if isinstance(error, Contradiction) else "chain_broken"
            self._alarm(batch.locker, Trouble(kind, batch.epoch, str(error)))
            return Outcome(stream.stored_to, stream.hash, refused=kind)
        first = max(stream.stored_to + 1, batch.from_seq)
        rows = [row for row in self._read[id(batch)] if row.seq >= first]
        if any(row.version != entry.VERSION for row in rows):
            self._alarm(
                batch.locker,
                Trouble("unknown_version", batch.epoch, f"within {batch.from_seq}..{batch.to_seq}"),
            )
            return Outcome(stream.stored_to, stream.hash, refused="unknown_version", silent=True)
        for row, link in zip(rows, hashes[first - batch.from_seq :], strict=True):
            self._rows.append(row.stored(self._now_ms, link, *self._apply(row)))
        if rows:
            stream.stored_to, stream.hash, stream.moved = batch.to_seq, hashes[-1], True
        repeated = len(batch.entries) - len(rows)
        return Outcome(stream.stored_to, stream.hash, new=len(rows), repeated=repeated)

    def finish(self) -> None:
        """Raises Spoilt."""
        self._write()
        moved = [
            End(locker, epoch, stream.stored_to, stream.hash)
            for locker, streams in sorted(self._lockers.items())
            for epoch, stream in streams.items()
            if stream.moved
        ]
        if moved:
            _advance(self._connection, moved)

    def _streams(self, batch: wire.UpBatch) -> dict[str, _Stream]:
        """All of this locker; one never seen before is begun."""
        streams = self._lockers[batch.locker]
        if batch.epoch not in streams:
            stored_to, head = open_stream(self._connection, batch.locker, batch.epoch, self._now_ms)
            last = max((each.ordinal for each in streams.values()), default=0)
            streams[batch.epoch] = _Stream(last + 1, stored_to, head)
        return streams

    def _require_agreement(self, batch: wire.UpBatch, hashes: Sequence[str], stream: _Stream) -> None:
        """Raises Contradiction where this batch cannot be part of the history that is stored already."""
        if batch.from_seq == stream.stored_to + 1:
            if batch.prev != stream.hash:
                raise Contradiction(f"another history before {batch.from_seq}")
            return
        self._write()
        known = _hashes(self._connection, batch, stream.stored_to)
        if known[batch.from_seq - 1] != batch.prev:
            raise Contradiction(f"another history before {batch.from_seq}")
        for seq in range(batch.from_seq, min(batch.to_seq, stream.stored_to) + 1):
            if known.get(seq) != hashes[seq - batch.from_seq]:
                raise Contradiction(f"another entry at {seq}")

    def _apply(self, row: "_Row") -> tuple[str, str]:
        """Its case, and why it was not applied: "" if it was."""
        problem, stamp, event = row.problem, row.stamp, row.event
        case, beyond = "", self._sheet.beyond
        self._sheet.begin()
        try:
            if stamp is not None and event is not None:
                case = self._project(
                    Place(self._sheet, row.locker, row.epoch, row.seq, stamp, self._now_ms), event
                )
        except UNPROCESSABLE as error:
            if isinstance(error, SQLAlchemyError) and store.is_of_the_world(error):
                raise
            if self._careful:
                self._sheet.forget()
            elif isinstance(error, SQLAlchemyError) or self._sheet.beyond != beyond:
                raise Spoilt(f"{row.locker} {row.seq}") from error
            else:
                self._sheet.undo()
            case, problem = "", f"{type(error).__name__}: {error}"
        if problem:
            problem = storable(problem)[:PROBLEM_CHARACTERS_MAX]
            kind = "quarantined" if row.kind in TYPES else "unknown_type"
            detail = problem if row.kind in TYPES else f"unknown type {row.kind!r}"
            self._alarm(row.locker, Trouble(kind, f"{row.epoch}/{row.kind}", f"{row.seq}: {detail}"))
            problem = detail
        return case, problem

    def _project(self, place: Place, event: Event) -> str:
        if not self._careful:
            return self._do(place, event)
        # A savepoint: whatever a bad entry began to change is taken back, the entry itself stays.
        with self._sheet.connection.begin_nested():
            case = self._do(place, event)
            self._sheet.write()
        return case

    def _do(self, place: Place, event: Event) -> str:
        case = project(place, event)
        following = self._follow(type(event))
        if following:
            applied = Applied(place, event, case)
            for follow in following:
                follow(applied)
        return case

    def _alarm(self, locker: str, trouble: Trouble) -> None:
        self._sheet.alarm(locker, trouble, self._now_ms)
        if self._careful:
            self._sheet.write()

    def _write(self) -> None:
        try:
            self._sheet.write()
            if self._rows:
                store.insert(self._connection, LEDGER, self._rows)
        except (SQLAlchemyError, *UNPROCESSABLE) as error:
            if self._careful or (isinstance(error, SQLAlchemyError) and store.is_of_the_world(error)):
                raise
            raise Spoilt("in bulk") from error
        self._rows.clear()


_STREAMS: Final = OfMany(
    lambda of: (
        select(STREAM)
        .where(STREAM.c.locker.in_(of))
        .order_by(STREAM.c.locker, STREAM.c.ordinal)
        .with_for_update()
    )
)


def lock(connection: Connection, lockers: Sequence[str]) -> dict[str, Row[Any]]:
    """Their rows, by name. Until the transaction ends nobody else takes down these lockers' links, begins an
    epoch of theirs, or tells them anything (`directives.append`). To be done before their rows are read."""
    return {row.locker: row for row in _ROWS.all(connection, sorted(lockers))}


_ROWS: Final = OfMany(
    lambda of: select(LOCKER).where(LOCKER.c.locker.in_(of)).order_by(LOCKER.c.locker).with_for_update()
)


def open_stream(connection: Connection, locker: str, epoch: str, now_ms: int) -> tuple[int, str]:
    """How far an epoch is stored, and the hash there; an epoch never seen before is begun."""
    row = store.find(connection, STREAM, {"locker": locker, "epoch": epoch})
    if row:
        return row.stored_to, row.hash
    lock(connection, [locker])
    before = streams(connection, locker)
    return begin_stream(connection, locker, epoch, before[-1].ordinal + 1 if before else 1, now_ms)


def begin_stream(
    connection: Connection, locker: str, epoch: str, ordinal: int, now_ms: int
) -> tuple[int, str]:
    """The same of an epoch that is not there yet."""
    row = {"locker": locker, "epoch": epoch, "ordinal": ordinal, "stored_to": 0, "hash": chain.START.hex()}
    store.insert(connection, STREAM, [row | {"first_seen_ms": now_ms}])
    return 0, chain.START.hex()


def streams(connection: Connection, locker: str) -> Sequence[Row[Any]]:
    """Every epoch that a locker has begun, the one in force last."""
    return _ALL_OF_ONE.all(connection, {"name": locker})


_ALL_OF_ONE: Final = Statement(
    select(STREAM).where(STREAM.c.locker == bindparam("name")).order_by(STREAM.c.ordinal, STREAM.c.epoch)
)


def current_epoch(connection: Connection, locker: str) -> str:
    """The latest epoch that a locker has begun; "" before the first."""
    own = STREAM.c
    query = select(own.epoch).where(own.locker == locker).order_by(own.ordinal.desc()).limit(1)
    return str(connection.execute(query).scalar() or "")


def _hashes(connection: Connection, batch: wire.UpBatch, stored_to: int) -> dict[int, str]:
    """The stored hash of the entry before a batch and of every one of its own that is stored."""
    own, first = LEDGER.c, batch.from_seq - 1
    where = [own.locker == batch.locker, own.epoch == batch.epoch, own.seq >= first]
    last = min(batch.to_seq, stored_to)
    rows = connection.execute(select(own.seq, own.hash).where(*where, own.seq <= last))
    return {first: ""} | {0: chain.START.hex()} | {row.seq: row.hash for row in rows}


def storable(text: str) -> str:
    """Without what not every database can hold in a text."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry as it came, and what could be read of it."""

    locker: str
    epoch: str
    seq: int
    public: str
    personal: wire.Kept | wire.Purged | None
    version: object
    """What it claims; ours where it cannot even be read: then it is quarantined, not refused."""
    kind: str
    stamp: entry.Stamp | None
    event: Event | None
    problem: str

    def stored(self, now_ms: int, link: str, case: str, problem: str) -> dict[str, object]:
        return {
            "locker": self.locker,
            "epoch": self.epoch,
            "seq": self.seq,
            "kind": self.kind,
            "case_number": case,
            "public": self.public,
            "personal": _text(self.personal),
            "salt": bytes.fromhex(self.personal.salt) if isinstance(self.personal, wire.Kept) else b"",
            "personal_digest": wire.personal_digest(self.personal).hex(),
            "hash": link,
            "received_ms": now_ms,
            "problem": problem,
        }


def _rows(batch: wire.UpBatch, stored_to: int) -> list[_Row]:
    """Its entries beyond what is stored: of one that comes again nothing is read."""
    texts = zip(batch.entries, batch.personal, strict=False)  # `wire.up_hashes` wants as many of each
    return [_row(batch, seq, *text) for seq, text in enumerate(texts, batch.from_seq) if seq > stored_to]


def _row(batch: wire.UpBatch, seq: int, public: str, personal: wire.Kept | wire.Purged | None) -> _Row:
    version: object = entry.VERSION
    kind, stamp, event, problem = "", None, None, ""
    try:
        body = json.loads(public)
        if isinstance(body, dict):
            version = body.get("v", entry.VERSION)
            named = body.get("type")
            kind = storable(named[:KIND_CHARACTERS_MAX]) if isinstance(named, str) else ""
        found, stamp, _, event = entry.of_body(body, _text(personal))
        if found != seq:
            raise CannotProject(f"it calls itself {found}")
    except UNPROCESSABLE as error:
        stamp, event, problem = None, None, f"{type(error).__name__}: {error}"
    return _Row(batch.locker, batch.epoch, seq, public, personal, version, kind, stamp, event, problem)


def _text(personal: wire.Kept | wire.Purged | None) -> str:
    return personal.text if isinstance(personal, wire.Kept) else ""


@dataclass(frozen=True, slots=True)
class End:
    """How far an epoch is stored now."""

    locker: str
    epoch: str
    stored_to: int
    hash: str


def _advance(connection: Connection, ends: Sequence[End]) -> None:
    """The locker has at least what is stored."""
    rows = [{"name": end.locker, "of_epoch": end.epoch, "told": end.stored_to} for end in ends]
    _STORED.do(connection, [{**row, "link": end.hash} for row, end in zip(rows, ends, strict=True)])
    _FURTHER.do(connection, rows)


_STORED: Final = Statement(
    STREAM.update()
    .where(STREAM.c.locker == bindparam("name"), STREAM.c.epoch == bindparam("of_epoch"))
    .values(stored_to=bindparam("told"), hash=bindparam("link"))
)
_FURTHER: Final = Statement(
    LOCKER.update()
    .where(LOCKER.c.locker == bindparam("name"), LOCKER.c.epoch == bindparam("of_epoch"))
    .where(LOCKER.c.head < bindparam("told"))
    .values(head=bindparam("told"))
)
