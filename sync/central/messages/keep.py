"""What time makes of messages: reminders around the end of a hold, receipts whose time became known, codes
that no locker has confirmed (`unconfirmed`).

Asked of the database every few minutes, so that taking in entries costs nothing more for it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.deposit import Phase
from sync.central import messages
from sync.central.desk import Desk, note
from sync.central.messages import unconfirmed
from sync.central.messages.tables import UNSURE_RECEIPT
from sync.central.notices import TRUSTED
from sync.central.pickups import holds
from sync.central.store import Store
from sync.central.tables import DEPOSIT, LEDGER, NOTICE, OUTGOING_ITEM

EVERY_MS: Final = 5 * 60_000
DAY_MS: Final = 86_400_000
LATE_MS: Final = DAY_MS
"""A reminder that could not be said within a day of its time is not said any more: the next one comes."""
LOOKED_AT_MAX: Final = 200
UNSURE_FOR_MS: Final = 30 * DAY_MS
"""So long a locker works without its centre; a clock that is not good after it is never told."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Said once for each hold, ``before_ms`` its end."""

    template: str
    before_ms: int


REMINDERS: Final = (
    Reminder("pickup_reminder", 3 * DAY_MS),
    Reminder("pickup_reminder", DAY_MS),
    Reminder("pickup_overdue", 0),
)


async def keep(store: Store, desk: Desk) -> None:
    """Until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_every(EVERY_MS, store, desk, look))
        group.create_task(_every(unconfirmed.EVERY_MS, store, desk, unconfirmed.look))


async def _every(pause_ms: int, store: Store, desk: Desk, pass_: Callable[..., Awaitable[int]]) -> None:
    while True:
        await pass_(store, desk)
        await desk.clock.sleep_until(desk.clock.mono_ms() + pause_ms)


async def look(store: Store, desk: Desk) -> int:
    """One pass; how many were said. An idle hub leaves its disk alone."""
    if not await store.read(lambda connection: _is_work(connection, desk)):
        return 0
    return await store.write(lambda connection: look_in(connection, desk))


def look_in(connection: Connection, desk: Desk) -> int:
    """The same in a transaction."""
    now_ms = desk.clock.wall_ms()
    said = 0
    for stay, reminder in _due(connection, now_ms):
        _remind(connection, desk, stay, reminder)
        said += 1
    for receipt, time_ms in _known(connection, now_ms):
        _correct(connection, desk, receipt, time_ms)
        said += 1
    return said


def _is_work(connection: Connection, desk: Desk) -> bool:
    now_ms = desk.clock.wall_ms()
    due = next(_due(connection, now_ms), None)
    return due is not None or next(_known(connection, now_ms), None) is not None


# --- reminders ----------------------------------------------------------------------------------------------


def hold_ends_ms(stay: Row[Any]) -> int:
    """When the hold of an item ends; ``stay``: its deposit, with the item's ``directive``."""
    return int(stay.since_ms) + holds.days_of(stay) * DAY_MS


def _due(connection: Connection, now_ms: int) -> Iterator[tuple[Row[Any], Reminder]]:
    """Items that wait to be collected, each with the reminder whose time it is and that was not said."""
    query = (
        select(DEPOSIT, *(OUTGOING_ITEM.c[name] for name in ("service_item", "sealed", "directive")))
        .select_from(DEPOSIT.join(OUTGOING_ITEM, OUTGOING_ITEM.c.item == DEPOSIT.c.item))
        .where(DEPOSIT.c.phase == Phase.AWAITING_PICKUP.value, DEPOSIT.c.time_quality.in_(sorted(TRUSTED)))
        .order_by(DEPOSIT.c.since_ms)
    )
    for stay in connection.execute(query).all():
        ends_ms = hold_ends_ms(stay)
        for reminder in REMINDERS:
            at_ms = ends_ms - reminder.before_ms
            if at_ms <= now_ms < at_ms + LATE_MS and not _was_said(connection, stay, reminder):
                yield stay, reminder


def _once(stay: Row[Any], reminder: Reminder) -> str:
    """Of each hold: one that was extended is reminded of anew."""
    moment = hold_ends_ms(stay) - reminder.before_ms
    return f"{stay.locker}/{stay.deposit}/{moment}"


def _was_said(connection: Connection, stay: Row[Any], reminder: Reminder) -> bool:
    key = f"{reminder.template}/{_once(stay, reminder)}"
    return connection.execute(select(NOTICE.c.key).where(NOTICE.c.key == key)).first() is not None


def _remind(connection: Connection, desk: Desk, stay: Row[Any], reminder: Reminder) -> None:
    messages.say(
        connection,
        desk,
        template=reminder.template,
        case=stay.case_number,
        subject=stay.deposit,
        contact_sealed=stay.sealed,
        locker=stay.locker,
        variables={"item": stay.service_item, "until_ms": hold_ends_ms(stay)},
        once=_once(stay, reminder),
    )


# --- receipts without a time --------------------------------------------------------------------------------


def _known(connection: Connection, now_ms: int) -> Iterator[tuple[Row[Any], int]]:
    """Receipts whose time can be told now, with it; 0 for those that nobody will ever know of."""
    query = select(UNSURE_RECEIPT).order_by(UNSURE_RECEIPT.c.made_ms).limit(LOOKED_AT_MAX)
    for receipt in connection.execute(query).all():
        time_ms = _earliest_ms(connection, receipt)
        if time_ms is not None:
            yield receipt, time_ms
        elif now_ms - receipt.made_ms >= UNSURE_FOR_MS:
            yield receipt, 0


def _earliest_ms(connection: Connection, receipt: Row[Any]) -> int | None:
    """When it was at the earliest: to the millisecond where the clock became good before the next start,
    otherwise just after the last moment before it that is known. None: not known yet.
    """
    own = _entry(connection, receipt, LEDGER.c.seq == receipt.seq)
    if own is None:
        return None
    after = _trusted(connection, receipt, LEDGER.c.seq > receipt.seq, newest=False)
    before = _trusted(connection, receipt, LEDGER.c.seq < receipt.seq, newest=True)
    for near in (after, before):
        if near is not None and near["boot"] == own["boot"]:
            return int(near["time"]) - (int(near["mono"]) - int(own["mono"]))
    if after is None:
        return None
    # An epoch without a good time before: nothing bounds it from below, and what came later is all we know.
    return int((before or after)["time"])


def _entry(connection: Connection, receipt: Row[Any], where: Any) -> dict[str, Any] | None:
    text = connection.execute(_those(receipt).where(where)).scalar()
    return json.loads(text) if text else None


def _trusted(connection: Connection, receipt: Row[Any], where: Any, *, newest: bool) -> dict[str, Any] | None:
    """The nearest entry of the same epoch with a good time; looked for within some hundreds."""
    order = LEDGER.c.seq.desc() if newest else LEDGER.c.seq
    texts = connection.execute(_those(receipt).where(where).order_by(order).limit(LOOKED_AT_MAX)).scalars()
    entries = (json.loads(text) for text in texts if text)
    return next((each for each in entries if each.get("tq") in TRUSTED and each.get("time")), None)


def _those(receipt: Row[Any]) -> Any:
    own = LEDGER.c
    return select(own.public).where(own.locker == receipt.locker, own.epoch == receipt.epoch)


def _correct(connection: Connection, desk: Desk, receipt: Row[Any], time_ms: int) -> None:
    """Told to the applicant and written in the case; a receipt of an unknown time is only let go."""
    own = UNSURE_RECEIPT.c
    where = [own.locker == receipt.locker, own.epoch == receipt.epoch, own.seq == receipt.seq]
    connection.execute(UNSURE_RECEIPT.delete().where(*where))
    if not time_ms:
        return
    messages.say(
        connection,
        desk,
        template="receipt_corrected",
        case=receipt.case_number,
        subject=receipt.deposit,
        contact_sealed=receipt.contact_sealed,
        locker=receipt.locker,
        variables={"number": receipt.number, "time_ms": time_ms},
        once=f"{receipt.locker}/{receipt.epoch}/{receipt.seq}",
    )
    detail: dict[str, str | int | bool] = {"locker": receipt.locker, "receipt": receipt.number}
    note(
        connection,
        receipt.case_number,
        "receipt_corrected",
        receipt.deposit,
        "hub",
        desk.clock.wall_ms(),
        **detail,
        time_ms=time_ms,
    )
