"""A helper's round: many doors one after the other, by one or several helpers, over a day if need be.

It is what stands in the journal of it, and nothing else: who went which part, what was taken, what was left
and why. What it still has before it is whatever waits now (`locker.operations`), not a list made once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from locker.domain.ids import DepositId, StaffId

SLIP_DIGITS: Final = 12
"""Of the number of a hand-over slip; the centre's own have as many."""


class RoundKind(StrEnum):
    INTAKE = "intake"
    WITHDRAW = "withdraw"
    LOAD = "load"


class Left(StrEnum):
    """Why a helper leaves something where it is."""

    STUCK = "stuck"
    """The door will not open, or not shut."""
    NOTHING_INSIDE = "nothing_inside"
    """It should be there and is not: people look, with a second pair of eyes."""
    NOT_MINE = "not_mine"
    """Somebody else is to take it."""
    OTHER = "other"


UNDONE: Final = "undone"
"""As a finding: the helper took it back. It is not in their hands, and not on their slip."""


@dataclass(frozen=True, slots=True)
class Done:
    deposit: DepositId
    finding: str
    """Of an intake: ``complete``, ``missing``, ``wrong`` or ``empty``; else ``withdrawn`` or ``loaded``;
    `UNDONE` once it was taken back."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one helper did of a round, in one go or several. One slip."""

    slip: str
    """12 digits."""
    staff: StaffId
    since_ms: int
    """Wall time."""
    done: tuple[Done, ...] = ()
    """In the order in which it was done."""

    @property
    def counted(self) -> tuple[Done, ...]:
        return tuple(each for each in self.done if each.finding != UNDONE)


@dataclass(frozen=True, slots=True)
class Skipped:
    deposit: DepositId
    why: str
    """See `Left`."""
    staff: StaffId


@dataclass(frozen=True, slots=True)
class Round:
    kind: RoundKind
    parts: tuple[Part, ...]
    """By their beginning; the first one's slip is the round's name. Never none."""
    skipped: tuple[Skipped, ...] = ()
    ended_ms: int = 0
    """Wall time; 0 while it goes on, or rests."""

    @property
    def name(self) -> str:
        return self.parts[0].slip

    @property
    def done(self) -> tuple[Done, ...]:
        return tuple(each for part in self.parts for each in part.counted)

    def part_of(self, staff: StaffId) -> Part | None:
        return next((part for part in self.parts if part.staff == staff), None)

    def left_as(self, deposit: DepositId) -> str:
        """Why it was skipped; empty where it was not."""
        return next((each.why for each in self.skipped if each.deposit == deposit), "")


@dataclass(frozen=True, slots=True)
class Rounds:
    """The latest round of each kind."""

    known: tuple[Round, ...] = ()

    def latest(self, kind: str) -> Round | None:
        return next((each for each in self.known if each.kind == kind), None)

    def open(self, kind: str) -> Round | None:
        """The one that goes on, or rests."""
        found = self.latest(kind)
        return found if found is not None and not found.ended_ms else None

    def put(self, changed: Round) -> "Rounds":
        others = tuple(each for each in self.known if each.kind != changed.kind)
        return replace(self, known=(*others, changed))

    def of_slip(self, slip: str) -> Iterator[tuple[Round, Part]]:
        """The open round's part that has this slip, where there is one."""
        for each in self.known:
            if slip and not each.ended_ms:
                yield from ((each, part) for part in each.parts if part.slip == slip)


def did(rounds: Rounds, slip: str, deposit: DepositId, finding: str) -> Rounds:
    """After one more was done, or was found otherwise than before: nothing counts twice."""
    for each, part in rounds.of_slip(slip):
        before = tuple(done for done in part.done if done.deposit != deposit)
        parts = tuple(
            replace(part, done=(*before, Done(deposit, finding))) if other is part else other
            for other in each.parts
        )
        kept = tuple(skip for skip in each.skipped if skip.deposit != deposit)
        return rounds.put(replace(each, parts=parts, skipped=kept))
    return rounds


def corrected(rounds: Rounds, slip: str, deposit: DepositId, finding: str) -> Rounds:
    """After a finding was corrected: at its place in the order."""
    for each, part in rounds.of_slip(slip):
        done = tuple(Done(deposit, finding) if d.deposit == deposit else d for d in part.done)
        parts = tuple(replace(part, done=done) if other is part else other for other in each.parts)
        return rounds.put(replace(each, parts=parts))
    return rounds


def last_of(rounds: Rounds, kind: str, staff: StaffId) -> tuple[Part, Done] | None:
    """What this helper did last on the round that goes on, where it still stands."""
    going = rounds.open(kind)
    part = going.part_of(staff) if going else None
    if part is None or not part.done or part.done[-1].finding == UNDONE:
        return None
    return part, part.done[-1]


def own(rounds: Rounds, kind: str, staff: StaffId) -> tuple[Done, ...]:
    """All that this helper found on the round that goes on and has not taken back, the last first: as long as
    there is no slip, each of it can be corrected."""
    going = rounds.open(kind)
    part = going.part_of(staff) if going else None
    return tuple(reversed(part.counted)) if part else ()
