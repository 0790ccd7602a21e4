"""From the ledger to what is counted: each entry once, a few thousand a transaction."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, select

from sync.central import store
from sync.central.figures.tables import COUNTED_TO, FIGURE, OCCUPANCY
from sync.central.fleet.board import rooms_of
from sync.central.notices import TRUSTED
from sync.central.presence import Presence, presence
from sync.central.tables import AUTHORISATION, DEPOSIT, LEDGER, LOCKER, OUTGOING_ITEM, STREAM

AT_ONCE: Final = 5_000
"""Entries a transaction, of one locker."""
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
    looked_at = 0
    for stream in connection.execute(_BEHIND.limit(1)).all():
        first, last = stream.counted + 1, min(stream.stored_to, stream.counted + AT_ONCE)
        rows = [_figure(connection, calendar, entry) for entry in _entries(connection, stream, first, last)]
        if rows:
            connection.execute(FIGURE.insert(), rows)
        store.put(connection, COUNTED_TO, {"locker": stream.locker, "epoch": stream.epoch}, {"seq": last})
        looked_at += last - first + 1
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


def _figure(connection: Connection, calendar: Calendar, entry: Row[Any]) -> dict[str, Any]:
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
        "service_item": _service_item(connection, entry.case_number),
        "took_ms": _took_ms(connection, entry) if what in VISITS else 0,
        "late": what == "pick_up" and _was_overdue(connection, entry.locker, body["data"]["deposit"]),
    }


def _service_item(connection: Connection, case: str) -> str:
    if not case:
        return ""
    for table in (AUTHORISATION, OUTGOING_ITEM):
        found = connection.execute(select(table.c.service_item).where(table.c.case_number == case)).scalar()
        if found:
            return str(found)
    return ""


def _was_overdue(connection: Connection, locker: str, deposit: str) -> bool:
    where = [DEPOSIT.c.locker == locker, DEPOSIT.c.deposit == deposit]
    return bool(connection.execute(select(DEPOSIT.c.overdue).where(*where)).scalar())


def _took_ms(connection: Connection, entry: Row[Any]) -> int:
    """From the code that was accepted to the door that was shut, by the locker's own monotonic clock."""
    own = LEDGER.c
    before = (
        select(own.kind, own.public)
        .where(own.locker == entry.locker, own.epoch == entry.epoch, own.case_number == entry.case_number)
        .where(own.seq < entry.seq, own.kind.in_(("CodeAccepted", "DoorClosed")))
        .order_by(own.seq.desc())
        .limit(LOOKED_BACK)
    )
    shut: dict[str, Any] | None = None
    for row in connection.execute(before).all():
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
