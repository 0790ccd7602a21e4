"""From the lockers' entries to hands: what a helper took out is theirs to hand over, what they loaded is not.

Read from the ledger behind an own cursor, so taking entries in costs nothing more. An entry is never judged:
where it does not agree with what people said here, the difference is written down and shown.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, select

from locker.domain.deposit import Kind as DepositKind
from locker.domain.rounds import UNDONE
from locker.domain.stocktakes import Found
from sync.central import store
from sync.central.access.actor import HUB
from sync.central.alarms import Trouble, raise_alarm
from sync.central.custody import stocktakes
from sync.central.custody.parties import Difference, Kind, Resolved, Room
from sync.central.custody.tables import DIFFERENCE, FOLDED_TO, HELD, LOOK, RESOLUTION
from sync.central.notices import TRUSTED
from sync.central.onward.hands import follow
from sync.central.onward.tables import ONWARD
from sync.central.onward.ways import OUTSIDE, State
from sync.central.tables import COMPARTMENT, DEPOSIT, LEDGER, LOCKER, OUTGOING_ITEM, STREAM

AT_ONCE: Final = 2_000
"""Entries a transaction, of one locker."""


@dataclass(frozen=True, slots=True)
class _Told:
    """One entry of a locker, with what the hub knows of its deposit."""

    row: Row[Any]
    area: str
    data: Mapping[str, Any]
    at_ms: int
    """By a clock that can be trusted; else when it was heard."""
    stay: Row[Any] | None

    @property
    def thing(self) -> str:
        stay = self.stay
        if stay is not None and stay.kind == DepositKind.OUTGOING:
            return f"result/{stay.item}"
        return f"papers/{self.row.locker}/{self.data['deposit']}"


def fold(connection: Connection, now_ms: int) -> int:
    """Take in what came since; how many entries were looked at. 0: nothing is left."""
    looked_at = 0
    for stream in connection.execute(_BEHIND.limit(1)).all():
        first, last = stream.folded + 1, min(stream.stored_to, stream.folded + AT_ONCE)
        for told in _entries(connection, stream, first, last):
            _APPLY[told.row.kind](connection, told, now_ms)
        store.put(connection, FOLDED_TO, {"locker": stream.locker, "epoch": stream.epoch}, {"seq": last})
        looked_at += last - first + 1
    return looked_at


def behind(connection: Connection) -> bool:
    """Whether anything is left."""
    return connection.execute(_BEHIND.limit(1)).first() is not None


def differ(connection: Connection, room: Room, kind: Difference, **values: Any) -> None:
    """Write down what does not agree. ``found_by`` and ``at_ms`` say who found it, and when."""
    connection.execute(DIFFERENCE.insert().values(room=room.value, kind=kind.value, **values))


def place(connection: Connection, thing: str, holder: tuple[Kind, str], since_ms: int, **more: Any) -> None:
    """From now on it is in these hands; the way of an item that left its locker follows."""
    kind, name = holder
    values = {"holder_kind": kind.value, "holder": name, "since_ms": since_ms, "slip": "", "round": ""}
    store.put(connection, HELD, {"thing": thing}, values | more)
    what, _, item = thing.partition("/")
    if what == "result":
        _follow(connection, item, Kind(kind), since_ms)


def _follow(connection: Connection, item: str, kind: Kind, since_ms: int) -> None:
    """What is said of its way is never another thing than in whose hands it is: `onward.hands`."""
    way = store.find(connection, ONWARD, {"item": item})
    if way is None:
        row = store.find(connection, OUTGOING_ITEM, {"item": item})
        if row is None or row.state not in OUTSIDE:
            return
    before = State(way.state) if way else State.NOWHERE
    after = follow(before, kind)
    if after is not before:
        values = {"state": after.value, "who": HUB.who, "at_ms": since_ms}
        store.put(connection, ONWARD, {"item": item}, values)


# --- what each entry says -----------------------------------------------------------------------------------


def _taken_out(connection: Connection, told: _Told, now_ms: int) -> None:
    if _contradicts(connection, told, now_ms):
        return
    helper, slip = (Kind.HELPER, str(told.data["staff"])), str(told.data.get("slip", ""))
    place(connection, told.thing, helper, told.at_ms, confirmed=False, round=slip, **_of(told))


def _corrected(connection: Connection, told: _Told, now_ms: int) -> None:
    """Its helper says that they never took it out: it lies in the locker, where people will look."""
    if told.data["finding"] != UNDONE or _contradicts(connection, told, now_ms):
        return
    before = store.find(connection, HELD, {"thing": told.thing})
    staff = (Kind.HELPER, str(told.data["staff"]))
    if before is not None and ((before.holder_kind, before.holder) != staff or before.slip):
        # Somebody here has it, or is to receive it: both say so, and people find out.
        said = f"{before.holder_kind}/{before.holder} ≠ {told.row.kind}, {told.row.seq}"
        about = _found(told, now_ms) | {"thing": told.thing, "slip": before.slip}
        differ(connection, Room.HAND_OVER, Difference.LOADED_BY_ANOTHER, said=said, **about)
        return
    more = _of(told) | {"confirmed": True}
    place(connection, told.thing, (Kind.LOCKER, told.row.locker), told.at_ms, **more)


def _loaded(connection: Connection, told: _Told, now_ms: int) -> None:
    staff, thing = str(told.data["staff"]), f"result/{told.data['item']}"
    before = store.find(connection, HELD, {"thing": thing})
    if (
        before is not None
        and before.holder_kind in _HANDS
        and (before.holder_kind, before.holder)
        != (
            Kind.HELPER,
            staff,
        )
    ):
        differ(
            connection,
            Room.HAND_OVER,
            Difference.LOADED_BY_ANOTHER,
            thing=thing,
            said=f"{before.holder_kind}/{before.holder} → {Kind.HELPER}/{staff}",
            **_found(told, now_ms),
        )
    more = _of(told) | {"confirmed": True}
    place(connection, thing, (Kind.LOCKER, told.row.locker), told.at_ms, **more)
    _unaccounted(connection, told, now_ms)


def _left(connection: Connection, told: _Told, now_ms: int) -> None:
    """A person has it: collected, or taken back."""
    if _contradicts(connection, told, now_ms):
        return
    if store.find(connection, HELD, {"thing": told.thing}) is not None:
        recipient = (Kind.RECIPIENT, "")
        place(connection, told.thing, recipient, told.at_ms, confirmed=True)


def _handed_in(connection: Connection, told: _Told, now_ms: int) -> None:
    _unaccounted(connection, told, now_ms)


def _ended(connection: Connection, told: _Told, now_ms: int) -> None:
    _contradicts(connection, told, now_ms)


def _looked(connection: Connection, told: _Told, now_ms: int) -> None:
    row, found, door = told.row, str(told.data["found"]), int(told.data["door"])
    keys = {"locker": row.locker, "epoch": row.epoch, "seq": row.seq}
    names = ("door", "found", "staff", "second", "stocktake")
    values = {name: told.data.get(name, "") for name in names}
    known = {Found.EXPECTED, Found.MISSING, Found.UNSURE}
    case = _case_behind(connection, row.locker, door) if found in known else ""
    store.put(connection, LOOK, keys, values | {"case_number": case, "at_ms": told.at_ms})
    if found == "expected":
        compartment = store.find(connection, COMPARTMENT, {"locker": row.locker, "number": door})
        _contradicts(connection, told, now_ms, compartment.deposit if compartment else "")
    kind = _FOUND.get(found)
    if kind is not None:
        said = " · ".join(str(who) for who in (values["staff"], values["second"]) if who)
        about = _found(told, now_ms) | {"case_number": case}
        differ(connection, Room.STOCKTAKE, kind, door=door, said=said, **about)


def _stocktake_began(connection: Connection, told: _Told, now_ms: int) -> None:
    del now_ms
    stocktakes.began(connection, told.row, told.data, told.at_ms)


def _stocktake_ended(connection: Connection, told: _Told, now_ms: int) -> None:
    if said := stocktakes.ended(connection, told.row, told.data, told.at_ms):
        differ(connection, Room.STOCKTAKE, Difference.MISCOUNTED, said=said, **_found(told, now_ms))


_FOUND: Final = MappingProxyType(
    {
        Found.MISSING.value: Difference.NOT_FOUND,
        Found.UNKNOWN_ITEM.value: Difference.UNKNOWN_ITEM,
        Found.REMOVED.value: Difference.UNKNOWN_TAKEN,
        Found.UNSURE.value: Difference.NOT_MADE_OUT,
    }
)
_HANDS: Final = frozenset({Kind.HELPER, Kind.WINDOW, Kind.DEPARTMENT, Kind.COURIER})
_APPLY: Final[Mapping[str, Callable[[Connection, _Told, int], None]]] = MappingProxyType(
    {
        "SubmissionTaken": _taken_out,
        "ItemWithdrawn": _taken_out,
        "FindingCorrected": _corrected,
        "ItemLoaded": _loaded,
        "ItemPickedUp": _left,
        "SubmissionTakenBack": _left,
        "SubmissionDeposited": _handed_in,
        "DepositCancelled": _ended,
        "CompartmentChecked": _looked,
        "StocktakeBegan": _stocktake_began,
        "StocktakeEnded": _stocktake_ended,
    }
)


# --- where staff have emptied a locker that could not speak ---------------------------------------------


def _contradicts(connection: Connection, told: _Told, now_ms: int, deposit: str = "") -> bool:
    """Whether staff resolved this deposit, and the locker now says how it ended: both are kept and shown."""
    own = RESOLUTION.c
    deposit = deposit or str(told.data.get("deposit", ""))
    query = select(RESOLUTION).where(own.locker == told.row.locker, own.deposit == deposit)
    resolved = connection.execute(query.order_by(own.number.desc()).limit(1)).first()
    # What was still inside then may well be taken out in the usual way now.
    if resolved is None or resolved.outcome == Resolved.LEFT_INSIDE:
        return False
    said = f"{resolved.outcome} ({resolved.who}) ≠ {told.row.kind}, {told.row.seq}"
    about = _found(told, now_ms) | {"door": resolved.door, "case_number": resolved.case_number}
    differ(connection, Room.LOCKER, Difference.CONTRADICTED, said=said, **about)
    trouble = Trouble("resolution_contradicted", resolved.deposit, f"door {resolved.door}: {said}")
    raise_alarm(connection, told.row.locker, trouble, now_ms)
    return True


def _unaccounted(connection: Connection, told: _Told, now_ms: int) -> None:
    """Something lay in it before it was emptied, nobody knew, and nobody found it then."""
    own, row = RESOLUTION.c, told.row
    emptied = connection.execute(
        select(func.max(own.at_ms).label("at_ms"), func.max(own.stored_to).label("stored_to")).where(
            own.locker == row.locker, own.epoch == row.epoch
        )
    ).one()
    if emptied.at_ms is None or row.seq <= emptied.stored_to or told.at_ms > emptied.at_ms:
        return
    deposit = str(told.data["deposit"])
    mine = select(own.number).where(own.locker == row.locker, own.deposit == deposit)
    if connection.execute(mine.limit(1)).first() is not None:
        return
    door = int(told.stay.door) if told.stay is not None else 0
    about = _found(told, now_ms) | {"door": door, "thing": told.thing}
    differ(connection, Room.LOCKER, Difference.UNACCOUNTED, said=f"{row.kind}, {row.seq}", **about)
    trouble = Trouble("unaccounted", deposit, f"door {door}: it lay there when the locker was emptied")
    raise_alarm(connection, row.locker, trouble, now_ms)


# --- the ledger ---------------------------------------------------------------------------------------------


def _entries(connection: Connection, stream: Row[Any], first: int, last: int) -> list[_Told]:
    own = LEDGER.c
    here = [own.locker == stream.locker, own.epoch == stream.epoch, own.seq.between(first, last)]
    query = select(LEDGER).where(*here, own.kind.in_(tuple(_APPLY)), own.problem == "").order_by(own.seq)
    return [_told(connection, row, stream.area) for row in connection.execute(query).all()]


def _told(connection: Connection, row: Row[Any], area: str) -> _Told:
    body = json.loads(row.public)
    at_ms = int(body["time"]) if body.get("tq") in TRUSTED else row.received_ms
    data = body["data"]
    keys = {"locker": row.locker, "deposit": str(data.get("deposit", ""))}
    return _Told(row, area, data, at_ms, store.find(connection, DEPOSIT, keys) if keys["deposit"] else None)


def _of(told: _Told) -> dict[str, Any]:
    return {"case_number": told.row.case_number, "area": told.area, "locker": told.row.locker}


def _found(told: _Told, now_ms: int) -> dict[str, Any]:
    return _of(told) | {"found_by": f"locker:{told.row.locker}", "at_ms": now_ms}


def _case_behind(connection: Connection, locker: str, door: int) -> str:
    """Of what is held to lie there."""
    own = DEPOSIT.c
    query = select(own.case_number).where(own.locker == locker, own.door == door)
    return str(connection.execute(query.order_by(own.since_ms.desc()).limit(1)).scalar() or "")


def announced(connection: Connection, item: str) -> Row[Any] | None:
    """A result that is announced and lies in no locker, with the area of the one it is for."""
    joined = OUTGOING_ITEM.join(LOCKER, LOCKER.c.locker == OUTGOING_ITEM.c.locker)
    where = [OUTGOING_ITEM.c.item == item, OUTGOING_ITEM.c.state == "announced"]
    return connection.execute(select(OUTGOING_ITEM, LOCKER.c.area).select_from(joined).where(*where)).first()


_folded: Final = func.coalesce(FOLDED_TO.c.seq, 0)
_BEHIND: Final[Select[Any]] = (
    select(STREAM.c.locker, STREAM.c.epoch, STREAM.c.stored_to, LOCKER.c.area, _folded.label("folded"))
    .select_from(
        STREAM.join(LOCKER, LOCKER.c.locker == STREAM.c.locker).outerjoin(
            FOLDED_TO, and_(FOLDED_TO.c.locker == STREAM.c.locker, FOLDED_TO.c.epoch == STREAM.c.epoch)
        )
    )
    .where(STREAM.c.stored_to > _folded)
    .order_by(STREAM.c.locker, STREAM.c.ordinal)
)
