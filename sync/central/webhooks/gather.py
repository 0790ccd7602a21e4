"""Facts become deliveries: taken over once each, in one transaction with the mark of how far.

A locker's entries are taken by their own numbers: ``stored_to`` of an epoch moves only together with its
entries, so nothing can appear behind it, however many processes take lockers' words in. The centre's facts
have numbers of which a lower one can become visible later than a higher: those of the last `SETTLED_MS` are
looked through again, and what was taken over is known by its number.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, select

from sync.central import store
from sync.central.alarms import Trouble, raise_alarm
from sync.central.tables import DESK_FACT, LEDGER, LOCKER, STREAM
from sync.central.webhooks import events
from sync.central.webhooks.events import CENTRE_TYPE, LOCKER_TYPE, Told
from sync.central.webhooks.tables import DELIVERY, FACT_TAKEN, POSITION, WEBHOOK

SETTLED_MS: Final = 15 * 60_000
"""Longer than any transaction of the hub lies open: they take milliseconds, and ten tries."""
STREAMS_AT_ONCE: Final = 100
ENTRIES_AT_ONCE: Final = 500
"""Of one epoch: a backlog is taken over in pieces, so that no transaction is long."""
QUEUED_MAX: Final = 100_000
"""Undelivered events of one receiver: some days of a large city. Beyond, it is switched off with an alarm."""
OVERFLOW: Final = "webhook_overflow"
_CENTRE: Final = {"locker": "", "epoch": ""}


@dataclass(frozen=True, slots=True)
class Receiver:
    """A subscription that is on."""

    webhook: str
    kinds: tuple[str, ...]
    areas: frozenset[str]

    def wants(self, told: Told, area: str | None) -> bool:
        """``area``: of the locker it is about; None where it names none, or none that is known."""
        whole = "*" in self.areas
        return (whole or (area is not None and area in self.areas)) and self.takes(told.type)

    def takes(self, kind: str) -> bool:
        return any(kind == each or (each.endswith("*") and kind.startswith(each[:-1])) for each in self.kinds)


def receivers(connection: Connection) -> list[Receiver]:
    rows = connection.execute(
        select(WEBHOOK.c.webhook, WEBHOOK.c.kinds, WEBHOOK.c.areas).where(WEBHOOK.c.state == "on")
    )
    return [
        Receiver(row.webhook, tuple(json.loads(row.kinds)), frozenset(json.loads(row.areas))) for row in rows
    ]


def is_there_news(connection: Connection) -> bool:
    """Asked every second, so it only reads."""
    if connection.execute(select(WEBHOOK.c.webhook).where(WEBHOOK.c.state == "on").limit(1)).first() is None:
        return False
    return bool(_moved(connection, 1)) or bool(_facts(connection, 1))


def begin(connection: Connection, now_ms: int) -> None:
    """From now on: what happened before anybody wanted to hear of it is not told."""
    connection.execute(POSITION.delete())
    connection.execute(FACT_TAKEN.delete())
    streams = select(STREAM.c.locker, STREAM.c.epoch, STREAM.c.stored_to)
    connection.execute(POSITION.insert().from_select(["locker", "epoch", "taken_to"], streams))
    settled = select(func.max(DESK_FACT.c.number)).where(DESK_FACT.c.at_ms < now_ms - SETTLED_MS)
    floor = connection.execute(settled).scalar() or 0
    connection.execute(POSITION.insert().values(**_CENTRE, taken_to=floor))
    recent = connection.execute(select(DESK_FACT.c.number).where(DESK_FACT.c.number > floor)).scalars().all()
    _take_facts(connection, recent, now_ms)


def gather(connection: Connection, now_ms: int) -> bool:
    """Take over what is new; whether there may be more."""
    wanting = receivers(connection)
    areas = {row.locker: row.area for row in connection.execute(select(LOCKER.c.locker, LOCKER.c.area))}
    moved = _moved(connection, STREAMS_AT_ONCE)
    told = [each for stream in moved for each in _entries(connection, stream, wanting)]
    facts = _facts(connection, ENTRIES_AT_ONCE)
    told += [events.of_centre(row) for row in facts]
    rows = [
        _delivery(receiver, each, now_ms)
        for each in told
        for receiver in wanting
        if receiver.wants(each, areas.get(each.place))
    ]
    if rows:
        store.insert(connection, DELIVERY, rows)
    _take_facts(connection, [row.number for row in facts], now_ms)
    _settle(connection, now_ms)
    _bound(connection, {str(row["webhook"]) for row in rows}, now_ms)
    return len(moved) == STREAMS_AT_ONCE or len(facts) == ENTRIES_AT_ONCE or _is_unfinished(moved)


def _moved(connection: Connection, limit: int) -> list[Any]:
    """Epochs of which more is stored than was taken over."""
    own, taken = STREAM.c, func.coalesce(POSITION.c.taken_to, 0)
    joined = STREAM.outerjoin(POSITION, and_(POSITION.c.locker == own.locker, POSITION.c.epoch == own.epoch))
    query = select(own.locker, own.epoch, own.stored_to, taken.label("taken_to")).select_from(joined)
    ordered = query.where(own.stored_to > taken).order_by(own.locker, own.ordinal)
    return list(connection.execute(ordered.limit(limit)))


def _is_unfinished(moved: Iterable[Any]) -> bool:
    return any(row.stored_to - row.taken_to > ENTRIES_AT_ONCE for row in moved)


def _entries(connection: Connection, stream: Any, wanting: Sequence[Receiver]) -> list[Told]:
    """The next of one epoch. What could not be read or applied is for people, not for programs."""
    upto = min(stream.stored_to, stream.taken_to + ENTRIES_AT_ONCE)
    own = LEDGER.c
    query = select(
        own.locker, own.epoch, own.seq, own.kind, own.case_number, own.public, own.hash, own.received_ms
    ).where(
        own.locker == stream.locker,
        own.epoch == stream.epoch,
        own.seq > stream.taken_to,
        own.seq <= upto,
        own.problem == "",
    )
    rows: Sequence[Any] = connection.execute(query.order_by(own.seq)).all()
    store.put(connection, POSITION, {"locker": stream.locker, "epoch": stream.epoch}, {"taken_to": upto})
    return [
        events.of_locker(row) for row in rows if any(each.takes(LOCKER_TYPE + row.kind) for each in wanting)
    ]


# --- the centre's facts -----------------------------------------------------------------------------------


def _facts(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    floor = select(POSITION.c.taken_to).where(POSITION.c.locker == "", POSITION.c.epoch == "")
    taken = select(FACT_TAKEN.c.number).where(FACT_TAKEN.c.number == DESK_FACT.c.number).exists()
    query = select(DESK_FACT).where(DESK_FACT.c.number > func.coalesce(floor.scalar_subquery(), 0), ~taken)
    return connection.execute(query.order_by(DESK_FACT.c.number).limit(limit)).all()


def _take_facts(connection: Connection, numbers: Sequence[int], now_ms: int) -> None:
    if numbers:
        rows = [{"number": number, "taken_ms": now_ms} for number in numbers]
        store.insert(connection, FACT_TAKEN, rows)


def _settle(connection: Connection, now_ms: int) -> None:
    """What lies long enough before now is not looked at again."""
    old = FACT_TAKEN.c.taken_ms < now_ms - SETTLED_MS
    floor = connection.execute(select(func.max(FACT_TAKEN.c.number)).where(old)).scalar()
    if floor is not None:
        store.put(connection, POSITION, _CENTRE, {"taken_to": floor})
        connection.execute(FACT_TAKEN.delete().where(FACT_TAKEN.c.number <= floor))


def _delivery(receiver: Receiver, told: Told, now_ms: int) -> dict[str, Any]:
    return {
        "webhook": receiver.webhook,
        "event": told.event,
        "type": told.type,
        "case_number": told.case,
        "body": told.body,
        "state": "due",
        "detail": "",
        "attempts": 0,
        "made_ms": now_ms,
        "next_ms": now_ms,
        "done_ms": 0,
    }


def _bound(connection: Connection, webhooks: Iterable[str], now_ms: int) -> None:
    for webhook in sorted(webhooks):
        due = [DELIVERY.c.webhook == webhook, DELIVERY.c.state == "due"]
        if connection.execute(select(func.count()).where(*due)).scalar_one() > QUEUED_MAX:
            off = {"state": "off", "why": OVERFLOW, "since_ms": now_ms}
            store.change(connection, WEBHOOK, {"webhook": webhook}, off)
            detail = f"more than {QUEUED_MAX} events wait; nothing is collected for it any more"
            raise_alarm(connection, "", Trouble(OVERFLOW, webhook, detail), now_ms)


KINDS: Final = (LOCKER_TYPE, CENTRE_TYPE)
"""What a type begins with."""
