"""Door by door: expected, found, unknown. The way out of TO_CHECK, of one door or of many at once.

What is known to lie somewhere is looked at by two. A look ends no deposit: what is missing stays missing,
with a ticket, until somebody has resolved it.
"""

from typing import Final

from locker.domain.access import Action
from locker.domain.compartment import Compartment, Status
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CompartmentChecked,
    Event,
    StocktakeBegan,
    StocktakeEnded,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber, StaffId, StocktakeId
from locker.domain.opening import Phase, Purpose
from locker.domain.state import LockerState
from locker.domain.stocktakes import HOLDS, HOLDS_NOTHING, Found, Scope, Stocktake
from locker.operations.open_door import Answer
from locker.operations.ports import Decided, World
from locker.operations.second_person import beside, two_may
from locker.operations.sign_in import may, may_anywhere
from locker.operations.staff_door import open_for_staff

TICKETS: Final = {
    Found.MISSING: "item_missing",
    Found.UNKNOWN_ITEM: "unknown_item",
    Found.REMOVED: "unknown_item_removed",
    Found.UNSURE: "item_not_made_out",
}
"""What somebody has to follow up."""


def doubtful(state: LockerState) -> list[Compartment]:
    """Compartments that somebody must look into and that no deposit claims."""
    return sorted(
        (c for c in state.compartments.values() if c.status is Status.TO_CHECK and not c.deposit),
        key=lambda c: c.spec.number,
    )


def occupied(state: LockerState) -> list[Compartment]:
    """Compartments that are doubted although a deposit is known to lie in them: two people look."""
    return sorted(
        (c for c in state.compartments.values() if c.status is Status.TO_CHECK and c.deposit),
        key=lambda c: c.spec.number,
    )


def needs_two(state: LockerState, door: CompartmentNumber) -> bool:
    """Whether one alone may not look into it: something is known to lie there, or the locker may have
    forgotten what does."""
    return bool(state.compartments[door].deposit) or state.history.awaited


def left(state: LockerState) -> list[Compartment]:
    """What the stocktake under way has still before it."""
    return state.stocktake.to_look(state.compartments) if state.stocktake.under_way else []


async def begin(world: World, staff: StaffId, scope: Scope) -> Refusal | None:
    """One at a time: whoever comes to one that is under way goes on with it."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := may_anywhere(world, state, staff, Action.STOCKTAKE):
            return Decided(refusal)
        key = StocktakeId(world.secrets.new_id())
        if state.stocktake.under_way or not Stocktake(key, scope).to_look(state.compartments):
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, (StocktakeBegan(key, scope, staff),))

    return await world.journal.commit(f"staff/{staff}", decide)


async def end(world: World, staff: StaffId) -> Refusal | None:
    """Before every door was looked into: what was not stays as it is."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := may_anywhere(world, state, staff, Action.STOCKTAKE):
            return Decided(refusal)
        if not state.stocktake.under_way:
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, (_ended(state, state.stocktake, staff),))

    return await world.journal.commit(f"staff/{staff}", decide)


async def open_one(world: World, staff: StaffId, door: CompartmentNumber) -> Answer:
    """Open a compartment to look into it; one in which something is known to lie, before two people."""
    state = world.journal.state
    if door not in state.compartments:
        return Refusal(Reason.NOT_NOW)
    deposit = state.compartments[door].deposit

    def refusal_of(state: LockerState) -> Refusal | None:
        return two_may(world, state, staff, Action.STOCKTAKE) if needs_two(state, door) else None

    return await open_for_staff(
        world,
        staff,
        Action.STOCKTAKE,
        Purpose.CHECK,
        door,
        deposit,
        also=refusal_of,
        # Two on site may look where the centre's memory is still awaited; nobody else may.
        on_site=state.history.awaited,
    )


async def settle(world: World, staff: StaffId, door: CompartmentNumber, found: Found) -> Refusal | None:
    """What they saw, after the door was shut again. A good sensor is not overruled."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if door not in state.compartments or found not in _possible(state, door):
            return Decided(Refusal(Reason.NOT_NOW))
        two = needs_two(state, door) or found is Found.REMOVED
        refusal = _unlooked(state, staff, door) or may(world, state, staff, Action.STOCKTAKE, door)
        if refusal is None and two:
            refusal = two_may(world, state, staff, Action.STOCKTAKE)
        if refusal := refusal or _contradicted(state.compartments[door], found):
            return Decided(refusal)
        return Decided(None, _facts(world, state, staff, door, found))

    return await world.journal.commit(f"staff/{staff}", decide)


def _possible(state: LockerState, door: CompartmentNumber) -> frozenset[Found]:
    return HOLDS if state.compartments[door].deposit else HOLDS_NOTHING


def _contradicted(compartment: Compartment, found: Found) -> Refusal | None:
    empty = found in {Found.EMPTY, Found.MISSING, Found.REMOVED}
    if empty and compartment.item is Presence.PRESENT:
        return Refusal(Reason.STILL_INSIDE)
    return Refusal(Reason.NOTHING_INSIDE) if not empty and compartment.item is Presence.ABSENT else None


def _facts(
    world: World, state: LockerState, staff: StaffId, door: CompartmentNumber, found: Found
) -> tuple[Event, ...]:
    running = state.stocktake if state.stocktake.under_way else Stocktake()
    second = beside(world, state, staff)
    events: tuple[Event, ...] = (CompartmentChecked(door, found, staff, second, running.stocktake),)
    if ticket := TICKETS.get(found):
        events += (TicketOpened(ticket, door, state.compartments[door].deposit),)
    if not running.stocktake:
        return events
    after = running.after(door, found)
    return events if after.to_look(state.compartments) else (*events, _ended(state, after, staff))


def _ended(state: LockerState, stocktake: Stocktake, staff: StaffId) -> StocktakeEnded:
    counted = stocktake.counted()
    return StocktakeEnded(
        stocktake.stocktake,
        staff,
        counted[Found.EMPTY],
        counted[Found.EXPECTED],
        counted[Found.MISSING],
        counted[Found.UNKNOWN_ITEM],
        counted[Found.REMOVED],
        counted[Found.UNSURE],
        len(stocktake.to_look(state.compartments)),
    )


def _unlooked(state: LockerState, staff: StaffId, door: CompartmentNumber) -> Refusal | None:
    """Why nobody can have looked into it (yet)."""
    opening = state.opening_of(door)
    if opening is None or opening.purpose is not Purpose.CHECK or opening.staff != staff:
        return Refusal(Reason.NOT_NOW)
    shut = opening.phase is Phase.CLOSED and state.compartments[door].position is Position.CLOSED
    return None if shut else Refusal(Reason.DOOR_OPEN)


async def open_compartment(world: World, staff: StaffId, door: CompartmentNumber) -> Answer:
    """Open one that is doubted and that no deposit claims: one helper alone does that."""
    return await open_for_staff(world, staff, Action.CHECK, Purpose.CHECK, door)


async def confirm(world: World, staff: StaffId, door: CompartmentNumber, *, empty: bool) -> Refusal | None:
    """What the helper saw in it."""
    return await settle(world, staff, door, Found.EMPTY if empty else Found.UNKNOWN_ITEM)
