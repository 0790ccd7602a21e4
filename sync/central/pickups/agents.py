"""Entrust an agent with one item, and end that. Their code is made by the locker and sent to their phone."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain import directives
from locker.domain.events import AgentEntrusted, EntrustmentEnded
from locker.domain.ids import EntrustmentId, ItemId, Seq
from sync.central import masks
from sync.central.cases import BACKDATE_MS, Person, phone_digest
from sync.central.desk import Desk, Refusal, Refused, locker_row, note
from sync.central.directives import append
from sync.central.outgoing import item_row
from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.store import change, find

HOUR_MS: Final = 3_600_000
AT_ONCE: Final = 3
"""Agents of one item: whoever needs more has lost sight of who they are."""
OPEN: Final = ("announced", "awaiting_pickup")


@dataclass(frozen=True, slots=True)
class Entrusting:
    item: str
    agent: Person
    valid_hours: int


def entrust(connection: Connection, desk: Desk, wanted: Entrusting, who: str) -> str:
    """The entrustment; the item's locker is to be told. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    item = item_row(connection, wanted.item)
    if item.state not in OPEN:
        raise Refused(Refusal.NOT_NOW, "this item cannot be collected any more")
    if len([row for row in of_item(connection, wanted.item) if lives(row, now_ms)]) >= AT_ONCE:
        raise Refused(Refusal.TOO_OFTEN, f"{AT_ONCE} agents may collect it already; end one first")
    key = desk.code_key(locker_row(connection, item.locker))
    says = AgentEntrusted(
        entrustment=EntrustmentId(desk.chance.new_id()),
        item=ItemId(wanted.item),
        valid_from_ms=now_ms - BACKDATE_MS,
        valid_until_ms=now_ms + wanted.valid_hours * HOUR_MS,
        phone4_digest=phone_digest(key, wanted.agent.phone, item.case_number),
        name=masks.name(wanted.agent.name),
        phone=masks.phone(wanted.agent.phone),
    )
    append(connection, item.locker, says, now_ms)
    connection.execute(
        ENTRUSTMENT.insert().values(
            entrustment=says.entrustment,
            item=wanted.item,
            case_number=item.case_number,
            locker=item.locker,
            name=says.name,
            phone=says.phone,
            sealed=desk.sealed({"phone": wanted.agent.phone}),
            directive=directives.write(Seq(1), says),
            valid_from_ms=says.valid_from_ms,
            valid_until_ms=says.valid_until_ms,
            who=who,
            made_ms=now_ms,
        )
    )
    what: dict[str, str | int] = {"locker": item.locker, "agent": says.name, "until_ms": says.valid_until_ms}
    note(connection, item.case_number, "agent_entrusted", wanted.item, who, now_ms, **what)
    return says.entrustment


def end(connection: Connection, desk: Desk, item: str, entrustment: str, reason: str, who: str) -> Row[Any]:
    """What ended; its locker is to be told. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = one(connection, item, entrustment)
    if row.ended:
        raise Refused(Refusal.NOT_NOW, "this entrustment has ended already")
    append(connection, row.locker, EntrustmentEnded(EntrustmentId(entrustment), reason), now_ms)
    change(connection, ENTRUSTMENT, {"entrustment": entrustment}, {"ended": reason, "ended_ms": now_ms})
    what = {"locker": row.locker, "agent": row.name, "reason": reason}
    note(connection, row.case_number, "entrustment_ended", item, who, now_ms, **what)
    return row


def one(connection: Connection, item: str, entrustment: str) -> Row[Any]:
    """Raises Refused."""
    row = find(connection, ENTRUSTMENT, {"entrustment": entrustment})
    if row is None or row.item != item:
        raise Refused(Refusal.UNKNOWN_ENTRUSTMENT, "no such entrustment")
    return row


def living(connection: Connection, item: str, entrustment: str, now_ms: int) -> Row[Any]:
    """Raises Refused."""
    row = one(connection, item, entrustment)
    if not lives(row, now_ms):
        raise Refused(Refusal.NOT_NOW, "this entrustment is over")
    return row


def lives(row: Row[Any], now_ms: int) -> bool:
    return not row.ended and row.valid_until_ms > now_ms


def of_item(connection: Connection, item: str) -> list[Row[Any]]:
    """The latest first."""
    own = ENTRUSTMENT.c
    query = select(ENTRUSTMENT).where(own.item == item)
    return list(connection.execute(query.order_by(own.made_ms.desc(), own.entrustment)))
