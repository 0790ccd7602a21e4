"""Apply one directive from the centre, idempotently: the fact it states and the moved cursor, together."""

from typing import Final

from locker.domain import centre_keys
from locker.domain.allocation import bookable
from locker.domain.centre_keys import CentreKeys
from locker.domain.directives import Directive
from locker.domain.events import (
    CentreKeysTold,
    CompartmentBarred,
    CompartmentUnbarred,
    DirectiveApplied,
    DownLogStarted,
    Event,
    HoldExtended,
    SettingsChanged,
    SlotBooked,
)
from locker.domain.ids import Epoch
from locker.domain.policy import Settings, range_of, unfit
from locker.domain.state import LockerState
from locker.operations import new_epoch, pickup_codes, settings
from locker.operations.ports import Decided, World

APPLIED: Final = "applied"


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
        outcome = _outcome(state, directive) or _moot(world, state, directive.says) or APPLIED
        if outcome == APPLIED and directive.says is not None:
            events += [directive.says, *new_epoch.follows(state, directive.says)]
            events += pickup_codes.follows(world, state, directive.says)
            events += settings.follows(state, directive.says)
        events.append(DirectiveApplied(dn_epoch, directive.seq, dn_hash, outcome))
        return Decided(True, tuple(events))

    return await world.journal.commit("centre", decide)


def _outcome(state: LockerState, directive: Directive) -> str:
    """Empty where nothing speaks against it."""
    says = directive.says
    if says is None:
        return f"refused: {directive.problem}"
    refused = _objection(state, says)
    return f"refused: {refused}" if refused else ""


def _objection(state: LockerState, says: object) -> str:
    """What speaks against a state entry that can be read; empty where nothing does."""
    match says:
        case SettingsChanged():
            return settings.objection(says)
        case CentreKeysTold():
            return centre_keys.objection(CentreKeys(says.keys, says.retired))
        case CompartmentBarred() | CompartmentUnbarred() if says.door not in state.compartments:
            return f"no door {says.door}"
        case SlotBooked():
            return _unbookable(state, says)
        case HoldExtended():
            return _out_of_range("hold_days", says.hold_days)
    return pickup_codes.objection(state, says)


def _moot(world: World, state: LockerState, says: object) -> str:
    """Why it changes nothing any more; empty where it counts."""
    return settings.moot(state, says) or pickup_codes.moot(world, state, says)


def _out_of_range(name: str, value: int) -> str:
    low, high = range_of(name)
    return f"{name} = {value}: must lie in {low}..{high}" if unfit(Settings, name, value) else ""


def _unbookable(state: LockerState, says: SlotBooked) -> str:
    """Said again it is what it was; otherwise there must be room just now, beside what others have booked."""
    if state.bookings.find(says.booking):
        return ""
    right = state.authorisations.get(says.authorisation)
    if right is not None and (right.ended or right.deposit):
        return "right_used"
    return "" if bookable(state, says.size, says.authorisation) else "no_room"
