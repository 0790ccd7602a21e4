"""Who may agree to an act, and what becomes of it: decisions and a table, pure. Times are wall ms."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

APPROVALS: Final = 2
APPROVE_WITHIN_MS: Final = 15 * 60_000
"""After the request. Longer, and those who agree no longer speak of what they see."""
TTL_MS: Final = 120_000
"""From the second approval; the locker holds it to this as well."""
ANSWER_MS: Final = 150_000
"""A locker that was sent an act and is linked has told what it makes of it by then."""
OUTCOME_MS: Final = 10 * 60_000
TEST_OUTCOME_MS: Final = 2 * 3_600_000
_LONG_NUMBER: Final = re.compile(r"\d{7,}")
"""Phones and codes are such; nothing that a reason needs is."""


class State(StrEnum):
    QUEUED = "queued"
    """It waits for people, never for a locker."""
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Signal(StrEnum):
    SEND = "send"
    ACCEPT = "accept"
    DO = "do"
    FAIL = "fail"
    REFUSE = "refuse"
    EXPIRE = "expire"
    LOSE = "lose"
    """Nothing is heard of it, or its locker does not know itself."""


NEXT: Final[Mapping[tuple[State, Signal], State]] = MappingProxyType(
    {
        (State.QUEUED, Signal.SEND): State.SENT,
        (State.QUEUED, Signal.REFUSE): State.REFUSED,
        (State.QUEUED, Signal.EXPIRE): State.EXPIRED,
        (State.SENT, Signal.ACCEPT): State.ACCEPTED,
        (State.SENT, Signal.DO): State.DONE,
        (State.SENT, Signal.FAIL): State.FAILED,
        (State.SENT, Signal.REFUSE): State.REFUSED,
        (State.SENT, Signal.EXPIRE): State.EXPIRED,
        (State.SENT, Signal.LOSE): State.UNKNOWN,
        (State.ACCEPTED, Signal.DO): State.DONE,
        (State.ACCEPTED, Signal.FAIL): State.FAILED,
        (State.ACCEPTED, Signal.LOSE): State.UNKNOWN,
        # A time-out of ours is not final: what the locker tells later counts.
        (State.UNKNOWN, Signal.ACCEPT): State.ACCEPTED,
        (State.UNKNOWN, Signal.DO): State.DONE,
        (State.UNKNOWN, Signal.FAIL): State.FAILED,
        (State.UNKNOWN, Signal.REFUSE): State.REFUSED,
        (State.UNKNOWN, Signal.EXPIRE): State.EXPIRED,
    }
)
WAITING: Final = frozenset({State.QUEUED, State.SENT, State.ACCEPTED})


def advance(state: State, signal: Signal) -> State:
    """Where a signal does not fit the state is what it was: a locker's facts are never judged here."""
    return NEXT.get((state, signal), state)


@dataclass(frozen=True, slots=True)
class Thing:
    """What people agree to."""

    locker: str
    door: int
    reason: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An act that waits for approvals."""

    thing: Thing
    requested_by: str
    requested_ms: int
    state: State
    approvers: Collection[str]


class Objection(StrEnum):
    OWN_REQUEST = "own_request"
    APPROVED_ALREADY = "approved_already"
    ANOTHER_THING = "another_thing"
    TOO_LATE = "too_late"
    NOT_QUEUED = "not_queued"


REMEDY: Final[Mapping[Objection, str]] = MappingProxyType(
    {
        Objection.OWN_REQUEST: "whoever asked does not approve; two other people must",
        Objection.APPROVED_ALREADY: "you have approved it; somebody else must as well",
        Objection.ANOTHER_THING: "locker, door, reason and nonce are not those of this act; look at it again",
        Objection.TOO_LATE: "it was asked for over 15 minutes ago; ask again",
        Objection.NOT_QUEUED: "it waits for nobody any more",
    }
)


def objection(asked: Asked, who: str, thing: Thing, now_ms: int) -> Objection | None:
    """Why this person's word does not count; None where it does."""
    if asked.state is not State.QUEUED:
        return Objection.NOT_QUEUED
    if not 0 <= now_ms - asked.requested_ms <= APPROVE_WITHIN_MS:
        return Objection.TOO_LATE
    if who == asked.requested_by:
        return Objection.OWN_REQUEST
    if who in asked.approvers:
        return Objection.APPROVED_ALREADY
    return None if thing == asked.thing else Objection.ANOTHER_THING


def complete(approvers: Collection[str]) -> bool:
    return len(set(approvers)) >= APPROVALS


def unfit_reason(reason: str) -> str:
    """What is wrong with a reason; empty where nothing is."""
    if not reason.strip():
        return "say why"
    return "no phone numbers or codes in a reason" if _LONG_NUMBER.search(reason) else ""


def patience_ms(state: State, *, is_test: bool) -> int:
    """How long an act may be in a state before its time is over there."""
    if state is State.QUEUED:
        return APPROVE_WITHIN_MS
    if state is State.SENT:
        return ANSWER_MS
    return TEST_OUTCOME_MS if is_test else OUTCOME_MS


def time_over(state: State) -> Signal:
    return Signal.EXPIRE if state is State.QUEUED else Signal.LOSE
