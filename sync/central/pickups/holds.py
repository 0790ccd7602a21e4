"""Hold an item longer, or call it back."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row

from locker.domain import directives
from locker.domain.events import HoldExtended, ItemAnnounced, ItemRecalled
from locker.domain.ids import ItemId, Seq
from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.directives import append
from sync.central.outgoing import item_row
from sync.central.pickups.said import kept
from sync.central.pickups.tables import RECALL
from sync.central.store import change, find
from sync.central.tables import OUTGOING_ITEM

COLLECTABLE = ("announced", "awaiting_pickup")


def extend(connection: Connection, desk: Desk, item: str, hold_days: int, who: str) -> Row[Any]:
    """The item, which is held for so many days in all; its locker is to be told. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = _collectable(connection, item)
    before = kept(row.directive)
    if not isinstance(before, ItemAnnounced) or hold_days <= before.hold_days:
        raise Refused(Refusal.BAD_DAY, f"it is held for {days_of(row)} days already")
    append(connection, row.locker, HoldExtended(ItemId(item), hold_days), now_ms)
    said = directives.write(Seq(1), replace(before, hold_days=hold_days))
    change(connection, OUTGOING_ITEM, {"item": item}, {"directive": said})
    what = {"locker": row.locker, "hold_days": hold_days}
    note(connection, row.case_number, "hold_extended", item, who, now_ms, **what)
    return row


def recall(connection: Connection, desk: Desk, item: str, reason: str, who: str) -> Row[Any]:
    """The item, which is not loaded any more, or taken out by the next helper; its locker is to be told.

    What lies there may be collected until then. Raises Refused.
    """
    now_ms = desk.clock.wall_ms()
    row = _collectable(connection, item)
    if recalled(connection, item):
        raise Refused(Refusal.NOT_NOW, "it was recalled already")
    append(connection, row.locker, ItemRecalled(ItemId(item), reason), now_ms)
    values = {"item": item, "locker": row.locker, "reason": reason, "who": who, "at_ms": now_ms}
    connection.execute(RECALL.insert().values(values))
    what = {"locker": row.locker, "reason": reason}
    note(connection, row.case_number, "item_recalled", item, who, now_ms, **what)
    return row


def recalled(connection: Connection, item: str) -> Row[Any] | None:
    return find(connection, RECALL, {"item": item})


def days_of(row: Row[Any]) -> int:
    """How long an item is held, from its loading."""
    says = kept(row.directive)
    return says.hold_days if isinstance(says, ItemAnnounced) else 0


def _collectable(connection: Connection, item: str) -> Row[Any]:
    row = item_row(connection, item)
    if row.state not in COLLECTABLE:
        raise Refused(Refusal.NOT_NOW, "this item does not wait for its recipient any more")
    return row
