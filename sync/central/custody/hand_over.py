"""One hand-over: proposed by who gives, settled by who receives, differences kept open until resolved.

What is done here is journaled and stands in the trail of each case. Nothing is deleted: a slip that was wrong
is taken back, and what was received by mistake is handed back on another slip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.central import desk as hub
from sync.central import store
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.custody import fold
from sync.central.custody.parties import (
    BEGINS,
    OUTCOMES,
    ROUTES,
    Difference,
    Kind,
    LineState,
    Outcome,
    Party,
    Room,
    SlipState,
)
from sync.central.custody.tables import DIFFERENCE, HELD, LINE, QUEUE, SLIP
from sync.central.desk import Desk, Refusal, Refused
from sync.central.tables import AUTHORISATION, DEPOSIT, OUTGOING_ITEM, STAFF
from sync.central.windows import register
from sync.central.windows.tables import PLACE

QUEUE_MAX: Final = 999
"""Three digits can be called out; after these it begins anew."""
SLIP_DIGITS: Final = 12
"""By a scanner that types like a keyboard, into any field."""


@dataclass(frozen=True, slots=True)
class Proposal:
    giver: Party
    receiver: Party
    things: Sequence[str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was counted. ``missing`` says of each thing that is not there what is known of it."""

    received: frozenset[str]
    missing: Mapping[str, str]
    too_many: Sequence[str] = ()
    """What came besides, in words."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A thing as it goes onto a slip."""

    thing: str
    case: str
    area: str
    locker: str
    service_item: str
    window: str
    queue: int
    new: bool
    round: str = ""


# --- proposing ----------------------------------------------------------------------------------------------


def propose(connection: Connection, desk: Desk, actor: Actor, wanted: Proposal) -> str:
    """The slip. Raises Refused: nothing is handed over by who does not hold it."""
    now_ms = desk.clock.wall_ms()
    if wanted.receiver.kind not in ROUTES.get(wanted.giver.kind, ()) or wanted.giver == wanted.receiver:
        raise Refused(Refusal.UNFIT, f"nothing goes from {wanted.giver.kind} to {wanted.receiver.kind}")
    wanted = _known(connection, actor, wanted)
    register.require_signs(connection, actor, wanted.giver)
    items = [_item(connection, actor, wanted.giver, thing) for thing in dict.fromkeys(wanted.things)]
    areas = {item.area for item in items}
    if len(areas) != 1:
        raise Refused(Refusal.UNFIT, "a slip holds things of one area")
    slip, area = _number(connection, desk, items), areas.pop()
    _require_of_area(connection, wanted, area)
    connection.execute(
        SLIP.insert().values(
            slip=slip,
            area=area,
            from_kind=wanted.giver.kind.value,
            from_name=wanted.giver.name,
            to_kind=wanted.receiver.kind.value,
            to_name=wanted.receiver.name,
            note=wanted.note,
            proposed_by=actor.who,
            proposed_ms=now_ms,
            state=SlipState.PROPOSED.value,
        )
    )
    for item in items:
        _put_on(connection, slip, wanted, _queued(connection, wanted.receiver, item), now_ms)
        told = _told(connection, wanted.giver, wanted.receiver)
        _note(connection, item.case, "hand_over_proposed", slip, actor, now_ms, item.locker, told)
    detail = _told(connection, wanted.giver, wanted.receiver)
    audit.write(connection, now_ms, actor, Action.HAND_OVER, slip, {"items": len(items), **detail})
    return slip


def _number(connection: Connection, desk: Desk, items: Sequence[_Item]) -> str:
    """Of one helper's round: the number that the locker showed them. What is left of it goes under others."""
    found = {item.round for item in items}
    number = found.pop() if len(found) == 1 else ""
    free = bool(number) and store.find(connection, SLIP, {"slip": number}) is None
    return number if free else desk.chance.digits(SLIP_DIGITS)


def _known(connection: Connection, actor: Actor, wanted: Proposal) -> Proposal:
    """With places by their ids. Raises Refused."""
    giver, receiver = (register.party(connection, actor, each) for each in (wanted.giver, wanted.receiver))
    for party in (giver, receiver):
        _require_helper(connection, party)
    if giver == receiver:
        raise Refused(Refusal.UNFIT, f"nothing goes from {giver.kind} to itself")
    if receiver.kind in register.KINDS and register.place_row(connection, actor, receiver.name).ended_ms:
        raise Refused(Refusal.UNKNOWN_PLACE, "it was closed: nothing goes there any more")
    return replace(wanted, giver=giver, receiver=receiver)


def _require_of_area(connection: Connection, wanted: Proposal, area: str) -> None:
    for party in (wanted.giver, wanted.receiver):
        place = store.find(connection, PLACE, {"place": party.name}) if party.kind in register.KINDS else None
        if place is not None and place.area != area:
            raise Refused(
                Refusal.UNFIT, f"{place.name} is of the area {place.area}, the things are of {area}"
            )


def _require_helper(connection: Connection, party: Party) -> None:
    if party.kind is Kind.HELPER and store.find(connection, STAFF, {"staff": party.name}) is None:
        raise Refused(Refusal.UNFIT, f"no helper has the staff number {party.name!r}")


def _item(connection: Connection, actor: Actor, giver: Party, thing: str) -> _Item:
    held = store.find(connection, HELD, {"thing": thing})
    if held is None:
        return _first_time(connection, actor, giver, thing)
    mine = (held.holder_kind, held.holder) == (giver.kind, giver.name) and actor.sees(held.area)
    if not mine:
        raise Refused(Refusal.NOT_HELD, f"{thing} is not in the hands of {giver.kind} {giver.name}")
    if held.slip:
        raise Refused(Refusal.NOT_HELD, f"{thing} is on slip {held.slip}: settle that one first")
    service = _service_item(connection, held.thing, held.case_number)
    place = (held.case_number, held.area, held.locker, service, held.window, held.queue)
    return _Item(thing, *place, new=False, round=held.round)


def _first_time(connection: Connection, actor: Actor, giver: Party, thing: str) -> _Item:
    """A result that was announced and never moved is with whoever says that they have made it."""
    kind, _, item = thing.partition("/")
    known = fold.announced(connection, item) if kind == "result" and giver.kind in BEGINS else None
    if known is None or not actor.sees(known.area):
        raise Refused(Refusal.NOT_HELD, f"{thing} is not in the hands of {giver.kind} {giver.name}")
    return _Item(thing, known.case_number, known.area, known.locker, known.service_item, "", 0, new=True)


def _service_item(connection: Connection, thing: str, case: str) -> str:
    kind, _, rest = thing.partition("/")
    if kind == "result":
        row = store.find(connection, OUTGOING_ITEM, {"item": rest})
        return str(row.service_item) if row else ""
    locker, _, deposit = rest.partition("/")
    own = AUTHORISATION.c
    where = [DEPOSIT.c.locker == locker, DEPOSIT.c.deposit == deposit]
    right = select(DEPOSIT.c.authorisation).where(*where).scalar_subquery()
    query = select(own.service_item).where(own.authorisation == right, own.case_number == case)
    return str(connection.execute(query).scalar() or "")


def _queued(connection: Connection, receiver: Party, item: _Item) -> _Item:
    """With the next number of the window that it goes to."""
    if receiver.kind is not Kind.WINDOW or (item.window == receiver.name and item.queue):
        return item
    keys = {"area": item.area, "window": receiver.name}
    before = store.find(connection, QUEUE, keys)
    number = before.number % QUEUE_MAX + 1 if before else 1
    store.put(connection, QUEUE, keys, {"number": number})
    return replace(item, window=receiver.name, queue=number)


def _put_on(connection: Connection, slip: str, wanted: Proposal, item: _Item, now_ms: int) -> None:
    if item.new:
        giver = (wanted.giver.kind, wanted.giver.name)
        more = {"case_number": item.case, "area": item.area, "locker": item.locker, "confirmed": True}
        fold.place(connection, item.thing, giver, now_ms, **more)
    values = {"slip": slip, "window": item.window, "queue": item.queue}
    store.change(connection, HELD, {"thing": item.thing}, values)
    connection.execute(
        LINE.insert().values(
            slip=slip,
            thing=item.thing,
            case_number=item.case,
            service_item=item.service_item,
            window=item.window,
            queue=item.queue,
            state=LineState.PROPOSED.value,
        )
    )


# --- settling -----------------------------------------------------------------------------------------------


def settle(connection: Connection, desk: Desk, actor: Actor, slip: str, receipt: Receipt) -> SlipState:
    """What the receiver counted: it is theirs from now on; what they miss is not. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = slip_row(connection, actor, slip)
    _require_open(row)
    if actor.who == row.proposed_by:
        raise Refused(Refusal.SAME_PERSON, "whoever gives does not receive: another person settles it")
    giver, receiver = _parties(row)
    if register.is_the_same(connection, actor, giver):
        raise Refused(Refusal.SAME_PERSON, "the helper who gives it is you: another person settles it")
    register.require_signs(connection, actor, receiver)
    lines = lines_of(connection, slip)
    if not receipt.received <= {line.thing for line in lines}:
        raise Refused(Refusal.UNFIT, "what is not on the slip is named as too many")
    for line in lines:
        _settle_line(connection, actor, row, line, receipt, now_ms)
    for said in receipt.too_many:
        about = {"area": row.area, "slip": slip, "said": said, "found_by": actor.who, "at_ms": now_ms}
        fold.differ(connection, Room.HAND_OVER, Difference.TOO_MANY, **about)
    whole = len(receipt.received) == len(lines) and not receipt.too_many
    state = SlipState.RECEIVED if whole else SlipState.DIFFERS
    _end(connection, slip, state, actor, now_ms)
    counts = {"received": len(receipt.received), "of": len(lines), "too_many": len(receipt.too_many)}
    audit.write(connection, now_ms, actor, Action.HAND_OVER, slip, {"state": state.value, **counts})
    return state


def _settle_line(
    connection: Connection, actor: Actor, slip: Row[Any], line: Row[Any], receipt: Receipt, now_ms: int
) -> None:
    keys = {"slip": slip.slip, "thing": line.thing}
    giver, receiver = _parties(slip)
    locker = _locker_of(connection, line.thing)
    if line.thing in receipt.received:
        _require_still_theirs(connection, line.thing, giver)
        store.change(connection, LINE, keys, {"state": LineState.RECEIVED.value})
        fold.place(connection, line.thing, (receiver.kind, receiver.name), now_ms, confirmed=True)
        told = _told(connection, giver, receiver)
        _note(connection, line.case_number, "handed_over", slip.slip, actor, now_ms, locker, told)
        return
    store.change(connection, LINE, keys, {"state": LineState.MISSING.value})
    fold.differ(
        connection,
        Room.HAND_OVER,
        Difference.MISSING,
        area=slip.area,
        locker=locker,
        slip=slip.slip,
        thing=line.thing,
        case_number=line.case_number,
        said=receipt.missing.get(line.thing, ""),
        found_by=actor.who,
        at_ms=now_ms,
    )
    told = _told(connection, giver, receiver)
    _note(connection, line.case_number, "hand_over_missing", slip.slip, actor, now_ms, locker, told)


def _require_still_theirs(connection: Connection, thing: str, giver: Party) -> None:
    """A slip may lie for long, and what stands on it be loaded again and collected meanwhile."""
    held = store.find(connection, HELD, {"thing": thing})
    if held is None or (held.holder_kind, held.holder) != (giver.kind, giver.name):
        said = f"{thing} has left these hands since: here it is missing, and no more than that"
        raise Refused(Refusal.NOT_HELD, said)


def take_back(connection: Connection, desk: Desk, actor: Actor, slip: str) -> None:
    """The slip was wrong, and nobody has settled it: everything stays where it was. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = slip_row(connection, actor, slip)
    _require_open(row)
    if actor.who != row.proposed_by:
        raise Refused(Refusal.SAME_PERSON, "only who proposed it takes it back; settle it with differences")
    giver, receiver = _parties(row)
    for line in lines_of(connection, slip):
        store.change(connection, HELD, {"thing": line.thing}, {"slip": ""})
        keys = {"slip": slip, "thing": line.thing}
        store.change(connection, LINE, keys, {"state": LineState.TAKEN_BACK.value})
        where, told = _locker_of(connection, line.thing), _told(connection, giver, receiver)
        _note(connection, line.case_number, "hand_over_taken_back", slip, actor, now_ms, where, told)
    _end(connection, slip, SlipState.TAKEN_BACK, actor, now_ms)
    audit.write(connection, now_ms, actor, Action.HAND_OVER, slip, {"state": SlipState.TAKEN_BACK.value})


def _end(connection: Connection, slip: str, state: SlipState, actor: Actor, now_ms: int) -> None:
    values = {"state": state.value, "settled_by": actor.who, "settled_ms": now_ms}
    store.change(connection, SLIP, {"slip": slip}, values)


# --- differences --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a difference."""

    number: int
    outcome: Outcome
    note: str


_DOES: Final = {
    Room.HAND_OVER: Action.HAND_OVER,
    Room.STOCKTAKE: Action.STOCKTAKE,
    Room.LOCKER: Action.RESOLVE_LOCKER,
}


def resolve(connection: Connection, desk: Desk, actor: Actor, room: Room, ending: Ending) -> None:
    """Raises Refused. Who gave does not say that it was received, nor who missed it that it was kept."""
    now_ms = desk.clock.wall_ms()
    row = store.find(connection, DIFFERENCE, {"number": ending.number, "room": room.value})
    if row is None or not actor.sees(row.area):
        raise Refused(Refusal.UNKNOWN_DIFFERENCE, "no such difference")
    if row.resolved_ms:
        raise Refused(Refusal.SLIP_CLOSED, "somebody has resolved it already")
    if ending.outcome not in OUTCOMES[Difference(row.kind)]:
        raise Refused(Refusal.UNFIT, f"{row.kind} does not end as {ending.outcome}")
    if row.kind == Difference.MISSING:
        _end_missing(connection, actor, row, ending.outcome, now_ms)
    elif ending.outcome is Outcome.LOST and row.thing:
        fold.place(connection, row.thing, (Kind.LOST, ""), now_ms, confirmed=True)
    values = {
        "outcome": ending.outcome.value,
        "note": ending.note,
        "resolved_by": actor.who,
        "resolved_ms": now_ms,
    }
    store.change(connection, DIFFERENCE, {"number": ending.number}, values)
    told = {"difference": row.kind, "outcome": ending.outcome.value}
    reference = row.slip or str(row.number)
    _note(connection, row.case_number, "difference_resolved", reference, actor, now_ms, row.locker, told)
    subject = f"difference/{ending.number}"
    audit.write(connection, now_ms, actor, _DOES[room], subject, told, reason=ending.note)


def _end_missing(connection: Connection, actor: Actor, row: Row[Any], outcome: Outcome, now_ms: int) -> None:
    slip = slip_row(connection, actor, row.slip)
    giver, receiver = _parties(slip)
    against = {Outcome.RECEIVED: slip.proposed_by, Outcome.KEPT: slip.settled_by}
    if against.get(outcome) == actor.who:
        raise Refused(Refusal.SAME_PERSON, "the other side, or a third person, says so")
    if outcome is not Outcome.KEPT:
        _require_still_theirs(connection, row.thing, giver)
    if outcome is Outcome.LOST:
        fold.place(connection, row.thing, (Kind.LOST, ""), now_ms, confirmed=True)
    elif outcome is Outcome.RECEIVED:
        fold.place(connection, row.thing, (receiver.kind, receiver.name), now_ms, confirmed=True)
        keys = {"slip": slip.slip, "thing": row.thing}
        store.change(connection, LINE, keys, {"state": LineState.RECEIVED.value})
        told = _told(connection, giver, receiver)
        _note(connection, row.case_number, "handed_over", slip.slip, actor, now_ms, row.locker, told)
    else:
        store.change(connection, HELD, {"thing": row.thing}, {"slip": ""})


# --- shared -------------------------------------------------------------------------------------------------


def slip_row(connection: Connection, actor: Actor, slip: str) -> Row[Any]:
    """Raises Refused."""
    row = store.find(connection, SLIP, {"slip": slip})
    if row is None or not actor.sees(row.area):
        raise Refused(Refusal.UNKNOWN_SLIP, "no such slip")
    return row


def lines_of(connection: Connection, slip: str) -> Sequence[Row[Any]]:
    """By window and number."""
    own = LINE.c
    query = select(LINE).where(own.slip == slip).order_by(own.window, own.queue, own.case_number, own.thing)
    return connection.execute(query).all()


def _require_open(row: Row[Any]) -> None:
    if row.state != SlipState.PROPOSED:
        raise Refused(Refusal.SLIP_CLOSED, f"it is {row.state}: what is wrong with it goes onto a new slip")


def _parties(slip: Row[Any]) -> tuple[Party, Party]:
    return Party(Kind(slip.from_kind), slip.from_name), Party(Kind(slip.to_kind), slip.to_name)


def _locker_of(connection: Connection, thing: str) -> str:
    held = store.find(connection, HELD, {"thing": thing})
    return str(held.locker) if held else ""


def _told(connection: Connection, giver: Party, receiver: Party) -> dict[str, str]:
    """For the trail: as they are called today."""
    called = register.called(connection)
    return {
        "from_kind": giver.kind.value,
        "from_name": called.get(giver.name, giver.name),
        "to_kind": receiver.kind.value,
        "to_name": called.get(receiver.name, receiver.name),
    }


def _note(
    connection: Connection,
    case: str,
    kind: str,
    slip: str,
    actor: Actor,
    now_ms: int,
    locker: str,
    detail: Mapping[str, str],
) -> None:
    """In the trail of the case, for whom its locker exists."""
    if case:
        place = {"locker": locker} if locker else {}
        hub.note(connection, case, kind, slip, actor.who, now_ms, **detail, **place)
