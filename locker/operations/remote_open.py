"""One door opened from afar: what must hold for that, and what follows once it stood open.

Nobody of ours stands in front of it, so whatever may have been taken out or put in is for a helper to see.
"""

from typing import Final

from locker.domain import acts
from locker.domain import deposit as deposits
from locker.domain.acts import APPROVERS_MIN, ActKind, ActOrder, Why
from locker.domain.compartment import Compartment, Status
from locker.domain.door import Presence
from locker.domain.errors import Reason
from locker.domain.events import ActAccepted, CompartmentDoubted, Event, TicketOpened
from locker.domain.ids import CompartmentNumber, DepositId, GrantId
from locker.domain.opening import NEVER_OPENED, Opening, Purpose
from locker.domain.state import LockerState
from locker.operations import pick_up
from locker.operations.open_door import VISIT_GAP_MS, Opened, grant, hindrance
from locker.operations.ports import World
from locker.operations.present_code import trusted

DOUBT: Final = "opened from afar"
AHEAD_MS: Final = 10_000
"""So far two clocks may differ that are both said to be right."""
_NOBODYS: Final = frozenset({Purpose.REMOTE, Purpose.SERVICE})
_OUT: Final = {Status.FAULTY: Why.DOOR_FAULTY, Status.OUT_OF_SERVICE: Why.OUT_OF_SERVICE}


def good_until_ms(world: World, order: ActOrder, arrived_ms: int) -> int | Why:
    """Until when (monotonic) the order may be obeyed; why nobody can say so. ``arrived_ms`` is monotonic."""
    clock = world.clock
    if not trusted(world):
        return Why.CLOCK_UNSET
    age_ms = clock.wall_ms() - (clock.mono_ms() - arrived_ms) - order.agreed_ms
    if age_ms < -AHEAD_MS:
        return Why.CLOCK_DIFFERS
    fresh_ms = min(order.ttl_ms, world.journal.state.policy.act_fresh_ms)
    return arrived_ms + fresh_ms - max(0, age_ms)


def objection(state: LockerState, order: ActOrder, now_ms: int) -> Why | None:
    """What speaks against any act, whatever it is about."""
    if order.kind not in set(ActKind):
        return Why.UNKNOWN_KIND
    if state.history.awaited or state.history.unconfirmed:
        return Why.HISTORY_DOUBTED
    if len({name.strip().casefold() for name in order.approvers} - {""}) < APPROVERS_MIN:
        return Why.ONE_APPROVER
    return Why.CAP_REACHED if acts.capped(state.acts, now_ms, state.policy) else None


def obstacle(state: LockerState, door: CompartmentNumber, now_ms: int) -> Why | Reason | None:
    """Why this door cannot be opened from afar just now."""
    compartment = state.compartments.get(door)
    if compartment is None:
        return Why.NO_SUCH_DOOR
    if why := _OUT.get(compartment.status):
        return why
    if refusal := hindrance(state, door):
        return refusal.reason
    return Reason.DOOR_BUSY if _somebody_is_at(state, compartment, now_ms) else None


def _somebody_is_at(state: LockerState, compartment: Compartment, now_ms: int) -> bool:
    """Whether a visit that concerns this door may not be over: who stands there must not get mixed up."""
    opening, deposit = state.openings.get(compartment.grant), state.deposits.get(compartment.deposit)
    if deposit is not None and deposit.phase in deposits.TENTATIVE:
        return True
    if deposit is not None and pick_up.awaiting_word(state, deposit):
        return True
    if opening is None or opening.purpose in _NOBODYS or opening.phase in NEVER_OPENED:
        # Whoever stands before a door that would not open is just whom a remote opening helps.
        return False
    return 0 <= now_ms - opening.requested_ms < VISIT_GAP_MS


def accept(world: World, state: LockerState, order: ActOrder) -> tuple[Opened, tuple[Event, ...]]:
    """A grant for its door, and the facts that make both durable."""
    opened, requested = grant(world, order.door, Purpose.REMOTE)
    lies = state.compartments[order.door].deposit
    return opened, (accepted(order, opened.grant, lies), requested)


def accepted(order: ActOrder, key: GrantId = GrantId(""), lies: DepositId = DepositId("")) -> ActAccepted:
    """``key``: what opens its door, where it is about one; ``lies``: what is behind that."""
    return ActAccepted(
        order.act,
        order.aseq,
        ActKind(order.kind),
        order.door,
        key,
        lies,
        order.approvers,
        order.nonce,
        order.agreed_ms,
        order.reason,
    )


def stood_open(state: LockerState, door: CompartmentNumber) -> tuple[Event, ...]:
    """The door was seen to open: what lay there may be gone."""
    compartment = state.compartments[door]
    return (CompartmentDoubted(door, DOUBT),) if compartment.deposit and not compartment.doubt else ()


def closed(world: World, state: LockerState, opening: Opening, item: Presence) -> tuple[Event, ...]:
    """It was shut again. Only a sensor that sees nothing says that nothing was put in."""
    del world
    compartment = state.compartments[opening.door]
    if compartment.doubt or item is Presence.ABSENT:
        return ()
    if item is Presence.PRESENT and not compartment.deposit:
        ticket = TicketOpened("unknown_item", opening.door, DepositId(""))
        return (CompartmentDoubted(opening.door, "unknown item found"), ticket)
    return (CompartmentDoubted(opening.door, DOUBT),)
