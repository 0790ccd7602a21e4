"""What the centre may order to be done at once: its life as a table, and how often that may be.

An order is good once and for two minutes only. How far it came is kept here as long as anything rests on it:
the highest number ever taken, and the acts of the last day, from which the caps are counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.errors import IllegalTransition
from locker.domain.ids import ActId, CompartmentNumber, GrantId
from locker.domain.policy import Policy

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
APPROVERS_MIN: Final = 2


class ActKind(StrEnum):
    OPEN = "open"
    """One door, from afar."""
    SELF_TEST = "self_test"


class Why(StrEnum):
    """Why an act is refused. Some doors have their own reasons: `errors.Reason`."""

    CLOCK_UNSET = "clock_unset"
    """Nobody knows what time it is here, so nobody knows how old the order is."""
    CLOCK_DIFFERS = "clock_differs"
    """It was agreed to in the future."""
    UNKNOWN_KIND = "unknown_kind"
    ONE_APPROVER = "one_approver"
    """It does not name two different ones."""
    CAP_REACHED = "cap_reached"
    HISTORY_DOUBTED = "history_doubted"
    """Not certain that this is the true card: no hello of this connection says so, or staff have yet to."""
    NO_SUCH_DOOR = "no_such_door"
    DOOR_FAULTY = "door_faulty"
    OUT_OF_SERVICE = "out_of_service"
    TEST_RUNS = "test_runs"


class Phase(StrEnum):
    ACCEPTED = "accepted"
    """Durable; what comes of it is not known yet."""
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The daemon died in between. The sensor may still tell; nothing is ever tried again."""


class Signal(StrEnum):
    DO = "do"
    FAIL = "fail"
    RESTART = "restart"


NEXT: Final[Mapping[tuple[Phase, Signal], Phase]] = MappingProxyType(
    {
        (Phase.ACCEPTED, Signal.DO): Phase.DONE,
        (Phase.ACCEPTED, Signal.FAIL): Phase.FAILED,
        (Phase.ACCEPTED, Signal.RESTART): Phase.UNKNOWN,
        # After a restart the door was found open.
        (Phase.UNKNOWN, Signal.DO): Phase.DONE,
    }
)
OPEN_ENDED: Final = frozenset({Phase.ACCEPTED, Phase.UNKNOWN})


def advance(phase: Phase, signal: Signal) -> Phase:
    """The phase after ``signal``. Raises IllegalTransition."""
    try:
        return NEXT[phase, signal]
    except KeyError:
        raise IllegalTransition("act", phase, signal) from None


@dataclass(frozen=True, slots=True)
class ActOrder:
    """One act as the centre signed it. ``door`` is 0 where it is about none."""

    aseq: int
    act: ActId
    kind: str
    door: CompartmentNumber
    reason: str
    approvers: tuple[str, ...]
    nonce: str
    agreed_ms: int
    """Wall time of the second approval, by the centre's clock."""
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class Act:
    """One that was accepted."""

    act: ActId
    kind: ActKind
    door: CompartmentNumber
    grant: GrantId
    """Empty for a self-test."""
    phase: Phase
    accepted_mono_ms: int


@dataclass(frozen=True, slots=True)
class Acts:
    aseq: int = 0
    """The highest number ever taken, whatever came of it: no order is looked at twice."""
    recent: tuple[Act, ...] = ()
    """Of the last day, and those whose end is not known; oldest first."""

    def find(self, key: ActId) -> Act | None:
        return next((act for act in self.recent if act.act == key), None)


def accepted(acts: Acts, aseq: int, act: Act) -> Acts:
    """After one more; what no cap counts any more is forgotten."""
    since_ms = act.accepted_mono_ms - DAY_MS
    kept = tuple(
        each for each in acts.recent if each.accepted_mono_ms > since_ms or each.phase is Phase.ACCEPTED
    )
    return Acts(aseq, (*kept, act))


def moved(acts: Acts, key: ActId, signal: Signal) -> Acts:
    recent = (
        replace(each, phase=advance(each.phase, signal)) if each.act == key else each for each in acts.recent
    )
    return replace(acts, recent=tuple(recent))


def capped(acts: Acts, now_ms: int, policy: Policy) -> bool:
    """Whether there were so many that no more may be. By monotonic time: the centre can set the other one."""
    ages_ms = [now_ms - act.accepted_mono_ms for act in acts.recent]
    within_hour = sum(age_ms < HOUR_MS for age_ms in ages_ms)
    within_day = sum(age_ms < DAY_MS for age_ms in ages_ms)
    return within_hour >= policy.acts_per_hour or within_day >= policy.acts_per_day


def rebased(acts: Acts, last_ms: int, now_ms: int) -> Acts:
    """After a start. ``last_ms``: monotonic time of the last entry before it.

    Where monotonic time began anew, how long the machine was off is not known: it counts as no time at all.
    """
    if now_ms >= last_ms or not acts.recent:
        return acts
    by_ms = now_ms - last_ms
    recent = (replace(act, accepted_mono_ms=act.accepted_mono_ms + by_ms) for act in acts.recent)
    return replace(acts, recent=tuple(recent))
