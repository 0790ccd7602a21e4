"""One step of an item that left its locker uncollected, in a transaction."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from sync.central import messages, store
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.onward import ways
from sync.central.onward.tables import ONWARD
from sync.central.onward.ways import Signal, State

ITEM_POSTED: Final = "item_posted"
OUTSIDE: Final = frozenset({"withdrawn", "recalled"})
"""States of an outgoing item in which it lies in no locker, and nobody collected it."""
UNCOLLECTED: Final = OUTSIDE | {"refused"}


@dataclass(frozen=True, slots=True)
class Move:
    """``carrier`` and ``tracking`` for what is posted, and for that only."""

    signal: Signal
    carrier: str = ""
    tracking: str = ""
    remark: str = ""


def move(connection: Connection, desk: Desk, actor: Actor, item: str, asked: Move) -> State:
    """Where it is now; of a posted item the recipient is told the number. Raises Refused."""
    row = scope.item_row(connection, actor, item)
    before = state_of(connection, item)
    after = ways.NEXT.get((before, asked.signal))
    if row.state not in UNCOLLECTED:
        raise Refused(Refusal.NOT_NOW, f"it is {row.state}: only what was withdrawn or refused goes this way")
    if after is None:
        raise Refused(Refusal.NOT_NOW, f"it is {before}; look at it again")
    if row.state not in OUTSIDE and asked.signal not in ways.MAY_LIE_INSIDE:
        raise Refused(Refusal.STILL_INSIDE, f"it still lies in {row.locker}: a helper takes it out first")
    posted = asked.signal is Signal.POST
    if posted and not (asked.carrier and asked.tracking):
        raise Refused(Refusal.NO_TRACKING, "name the carrier and the tracking number")
    now_ms = desk.clock.wall_ms()
    values = {"state": after.value, "remark": asked.remark, "who": actor.who, "at_ms": now_ms}
    if posted:
        values |= {"carrier": asked.carrier, "tracking": asked.tracking}
    store.put(connection, ONWARD, {"item": item}, values)
    detail: dict[str, str | int | bool] = {"locker": row.locker, "service_item": row.service_item}
    if posted:
        detail |= {"carrier": asked.carrier, "tracking": asked.tracking}
    if asked.remark:
        detail["remark"] = asked.remark
    note(connection, row.case_number, f"item_{after}", item, actor.who, now_ms, **detail)
    if posted:
        _tell(connection, desk, row, asked)
    told: dict[str, str | int | bool] = {"case": row.case_number, "state": after.value}
    audit.write(connection, now_ms, actor, Action.CHANGE_ITEM, item, told, reason=asked.remark)
    return after


def _tell(connection: Connection, desk: Desk, row: Row[Any], asked: Move) -> None:
    messages.say(
        connection,
        desk,
        template=ITEM_POSTED,
        case=row.case_number,
        subject=row.item,
        contact_sealed=row.sealed,
        locker=row.locker,
        variables={
            "item": row.item,
            "service_item": row.service_item,
            "carrier": asked.carrier,
            "tracking": asked.tracking,
        },
    )


def onward_row(connection: Connection, item: str) -> Row[Any] | None:
    return store.find(connection, ONWARD, {"item": item})


def state_of(connection: Connection, item: str) -> State:
    row = onward_row(connection, item)
    return State(row.state) if row else State.NOWHERE
