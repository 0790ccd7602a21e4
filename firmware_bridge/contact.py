"""One dry contact: from readings to what may be believed. Pure: readings and times in, settled values out.

Our own, because the pins' libraries debounce each in its own way, and their mock not at all.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CHATTER_MS: Final = 1_000
"""A fail-safe contact that has not been quietly off for so long is on."""


class Reading(StrEnum):
    OFF = "off"
    ON = "on"
    UNREADABLE = "unreadable"


@dataclass(slots=True)
class Contact:
    """Believed once it has read the same for ``settle_ms``, the first time as well.

    ``fail_safe``: what cannot be read, or only flickers, is on.
    """

    settle_ms: int
    fail_safe: bool = False
    settled: Reading | None = None
    """None: nothing is known yet."""
    _candidate: Reading | None = None
    _since_ms: int = 0
    _quiet_ms: int | None = None

    def read(self, reading: Reading, at_ms: int) -> bool:
        """One more reading; True if the settled value changed."""
        if self.fail_safe and reading is Reading.UNREADABLE:
            reading = Reading.ON
        if reading is not self._candidate:
            self._candidate, self._since_ms = reading, at_ms
        stable = at_ms - self._since_ms >= self.settle_ms
        if self._quiet_ms is None or (stable and reading is Reading.OFF):
            self._quiet_ms = at_ms
        if not stable and self.fail_safe and at_ms - self._quiet_ms > CHATTER_MS:
            reading, stable = Reading.ON, True
        if reading is self.settled or not stable:
            return False
        self.settled = reading
        return True
