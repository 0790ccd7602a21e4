"""Lights and a buzzer, by what became journal: light for whoever stands at a door, noise for an alarm."""

from collections.abc import Callable
from typing import Final, Protocol

from locker.domain.door import Position
from locker.domain.entry import Entry
from locker.domain.events import DoorClosed, DoorForced, DoorLeftOpen, TamperClosed, TamperOpened
from locker.domain.state import LockerState
from locker.operations.ports import Clock

LIGHTS_MS: Final = 60_000
"""After the last door was shut: long enough to stow what was taken and walk away."""
BUZZER_MS: Final = 30_000
"""Who does not mind it for so long does not mind it for longer; the neighbours do."""
_BACK_PANEL: Final = 0
Cancel = Callable[[], None]


class Indicators(Protocol):
    """Never raises: a lamp stops nothing."""

    def lights(self, on: bool) -> None: ...

    def buzzer(self, on: bool) -> None: ...


class Signals:
    """Subscribe `entries_committed` to the journal. Both are off until something happens."""

    def __init__(self, clock: Clock, indicators: Indicators) -> None:
        self._clock, self._indicators = clock, indicators
        self._alarms: set[int] = set()
        self._lit = self._loud = False
        self._dark: Cancel = lambda: None
        self._quiet: Cancel = lambda: None

    def entries_committed(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            self._follow(entry)
        if not self._alarms:
            self._be_quiet()
        self._light(state)

    def _follow(self, entry: Entry) -> None:
        match entry.event:
            case DoorLeftOpen(door) | DoorForced(door):
                self._alarm(door)
            case TamperOpened():
                self._alarm(_BACK_PANEL)
            case DoorClosed(door):
                self._alarms.discard(door)
            case TamperClosed():
                self._alarms.discard(_BACK_PANEL)

    def _alarm(self, subject: int) -> None:
        self._alarms.add(subject)
        self._quiet()
        self._quiet = self._clock.call_at(self._clock.mono_ms() + BUZZER_MS, self._be_quiet)
        self._loud = True
        self._indicators.buzzer(True)

    def _be_quiet(self) -> None:
        if self._loud:
            self._quiet()
            self._loud = False
            self._indicators.buzzer(False)

    def _light(self, state: LockerState) -> None:
        busy = any(c.position is Position.OPEN for c in state.compartments.values())
        busy |= any(opening.live for opening in state.openings.values())
        if busy:
            self._dark()
            self._dark = lambda: None
            if not self._lit:
                self._lit = True
                self._indicators.lights(True)
        elif self._lit:
            self._dark()
            self._dark = self._clock.call_at(self._clock.mono_ms() + LIGHTS_MS, self._be_dark)

    def _be_dark(self) -> None:
        self._lit = False
        self._indicators.lights(False)
