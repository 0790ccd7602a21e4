"""Trouble that a person must look at: one row a locker, kind and subject, counted when it comes again."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.sql.dml import UpdateBase

from sync.central import bulk, store
from sync.central.bulk import BIG, NUMBER, TEXT
from sync.central.tables import ALARM

log = logging.getLogger(__name__)

NAMED: Final = ("locker", "kind", "subject")
"""What tells one trouble from another."""


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: str
    subject: str
    detail: str


Raised = tuple[str, Trouble, int]
"""Of which locker, what, and when."""


def raise_alarm(connection: Connection, locker: str, trouble: Trouble, now_ms: int) -> None:
    row = new((locker, trouble, now_ms))
    if not _AGAIN.one.do(connection, [_again(row)]):
        _log(row)
        store.insert(connection, ALARM, [row])


def raise_all(connection: Connection, raised: Sequence[Raised]) -> None:
    """Several at once: a few statements, however many they are."""
    rows: dict[bulk.Key, dict[str, Any]] = {}
    for each in raised:
        row = new(each)
        before = rows.setdefault(_name(row), row)
        if before is not row:
            before |= {"count": before["count"] + 1, "last_ms": row["last_ms"]}
    known = {_name(row) for row in bulk.fetch(connection, ALARM, NAMED, list(rows))}
    bulk.change(connection, _AGAIN, [_again(rows[name]) for name in rows if name in known])
    fresh = [rows[name] for name in rows if name not in known]
    for row in fresh:
        _log(row)
    store.insert(connection, ALARM, fresh)


def new(raised: Raised) -> dict[str, Any]:
    """The row of what was never raised before."""
    locker, trouble, now_ms = raised
    named = {"locker": locker, "kind": trouble.kind, "subject": trouble.subject}
    return named | {"detail": trouble.detail, "raised_ms": now_ms, "count": 1, "last_ms": now_ms}


def _name(row: Mapping[str, Any]) -> bulk.Key:
    return tuple([row[name] for name in NAMED])


def _again(row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"of_{name}": row[name] for name in NAMED} | {"times": row["count"], "at_ms": row["last_ms"]}


def _log(row: Mapping[str, Any]) -> None:
    log.warning("%s: %s (%s): %s", row["locker"], row["kind"], row["subject"], row["detail"])


def _raised_again(told: Any) -> UpdateBase:
    own = ALARM.c
    named = [own.locker == told.of_locker, own.kind == told.of_kind, own.subject == told.of_subject]
    return ALARM.update().where(*named).values(count=own.count + told.times, last_ms=told.at_ms)


_AGAIN: Final = bulk.Change(
    _raised_again,
    ["of_locker", "of_kind", "of_subject"],
    of_locker=TEXT,
    of_kind=TEXT,
    of_subject=TEXT,
    times=NUMBER,
    at_ms=BIG,
)
