"""Steps of the wall clock, as the stamps of one run show them: no entry's time jumps without a word."""

from collections.abc import Iterable
from typing import Final

from locker.domain.entry import Stamp
from locker.domain.events import ClockStepped, Event

STEP_MS: Final = 2_000
SLEWED_OF: Final = 2_000
"""A clock that is only slewed, or drifts, gains or loses at most one in so many."""


class Steps:
    def __init__(self) -> None:
        self._last: Stamp | None = None

    def until(self, stamp: Stamp) -> tuple[ClockStepped, ...]:
        """How far the clock was set since the last entry; what was undone meanwhile is no step."""
        last = self._last
        if last is None:
            return ()
        passed_ms = stamp.mono_ms - last.mono_ms
        step_ms = stamp.wall_ms - last.wall_ms - passed_ms
        stepped = abs(step_ms) > STEP_MS + passed_ms // SLEWED_OF
        return (ClockStepped(step_ms, stamp.quality),) if stepped else ()

    def unsaid(self, stamp: Stamp, events: Iterable[Event]) -> tuple[ClockStepped, ...]:
        """What the entries of ``stamp`` must say beside ``events``."""
        stepped, self._last = self.until(stamp), stamp
        return () if any(isinstance(event, ClockStepped) for event in events) else stepped
