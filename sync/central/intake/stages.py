"""How a case stands at the office, and papers that are owed to it: decisions and two tables, pure.

Owed are papers of a *supplement* (补正: the case waits for them) or *deferred* ones (容缺: the case goes on
without them for now). Both are promised to the applicant: nothing is returned or rejected for their lack
before the deadline is over. Times are wall ms.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.encoding import canonical

DAY_MS: Final = 86_400_000
REMIND_BEFORE_MS: Final = (3 * DAY_MS, DAY_MS)
LONGEST_MS: Final = 366 * DAY_MS


# --- papers that are owed -----------------------------------------------------------------------------------


class Kind(StrEnum):
    SUPPLEMENT = "supplement"
    DEFERRED = "deferred"


class State(StrEnum):
    REQUESTED = "requested"
    """Asked for, or promised; the deadline lies ahead."""
    TOPPED_UP = "topped_up"
    """Something came by a top-up; the window has not checked it yet."""
    OVERDUE = "overdue"
    EXTENDED = "extended"
    CHECKED = "checked"
    """All of them are in order."""
    RETURNED = "returned"
    REJECTED = "rejected"


class Signal(StrEnum):
    TOP_UP = "top_up"
    TAKE_BACK = "take_back"
    """The applicant took out again what had come, before a helper did."""
    LAPSE = "lapse"
    CHECK = "check"
    EXTEND = "extend"
    RETURN = "return"
    REJECT = "reject"


NEXT: Final[Mapping[tuple[State, Signal], State]] = MappingProxyType(
    {
        (State.REQUESTED, Signal.TOP_UP): State.TOPPED_UP,
        (State.REQUESTED, Signal.LAPSE): State.OVERDUE,
        # Brought to the window by hand.
        (State.REQUESTED, Signal.CHECK): State.CHECKED,
        (State.REQUESTED, Signal.EXTEND): State.EXTENDED,
        (State.EXTENDED, Signal.TOP_UP): State.TOPPED_UP,
        (State.EXTENDED, Signal.LAPSE): State.OVERDUE,
        (State.EXTENDED, Signal.CHECK): State.CHECKED,
        (State.EXTENDED, Signal.EXTEND): State.EXTENDED,
        # What came is looked at, whatever the day: no deadline runs meanwhile.
        (State.TOPPED_UP, Signal.TOP_UP): State.TOPPED_UP,
        (State.TOPPED_UP, Signal.TAKE_BACK): State.REQUESTED,
        (State.TOPPED_UP, Signal.CHECK): State.CHECKED,
        (State.TOPPED_UP, Signal.EXTEND): State.EXTENDED,
        (State.TOPPED_UP, Signal.RETURN): State.RETURNED,
        (State.TOPPED_UP, Signal.REJECT): State.REJECTED,
        (State.OVERDUE, Signal.TOP_UP): State.TOPPED_UP,
        (State.OVERDUE, Signal.CHECK): State.CHECKED,
        (State.OVERDUE, Signal.EXTEND): State.EXTENDED,
        (State.OVERDUE, Signal.RETURN): State.RETURNED,
        (State.OVERDUE, Signal.REJECT): State.REJECTED,
    }
)
ENDED: Final = frozenset({State.CHECKED, State.RETURNED, State.REJECTED})
OPEN: Final = frozenset(State) - ENDED
RUNNING: Final = frozenset({State.REQUESTED, State.EXTENDED})
"""The deadline runs."""


def may(state: State, signal: Signal) -> bool:
    return (state, signal) in NEXT


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper that is owed. ``why``: what is missing or wrong about it."""

    name: str
    until_ms: int
    why: str = ""
    in_order: bool = False


def written(papers: Iterable[Paper]) -> str:
    return canonical([asdict(paper) for paper in papers])


def read(text: str) -> tuple[Paper, ...]:
    return tuple(Paper(**paper) for paper in json.loads(text))


def lacking(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    return tuple(paper for paper in papers if not paper.in_order)


def deadline_ms(papers: Iterable[Paper]) -> int:
    """When the first of those that still lack is due; 0 where none lacks."""
    return min((paper.until_ms for paper in lacking(papers)), default=0)


def with_in_order(papers: Iterable[Paper], numbers: Collection[int]) -> tuple[Paper, ...]:
    """``numbers``: of those found to be in order, from 1. What was in order once stays so."""
    return tuple(
        replace(paper, in_order=paper.in_order or number in numbers) for number, paper in enumerate(papers, 1)
    )


def with_longer(papers: Iterable[Paper], until_ms: int) -> tuple[Paper, ...]:
    """Those that still lack are due at ``until_ms``, none earlier than it was."""
    return tuple(
        paper if paper.in_order else replace(paper, until_ms=max(paper.until_ms, until_ms))
        for paper in papers
    )


def reminder_due(deadline: int, reminded_ms: int, now_ms: int) -> bool:
    """Whether a time to remind lies between the last word to the applicant and now."""
    return now_ms < deadline and any(reminded_ms < deadline - before <= now_ms for before in REMIND_BEFORE_MS)


# --- the case -----------------------------------------------------------------------------------------------


class Standing(StrEnum):
    UNDECIDED = "undecided"
    COMPLETE = "complete"
    MISSING = "missing"
    WRONG = "wrong"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    REJECTED = "rejected"


class Verdict(StrEnum):
    """What the window finds, and what the case officer decides."""

    COMPLETE = "complete"
    MISSING = "missing"
    WRONG = "wrong"
    ACCEPT = "accept"
    RETURN = "return"
    REJECT = "reject"


FINDINGS: Final = frozenset({Verdict.COMPLETE, Verdict.MISSING, Verdict.WRONG})
_CHECKED: Final = (Standing.COMPLETE, Standing.MISSING, Standing.WRONG)
# A returned case may be handed in anew: what is found then begins it again.
_CHECKABLE: Final = (Standing.UNDECIDED, *_CHECKED, Standing.RETURNED)
BECOMES: Final[Mapping[tuple[Standing, Verdict], Standing]] = MappingProxyType(
    {
        **{
            (before, verdict): Standing(verdict.value)
            for before in _CHECKABLE
            for verdict in (Verdict.COMPLETE, Verdict.MISSING, Verdict.WRONG)
        },
        (Standing.COMPLETE, Verdict.ACCEPT): Standing.ACCEPTED,
        # An accepted case too: what was deferred never came.
        **{
            (before, verdict): after
            for before in (*_CHECKED, Standing.ACCEPTED)
            for verdict, after in (
                (Verdict.RETURN, Standing.RETURNED),
                (Verdict.REJECT, Standing.REJECTED),
            )
        },
    }
)
"""A rejected case is over: another one begins by another pre-review."""


def fits(standing: Standing, verdict: Verdict) -> bool:
    return (standing, verdict) in BECOMES
