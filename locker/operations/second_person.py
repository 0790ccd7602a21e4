"""A second person at the kiosk: another badge and PIN on top of the sign-in that is there, for a time.

Never the same person twice. What asks for two asks again at every step, of both.
"""

from locker.domain.access import Action
from locker.domain.codes import matches
from locker.domain.errors import Reason, Refusal
from locker.domain.events import SecondJoined, SecondLeft, StaffSignInFailed
from locker.domain.ids import StaffId
from locker.domain.pairs import SECONDS
from locker.domain.state import LockerState
from locker.operations.ports import Decided, World
from locker.operations.present_code import BadgeOffer
from locker.operations.sign_in import may_anywhere, may_sign_in, roles_now


async def join(world: World, first: StaffId, offer: BadgeOffer, pin: str) -> StaffId | Refusal:
    """The badge's owner stands beside ``first`` from now on, if the PIN is theirs. Failures count as ever."""

    def decide(state: LockerState) -> Decided[StaffId | Refusal]:
        if offer.staff == first:
            return Decided(Refusal(Reason.SAME_PERSON))
        if not roles_now(world, state, first):
            return Decided(Refusal(Reason.NOT_ALLOWED))
        second = state.staff.get(offer.staff)
        if second is None or not may_sign_in(world, state, second):
            return Decided(Refusal(Reason.SIGN_IN_FAILED))
        if not matches(world.secrets.digest(f"pin:{second.staff}", pin), second.pin_digest):
            return Decided(Refusal(Reason.SIGN_IN_FAILED), (StaffSignInFailed(second.staff),))
        return Decided(second.staff, (SecondJoined(second.staff, first),))

    return await world.journal.commit(f"staff/{offer.staff}", decide)


async def leave(world: World, first: StaffId) -> None:
    """The second person goes; the first one stays signed in."""

    def decide(state: LockerState) -> Decided[None]:
        pair = state.pair
        return Decided(None, (SecondLeft(pair.second, first),) if pair.second and pair.first == first else ())

    await world.journal.commit(f"staff/{first}", decide)


def beside(world: World, state: LockerState, first: StaffId) -> StaffId:
    """Who stands beside ``first`` now, with a right that holds; empty where nobody does."""
    second = state.pair.beside(first, world.clock.mono_ms())
    return second if second != first and roles_now(world, state, second) else StaffId("")


def two_may(world: World, state: LockerState, first: StaffId, action: Action) -> Refusal | None:
    """None where ``first`` may do this and somebody stands beside them who may be the second in it."""
    if refusal := may_anywhere(world, state, first, action):
        return refusal
    second = beside(world, state, first)
    if not second:
        return Refusal(Reason.SECOND_NEEDED)
    fits = roles_now(world, state, second) & {role.value for role in SECONDS[action]}
    return None if fits else Refusal(Reason.NOT_ALLOWED)
