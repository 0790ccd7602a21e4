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


async def open_compartment(world: World, staff: StaffId, door: CompartmentNumber) -> Answer:
    return await open_for_staff(world, staff, Action.CHECK, Purpose.CHECK, door)


async def confirm(world: World, staff: StaffId, door: CompartmentNumber, *, empty: bool) -> Refusal | None:
    """What the helper saw, after the door was shut again. A good sensor is not overruled."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        opening = state.opening_of(door)
        if opening is None or opening.purpose is not Purpose.CHECK or opening.staff != staff:
            return Decided(Refusal(Reason.NOT_NOW))
        compartment = state.compartments[door]
        if opening.phase is not Phase.CLOSED or compartment.position is not Position.CLOSED:
            return Decided(Refusal(Reason.DOOR_OPEN))
        if refusal := may(world, state, staff, Action.CHECK, door):
            return Decided(refusal)
        if empty and compartment.item is Presence.PRESENT:
            return Decided(Refusal(Reason.STILL_INSIDE))
        found = "empty" if empty else "unknown_item"
        events: tuple[Event, ...] = (CompartmentChecked(door, found, staff),)
        if not empty:
            events += (TicketOpened("unknown_item", door, DepositId("")),)
        return Decided(None, events)

    return await world.journal.commit(f"staff/{staff}", decide)
