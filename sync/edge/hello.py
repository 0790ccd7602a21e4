"""What a hello means for this journal: one table, pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sync import wire

TIME_COUNTS_MS: Final = 10_000
"""A hello that took longer says too little about what time it is."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What this side knows when a hello arrives."""

    nonce: str
    """Of the birth that awaits an answer; empty where it was said of an epoch that is over."""
    epoch: str
    oldest: int
    """The first entry still kept; 0 where there is none."""
    head: int
    stored_hash: str | None
    """Of our own entry ``hello.stored_to``; None beyond our head, and where it is purged."""
    answered_ms: int = 0
    """The centre's time in the latest answer to the same birth; 0 before the first."""


class Outcome(StrEnum):
    STALE = "stale"
    """The answer to another birth, or a replay: of two answers to one birth the later stands."""
    SUPERSEDED = "superseded"
    """A later epoch of this locker is in force: another card served while this one was away."""
    LOST_ROWS = "lost_rows"
    """The centre holds more than we do: an old image, a torn tail."""
    HOLE = "hole"
    """The centre lost what we no longer keep (it came back from an old backup)."""
    FORKED = "forked"
    """The same number, another entry: a cloned card, or tampering."""
    FOLLOW = "follow"


Rule = Callable[[wire.Hello, Facts], bool]

RULES: Final[tuple[tuple[Rule, Outcome], ...]] = (
    (lambda hello, facts: not facts.nonce or hello.nonce != facts.nonce, Outcome.STALE),
    (lambda hello, facts: hello.now < facts.answered_ms, Outcome.STALE),
    (lambda hello, facts: hello.up_epoch != facts.epoch, Outcome.SUPERSEDED),
    (lambda hello, facts: hello.stored_to > facts.head, Outcome.LOST_ROWS),
    (lambda hello, facts: hello.stored_to + 1 < facts.oldest, Outcome.HOLE),
    (lambda hello, facts: hello.hash != facts.stored_hash, Outcome.FORKED),
)
"""The first that holds decides; none: FOLLOW."""


@dataclass(frozen=True, slots=True)
class ForkFound:
    """The centre's history is not a prefix of ours, or lacks what we purged.

    Nothing is sent until a new epoch has begun, or a later hello fits. ``epoch`` is the one that was judged,
    ``centre_stored_to`` and ``centre_hash`` are of the one that is in force there.
    """

    outcome: Outcome
    epoch: str
    centre_stored_to: int
    centre_hash: str
    head: int


def judge(hello: wire.Hello, facts: Facts) -> Outcome:
    return next((outcome for holds, outcome in RULES if holds(hello, facts)), Outcome.FOLLOW)
