"""What the centre ordered to be done at once: what follows for the state."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from locker.domain import acts
from locker.domain import events as ev
from locker.domain.acts import Act, Phase
from locker.domain.entry import Stamp
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.state import LockerState


def _accepted(s: LockerState, t: Stamp, e: ev.ActAccepted, seq: Seq) -> LockerState:
    act = Act(e.act, e.kind, e.door, e.grant, Phase.ACCEPTED, t.mono_ms)
    # Its reason is for those who look at it now; nothing here refers to it later.
    named = s.named.ends((seq,), t.wall_ms)
    return replace(s, acts=acts.accepted(s.acts, e.aseq, act), named=named)


def _taken(s: LockerState, t: Stamp, e: Any, seq: Seq) -> LockerState:
    return replace(s, acts=replace(s.acts, aseq=e.aseq))


def _moved(signal: acts.Signal) -> Callable[..., LockerState]:
    def apply(s: LockerState, t: Stamp, e: Any, seq: Seq) -> LockerState:
        return replace(s, acts=acts.moved(s.acts, e.act, signal))

    return apply


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.ActAccepted: _accepted,
        ev.ActRefused: _taken,
        ev.ActExpired: _taken,
        ev.ActDone: _moved(acts.Signal.DO),
        ev.ActFailed: _moved(acts.Signal.FAIL),
        ev.ActUnknown: _moved(acts.Signal.RESTART),
    }
)
