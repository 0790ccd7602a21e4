"""The board kept fresh for whoever looks: asked twice a second at most, however many look."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sync.central.fleet import sites
from sync.central.fleet.board import Board, Glance
from sync.central.fleet.sites import Place
from sync.central.platform import Clock
from sync.central.store import Store

FRESH_MS: Final = 500
PLACES_FRESH_MS: Final = 60_000
"""Lockers do not walk."""


@dataclass(slots=True)
class Watch:
    """`since` tells what changed after a number that it gave before; 0 for everything."""

    store: Store
    clock: Clock
    number: int = 0
    places: dict[str, Place] = field(default_factory=dict)
    _board: Board = field(default_factory=Board)
    _changed_at: dict[str, int] = field(default_factory=dict)
    _ordered: list[Glance] = field(default_factory=list)
    """By name."""
    _asked_ms: int | None = None
    _places_ms: int | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def since(self, number: int, sees: Callable[[str], bool]) -> tuple[int, list[Glance]]:
        """The number of now, and the rows of areas that ``sees`` that changed since, by name."""
        await self._refresh()
        if not 0 <= number <= self.number:
            # From before this hub was started: everything is news.
            number = 0
        rows: Iterable[Glance] = self._ordered
        if number:
            rows = (row for row in rows if self._changed_at[row.locker] > number)
        return self.number, [row for row in rows if sees(row.area)]

    def moved(self) -> None:
        """A locker's place is another now: it is looked up before the next answer."""
        self._places_ms = self._asked_ms = None

    async def _refresh(self) -> None:
        async with self._asking:
            now_ms = self.clock.mono_ms()
            if self._asked_ms is not None and now_ms - self._asked_ms < FRESH_MS:
                return
            wall_ms = self.clock.wall_ms()
            changed = await self.store.read(lambda c: self._board.refresh(c, wall_ms))
            if self._places_ms is None or now_ms - self._places_ms >= PLACES_FRESH_MS:
                self.places, self._places_ms = await self.store.read(sites.places), now_ms
            self._asked_ms = now_ms
            if changed:
                self.number += 1
                self._changed_at |= {row.locker: self.number for row in changed}
                self._ordered = [self._board.rows[name] for name in sorted(self._board.rows)]
