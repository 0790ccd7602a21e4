"""Whether the page at the screen lives, and the wish for a fresh session where it does not.

A browser may hang without ending, or show its own words because the page was not there when it asked. Neither
ends anything that somebody watches; only the page itself can say that people see it.
"""

import logging
from dataclasses import dataclass
from typing import Final

from locker.operations.ports import Clock
from locker.platform import ScreenSession

_LOGGER = logging.getLogger(__name__)
LOOK_S: Final = 5
QUIET_S: Final = 60
"""Six signs of life that did not come: no slow page misses so many."""
START_S: Final = 90
"""The same from our own start, for a browser that is started with us: sixty times what it takes on a desk. A
release on trial is looked at last after 120 s: one whose page does not live is found out by then."""
PAUSE_S: Final = 300
"""Between two fresh sessions at least: long enough to press the way through a visit."""
PAUSE_MAX_S: Final = 900
"""Of pauses that double while no fresh session brings a sign of life. A fresh session alone finds a screen
that was without power over night: in the morning it must not be waited for."""


@dataclass(frozen=True, slots=True)
class ScreenSight:
    """The page at a moment, as its signs of life tell."""

    quiet_s: int
    is_dead: bool
    renewed: int
    """Fresh sessions that were wished for since the daemon's start."""


@dataclass(slots=True)
class Screen:
    """``session`` is None on a machine that could not have one.

    What is counted is looks, not time: a daemon that stood still itself has heard nobody meanwhile.
    """

    session: ScreenSession | None
    _quiet_s: int = 0
    _patience_s: int = START_S
    _rest_s: int = 0
    """Until there may be another fresh session."""
    _pause_s: int = PAUSE_S
    _renewed: int = 0

    async def run(self, clock: Clock) -> None:
        """Until cancelled; at once where there is nothing to look at."""
        while self.session is not None:
            await clock.sleep_until(clock.mono_ms() + LOOK_S * 1000)
            self.look()

    def lives(self) -> None:
        """The page has said so."""
        if self._is_dead:
            _LOGGER.warning("the page at the screen lives again, after %d s", self._quiet_s)
        self._quiet_s, self._patience_s, self._pause_s = 0, QUIET_S, PAUSE_S

    def look(self) -> None:
        """To be called every `LOOK_S`."""
        self._quiet_s = self._quiet_s + LOOK_S if self._belongs else 0
        self._rest_s = max(0, self._rest_s - LOOK_S)
        if self.session is not None and self._is_dead and not self._rest_s:
            _LOGGER.error(
                "no sign of life from the page at the screen for %d s: a fresh session is wished for",
                self._quiet_s,
            )
            self._rest_s, self._pause_s = self._pause_s, min(2 * self._pause_s, PAUSE_MAX_S)
            self._renewed += 1
            self.session.renew()

    @property
    def _belongs(self) -> bool:
        return self.session is not None and self.session.belongs()

    @property
    def _is_dead(self) -> bool:
        return self._quiet_s >= self._patience_s

    def sight(self) -> ScreenSight | None:
        """None where no screen belongs to this machine."""
        return ScreenSight(self._quiet_s, self._is_dead, self._renewed) if self._belongs else None
