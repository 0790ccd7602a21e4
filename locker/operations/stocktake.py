"""Door by door: expected, found, unknown. The way out of TO_CHECK where no deposit is known."""

from locker.domain.access import Action
from locker.domain.compartment import Compartment, Status
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import CompartmentChecked, Event, TicketOpened
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.opening import Phase, Purpose
from locker.domain.state import LockerState
from locker.operations.open_door import Answer
from locker.operations.ports import Decided, World
from locker.operations.sign_in import may
from locker.operations.staff_door import open_for_staff


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


async def open_occupied(world: World, staff: StaffId, second: StaffId, door: CompartmentNumber) -> Answer:
    """Open a compartment in which something lies, before two people who both may look."""
    state = world.journal.state
    if refusal := _not_two(world, state, staff, second, door):
        return refusal
    deposit = state.compartments[door].deposit
    return await open_for_staff(world, staff, Action.CHECK, Purpose.CHECK, door, deposit)


async def settle(
    world: World, staff: StaffId, second: StaffId, door: CompartmentNumber, *, there: bool
) -> Refusal | None:
    """What both saw, after the door was shut again: the deposit is there, or it is not.

    There: the doubt ends. Not there: it stays, with a ticket; the deposit is not ended by a look.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := _not_two(world, state, staff, second, door) or _unlooked(state, staff, door):
            return Decided(refusal)
        compartment = state.compartments[door]
        if there and compartment.item is Presence.ABSENT:
            return Decided(Refusal(Reason.NOTHING_INSIDE))
        if there:
            return Decided(None, (CompartmentChecked(door, "expected", staff, second),))
        ticket = TicketOpened("item_missing", door, compartment.deposit)
        return Decided(None, (CompartmentChecked(door, "missing", staff, second), ticket))

    return await world.journal.commit(f"staff/{staff}", decide)


def _not_two(
    world: World, state: LockerState, staff: StaffId, second: StaffId, door: CompartmentNumber
) -> Refusal | None:
    if door not in state.compartments or not state.compartments[door].deposit:
        return Refusal(Reason.NOT_NOW)
    if staff == second:
        return Refusal(Reason.NOT_ALLOWED)
    return may(world, state, staff, Action.CHECK, door) or may(world, state, second, Action.CHECK, door)


def _unlooked(state: LockerState, staff: StaffId, door: CompartmentNumber) -> Refusal | None:
    """Why nobody can have looked into it (yet)."""
    opening = state.opening_of(door)
    if opening is None or opening.purpose is not Purpose.CHECK or opening.staff != staff:
        return Refusal(Reason.NOT_NOW)
    shut = opening.phase is Phase.CLOSED and state.compartments[door].position is Position.CLOSED
    return None if shut else Refusal(Reason.DOOR_OPEN)


async def open_compartment(world: World, staff: StaffId, door: CompartmentNumber) -> Answer:
    return await open_for_staff(world, staff, Action.CHECK, Purpose.CHECK, door)


async def confirm(world: World, staff: StaffId, door: CompartmentNumber, *, empty: bool) -> Refusal | None:
    """What the helper saw, after the door was shut again. A good sensor is not overruled."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := _unlooked(state, staff, door) or may(world, state, staff, Action.CHECK, door):
            return Decided(refusal)
        compartment = state.compartments[door]
        if empty and compartment.item is Presence.PRESENT:
            return Decided(Refusal(Reason.STILL_INSIDE))
        found = "empty" if empty else "unknown_item"
        events: tuple[Event, ...] = (CompartmentChecked(door, found, staff),)
        if not empty:
            events += (TicketOpened("unknown_item", door, DepositId("")),)
        return Decided(None, events)

    return await world.journal.commit(f"staff/{staff}", decide)
