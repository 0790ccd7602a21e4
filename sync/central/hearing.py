"""What follows from lockers' words for their rows: that they were heard, and how far they are.

Most words are heartbeats that tell nothing new. They are kept, and written together, long before anybody
could take such a locker for silent. So whoever reads the row, in whatever process, knows at every moment
rightly whether it is online; only the moment itself may be shown too early. What a killed process kept is
lost: to a new hub lockers say a birth, another worker writes the first heartbeat that it hears.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, case
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

from locker.domain.encoding import canonical, public_data
from sync import wire
from sync.central import bulk, store
from sync.central.bulk import BIG, TEXT
from sync.central.hello import TOLD
from sync.central.platform import Clock
from sync.central.statement import Statement
from sync.central.store import Store
from sync.central.tables import LOCKER

ALONE_MS: Final = 130_000
"""So old a row's moment may become before a later one is written, where one process hears all lockers: two
heartbeats, and 50 s before the locker would count as silent (`presence.FRESH_MS`)."""
SHARED_MS: Final = 30_000
"""The same where another process may have to go on: what is lost with this one, the takeover, and two
heartbeats of which one is lost are together less than `presence.FRESH_MS`."""
KEPT_MAX: Final = 200
"""More are not awaited: written by one statement they take some milliseconds."""
IDLE_MS: Final = 3_600_000

FromLocker = wire.Link | wire.UpBatch | wire.UpAck | wire.State | wire.Tele


@dataclass(frozen=True, slots=True)
class _Row:
    """What a locker's row is known to say. ``head`` is at most the row's, while the row is of this epoch."""

    epoch: str
    head: int
    heard_ms: int
    """Monotonic."""
    dropped: Mapping[str, int] | None = None
    """None: not known here."""


@dataclass(frozen=True, slots=True)
class _Kept:
    epoch: str
    head: int
    dropped: Mapping[str, int]
    wall_ms: int
    mono_ms: int


class Quiet:
    """Heartbeats that are kept. `run` writes them in time, and the rest when it is cancelled; `step` is one
    round of it."""

    def __init__(self, store: Store, clock: Clock, held_ms: int = ALONE_MS) -> None:
        self._store = store
        self._clock = clock
        self._held_ms = held_ms
        self._rows: dict[str, _Row] = {}
        self._kept: dict[str, _Kept] = {}
        self._due_ms: int | None = None
        self._sooner = asyncio.Event()

    def keeps(self, said: FromLocker) -> bool:
        """Whether nothing is written of it now: a heartbeat that tells nothing new, and is not overdue."""
        row = self._rows.get(said.locker)
        if not isinstance(said, wire.Tele) or row is None:
            return False
        mono_ms, due_ms = self._clock.mono_ms(), row.heard_ms + self._held_ms
        if said.epoch != row.epoch or said.head > row.head or due_ms <= mono_ms:
            return False
        if said.dropped != row.dropped:
            return False
        self._kept[said.locker] = _Kept(row.epoch, row.head, said.dropped, self._clock.wall_ms(), mono_ms)
        if len(self._kept) >= KEPT_MAX:
            due_ms = mono_ms
        if self._due_ms is None or due_ms < self._due_ms:
            self._due_ms = due_ms
            self._sooner.set()
        return True

    def wrote(self, said: FromLocker, head: int | None = None) -> None:
        """It is in the locker's row now. ``head``: what it told of how far the locker is."""
        if isinstance(said, wire.Link):
            # What it changed depends on what was known: the next heartbeat is written, and then it is known.
            self._rows.pop(said.locker, None)
            if said.online:
                self._kept.pop(said.locker, None)
            return
        self._kept.pop(said.locker, None)
        row, now_ms = self._rows.get(said.locker), self._clock.mono_ms()
        if isinstance(said, wire.Tele | wire.UpBatch):
            told = said.head if isinstance(said, wire.Tele) else head or 0
            before = row.head if row and row.epoch == said.epoch else 0
            known = row.dropped if row else None
            dropped = said.dropped if isinstance(said, wire.Tele) else known
            self._rows[said.locker] = _Row(said.epoch, max(told, before), now_ms, dropped)
        elif row:
            self._rows[said.locker] = _Row(row.epoch, row.head, now_ms, row.dropped)

    async def run(self) -> None:
        try:
            while True:
                await self._clock.wait(self._sooner, await self.step())
        except asyncio.CancelledError:
            await self._write()
            raise

    async def step(self) -> int:
        """Write what is kept, if that is due; milliseconds until something may be."""
        now_ms = self._clock.mono_ms()
        if self._due_ms is not None and self._due_ms <= now_ms:
            await self._write()
        return IDLE_MS if self._due_ms is None else max(0, self._due_ms - now_ms)

    async def _write(self) -> None:
        kept, self._kept, self._due_ms = self._kept, {}, None
        if not kept:
            return
        rows = [{"name": name, "now_ms": kept[name].wall_ms} for name in sorted(kept)]
        for name in kept:
            self._rows.pop(name, None)  # until it is known that it was written
        try:
            await self._store.write(partial(bulk.change, told=_HEARD, rows=rows), alone=False)
        except asyncio.CancelledError:
            self._kept = kept | self._kept
            raise
        except DBAPIError as error:
            if not store.is_spoiled(error):
                raise
            return  # the next heartbeats are written at once
        for name, each in kept.items():
            self._rows.setdefault(name, _Row(each.epoch, each.head, each.mono_ms, each.dropped))


def _heard(told: Any) -> UpdateBase:
    return LOCKER.update().where(LOCKER.c.locker == told.name).values(last_heard_ms=told.now_ms)


_HEARD: Final = bulk.Change(_heard, ["name"], name=TEXT, now_ms=BIG)


def take_down(connection: Connection, said: Sequence[FromLocker], now_ms: int) -> None:
    """What is in these words beside entries. Rows are written in the order of the lockers."""
    rows: dict[Statement, list[dict[str, object]]] = {}
    for each in sorted(said, key=lambda each: each.locker):
        row: dict[str, object] = {"name": each.locker, "now_ms": now_ms}
        match each:
            case wire.Tele():
                rows.setdefault(_BEAT, []).append(
                    row | {"of_epoch": each.epoch, "told": each.head, "counts": canonical(dict(each.dropped))}
                )
            case wire.State():
                text = canonical(public_data(each))
                rows.setdefault(_STATE, []).append(row | {"text": text})
            case wire.UpAck():
                further = {"of_epoch": each.dn_epoch, "stored_to": each.stored_to}
                rows.setdefault(_FURTHER, []).append(row | further)
            case wire.UpBatch():
                rows.setdefault(_TOUCH, []).append(row)
            case _:
                raise AssertionError("a link is met, not heard")
    for statement, values in rows.items():
        statement.do(connection, values)


_NEWS: Final = and_(
    LOCKER.c.epoch == bindparam("of_epoch"),
    LOCKER.c.head < bindparam("told"),
    # What a card has that knows itself to be another one is nothing that the locker has.
    *(LOCKER.c.link_reason != reason for reason in TOLD),
)
_OWN: Final = (
    LOCKER.update().where(LOCKER.c.locker == bindparam("name")).values(last_heard_ms=bindparam("now_ms"))
)
_TOUCH: Final = Statement(_OWN)
_BEAT: Final = Statement(
    _OWN.values(head=case((_NEWS, bindparam("told")), else_=LOCKER.c.head), dropped=bindparam("counts"))
)
_STATE: Final = Statement(_OWN.values(state_text=bindparam("text")))
_IS_FURTHER: Final = and_(
    LOCKER.c.dn_epoch == bindparam("of_epoch"),
    LOCKER.c.dn_head >= bindparam("stored_to"),
    LOCKER.c.dn_stored_to < bindparam("stored_to"),
)
_FURTHER: Final = Statement(
    _OWN.values(dn_stored_to=case((_IS_FURTHER, bindparam("stored_to")), else_=LOCKER.c.dn_stored_to))
)
