"""What may become of a complaint: a table, and what stands before a move. Pure.

Closed is only what the applicant is satisfied with, and apart from it what a lead gave up with a reason after
three calls on three days.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sync.central.access.actor import Actor
from sync.central.access.matrix import Action, may
from sync.central.complaints.policy import CALL_DAYS


class State(StrEnum):
    REGISTERED = "registered"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    """The hall says so; the applicant is to be asked."""
    SATISFIED = "satisfied"
    GIVEN_UP = "given_up"


class Move(StrEnum):
    ASSIGN = "assign"
    RESOLVE = "resolve"
    SATISFY = "satisfy"
    OBJECT = "object"
    """They were asked, and are not satisfied."""
    MISS = "miss"
    """They were called and did not answer."""
    GIVE_UP = "give_up"
    REOPEN = "reopen"
    REMARK = "remark"


NEXT: Final[Mapping[tuple[State, Move], State]] = MappingProxyType(
    {
        (State.REGISTERED, Move.ASSIGN): State.ASSIGNED,
        (State.ASSIGNED, Move.ASSIGN): State.ASSIGNED,
        (State.ASSIGNED, Move.RESOLVE): State.RESOLVED,
        (State.RESOLVED, Move.SATISFY): State.SATISFIED,
        (State.RESOLVED, Move.OBJECT): State.ASSIGNED,
        (State.RESOLVED, Move.MISS): State.RESOLVED,
        (State.RESOLVED, Move.GIVE_UP): State.GIVEN_UP,
        # Whoever had it may be gone: somebody takes it anew.
        (State.SATISFIED, Move.REOPEN): State.REGISTERED,
        (State.GIVEN_UP, Move.REOPEN): State.REGISTERED,
        **{(state, Move.REMARK): state for state in State},
    }
)
"""What is not here cannot be done."""

CLOSED: Final = frozenset({State.SATISFIED, State.GIVEN_UP})
WORKED_ON: Final = frozenset({State.REGISTERED, State.ASSIGNED})
CALLS: Final = frozenset({Move.OBJECT, Move.MISS})
"""After them the applicant was called and the complaint is still open."""
NEEDS_NOTE: Final = frozenset({Move.RESOLVE, Move.OBJECT, Move.GIVE_UP, Move.REOPEN, Move.REMARK})
ACTION: Final[Mapping[Move, Action]] = MappingProxyType(
    {move: Action.WORK_TICKET for move in Move if move is not Move.GIVE_UP}
    | {Move.GIVE_UP: Action.CLOSE_TICKET_UNSATISFIED}
)


class Objection(StrEnum):
    """Why a move is not made."""

    NOT_NOW = "not_now"
    NOTE_LACKING = "note_lacking"
    TOO_FEW_CALLS = "too_few_calls"


REMEDY: Final[Mapping[Objection, str]] = MappingProxyType(
    {
        Objection.NOT_NOW: "it has moved on; look at it again",
        Objection.NOTE_LACKING: "say in a sentence what was done, or why",
        Objection.TOO_FEW_CALLS: f"call on {CALL_DAYS} different days first, and write each call down",
    }
)


def after(state: State, move: Move) -> State | None:
    """None where the move cannot be made."""
    return NEXT.get((state, move))


def objection(state: State, move: Move, note: str, call_days: int, *, callable_: bool) -> Objection | None:
    """``call_days``: days with a call since it was opened. ``callable_``: whether any number is known."""
    if after(state, move) is None:
        return Objection.NOT_NOW
    if move in NEEDS_NOTE and not note.strip():
        return Objection.NOTE_LACKING
    if move is Move.GIVE_UP and callable_ and call_days < CALL_DAYS:
        return Objection.TOO_FEW_CALLS
    return None


def offered(state: State, actor: Actor, call_days: int, *, callable_: bool) -> list[Move]:
    """What this actor may do now, in the order in which it is usually done."""
    return [
        move
        for move in Move
        if may(actor, ACTION[move]) and objection(state, move, "said", call_days, callable_=callable_) is None
    ]
