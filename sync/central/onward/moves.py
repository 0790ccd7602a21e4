"""One step of an item that left its locker uncollected, in a transaction."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from sync.central import messages, store
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.custody import fold
from sync.central.custody.parties import Kind, Party
from sync.central.custody.tables import HELD
from sync.central.desk import Desk, Refusal, Refused, locker_row, note
from sync.central.onward import ways
from sync.central.onward.hands import GIVES
from sync.central.onward.tables import ONWARD
from sync.central.onward.ways import Signal, State
from sync.central.windows import register

ITEM_POSTED: Final = "item_posted"
CATCH_UP_MAX: Final = 20
"""Parts of what lockers told, before a desk's own word."""
OUTSIDE: Final = ways.OUTSIDE
UNCOLLECTED: Final = OUTSIDE | {"refused"}


@dataclass(frozen=True, slots=True)
class Move:
    """``carrier`` and ``tracking`` for what is posted, and for that only."""

    signal: Signal
    carrier: str = ""
    tracking: str = ""
    remark: str = ""
    window: str = ""
    """At which it is received, by id or name; empty: where it is, one's own, or the only one of the area."""


def move(connection: Connection, desk: Desk, actor: Actor, item: str, asked: Move) -> State:
    """Where it is now; of a posted item the recipient is told the number. Raises Refused."""
    row = scope.item_row(connection, actor, item)
    if asked.signal in GIVES:
        _catch_up(connection, desk)
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
    _give(connection, actor, row, asked, now_ms)
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


def _catch_up(connection: Connection, desk: Desk) -> None:
    """What lockers told until now comes before what the desk says. Raises Refused."""
    for _ in range(CATCH_UP_MAX):
        if not fold.fold(connection, desk.clock.wall_ms()):
            return
    raise Refused(Refusal.NOT_NOW, "much has just come in from lockers; try again in a moment")


def _give(connection: Connection, actor: Actor, row: Row[Any], asked: Move, now_ms: int) -> None:
    """Into whose hands this step gives it. Raises Refused while it is on a slip."""
    kind, thing = GIVES.get(asked.signal), f"result/{row.item}"
    if kind is None:
        return
    held = store.find(connection, HELD, {"thing": thing})
    if held is not None and held.slip:
        raise Refused(Refusal.NOT_HELD, f"it is on slip {held.slip}: settle that one first")
    name = asked.carrier if kind is Kind.COURIER else ""
    area = locker_row(connection, row.locker).area
    if kind is Kind.WINDOW:
        name = _window(connection, actor, asked.window, area, held)
        if name and actor.scopes is None:  # a program speaks for the hall, a person for themselves
            register.require_signs(connection, actor, Party(kind, name))
    more = {"case_number": row.case_number, "area": area, "locker": row.locker}
    fold.place(connection, thing, (kind, name), now_ms, confirmed=True, **more)


def _window(connection: Connection, actor: Actor, said: str, area: str, held: Row[Any] | None) -> str:
    if said:
        return str(register.named(connection, actor, Kind.WINDOW, said).place)
    if held is not None and held.holder_kind == Kind.WINDOW:
        return str(held.holder)
    there = [each.place for each in register.every(connection, actor) if _is_window(each, area)]
    mine = [place for place in there if (Kind.WINDOW, place) in register.mine(connection, actor)]
    return next((places[0] for places in (mine, there) if len(places) == 1), "")


def _is_window(place: Row[Any], area: str) -> bool:
    return bool(place.kind == Kind.WINDOW and place.area == area)


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
