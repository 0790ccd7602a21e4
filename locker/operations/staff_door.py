"""What intake, withdrawal and stocktake share: staff open one door, look, shut it, and say what they did."""

from collections.abc import Callable

from locker.domain.access import Action
from locker.domain.deposit import Deposit, Proof
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.opening import Phase, Purpose
from locker.domain.state import LockerState
from locker.operations.open_door import Answer, grant, hindrance, next_attempt, open_door
from locker.operations.ports import Decided, World
from locker.operations.sign_in import may


async def open_for_staff(
    world: World,
    staff: StaffId,
    action: Action,
    purpose: Purpose,
    door: CompartmentNumber,
    deposit: DepositId = DepositId(""),
    also: Callable[[LockerState], Refusal | None] = lambda _state: None,
    *,
    on_site: bool = False,
) -> Answer:
    """Open one door under a staff right; the door may have been tried before in this visit.

    ``also``: what else must not speak against it. ``on_site``: as in `open_door`.
    """

    def decide(state: LockerState) -> Decided[Answer]:
        return decide_for_staff(world, state, staff, action, purpose, door, deposit, also)

    return await open_door(world, f"staff/{staff}", decide, on_site=on_site)


def decide_for_staff(
    world: World,
    state: LockerState,
    staff: StaffId,
    action: Action,
    purpose: Purpose,
    door: CompartmentNumber,
    deposit: DepositId,
    also: Callable[[LockerState], Refusal | None] = lambda _state: None,
) -> Decided[Answer]:
    """As `open_for_staff`, for a decision that says other things as well."""
    if door not in state.compartments or state.compartments[door].deposit != deposit:
        return Decided(Refusal(Reason.NOT_NOW))
    if refusal := may(world, state, staff, action, door) or also(state) or hindrance(state, door):
        return Decided(refusal)
    attempt = next_attempt(state, door, deposit, world.clock.mono_ms())
    if attempt > state.policy.tries_per_visit:
        return Decided(Refusal(Reason.TRIES_USED_UP))
    opened, requested = grant(world, door, purpose, deposit, staff, attempt)
    return Decided(opened, (requested,))


def taken_out(
    world: World, state: LockerState, staff: StaffId, action: Action, purpose: Purpose, deposit: Deposit
) -> Proof | Refusal:
    """How it is known that ``staff`` took the deposit out, or why that cannot be said (yet)."""
    opening = state.opening_of(deposit.door)
    if opening is None or opening.purpose is not purpose or opening.staff != staff:
        return Refusal(Reason.NOT_NOW)
    if opening.phase is not Phase.CLOSED or state.compartments[deposit.door].position is not Position.CLOSED:
        return Refusal(Reason.DOOR_OPEN)
    if refusal := may(world, state, staff, action, deposit.door):
        return refusal
    item = state.compartments[deposit.door].item
    if item is Presence.PRESENT:
        return Refusal(Reason.STILL_INSIDE)
    return Proof.SENSED if item is Presence.ABSENT else Proof.DECLARED
