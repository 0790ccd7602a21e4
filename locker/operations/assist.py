"""Assisted service 帮办: a helper stands beside whoever has a code; the code is the right, the helper named.

Both rights must hold when a door opens, and the helper's adds nothing: what the code does not open stays
shut.
"""

from collections.abc import Callable
from dataclasses import replace

from locker.domain.access import Action
from locker.domain.errors import Reason, Refusal
from locker.domain.events import VisitAssisted
from locker.domain.fold.custody import FINDINGS
from locker.domain.ids import CompartmentNumber, StaffId
from locker.domain.state import LockerState
from locker.operations.open_door import Answer, Opened
from locker.operations.ports import Decided, World
from locker.operations.sign_in import may_anywhere

Decide = Callable[[LockerState], Decided[Answer]]


def assisted(world: World, helper: StaffId, decide: Decide) -> Decide:
    """The same decision with ``helper`` beside the person, who is named where a door opens; "": nobody is."""

    def both(state: LockerState) -> Decided[Answer]:
        if refusal := may_anywhere(world, state, helper, Action.ASSIST):
            return Decided(refusal)
        decided = decide(state)
        if not isinstance(decided.answer, Opened):
            return decided
        return replace(decided, events=(*decided.events, VisitAssisted(decided.answer.deposit, helper)))

    return both if helper else decide


def looked_for(state: LockerState, door: CompartmentNumber) -> Refusal | None:
    """Staff have looked behind this door, and did not find what is known to lie there: whatever lies there
    now may be another's."""
    return Refusal(Reason.LOOKED_FOR) if state.compartments[door].doubt in FINDINGS.values() else None
