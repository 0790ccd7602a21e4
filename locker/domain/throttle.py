"""How guessing is slowed without locking honest people out: by the keypad's own pace, not by the code."""

from dataclasses import dataclass, replace
from typing import Final

from locker.domain.policy import Policy

FREE_FAILURES: Final = 2
"""The first two wrong codes cost nothing: that is a person with wet hands."""
KNOWN_WEIGHT: Final = 10
"""A failure on a code that exists counts ten in the day's sum. Only such a try can open a door, and only such
a failure is journaled at once: so the day's limit holds also for who knows which codes exist, or cuts the
power. 25 of them a day are 0.09 % a year (tests/guessing); honest people make a few."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Guessing:
    """Failures at the keypad, decaying; and those of the running day. Survives restarts."""

    recent: int = 0
    last_mono_ms: int = 0
    today: int = 0
    """Weighed: see `KNOWN_WEIGHT`."""
    day_start_mono_ms: int = 0


def failed(guessing: Guessing, now_ms: int, policy: Policy, count: int = 1, weight: int = 1) -> Guessing:
    """After ``count`` more failures, each of ``weight`` in the day's sum."""
    recent = _recent(guessing, now_ms, policy) + count
    # Failures may be told out of order: those on unknown codes only once a minute.
    last_ms = max(guessing.last_mono_ms, now_ms)
    if now_ms - guessing.day_start_mono_ms >= DAY_MS or guessing.today == 0:
        return Guessing(recent, last_ms, count * weight, now_ms)
    return replace(guessing, recent=recent, last_mono_ms=last_ms, today=guessing.today + count * weight)


def wait_s(guessing: Guessing, now_ms: int, policy: Policy) -> int:
    """Seconds until the keypad listens again: 0, 0, 2, 4, 8 … up to the policy's maximum."""
    excess = _recent(guessing, now_ms, policy) - FREE_FAILURES
    if excess <= 0:
        return 0
    delay_s = min(1 << min(excess, 16), policy.keypad_delay_max_s)
    return max(0, delay_s - (now_ms - guessing.last_mono_ms) // 1000)


def asks_phone(guessing: Guessing, now_ms: int, policy: Policy) -> bool:
    """Whether so many guesses came today that a typed code alone is no longer enough."""
    return now_ms - guessing.day_start_mono_ms < DAY_MS and guessing.today >= policy.guesses_before_phone


def rebased(guessing: Guessing, now_ms: int) -> Guessing:
    """After a restart monotonic time may have begun anew: what was counted counts as of now."""
    return replace(guessing, last_mono_ms=now_ms, day_start_mono_ms=now_ms)


def _recent(guessing: Guessing, now_ms: int, policy: Policy) -> int:
    quiet_s = (now_ms - guessing.last_mono_ms) // 1000
    return 0 if quiet_s >= policy.keypad_decay_s else guessing.recent
