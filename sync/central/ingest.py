"""What lockers say: checked, made durable, and only then answered. The caller tells the broker last.

Nothing that comes in can stop the stream: what does not fit the contract is counted and dropped.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlalchemy import Connection, Update, and_, bindparam, case, select
from sqlalchemy.exc import DataError

from locker.domain.encoding import canonical, public_data
from sync import seal, wire
from sync.central import histories, ledger, notices, store
from sync.central.alarms import Trouble, raise_alarm
from sync.central.desk import Desk, locker_row
from sync.central.following import Following
from sync.central.hello import TOLD, WINDOW, meet
from sync.central.pump import Pump, Say
from sync.central.slots import Slots
from sync.central.store import Store
from sync.central.tables import LOCKER

log = logging.getLogger(__name__)

GAP_PATIENCE_MS: Final = 2_000
"""What is missing is often only late: ask for it again when it did not come by itself."""
DROPPED_LOGGED_EVERY: Final = 100

FromLocker = wire.Link | wire.UpBatch | wire.UpAck | wire.State | wire.Tele


class Dropped(Exception):
    """A message that does not fit; the message names why."""


class Ingest:
    """`take_all` some messages after others; those of one locker in the order in which they came."""

    def __init__(self, store: Store, desk: Desk, say: Say, pump: Pump, released: Callable[[], None]) -> None:
        """``released`` is called when notices became due."""
        self._store = store
        self._desk = desk
        self._say = say
        self._pump = pump
        self._released = released
        self._gaps: dict[str, asyncio.Task[None]] = {}
        self._publics: dict[str, str] = {}
        """Each locker's key as it was last read: an enrolled one is not looked up for every heartbeat."""
        self.dropped: Counter[str] = Counter()
        self.slots = Slots()
        """Whose turn it is to send a backlog."""

    async def take(self, topic: str, frame: bytes) -> None:
        """Returns once all that it asked for is durable and answered."""
        await self.take_all([(topic, frame)])

    async def take_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """The same for several: what can be is done in one transaction."""
        together: list[FromLocker] = []
        for topic, frame in messages:
            try:
                said = await self._read(topic, frame)
            except (Dropped, wire.WireError, seal.SealError) as error:
                self._drop(topic, error)
                continue
            if isinstance(said, wire.Link):
                await self._together(together)
                together = []
                await self._link(said)
            else:
                together.append(said)
        await self._together(together)

    def close(self) -> None:
        for task in self._gaps.values():
            task.cancel()

    async def _read(self, topic: str, frame: bytes) -> FromLocker:
        address = wire.parse_topic(topic)
        if address.way is not wire.Way.UP:
            raise Dropped("not from a locker")
        try:
            body = await self._opened(address.locker, frame)
            said: FromLocker = wire.decode(wire.PAYLOADS[address.way, address.name], body)
        except (wire.UnknownVersion, seal.SealError) as error:
            trouble = Trouble(type(error).__name__, address.name, str(error))
            await self._alarm(address.locker, trouble)
            raise
        if said.locker != address.locker:
            raise Dropped("another locker's words")
        return said

    async def _opened(self, locker: str, frame: bytes) -> bytes:
        if known := self._publics.get(locker):
            # One that was enrolled anew since has another key: that is looked up below.
            with contextlib.suppress(seal.UnknownKey):
                return seal.open_frame(frame, _keyring(known))
        if self._publics:
            named = {"locker": locker}
            row = await self._store.read(lambda connection: store.find(connection, LOCKER, named))
            found = {locker: row.public} if row else {}
        else:
            # After a restart everybody comes at once.
            found = await self._store.read(_all_publics)
        self._publics |= found
        if locker not in found:
            raise Dropped("unknown locker")
        return seal.open_frame(frame, _keyring(found[locker]))

    def _drop(self, topic: str, error: Exception) -> None:
        self.dropped[type(error).__name__] += 1
        if self.dropped.total() % DROPPED_LOGGED_EVERY == 1:
            log.warning("dropped %r: %s; so far %s", topic[:100], error, dict(self.dropped))

    async def _alarm(self, locker: str, trouble: Trouble) -> None:
        now_ms = self._desk.clock.wall_ms()
        await self._store.write(lambda connection: raise_alarm(connection, locker, trouble, now_ms))

    async def _link(self, link: wire.Link) -> None:
        now_ms = self._desk.clock.wall_ms()

        def work(connection: Connection) -> tuple[wire.Hello | None, int]:
            hello = meet(connection, self._desk, locker_row(connection, link.locker), link, now_ms)
            return hello, notices.release(connection, link.locker)

        hello, freed = await self._store.write(work)
        mono_ms = self._desk.clock.mono_ms()
        if hello:
            ours = hello.up_epoch == link.epoch
            if ours and not self.slots.ask(link.locker, hello.stored_to, link.head, mono_ms):
                hello = replace(hello, window=0)
            self._say(link.locker, hello)
            self._pump.restart(link.locker)
        elif not link.online:
            self.slots.leave(link.locker)
        await self._grant(self.slots.grant(mono_ms))
        if freed:
            self._released()

    async def _together(self, said: Sequence[FromLocker]) -> None:
        """In one transaction; where that cannot be, one after the other, at last entry by entry."""
        if not said:
            return
        now_ms = self._desk.clock.wall_ms()
        try:
            done = await self._store.write(partial(self._store_all, said, now_ms), alone=False)
        except (ledger.Spoilt, DataError) as error:
            if len(said) > 1:
                for each in said:
                    await self._together([each])
                return
            if isinstance(error, DataError):
                self._drop(said[0].locker, error)
                return
            work = partial(self._store_all, said, now_ms, careful=True)
            done = await self._store.write(work, alone=False)
        self._pump.wake(done.told)
        if done.freed:
            self._released()
        for batch, outcome in done.outcomes:
            self._answer(batch, outcome)
        now_ms = self._desk.clock.mono_ms()
        for batch, outcome in done.outcomes:
            await self._grant(self.slots.stored(batch.locker, outcome.stored_to, now_ms))

    def _store_all(
        self, said: Sequence[FromLocker], now_ms: int, connection: Connection, *, careful: bool = False
    ) -> "_Done":
        following = Following(self._desk)
        batches = [each for each in said if isinstance(each, wire.UpBatch)]
        outcomes = ledger.ingest_all(connection, batches, now_ms, following.of, careful=careful)
        told = following.finish(connection, now_ms)
        told.update(each.locker for each in said if isinstance(each, wire.UpAck))
        for statement, rows in _heard(said, now_ms).items():
            connection.execute(statement, rows)
        freed = notices.release(connection, *sorted({batch.locker for batch in batches}))
        return _Done(tuple(zip(batches, outcomes, strict=True)), told, freed)

    def _answer(self, batch: wire.UpBatch, outcome: ledger.Outcome) -> None:
        if outcome.refused:
            reach = f"{batch.from_seq} to {batch.to_seq}"
            log.warning("%s: entries %s refused: %s", batch.locker, reach, outcome.refused)
        if outcome.gap:
            self._ask_again(batch.locker, batch.epoch)
        elif not outcome.silent:
            self._acknowledge(batch.locker, batch.epoch, outcome.stored_to, outcome.hash, gap=False)

    async def _grant(self, lockers: Sequence[str]) -> None:
        """Their turn has come: an acknowledgement of what is stored opens their window."""
        for locker in lockers:
            epoch, stored_to, hash_ = await self._store.read(partial(histories.in_force, locker=locker))
            self._acknowledge(locker, epoch, stored_to, hash_, gap=False)

    def _acknowledge(self, locker: str, epoch: str, stored_to: int, hash_: str, *, gap: bool) -> None:
        now_ms = self._desk.clock.wall_ms()
        self._say(
            locker,
            wire.DownAck(
                locker=locker,
                up_epoch=epoch,
                stored_to=stored_to,
                hash=hash_,
                gap=gap,
                window=0 if self.slots.waits(locker) else WINDOW,
                now=now_ms,
            ),
        )

    def _ask_again(self, locker: str, epoch: str) -> None:
        if locker in self._gaps:
            return
        task = asyncio.get_running_loop().create_task(self._after_patience(locker, epoch))
        self._gaps[locker] = task
        task.add_done_callback(lambda _: self._gaps.pop(locker, None))

    async def _after_patience(self, locker: str, epoch: str) -> None:
        await self._desk.clock.wait(asyncio.Event(), GAP_PATIENCE_MS)
        now_ms = self._desk.clock.wall_ms()
        stored_to, head = await self._store.write(
            lambda connection: ledger.open_stream(connection, locker, epoch, now_ms)
        )
        self._acknowledge(locker, epoch, stored_to, head, gap=True)


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of some messages that were stored together."""

    outcomes: Sequence[tuple[wire.UpBatch, ledger.Outcome]]
    told: AbstractSet[str]
    """Lockers that have something new to hear, or have acknowledged some."""
    freed: int
    """Notices that are due now."""


def _heard(said: Sequence[FromLocker], now_ms: int) -> dict[Update, list[dict[str, object]]]:
    """What follows for the lockers' rows: statements, each with its rows in the order of the lockers."""
    rows: dict[Update, list[dict[str, object]]] = {}
    for each in sorted(said, key=lambda each: each.locker):
        row: dict[str, object] = {"name": each.locker, "now_ms": now_ms}
        match each:
            case wire.Tele():
                rows.setdefault(_BEAT, []).append(row | {"of_epoch": each.epoch, "told": each.head})
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
    return rows


_NEWS: Final = and_(
    LOCKER.c.epoch == bindparam("of_epoch"),
    LOCKER.c.head < bindparam("told"),
    # What a card has that knows itself to be another one is nothing that the locker has.
    *(LOCKER.c.link_reason != reason for reason in TOLD),
)
_BEAT: Final = (
    LOCKER.update()
    .where(LOCKER.c.locker == bindparam("name"))
    .values(last_heard_ms=bindparam("now_ms"), head=case((_NEWS, bindparam("told")), else_=LOCKER.c.head))
)
"""A heartbeat is one statement: most of what an idle hub does."""
_TOUCH: Final = (
    LOCKER.update().where(LOCKER.c.locker == bindparam("name")).values(last_heard_ms=bindparam("now_ms"))
)
_STATE: Final = _TOUCH.values(state_text=bindparam("text"))
_IS_FURTHER: Final = and_(
    LOCKER.c.dn_epoch == bindparam("of_epoch"),
    LOCKER.c.dn_head >= bindparam("stored_to"),
    LOCKER.c.dn_stored_to < bindparam("stored_to"),
)
_FURTHER: Final = _TOUCH.values(
    dn_stored_to=case((_IS_FURTHER, bindparam("stored_to")), else_=LOCKER.c.dn_stored_to)
)


def _all_publics(connection: Connection) -> dict[str, str]:
    return {row.locker: row.public for row in connection.execute(select(LOCKER.c.locker, LOCKER.c.public))}


def _keyring(public: str) -> Mapping[bytes, bytes]:
    return seal.keyring(bytes.fromhex(public))
