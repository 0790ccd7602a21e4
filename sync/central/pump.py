"""Sends each locker what it lacks of its down-log: a window at a time, again and again until it has it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync import wire
from sync.central import directives
from sync.central.desk import Desk
from sync.central.hello import WINDOW
from sync.central.statement import OfMany
from sync.central.store import Store
from sync.central.tables import LOCKER

FIRST_WAIT_MS: Final = 10_000
LONGEST_WAIT_MS: Final = 300_000
IDLE_MS: Final = 60_000

Say = Callable[[str, wire.Hello | wire.DownBatch | wire.DownAck], None]
"""Sign and publish to one locker."""


@dataclass(slots=True)
class _Flight:
    """What is under way to one locker."""

    dn_epoch: str
    acknowledged: int
    ends: list[int] = field(default_factory=list)
    tries: int = 0
    due_ms: int = 0


class Pump:
    """`step` sends what is to be sent now; `run` repeats it until it is cancelled."""

    def __init__(self, store: Store, desk: Desk, say: Say) -> None:
        self._store = store
        self._desk = desk
        self._say = say
        self._flights: dict[str, _Flight] = {}
        self._fresh: set[str] = set()
        self._news = asyncio.Event()

    def wake(self, lockers: Iterable[str]) -> None:
        """These lockers have new entries, or have acknowledged some."""
        self._fresh.update(lockers)
        self._news.set()

    def restart(self, locker: str) -> None:
        """A new connection: what was under way is not known any more."""
        self._flights.pop(locker, None)
        self.wake([locker])

    def sent_to(self, locker: str) -> tuple[str, int]:
        """The numbering, and how far it is under way or acknowledged on the present connection."""
        flight = self._flights.get(locker)
        return (flight.dn_epoch, max([flight.acknowledged, *flight.ends])) if flight else ("", 0)

    async def run(self) -> None:
        while True:
            await self._desk.clock.wait(self._news, await self.step())

    async def step(self) -> int:
        """Milliseconds until there is something to repeat."""
        now_ms = self._desk.clock.mono_ms()
        late = {name for name, flight in self._flights.items() if flight.due_ms <= now_ms}
        lockers, self._fresh = self._fresh | late, set()
        rows = await self._store.read(partial(_lockers, names=sorted(lockers))) if lockers else {}
        for locker in sorted(lockers):
            await self._serve(locker, rows.get(locker), now_ms)
        waits = [flight.due_ms - now_ms for flight in self._flights.values()]
        return max(0, min(waits, default=IDLE_MS))

    async def _serve(self, locker: str, row: Row[Any] | None, now_ms: int) -> None:
        if row is None or not row.online or row.dn_stored_to >= row.dn_head:
            self._flights.pop(locker, None)
            return
        flight = self._flights[locker] = self._flight(locker, row, now_ms)
        after = flight.ends[-1] if flight.ends else flight.acknowledged
        while len(flight.ends) < WINDOW and after < row.dn_head:
            batch = await self._store.read(partial(directives.batch_after, locker=row, after=after))
            if batch is None:
                break
            self._say(locker, batch)
            after = batch.to_seq
            flight.ends.append(after)

    def _flight(self, locker: str, row: Row[Any], now_ms: int) -> _Flight:
        """What is under way after an acknowledgement, or after none has come for too long."""
        flight = self._flights.get(locker)
        if flight is None or flight.dn_epoch != row.dn_epoch or row.dn_stored_to < flight.acknowledged:
            return _Flight(row.dn_epoch, row.dn_stored_to, due_ms=now_ms + self._wait_ms(0))
        if row.dn_stored_to > flight.acknowledged:
            flight.acknowledged, flight.tries = row.dn_stored_to, 0
            flight.ends = [end for end in flight.ends if end > row.dn_stored_to]
            flight.due_ms = now_ms + self._wait_ms(0)
        elif flight.due_ms <= now_ms:
            flight.ends, flight.tries = [], flight.tries + 1
            flight.due_ms = now_ms + self._wait_ms(flight.tries)
        return flight

    def _wait_ms(self, tries: int) -> int:
        wait_ms = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(tries, 10))
        return wait_ms + self._desk.chance.draw(wait_ms // 4)


def _lockers(connection: Connection, names: Sequence[str]) -> Mapping[str, Row[Any]]:
    """Those there are, by name."""
    return {row.locker: row for row in _NAMED.all(connection, names)}


_NAMED: Final = OfMany(lambda of: select(LOCKER).where(LOCKER.c.locker.in_(of)))
