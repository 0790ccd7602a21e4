"""From raw readings to what may be believed. Pure: levels and times in, settled values out."""

from dataclasses import dataclass
from typing import Final

READS: Final = 2
STABLE_S: Final = 0.5
GAP_MAX_S: Final = 1.5
"""Two readings further apart than this say nothing of the time between them."""
STALE_S: Final = 5.0
"""Not read for so long, a sensor is unknown, though its board answers other questions: no line may need
longer to notice an opening."""

DOOR: Final = frozenset({True})
"""'Closed' must be stable: a leaf swinging past its sensor is not shut. 'Open' needs only two reads."""
ITEM: Final = frozenset({True, False})
"""A hand passes the sensor both ways."""


@dataclass(slots=True)
class Debounce:
    """One sensor, read as True for "closed" or "present". ``slow`` names the readings that must be stable
    for ``STABLE_S``; any other is believed after ``reads`` equal readings, and none after fewer."""

    slow: frozenset[bool]
    reads: int = READS
    gap_max_s: float = GAP_MAX_S
    """Longer where it takes longer until the board's turn comes round again."""
    settled: bool | None = None
    """None: unknown, at the start and after a loss."""
    _candidate: bool | None = None
    _equal: int = 0
    _since_s: float = 0.0
    _read_s: float = 0.0

    @property
    def pending(self) -> bool:
        """The last reading differs from what is believed: read again soon."""
        return self._candidate is not None and self._candidate != self.settled

    def read(self, level: bool, at_s: float) -> bool:
        """One more raw reading; True if the settled value changed."""
        if level != self._candidate or at_s - self._read_s > self.gap_max_s:
            self._candidate, self._equal, self._since_s = level, 0, at_s
        self._equal += 1
        self._read_s = at_s
        if level == self.settled or self._equal < self.reads:
            return False
        if level in self.slow and at_s - self._since_s < STABLE_S:
            return False
        self.settled = level
        return True

    def uncertain(self, at_s: float) -> bool:
        """The board answered, but not for certain of this one; True if what was believed became unknown."""
        self._candidate = None
        if self.settled is None or at_s - self._read_s <= self.gap_max_s:
            return False
        self.settled = None
        return True

    def missed(self, at_s: float) -> bool:
        """A reading failed: what was about to settle needs all its equal readings anew, but keeps its time.
        True if what was believed is too old by now, and became unknown."""
        self._equal = 0
        if self.settled is None or at_s - self._read_s <= STALE_S:
            return False
        self.lost()
        return True

    def lost(self) -> None:
        self.settled = None
        self._candidate = None
