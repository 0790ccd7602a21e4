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
        self._heard: ClockStepped | None = None

    def heard(self, step: ClockStepped) -> None:
        """The clock was just put right by so much; the next entry is to say so."""
        self._heard = step

    def owed(self) -> tuple[ClockStepped, ...]:
        """What was heard of and no entry has said yet; whoever asks says it."""
        heard, self._heard = self._heard, None
        return () if heard is None else (heard,)

    def unsaid(self, stamp: Stamp, events: Iterable[Event]) -> tuple[ClockStepped, ...]:
        """What the entries of ``stamp`` must say beside ``events``."""
        last, self._last = self._last, stamp
        if any(isinstance(event, ClockStepped) for event in events):
            return ()
        if owed := self.owed():
            return owed
        if last is None:
            return ()
        passed_ms = stamp.mono_ms - last.mono_ms
        step_ms = stamp.wall_ms - last.wall_ms - passed_ms
        stepped = abs(step_ms) > STEP_MS + passed_ms // SLEWED_OF
        return (ClockStepped(step_ms, stamp.quality),) if stepped else ()
