"""What lockers say: checked, made durable, and only then answered. The caller tells the broker last.

Nothing that comes in can stop the stream: what does not fit the contract is counted and dropped.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, assert_never

from sqlalchemy import Connection, and_, bindparam, case

from locker.domain.encoding import canonical, public_data
from sync import seal, wire
from sync.central import elsewhere, ledger, notices, store
from sync.central.alarms import Trouble, raise_alarm
from sync.central.desk import Desk, locker_row
from sync.central.hello import TOLD, WINDOW, meet
from sync.central.pump import Pump, Say
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
    """`take` one message after the other, in the order in which they came."""

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

    async def take(self, topic: str, frame: bytes) -> None:
        """Returns once all that it asked for is durable and answered."""
        try:
            said = await self._read(topic, frame)
        except (Dropped, wire.WireError, seal.SealError) as error:
            self._drop(topic, error)
            return
        await self._apply(said)

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
        row = await self._store.read(lambda connection: store.find(connection, LOCKER, {"locker": locker}))
        if row is None:
            raise Dropped("unknown locker")
        self._publics[locker] = row.public
        return seal.open_frame(frame, _keyring(row.public))

    def _drop(self, topic: str, error: Exception) -> None:
        self.dropped[type(error).__name__] += 1
        if self.dropped.total() % DROPPED_LOGGED_EVERY == 1:
            log.warning("dropped %r: %s; so far %s", topic[:100], error, dict(self.dropped))

    async def _alarm(self, locker: str, trouble: Trouble) -> None:
        now_ms = self._desk.clock.wall_ms()
        await self._store.write(lambda connection: raise_alarm(connection, locker, trouble, now_ms))

    async def _apply(self, said: FromLocker) -> None:
        match said:
            case wire.Link():
                await self._link(said)
            case wire.UpBatch():
                await self._batch(said)
            case wire.UpAck():
                await self._acknowledged(said)
            case wire.State():
                text = canonical(public_data(said))
                await self._heard(said.locker, {"state_text": text})
            case wire.Tele():
                await self._tele(said)
            case _:
                assert_never(said)

    async def _link(self, link: wire.Link) -> None:
        now_ms = self._desk.clock.wall_ms()

        def work(connection: Connection) -> tuple[wire.Hello | None, int]:
            hello = meet(connection, self._desk, locker_row(connection, link.locker), link, now_ms)
            return hello, notices.release(connection, link.locker)

        hello, freed = await self._store.write(work)
        if hello:
            self._say(link.locker, hello)
            self._pump.restart(link.locker)
        if freed:
            self._released()

    async def _batch(self, batch: wire.UpBatch) -> None:
        now_ms = self._desk.clock.wall_ms()

        told: set[str] = set()

        def follow(applied: ledger.Applied) -> None:
            notices.follow(applied)
            told.add(elsewhere.follow(applied))

        def work(connection: Connection) -> tuple[ledger.Outcome, int]:
            outcome = ledger.ingest(connection, batch, now_ms, follow)
            _touch(connection, batch.locker, now_ms)
            return outcome, notices.release(connection, batch.locker)

        outcome, freed = await self._store.write(work)
        self._pump.wake(told - {""})
        if outcome.refused:
            log.warning(
                "%s: entries %d to %d refused: %s",
                batch.locker,
                batch.from_seq,
                batch.to_seq,
                outcome.refused,
            )
        if freed:
            self._released()
        if outcome.gap:
            self._ask_again(batch.locker, batch.epoch)
        elif not outcome.silent:
            self._acknowledge(batch.locker, batch.epoch, outcome.stored_to, outcome.hash, gap=False)

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
                window=WINDOW,
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

    async def _acknowledged(self, ack: wire.UpAck) -> None:
        now_ms = self._desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            own = LOCKER.c
            where = [own.locker == ack.locker, own.dn_epoch == ack.dn_epoch, own.dn_head >= ack.stored_to]
            further = LOCKER.update().where(*where, own.dn_stored_to < ack.stored_to)
            connection.execute(further.values(dn_stored_to=ack.stored_to))
            _touch(connection, ack.locker, now_ms)

        await self._store.write(work)
        self._pump.wake([ack.locker])

    async def _heard(self, locker: str, told: Mapping[str, str]) -> None:
        now_ms = self._desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            store.change(connection, LOCKER, {"locker": locker}, {"last_heard_ms": now_ms, **told})

        await self._store.write(work)

    async def _tele(self, tele: wire.Tele) -> None:
        beat = {
            "name": tele.locker,
            "of_epoch": tele.epoch,
            "told": tele.head,
            "now_ms": self._desk.clock.wall_ms(),
        }
        await self._store.write(lambda connection: connection.execute(_BEAT, beat))


_NEWS: Final = and_(
    LOCKER.c.epoch == bindparam("of_epoch"),
    LOCKER.c.head < bindparam("told"),
    # What a card has that knows itself to be another one is nothing that the locker has.
    LOCKER.c.link_reason.not_in(TOLD),
)
_BEAT: Final = (
    LOCKER.update()
    .where(LOCKER.c.locker == bindparam("name"))
    .values(last_heard_ms=bindparam("now_ms"), head=case((_NEWS, bindparam("told")), else_=LOCKER.c.head))
)
"""A heartbeat is one statement: most of what an idle hub does."""


def _keyring(public: str) -> Mapping[bytes, bytes]:
    return seal.keyring(bytes.fromhex(public))


def _touch(connection: Connection, locker: str, now_ms: int) -> None:
    store.change(connection, LOCKER, {"locker": locker}, {"last_heard_ms": now_ms})
