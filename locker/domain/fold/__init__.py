"""The next state from an event: one small function an event, in tables. Pure; reads no personal field.

The rooms are those of `locker.domain.events`.
"""

from dataclasses import replace
from typing import Final

from locker.domain.entry import Stamp
from locker.domain.events import Event
from locker.domain.fold import (
    access,
    acts,
    asked,
    centre,
    custody,
    doors,
    history,
    machine,
    pickups,
    rounds,
    surroundings,
)
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.state import LockerState

_APPLY: Final[Apply] = {
    **machine.APPLY,
    **history.APPLY,
    **surroundings.APPLY,
    **centre.APPLY,
    **pickups.APPLY,
    **acts.APPLY,
    **asked.APPLY,
    **access.APPLY,
    **doors.APPLY,
    **custody.APPLY,
    **rounds.APPLY,
}


def fold(state: LockerState, seq: Seq, stamp: Stamp, event: Event) -> LockerState:
    """The state after ``event``. Events without an effect on decisions only move ``seq``."""
    apply = _APPLY.get(type(event))
    after = apply(state, stamp, event, seq) if apply else state
    return replace(after, seq=seq, last_mono_ms=stamp.mono_ms)
