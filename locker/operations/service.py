"""The technician's door work: test-open one that holds nothing, take it out of service, put it back.

A technician never opens, blocks or frees what belongs to somebody: `Compartment.occupied` is asked first,
whatever else the compartment is. Every act is journaled with who did it.
"""

from dataclasses import dataclass
from typing import Final

from locker.domain.access import Action, Role, allowed
from locker.domain.compartment import Status
from locker.domain.door import Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CompartmentBlocked,
    CompartmentDoubted,
    CompartmentRestored,
    Event,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.opening import Opening, Purpose
from locker.domain.state import LockerState
from locker.operations.open_door import Answer, grant, hindrance, next_attempt, open_door
from locker.operations.ports import Decided, World
from locker.operations.sign_in import roles_now

WHY_MAX: Final = 120
"""Characters kept of the reason for a block: a line, not a letter."""


@dataclass(frozen=True, slots=True)
class Technician:
    """Who acts: a signed-in member of staff, or whoever the kernel names at the control socket."""

    staff: StaffId
    """``console/0`` for uid 0 at the socket."""
    local: bool = False
    """True: the machine vouches for them (peer credentials), as a technician. False: their grant does."""


async def test_open(world: World, who: Technician, door: CompartmentNumber) -> Answer:
    """Pulse one door that holds nothing, once. However often it is tried, a technician may try again."""

    def decide(state: LockerState) -> Decided[Answer]:
        if refusal := _refusal(world, state, who, Action.TEST_OPEN, door) or hindrance(state, door):
            return Decided(refusal)
        attempt = next_attempt(state, door, DepositId(""), world.clock.mono_ms())
        opened, requested = grant(world, door, Purpose.SERVICE, staff=who.staff, attempt=attempt)
        return Decided(opened, (requested,))

    return await open_door(world, _cause(who), decide)


async def block(world: World, who: Technician, door: CompartmentNumber, why: str) -> Refusal | None:
    """Out of service until somebody unblocks it; also a door that stands open or cannot be seen.

    A blank ``why`` is refused, a long one cut at `WHY_MAX`.
    """
    reason = " ".join(why.split())[:WHY_MAX]

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := _refusal(world, state, who, Action.BLOCK, door):
            return Decided(refusal)
        if not reason:
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, (CompartmentBlocked(door, reason, who.staff),))

    return await world.journal.commit(_cause(who), decide)


async def unblock(world: World, who: Technician, door: CompartmentNumber) -> Refusal | None:
    """Back in service: the fault, the block or the centre's bar ends, and what lies beneath shows again.

    The door must be seen shut. It becomes vacant only where nothing says that something lies in it; with a
    deposit or a doubt it is what these make of it.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := _refusal(world, state, who, Action.RESTORE, door) or hindrance(state, door):
            return Decided(refusal)
        compartment = state.compartments[door]
        if not (compartment.fault or compartment.blocked or compartment.barred):
            return Decided(Refusal(Reason.NOT_NOW))
        if compartment.item is Presence.PRESENT and not compartment.occupied:
            return Decided(Refusal(Reason.STILL_INSIDE))
        return Decided(None, (CompartmentRestored(door, who.staff),))

    return await world.journal.commit(_cause(who), decide)


def closed(world: World, state: LockerState, opening: Opening, item: Presence) -> tuple[Event, ...]:
    """The door of a service opening was shut: the compartment is what it was, unless something lies in it."""
    del world
    if item is not Presence.PRESENT or state.compartments[opening.door].doubt:
        return ()
    ticket = TicketOpened("unknown_item", opening.door, DepositId(""))
    return (CompartmentDoubted(opening.door, "unknown item found"), ticket)


def _refusal(
    world: World, state: LockerState, who: Technician, action: Action, door: CompartmentNumber
) -> Refusal | None:
    """None where they may do this at this door now; a fault or a block hides nothing that lies behind it."""
    if door not in state.compartments:
        return Refusal(Reason.NOT_NOW)
    roles = frozenset({Role.TECHNICIAN}) if who.local else roles_now(world, state, who.staff)
    compartment = state.compartments[door]
    if not any(allowed(roles, action, status) for status in Status):
        return Refusal(Reason.NOT_ALLOWED)
    if compartment.occupied and action is not Action.RESTORE:
        return Refusal(Reason.OCCUPIED)
    return None if allowed(roles, action, compartment.status) else Refusal(Reason.NOT_NOW)


def _cause(who: Technician) -> str:
    return f"staff/{who.staff}"
