"""Order a new code for a lost one. The locker makes and seals it; its message follows by itself."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.directives import append
from sync.central.outgoing import item_row
from sync.central.pickups import agents
from sync.central.pickups.said import Order, ordered
from sync.central.pickups.tables import REISSUE
from sync.central.store import find

HOUR_MS: Final = 3_600_000
IN_AN_HOUR: Final = 3


@dataclass(frozen=True, slots=True)
class Lost:
    """Whose code of which item, and why. ``stolen``: what was given out so far must not open any more."""

    item: str
    reason: str
    stolen: bool = False
    entrustment: str = ""


def reissue(connection: Connection, desk: Desk, lost: Lost, who: str) -> str:
    """The order; its locker is to be told (`Pump.wake`) once the transaction is durable. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    item = item_row(connection, lost.item)
    if item.state != "awaiting_pickup":
        raise Refused(Refusal.NOT_NOW, "no code is out for it: it does not lie in a locker waiting")
    if lost.entrustment:
        agents.living(connection, lost.item, lost.entrustment, now_ms)
    _require_seldom(connection, item.case_number, now_ms)
    values: dict[str, Any] = {
        "order_name": desk.chance.new_id(),
        "item": lost.item,
        "entrustment": lost.entrustment,
        "case_number": item.case_number,
        "locker": item.locker,
        "stolen": lost.stolen,
        "reason": lost.reason,
        "who": who,
        "asked_ms": now_ms,
        "state": Order.ORDERED.value,
    }
    connection.execute(REISSUE.insert().values(values))
    append(connection, item.locker, ordered(one(connection, values["order_name"])), now_ms)
    what = {"locker": item.locker, "stolen": lost.stolen, "reason": lost.reason}
    note(connection, item.case_number, "code_reissue_ordered", lost.item, who, now_ms, **what)
    return str(values["order_name"])


def one(connection: Connection, order: str) -> Row[Any]:
    """Raises Refused."""
    row = find(connection, REISSUE, {"order_name": order})
    if row is None:
        raise Refused(Refusal.UNKNOWN_ITEM, "no such order")
    return row


def of_item(connection: Connection, item: str) -> list[Row[Any]]:
    """The latest first."""
    own = REISSUE.c
    query = select(REISSUE).where(own.item == item)
    return list(connection.execute(query.order_by(own.asked_ms.desc(), own.order_name)))


def _require_seldom(connection: Connection, case: str, now_ms: int) -> None:
    """Each is a message that somebody pays for and a person reads. Raises Refused."""
    own = REISSUE.c
    recent = [own.case_number == case, own.asked_ms > now_ms - HOUR_MS]
    count = connection.execute(select(func.count()).select_from(REISSUE).where(*recent)).scalar_one()
    if count >= IN_AN_HOUR:
        raise Refused(
            Refusal.TOO_OFTEN, f"{IN_AN_HOUR} new codes were ordered for this case within an hour; wait"
        )
