"""The way back without a link: two staff on site look behind every door, and vouch for what is known here.

A locker that may have forgotten which rights have ended opens for nobody until the centre has said what it
remembers. Where there is no link, two people can take its place: after a stocktake of every door.
"""

from locker.domain.access import Action
from locker.domain.errors import Reason, Refusal
from locker.domain.events import HistoryVouched
from locker.domain.ids import StaffId
from locker.domain.state import LockerState
from locker.domain.stocktakes import Scope, Stocktake
from locker.operations.ports import Decided, World
from locker.operations.second_person import beside, two_may


def looked_everywhere(state: LockerState) -> bool:
    """Whether a stocktake of this epoch has left out no door that is in use."""
    done = state.stocktake
    seen = {each.door for each in done.looked}
    whole = Stocktake(done.stocktake, Scope.ALL)
    return done.scope == Scope.ALL and all(c.spec.number in seen for c in whole.to_look(state.compartments))


async def vouch(world: World, staff: StaffId) -> Refusal | None:
    """From now on doors open again. What the centre says later is joined as ever."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if not state.history.awaited or not looked_everywhere(state):
            return Decided(Refusal(Reason.NOT_NOW))
        if refusal := two_may(world, state, staff, Action.VOUCH):
            return Decided(refusal)
        return Decided(None, (HistoryVouched(state.epoch, staff, beside(world, state, staff)),))

    return await world.journal.commit(f"staff/{staff}", decide)
