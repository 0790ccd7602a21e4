"""From the ledger to what is counted: each entry once, a few thousand a transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Self

from sqlalchemy import Connection, Row, Select, and_, func, select

from sync.central import store
from sync.central.figures import tally
from sync.central.figures.tables import COUNTED_TO, FIGURE, OCCUPANCY
from sync.central.fleet.board import rooms_of
from sync.central.notices import TRUSTED
from sync.central.presence import Presence, presence
from sync.central.tables import AUTHORISATION, DEPOSIT, LEDGER, LOCKER, OUTGOING_ITEM, STREAM

AT_ONCE: Final = 5_000
"""Entries a transaction."""
STREAMS_AT_ONCE: Final = 50
"""Each asks a handful of questions, however many entries it has."""
HOUR_MS: Final = 3_600_000
LONGEST_MS: Final = 30 * 60_000
"""What took longer was not one visit."""
LOOKED_BACK: Final = 40
"""Entries of a case before its receipt or collection: two would do where nothing went wrong."""

WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ReceiptIssued": "drop_off",
        "ItemPickedUp": "pick_up",
        "SubmissionTaken": "intake",
        "SubmissionTakenBack": "taken_back",
        "ItemLoaded": "load",
        "ItemRefused": "refused",
        "ItemOverdue": "overdue",
        "ItemWithdrawn": "withdrawn",
        "DoorStuck": "stuck",
        "DoorLeftOpen": "left_open",
        "DoorForced": "forced",
        "TicketOpened": "ticket",
    }
)
"""Kinds of entries that count, and as what."""
VISITS: Final = ("drop_off", "pick_up")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days and hours as people at the hub count them."""

    utc_offset_minutes: int

    def day_and_hour(self, wall_ms: int) -> tuple[int, int]:
        local = datetime.fromtimestamp(wall_ms / 1000, UTC) + timedelta(minutes=self.utc_offset_minutes)
        return int(local.strftime("%Y%m%d")), local.hour


def count(connection: Connection, calendar: Calendar) -> int:
    """Take in what came since; how many entries were looked at. 0: nothing is left."""
    looked_at, figures = 0, list[Mapping[str, Any]]()
    for stream in connection.execute(_BEHIND.limit(STREAMS_AT_ONCE)).all():
        first, last = stream.counted + 1, min(stream.stored_to, stream.counted + AT_ONCE - looked_at)
        entries = _entries(connection, stream, first, last)
        if entries:
            beside = _Beside.of(connection, stream, entries)
            figures += [_figure(calendar, entry, beside) for entry in entries]
        store.put(connection, COUNTED_TO, {"locker": stream.locker, "epoch": stream.epoch}, {"seq": last})
        looked_at += last - first + 1
        if looked_at >= AT_ONCE:
            break
    if figures:
        connection.execute(FIGURE.insert(), figures)
        tally.add(connection, figures)
    return looked_at


def sample(connection: Connection, now_ms: int) -> None:
    """Write down how full every locker is, once an hour."""
    hour_ms = now_ms - now_ms % HOUR_MS
    if connection.execute(select(OCCUPANCY.c.size).where(OCCUPANCY.c.hour_ms == hour_ms).limit(1)).first():
        return
    known: Select[Any] = select(LOCKER.c.locker, LOCKER.c.online, LOCKER.c.last_heard_ms)
    heard = {
        row.locker: presence(row, now_ms) is not Presence.OFFLINE for row in connection.execute(known).all()
    }
    rows = [
        {
            "locker": name,
            "hour_ms": hour_ms,
            "size": size,
            "doors": room.doors,
            "used": room.used,
            "broken": room.broken,
            "heard": heard[name],
        }
        for name, rooms in rooms_of(connection, heard).items()
        for size, room in rooms.items()
    ]
    if rows:
        connection.execute(OCCUPANCY.insert(), rows)


def _entries(connection: Connection, stream: Row[Any], first: int, last: int) -> list[Row[Any]]:
    own = LEDGER.c
    query = select(LEDGER).where(
        own.locker == stream.locker,
        own.epoch == stream.epoch,
        own.seq.between(first, last),
        own.kind.in_(tuple(WHAT)),
        own.problem == "",
    )
    return list(connection.execute(query.order_by(own.seq)).all())


@dataclass(frozen=True, slots=True)
class _Beside:
    """What the ledger's rows do not say themselves, asked once for all of them."""

    service_items: Mapping[str, str]
    """By case."""
    overdue: frozenset[str]
    """Deposits."""
    doors: Mapping[str, Sequence[Row[Any]]]
    """By case: codes that were accepted and doors that were shut, the latest first."""

    @classmethod
    def of(cls, connection: Connection, stream: Row[Any], entries: Sequence[Row[Any]]) -> Self:
        cases = sorted({entry.case_number for entry in entries if entry.case_number})
        items: dict[str, str] = {}
        for table in (OUTGOING_ITEM, AUTHORISATION):
            asked = select(table.c.case_number, table.c.service_item).where(table.c.case_number.in_(cases))
            items |= {case: item for case, item in connection.execute(asked) if item}
        late = select(DEPOSIT.c.deposit).where(
            DEPOSIT.c.locker == stream.locker, DEPOSIT.c.case_number.in_(cases), DEPOSIT.c.overdue.is_(True)
        )
        visited = sorted({entry.case_number for entry in entries if WHAT[entry.kind] in VISITS})
        return cls(items, frozenset(connection.execute(late).scalars()), _doors(connection, stream, visited))


def _doors(
    connection: Connection, stream: Row[Any], cases: Sequence[str]
) -> Mapping[str, Sequence[Row[Any]]]:
    own = LEDGER.c
    query: Select[Any] = (
        select(own.seq, own.kind, own.case_number, own.public)
        .where(own.locker == stream.locker, own.epoch == stream.epoch, own.case_number.in_(cases))
        .where(own.kind.in_(("CodeAccepted", "DoorClosed")))
        .order_by(own.seq.desc())
    )
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query).all():
        found.setdefault(row.case_number, []).append(row)
    return found


def _figure(calendar: Calendar, entry: Row[Any], beside: _Beside) -> dict[str, Any]:
    body, what = json.loads(entry.public), WHAT[entry.kind]
    trusted = body.get("tq") in TRUSTED
    day, hour = calendar.day_and_hour(body["time"] if trusted else entry.received_ms)
    return {
        "locker": entry.locker,
        "epoch": entry.epoch,
        "seq": entry.seq,
        "what": what,
        "day": day,
        "hour": hour,
        "service_item": beside.service_items.get(entry.case_number, ""),
        "took_ms": _took_ms(entry, beside) if what in VISITS else 0,
        "late": what == "pick_up" and body["data"]["deposit"] in beside.overdue,
    }


def _took_ms(entry: Row[Any], beside: _Beside) -> int:
    """From the code that was accepted to the door that was shut, by the locker's own monotonic clock."""
    shut: dict[str, Any] | None = None
    before = [row for row in beside.doors.get(entry.case_number, ()) if row.seq < entry.seq]
    for row in before[:LOOKED_BACK]:
        body = json.loads(row.public)
        if row.kind == "DoorClosed":
            shut = shut or body
        elif shut is not None:
            took = int(shut["mono"]) - int(body["mono"])
            return took if shut["boot"] == body["boot"] and 0 < took <= LONGEST_MS else 0
    return 0


_counted: Final = func.coalesce(COUNTED_TO.c.seq, 0)
_BEHIND: Final[Select[Any]] = (
    select(STREAM.c.locker, STREAM.c.epoch, STREAM.c.stored_to, _counted.label("counted"))
    .select_from(
        STREAM.outerjoin(
            COUNTED_TO,
            and_(COUNTED_TO.c.locker == STREAM.c.locker, COUNTED_TO.c.epoch == STREAM.c.epoch),
        )
    )
    .where(STREAM.c.stored_to > _counted)
    .order_by(STREAM.c.locker, STREAM.c.epoch)
)
