"""Staff sign in with badge and PIN; every later step asks again what their role may do."""

from dataclasses import dataclass

from locker.domain.access import Action, allowed
from locker.domain.codes import matches
from locker.domain.compartment import Status
from locker.domain.errors import Reason, Refusal
from locker.domain.events import StaffSignedIn, StaffSignedOut, StaffSignInFailed
from locker.domain.ids import CompartmentNumber, StaffId
from locker.domain.state import LockerState, StaffGrant
from locker.operations.ports import Decided, World
from locker.operations.present_code import BadgeOffer, expired


@dataclass(frozen=True, slots=True)
class SignedIn:
    staff: StaffId
    roles: frozenset[str]


async def sign_in(world: World, offer: BadgeOffer, pin: str) -> SignedIn | Refusal:
    """The badge's owner, if the PIN is theirs. Five failures lock the badge until the centre renews it."""

    def decide(state: LockerState) -> Decided[SignedIn | Refusal]:
        staff = state.staff.get(offer.staff)
        if staff is None or not may_sign_in(world, state, staff):
            return Decided(Refusal(Reason.SIGN_IN_FAILED))
        if not matches(world.secrets.digest(f"pin:{staff.staff}", pin), staff.pin_digest):
            return Decided(Refusal(Reason.SIGN_IN_FAILED), (StaffSignInFailed(staff.staff),))
        return Decided(SignedIn(staff.staff, staff.roles), (StaffSignedIn(staff.staff),))

    return await world.journal.commit(f"staff/{offer.staff}", decide)


async def sign_out(world: World, staff: StaffId) -> None:
    await world.journal.commit(f"staff/{staff}", lambda _s: Decided(None, (StaffSignedOut(staff),)))


def may_sign_in(world: World, state: LockerState, staff: StaffGrant) -> bool:
    """Whether their PIN is looked at: the grant holds, and it was not tried too often."""
    return _valid(world, staff) and staff.pin_failures < state.policy.pin_failures


def _valid(world: World, staff: StaffGrant) -> bool:
    return not expired(world, staff.until_ms)


def roles_now(world: World, state: LockerState, staff: StaffId) -> frozenset[str]:
    """What this member of staff is just now; nothing once their grant has run out or was revoked."""
    record = state.staff.get(staff)
    return record.roles if record is not None and _valid(world, record) else frozenset()


def may(
    world: World, state: LockerState, staff: StaffId, action: Action, door: CompartmentNumber
) -> Refusal | None:
    """None where this member of staff may do this at this door now."""
    roles, status = roles_now(world, state, staff), state.compartments[door].status
    return None if allowed(roles, action, status) else Refusal(Reason.NOT_ALLOWED)


def may_anywhere(world: World, state: LockerState, staff: StaffId, action: Action) -> Refusal | None:
    """None where their role has this action at some door at all."""
    roles = roles_now(world, state, staff)
    fits = any(allowed(roles, action, status) for status in Status)
    return None if fits else Refusal(Reason.NOT_ALLOWED)
