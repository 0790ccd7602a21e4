"""Apply one directive from the centre, idempotently: the fact it states and the moved cursor, together."""

from locker.domain.allocation import bookable
from locker.domain.directives import Directive
from locker.domain.errors import PolicyOutOfRange
from locker.domain.events import (
    CompartmentBarred,
    CompartmentUnbarred,
    DirectiveApplied,
    DownLogStarted,
    Event,
    PolicyChanged,
    SlotBooked,
)
from locker.domain.ids import Epoch
from locker.domain.state import LockerState
from locker.operations import new_epoch
from locker.operations.ports import Decided, World


async def apply(world: World, directive: Directive, dn_epoch: Epoch, dn_hash: str) -> bool:
    """Journal a state entry; False where it is not the next one of this epoch (nothing is written).

    What cannot be read or is out of range is passed over, and the journal says so: one bad entry never stops
    the log.
    """

    def decide(state: LockerState) -> Decided[bool]:
        events: list[Event] = []
        expected = state.down.seq + 1
        if state.down.epoch != dn_epoch:
            events.append(DownLogStarted(dn_epoch))
            expected = 1
        if directive.seq != expected:
            return Decided(answer=False)
        outcome = _outcome(state, directive)
        if outcome == "applied" and directive.says is not None:
            events += [directive.says, *new_epoch.follows(state, directive.says)]
        events.append(DirectiveApplied(dn_epoch, directive.seq, dn_hash, outcome))
        return Decided(True, tuple(events))

    return await world.journal.commit("centre", decide)


def _outcome(state: LockerState, directive: Directive) -> str:
    says = directive.says
    if says is None:
        return f"refused: {directive.problem}"
    refused = _objection(state, says)
    return f"refused: {refused}" if refused else "applied"


def _objection(state: LockerState, says: object) -> str:
    """What speaks against a state entry that can be read; empty where nothing does."""
    match says:
        case PolicyChanged():
            try:
                state.policy.with_value(says.name, says.value, remote=True)
            except PolicyOutOfRange as error:
                return str(error)
        case CompartmentBarred() | CompartmentUnbarred() if says.door not in state.compartments:
            return f"no door {says.door}"
        case SlotBooked():
            return _unbookable(state, says)
    return ""


def _unbookable(state: LockerState, says: SlotBooked) -> str:
    """Said again it is what it was; otherwise there must be room just now, beside what others have booked."""
    if state.bookings.find(says.booking):
        return ""
    right = state.authorisations.get(says.authorisation)
    if right is not None and (right.ended or right.deposit):
        return "right_used"
    return "" if bookable(state, says.size, says.authorisation) else "no_room"
