"""What changes while nobody presses anything: the machine's figures, and whether the centre is there."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from kiosk_ui.backroom import Backroom, Offline, Sight
from locker.operations.ports import Clock

_LINK_MS: Final = 30_000
"""How often it is looked whether the centre can be reached."""
_LOOK_MS: Final = 1_000
"""How often figures of the machine are looked at anew while a technician watches them."""


class Looking:
    """The machine as a technician sees it. ``wanted`` says whether one looks just now."""

    def __init__(
        self,
        clock: Clock,
        backroom: Backroom,
        wanted: Callable[[], bool],
        changed: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._clock, self._backroom = clock, backroom
        self._wanted, self._changed, self._spawn = wanted, changed, spawn
        self._facts, self._testing = Sight().facts, False
        self._cancel: Callable[[], None] = lambda: None

    def sight(self) -> Sight:
        """What a page may show of it; nothing while nobody looks."""
        if not self._wanted():
            return Sight()
        room, quality = self._backroom, self._clock.quality()
        told = (room.figures(), room.contact(), room.wires, room.software)
        return Sight(*told, quality, self._testing, self._facts)

    def watch(self) -> None:
        """While a technician looks on, figures move by themselves, and a self-test goes from door to door."""
        self.stop()
        if self._wanted():
            self._cancel = self._clock.call_at(self._clock.mono_ms() + _LOOK_MS, self._look)

    def _look(self) -> None:
        self._spawn(self.follow_test())
        self.watch()

    async def follow_test(self) -> None:
        """How far the self-test is."""
        tester = self._backroom.tester
        if self._wanted() and tester is not None:
            self._facts, self._testing = await tester.progress(0, 0), tester.running
        if self._wanted():
            self._changed()

    def stop(self) -> None:
        self._cancel()
        self._cancel = lambda: None


class Link:
    """The page says of itself when the centre cannot be reached, and when it can again."""

    def __init__(self, clock: Clock, backroom: Backroom, changed: Callable[[], None]) -> None:
        self._clock, self._backroom, self._changed = clock, backroom, changed
        self.offline: Offline | None = None
        """Since when it has not been reached; None while it can be."""
        self._cancel: Callable[[], None] = lambda: None
        self._watch()

    def _watch(self) -> None:
        self._cancel = self._clock.call_at(self._clock.mono_ms() + _LINK_MS, self._look)

    def _look(self) -> None:
        online = self._backroom.contact().online
        if online != (self.offline is None):
            self.offline = None if online else Offline(self._clock.mono_ms(), self._clock.wall_ms())
            self._changed()
        self._watch()

    def stop(self) -> None:
        self._cancel()
