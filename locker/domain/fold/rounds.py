"""Helpers on their rounds: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from locker.domain import rounds
from locker.domain.entry import Stamp
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.rounds import Part, Round, RoundKind, Skipped
from locker.domain.state import LockerState


def _began(s: LockerState, t: Stamp, e: ev.RoundBegan, seq: Seq) -> LockerState:
    begun = Round(RoundKind(e.kind), (Part(e.slip, e.staff, t.wall_ms),))
    return replace(s, rounds=s.rounds.put(begun))


def _joined(s: LockerState, t: Stamp, e: ev.RoundJoined, seq: Seq) -> LockerState:
    going = _named(s, e.round)
    if going is None:
        return s
    parts = (*going.parts, Part(e.slip, e.staff, t.wall_ms))
    return replace(s, rounds=s.rounds.put(replace(going, parts=parts)))


def _skipped(s: LockerState, t: Stamp, e: ev.RoundSkipped, seq: Seq) -> LockerState:
    going = _named(s, e.round)
    if going is None:
        return s
    others = tuple(each for each in going.skipped if each.deposit != e.deposit)
    skipped = (*others, Skipped(e.deposit, e.why, e.staff))
    return replace(s, rounds=s.rounds.put(replace(going, skipped=skipped)))


def _corrected(s: LockerState, t: Stamp, e: ev.FindingCorrected, seq: Seq) -> LockerState:
    return replace(s, rounds=rounds.corrected(s.rounds, e.slip, e.deposit, e.finding))


def _ended(s: LockerState, t: Stamp, e: ev.RoundEnded, seq: Seq) -> LockerState:
    going = _named(s, e.round)
    return s if going is None else replace(s, rounds=s.rounds.put(replace(going, ended_ms=t.wall_ms)))


def _named(s: LockerState, name: str) -> Round | None:
    return next((each for each in s.rounds.known if each.name == name and not each.ended_ms), None)


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.RoundBegan: _began,
        ev.RoundJoined: _joined,
        ev.RoundSkipped: _skipped,
        ev.FindingCorrected: _corrected,
        ev.RoundEnded: _ended,
    }
)
