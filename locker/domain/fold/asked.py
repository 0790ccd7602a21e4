"""What people ask for beside their visits: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import asked
from locker.domain import events as ev
from locker.domain.entry import Stamp
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.state import LockerState


def _lost(s: LockerState, t: Stamp, e: ev.CodeAskedFor, seq: Seq) -> LockerState:
    # Nobody here reads it, not even now: how long it is kept counts from the asking.
    named = s.named.ends((seq,), t.wall_ms)
    return replace(s, asked=asked.lost(s.asked, t.mono_ms), named=named)


def _help(s: LockerState, t: Stamp, e: ev.HelpAsked, seq: Seq) -> LockerState:
    named = s.named.ends((seq,), t.wall_ms)
    return replace(s, asked=asked.helped(s.asked, t.mono_ms), named=named)


def _neighbours(s: LockerState, t: Stamp, e: ev.NeighboursTold, seq: Seq) -> LockerState:
    return replace(s, asked=replace(s.asked, neighbours=e.neighbours, told_wall_ms=t.wall_ms))


APPLY: Final[Apply] = MappingProxyType(
    {ev.CodeAskedFor: _lost, ev.HelpAsked: _help, ev.NeighboursTold: _neighbours}
)
