"""Names leave the centre's copies of what lockers told and were told. Each entry is looked at once.

Of what was told the salted digest stays, and with it the chain. The chain of what they *were* told breaks,
and that is known: whoever would need those entries once more is told everything anew (`directives.is_whole`).
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from sync.central import store
from sync.central.forgetting.cases import unnamed
from sync.central.forgetting.tables import FORGOTTEN_TO
from sync.central.tables import DIRECTIVE, LEDGER, LOCKER, STREAM

ENTRIES_AT_ONCE: Final = 2_000
_NAMED: Final = ("AuthorisationGranted", "ItemAnnounced", "StaffEnrolled", "AgentEntrusted")


def streams(connection: Connection) -> Sequence[tuple[str, str]]:
    """Of every locker its epochs, and its down-log as ``""``."""
    up = connection.execute(select(STREAM.c.locker, STREAM.c.epoch)).all()
    down = connection.execute(select(LOCKER.c.locker)).scalars().all()
    return [*((row.locker, row.epoch) for row in up), *((locker, "") for locker in down)]


def forget(connection: Connection, locker: str, stream: str, before_ms: int) -> bool:
    """A part of it. Whether there is more."""
    keys = {"locker": locker, "stream": stream}
    row = store.find(connection, FORGOTTEN_TO, keys)
    step = _told if stream else _said
    mark, more = step(connection, keys, row.mark if row else 0, before_ms)
    if row is None or mark != row.mark:
        store.put(connection, FORGOTTEN_TO, keys, {"mark": mark})
    return more


def _told(connection: Connection, keys: dict[str, str], after: int, before_ms: int) -> tuple[int, bool]:
    own = LEDGER.c
    mine = [own.locker == keys["locker"], own.epoch == keys["stream"], own.seq > after]
    query = select(own.seq, own.received_ms).where(*mine).order_by(own.seq).limit(ENTRIES_AT_ONCE)
    rows = connection.execute(query).all()
    old = [row.seq for row in rows if row.received_ms < before_ms]
    if not old:
        return after, False
    named = [own.seq <= old[-1], or_(own.personal != "", own.salt != b"")]
    connection.execute(LEDGER.update().where(*mine, *named).values(personal="", salt=b""))
    return old[-1], len(old) == ENTRIES_AT_ONCE


def _said(connection: Connection, keys: dict[str, str], after_ms: int, before_ms: int) -> tuple[int, bool]:
    """What the locker has acknowledged, or what is of a numbering that is over."""
    own = DIRECTIVE.c
    locker = store.find(connection, LOCKER, {"locker": keys["locker"]})
    assert locker is not None  # noqa: S101  # `streams` has just read it, and no locker is ever deleted
    where = [own.locker == keys["locker"], own.made_ms > after_ms, own.made_ms < before_ms]
    query = select(DIRECTIVE).where(*where).order_by(own.made_ms).limit(ENTRIES_AT_ONCE)
    rows = connection.execute(query).all()
    # Entries of one moment go together, and the next round begins behind them.
    whole = [row for row in rows if len(rows) < ENTRIES_AT_ONCE or row.made_ms < rows[-1].made_ms] or rows
    mark = after_ms
    for row in whole:
        if row.dn_epoch == locker.dn_epoch and row.seq > locker.dn_stored_to:
            # Another of its moment may have been acknowledged: it is looked at again.
            return min(mark, row.made_ms - 1), False
        _unname(connection, row)
        mark = row.made_ms
    return mark, len(rows) == ENTRIES_AT_ONCE


def _unname(connection: Connection, row: Row[Any]) -> None:
    if not any(f'"{kind}"' in row.text for kind in _NAMED):
        return
    key = {"locker": row.locker, "dn_epoch": row.dn_epoch, "seq": row.seq}
    store.change(connection, DIRECTIVE, key, {"text": unnamed(row.text)})
