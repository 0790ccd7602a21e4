"""What people ask about custody. Reads only, and only of areas that exist for who asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, literal, or_, select, true

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.custody.hand_over import lines_of, slip_row
from sync.central.custody.parties import Kind, LineState, Room, SlipState
from sync.central.custody.tables import DIFFERENCE, HELD, LINE, LOOK, SLIP
from sync.central.desk import Desk
from sync.central.paging import Asked, Keyset, Page
from sync.central.tables import OUTGOING_ITEM
from sync.central.windows import register

FIRST: Final = Asked()
UNMOVED_MAX: Final = 100
UNCONFIRMED_MAX_MS: Final = 4 * 3_600_000
"""Half a shift: a round and the way to the hall are over by then, and people still remember the round."""
ON_THE_WAY_MAX_MS: Final = 24 * 3_600_000
"""Couriers come once a day; what nobody has received after that is looked for."""
_DIFFERENCES: Final = Keyset("custody_differences", (DIFFERENCE.c.number,))
_LOOKS: Final = Keyset(
    "custody_looks", (LOOK.c.at_ms, LOOK.c.locker, LOOK.c.epoch, LOOK.c.seq), newest_first=True
)
IN_HANDS: Final = (Kind.HELPER, Kind.WINDOW, Kind.DEPARTMENT, Kind.COURIER)


@dataclass(frozen=True, slots=True)
class InHand:
    """A thing and whether it should be elsewhere by now."""

    row: Row[Any]
    overdue: bool


@dataclass(frozen=True, slots=True)
class Slip:
    """``received`` of ``count``; ``overdue``: nobody has settled it in time."""

    row: Row[Any]
    count: int
    received: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """A slip with what stands on it, and the differences that came of it."""

    slip: Slip
    lines: Sequence[Row[Any]]
    differences: Sequence[Row[Any]]

    @property
    def by_window(self) -> Mapping[str, list[Row[Any]]]:
        found = defaultdict(list)
        for line in self.lines:
            found[line.window].append(line)
        return found


def in_hands(
    connection: Connection,
    desk: Desk,
    actor: Actor,
    page: Asked = FIRST,
    holder: tuple[str, str] | None = None,
    *,
    free: bool = False,
    of_round: str = "",
) -> Page[InHand]:
    """One's own first, then the longest held: what was taken out of lockers and confirmed nowhere before all
    else. ``free``: only what stands on no slip; ``of_round``: only what was taken out on this one. Raises
    Refused."""
    own, now_ms = HELD.c, desk.clock.wall_ms()
    others = _others(connection, actor, (own.holder_kind, own.holder))
    query = select(HELD, others).where(
        own.holder_kind.in_([kind.value for kind in IN_HANDS]), _sees(actor, own.area)
    )
    if holder is not None:
        query = query.where(own.holder_kind == holder[0], own.holder == holder[1])
    if free:
        query = query.where(own.slip == "")
    if of_round:
        query = query.where(own.round == of_round)
    order = Keyset("custody_hands", (others, own.confirmed, own.since_ms, own.thing))
    return order.page(connection, desk, query, page).of(lambda row: InHand(row, is_overdue(row, now_ms)))


def giver_of(connection: Connection, actor: Actor, number: str) -> tuple[str, str] | None:
    """Who holds what was taken out on the round with this slip; None where nothing of it is free."""
    own = HELD.c
    query = select(own.holder_kind, own.holder).where(own.round == number, own.slip == "")
    row = connection.execute(query.where(_sees(actor, own.area)).limit(1)).first() if number else None
    return (row.holder_kind, row.holder) if row is not None else None


def is_overdue(held: Row[Any], now_ms: int) -> bool:
    """Out of a locker, and confirmed nowhere."""
    return not held.confirmed and now_ms - held.since_ms > UNCONFIRMED_MAX_MS


def slips(
    connection: Connection, desk: Desk, actor: Actor, page: Asked = FIRST, *, only_open: bool
) -> Page[Slip]:
    """Where they wait one's own first, then the oldest; else the latest first. Raises Refused."""
    own, now_ms = SLIP.c, desk.clock.wall_ms()
    query = select(SLIP).where(_sees(actor, own.area))
    order = Keyset("custody_slips", (own.proposed_ms, own.slip), newest_first=True)
    if only_open:
        others = _others(connection, actor, (own.to_kind, own.to_name), (own.from_kind, own.from_name))
        query = query.add_columns(others).where(own.state == SlipState.PROPOSED.value)
        order = Keyset("custody_slips_open", (others, own.proposed_ms, own.slip))
    return order.page(connection, desk, query, page).of(lambda row: _slip(connection, row, now_ms))


def _others(
    connection: Connection, actor: Actor, *parties: tuple[ColumnElement[str], ColumnElement[str]]
) -> ColumnElement[int]:
    """To sort by: what somebody stands for (0) comes before all else (1), in the order that there is."""
    mine = sorted(register.mine(connection, actor))
    own = [and_(kind == of, name == who) for kind, name in parties for of, who in mine]
    return (case((or_(*own), 0), else_=1) if own else literal(1)).label("others")


def slip(connection: Connection, actor: Actor, name: str, now_ms: int) -> Whole:
    """Raises Refused."""
    row = slip_row(connection, actor, name)
    own = DIFFERENCE.c
    of_it = select(DIFFERENCE).where(own.slip == name).order_by(own.number)
    found = connection.execute(of_it).all()
    return Whole(_slip(connection, row, now_ms), lines_of(connection, name), found)


def _slip(connection: Connection, row: Row[Any], now_ms: int) -> Slip:
    counts = select(LINE.c.state, func.count().label("many")).where(LINE.c.slip == row.slip)
    found = {each.state: each.many for each in connection.execute(counts.group_by(LINE.c.state)).all()}
    late = row.state == SlipState.PROPOSED and now_ms - row.proposed_ms > ON_THE_WAY_MAX_MS
    return Slip(row, sum(found.values()), found.get(LineState.RECEIVED.value, 0), late)


def differences(
    connection: Connection,
    desk: Desk,
    actor: Actor,
    page: Asked = FIRST,
    *,
    room: Room | None = None,
    only_open: bool = True,
    number: int = 0,
) -> Page[Row[Any]]:
    """The oldest first; with a ``number`` that one. Raises Refused."""
    own = DIFFERENCE.c
    query = select(DIFFERENCE).where(_sees(actor, own.area))
    if room is not None:
        query = query.where(own.room == room.value)
    if number:
        query = query.where(own.number == number)
    if only_open:
        query = query.where(own.resolved_ms == 0)
    return _DIFFERENCES.page(connection, desk, query, page)


def looks(connection: Connection, desk: Desk, actor: Actor, page: Asked = FIRST) -> Page[Row[Any]]:
    """What people found who looked into compartments, the latest first. Raises Refused."""
    query = select(LOOK).where(scope.sees(actor, LOOK.c.locker))
    return _LOOKS.page(connection, desk, query, page)


def holders(connection: Connection, actor: Actor) -> Sequence[Row[Any]]:
    """Who has something now, and how much."""
    own = HELD.c
    kinds = own.holder_kind.in_([kind.value for kind in IN_HANDS])
    query = select(own.holder_kind, own.holder, func.count().label("many"))
    query = query.where(kinds, _sees(actor, own.area)).group_by(own.holder_kind, own.holder)
    return connection.execute(query.order_by(own.holder_kind, own.holder)).all()


def _sees(actor: Actor, area: ColumnElement[str]) -> ColumnElement[bool]:
    return true() if actor.sees_all else area.in_(sorted(actor.areas))


def unmoved(connection: Connection, actor: Actor) -> Sequence[Row[Any]]:
    """Results that were announced and that nobody has handed to anybody, the latest first."""
    own = OUTGOING_ITEM.c
    moved = select(HELD.c.thing).where(HELD.c.thing == literal("result/") + own.item).exists()
    query = select(OUTGOING_ITEM).where(own.state == "announced", ~moved, scope.sees(actor, own.locker))
    return connection.execute(query.order_by(own.made_ms.desc(), own.item).limit(UNMOVED_MAX)).all()


def names(connection: Connection, actor: Actor) -> list[str]:
    """Windows and departments of the register; couriers and helpers that had something before."""
    own = SLIP.c
    free = (Kind.HELPER.value, Kind.COURIER.value)
    found = {row.holder for row in holders(connection, actor) if row.holder_kind in free}
    for kind, name in ((own.from_kind, own.from_name), (own.to_kind, own.to_name)):
        query = select(name).where(_sees(actor, own.area), kind.in_(free))
        found |= set(connection.execute(query.distinct()).scalars())
    return sorted(found | {row.name for row in register.every(connection, actor)})
