"""The per-locker down-log: state entries, numbered without a gap inside a dn_epoch, hash-chained.

Entries are appended in the transaction of the act that makes them. `snapshot` begins a new numbering that
says once more everything that is still valid.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from locker.domain import chain, directives
from locker.domain.encoding import build
from locker.domain.events import StaffEnrolled
from locker.domain.ids import Seq, StaffId
from sync import wire
from sync.central.bookings import said as bookings
from sync.central.doors import said as bars
from sync.central.intake import said as papers
from sync.central.pickups import said as pickups
from sync.central.platform import Chance
from sync.central.rotation import said as rotation
from sync.central.settings import said as settings
from sync.central.statement import Statement
from sync.central.store import change, insert
from sync.central.tables import AUTHORISATION, DIRECTIVE, LOCKER, OUTGOING_ITEM, STAFF, STAFF_GRANT

EPOCH_BYTES: Final = 16
_END: Final = Statement(
    select(LOCKER.c.dn_epoch, LOCKER.c.dn_head, LOCKER.c.dn_hash)
    .where(LOCKER.c.locker == bindparam("locker"))
    .with_for_update()
)


def append(connection: Connection, locker: str, says: directives.StateEntry, now_ms: int) -> int:
    """The seq of the new entry; it goes out once the transaction is durable."""
    row = _END.one(connection, {"locker": locker})
    seq = row.dn_head + 1
    text = directives.write(Seq(seq), says)
    link = directives.link(bytes.fromhex(row.dn_hash), text).hex()
    entry = {"dn_epoch": row.dn_epoch, "seq": seq, "text": text, "hash": link, "made_ms": now_ms}
    insert(connection, DIRECTIVE, [{"locker": locker, **entry}])
    change(connection, LOCKER, {"locker": locker}, {"dn_head": seq, "dn_hash": link})
    return int(seq)


def batch_after(connection: Connection, locker: Row[Any], after: int) -> wire.DownBatch | None:
    """The next entries that a locker lacks, at most one batch; None where there are none."""
    rows = _ONWARD.all(connection, {"locker": locker.locker, "dn_epoch": locker.dn_epoch, "after": after})
    sizes = accumulate(len(row.text.encode()) for row in rows)
    taken = [row for row, size in zip(rows, sizes, strict=True) if size <= wire.BATCH_BYTES_MAX]
    if not taken:
        return None
    return wire.DownBatch(
        locker=locker.locker,
        dn_epoch=locker.dn_epoch,
        from_seq=after + 1,
        to_seq=after + len(taken),
        prev=hash_at(connection, locker.locker, locker.dn_epoch, after),
        entries=tuple(row.text for row in taken),
        hash=taken[-1].hash,
    )


_OF_EPOCH: Final = (
    DIRECTIVE.c.locker == bindparam("locker"),
    DIRECTIVE.c.dn_epoch == bindparam("dn_epoch"),
)
_ONWARD: Final = Statement(
    select(DIRECTIVE.c.text, DIRECTIVE.c.hash)
    .where(*_OF_EPOCH, DIRECTIVE.c.seq > bindparam("after"))
    .order_by(DIRECTIVE.c.seq)
    .limit(wire.BATCH_ENTRIES_MAX)
)
_HASH_AT: Final = Statement(select(DIRECTIVE.c.hash).where(*_OF_EPOCH, DIRECTIVE.c.seq == bindparam("seq")))


def hash_at(connection: Connection, locker: str, dn_epoch: str, seq: int) -> str:
    """`chain.START` for 0, "" where there is no such entry."""
    if seq == 0:
        return chain.START.hex()
    named = {"locker": locker, "dn_epoch": dn_epoch, "seq": seq}
    return str(_HASH_AT.value(connection, named) or "")


def is_whole(connection: Connection, locker: str, dn_epoch: str, after: int) -> bool:
    """Whether the entries after this one can be said once more: names are taken out of those that were
    acknowledged long ago, and then their hashes are not those of their texts."""
    own = DIRECTIVE.c
    where = [own.locker == locker, own.dn_epoch == dn_epoch, own.seq > after]
    link = hash_at(connection, locker, dn_epoch, after)
    for row in connection.execute(select(own.text, own.hash).where(*where).order_by(own.seq)):
        if directives.link(bytes.fromhex(link), row.text).hex() != row.hash:
            return False
        link = row.hash
    return True


def is_ours(connection: Connection, locker: str, dn_epoch: str) -> bool:
    """Whether we numbered so once: before a restore, or before anything else that made us begin anew."""
    where = [DIRECTIVE.c.locker == locker, DIRECTIVE.c.dn_epoch == dn_epoch]
    return connection.execute(select(DIRECTIVE.c.seq).where(*where).limit(1)).first() is not None


def snapshot(connection: Connection, locker: str, chance: Chance, now_ms: int) -> None:
    """Number anew and say again what is still valid; what ended is not, lest an ended code live again."""
    begin(connection, locker, chance)
    for says in still_valid(connection, locker, now_ms):
        append(connection, locker, says, now_ms)


def begin(connection: Connection, locker: str, chance: Chance) -> None:
    """Number anew, and say nothing yet."""
    fresh = {
        "dn_epoch": chance.random_bytes(EPOCH_BYTES).hex(),
        "dn_head": 0,
        "dn_hash": chain.START.hex(),
        "dn_stored_to": 0,
    }
    connection.execute(LOCKER.update().where(LOCKER.c.locker == locker).values(**fresh))


def still_valid(connection: Connection, locker: str, now_ms: int) -> Iterable[directives.StateEntry]:
    """Staff, rights that live, items that wait: as they would be said now."""
    yield from rotation.standing(connection, locker)
    yield from _staff(connection, locker, now_ms)
    yield from settings.standing(connection, locker)
    yield from bars.standing(connection, locker)
    own = AUTHORISATION.c
    living = [own.locker == locker, own.ended == "", own.valid_until_ms > now_ms]
    yield from _read(
        connection.execute(select(own.directive).where(*living).order_by(own.made_ms)).scalars().all()
    )
    item = OUTGOING_ITEM.c
    waiting = [item.locker == locker, item.state.in_(["announced", "awaiting_pickup", "refused"])]
    yield from _read(
        connection.execute(select(item.directive).where(*waiting).order_by(item.made_ms)).scalars().all()
    )
    yield from pickups.standing(connection, locker, now_ms)
    yield from bookings.standing(connection, locker)
    yield from papers.standing(connection, locker, now_ms)


def _read(texts: Sequence[str]) -> Iterable[directives.StateEntry]:
    for text in texts:
        yield read_one(text)


def read_one(text: str) -> directives.StateEntry:
    """What a kept state entry says."""
    body = json.loads(text)
    return build(directives.KINDS[body["type"]], body["data"])


def _staff(connection: Connection, locker: str, now_ms: int) -> Iterable[StaffEnrolled]:
    joined = STAFF_GRANT.join(STAFF, STAFF.c.staff == STAFF_GRANT.c.staff)
    where = [STAFF_GRANT.c.locker == locker, STAFF_GRANT.c.until_ms > now_ms]
    query = select(STAFF.c.name, STAFF.c.roles, STAFF_GRANT).select_from(joined).where(*where)
    for row in connection.execute(query.order_by(STAFF.c.staff)):
        yield enrolled(row)


def enrolled(row: Row[Any]) -> StaffEnrolled:
    """What a grant says to its locker; ``row`` joins `StaffRow` and `StaffGrantRow`."""
    return StaffEnrolled(
        StaffId(row.staff),
        frozenset(json.loads(row.roles)),
        row.badge_digest,
        row.pin_digest,
        row.until_ms,
        row.name,
    )
