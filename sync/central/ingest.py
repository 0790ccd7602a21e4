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
from typing import Final, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError, DBAPIError

from sync import seal, wire
from sync.central import hearing, histories, ledger, notices, store
from sync.central.alarms import Trouble, raise_alarm
from sync.central.desk import Desk, Refused, locker_row
from sync.central.following import Following
from sync.central.hearing import FromLocker, Quiet
from sync.central.hello import WINDOW, meet
from sync.central.pump import Pump, Say
from sync.central.slots import AT_ONCE, Slots
from sync.central.store import Store
from sync.central.tables import LOCKER

log = logging.getLogger(__name__)

GAP_PATIENCE_MS: Final = 2_000
"""What is missing is often only late: ask for it again when it did not come by itself."""
DROPPED_LOGGED_EVERY: Final = 100
KEYS_READ_EVERY_MS: Final = 60_000

T = TypeVar("T")


class Dropped(Exception):
    """A message that does not fit; the message names why."""


class Spoiled(Dropped):
    """Others always came first: its locker says it again."""


class Ingest:
    """`take_all` some messages after others; those of one locker in the order in which they came."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        say: Say,
        pump: Pump,
        released: Callable[[], None],
        *,
        held_ms: int = hearing.ALONE_MS,
        at_once: int = AT_ONCE,
    ) -> None:
        """``released`` is called when notices became due. ``held_ms``: how long heartbeats that tell nothing
        new may be kept; ``at_once``: how many may send a backlog."""
        self._store = store
        self._desk = desk
        self._say = say
        self._pump = pump
        self._released = released
        self._gaps: dict[str, asyncio.Task[None]] = {}
        self._publics: dict[str, Mapping[bytes, bytes]] = {}
        """Each locker's key as it was last read: an enrolled one is not looked up for every heartbeat."""
        self._read_ms: int | None = None
        self.dropped: Counter[str] = Counter()
        self.slots = Slots(at_once)
        """Whose turn it is to send a backlog."""
        self.quiet = Quiet(store, desk.clock, held_ms)

    async def take(self, topic: str, frame: bytes) -> None:
        """Returns once all that it asked for is durable and answered."""
        await self.take_all([(topic, frame)])

    async def take_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """The same for several: what can be is done in one transaction."""
        read: list[FromLocker] = []
        for topic, frame in messages:
            try:
                read.append(await self._read(topic, frame))
            except (Dropped, wire.WireError, seal.SealError) as error:
                self._drop(topic, error)
        for links, others in _rounds(read):
            await self._links(links)
            await self._together(others)

    async def run(self) -> None:
        """Write in time what heartbeats told; all of it when it is cancelled."""
        await self.quiet.run()

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
        await self._refresh()
        if known := self._publics.get(locker):
            # One that was enrolled anew since has another key: that is looked up below.
            with contextlib.suppress(seal.UnknownKey):
                return seal.open_frame(frame, known)
        named = {"locker": locker}
        row = await self._store.read(lambda connection: store.find(connection, LOCKER, named))
        found = {locker: _keyring(row.public)} if row else {}
        self._publics |= found
        if locker not in found:
            raise Dropped("unknown locker")
        return seal.open_frame(frame, found[locker])

    async def _refresh(self) -> None:
        """All at once: after a restart everybody comes. And again: keys are given up as well."""
        now_ms = self._desk.clock.mono_ms()
        if self._read_ms is None or now_ms - self._read_ms >= KEYS_READ_EVERY_MS:
            self._read_ms = now_ms
            self._publics = await self._store.read(_all_publics)

    def _drop(self, topic: str, error: Exception) -> None:
        self.dropped[type(error).__name__] += 1
        if self.dropped.total() % DROPPED_LOGGED_EVERY == 1:
            log.warning("dropped %r: %s; so far %s", topic[:100], error, dict(self.dropped))

    async def _alarm(self, locker: str, trouble: Trouble) -> None:
        now_ms = self._desk.clock.wall_ms()
        await self._write([locker], lambda connection: raise_alarm(connection, locker, trouble, now_ms))

    async def _write(self, lockers: Sequence[str], work: Callable[[Connection], T]) -> T | None:
        """None where others always came first: dropped, as if it was never heard. Lockers say again what is
        not answered. ``work`` locks what it rests on: to be alone would also be to stand in the way of every
        other locker whose row is on the same page of an index."""
        try:
            return await self._store.write(work, alone=False)
        except DBAPIError as error:
            if not store.is_spoiled(error):
                raise
            log.warning("others came first %d times: %s", store.TRIES, ", ".join(lockers))
            self.dropped[Spoiled.__name__] += len(lockers)
            return None

    async def _links(self, links: Sequence[wire.Link]) -> None:
        """In one transaction; where that cannot be, one after the other."""
        if not links:
            return
        now_ms = self._desk.clock.wall_ms()
        try:
            met = await self._write([each.locker for each in links], partial(self._meet_all, links, now_ms))
        except (DataError, Refused) as error:
            if len(links) > 1:
                for each in links:
                    await self._links([each])
                return
            self._drop(links[0].locker, error)
            return
        if met is None:
            return
        hellos, freed = met
        for link, hello in zip(links, hellos, strict=True):
            self.quiet.wrote(link)
            await self._met(link, hello)
        if freed:
            self._released()

    def _meet_all(
        self, links: Sequence[wire.Link], now_ms: int, connection: Connection
    ) -> tuple[Sequence[wire.Hello | None], int]:
        names = sorted({link.locker for link in links})
        rows = ledger.lock(connection, names)
        hellos = []
        for link in links:
            # The next word of the same locker meets what this one left.
            row = rows.pop(link.locker, None) or locker_row(connection, link.locker)
            hellos.append(meet(connection, self._desk, row, link, now_ms))
        return hellos, notices.release(connection, *names)

    async def _met(self, link: wire.Link, hello: wire.Hello | None) -> None:
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

    async def _together(self, said: Sequence[FromLocker]) -> None:
        """In one transaction; where that cannot be, one after the other, at last entry by entry."""
        said = [each for each in said if not self.quiet.keeps(each)]
        if not said:
            return
        now_ms, lockers = self._desk.clock.wall_ms(), [each.locker for each in said]
        try:
            done = await self._write(lockers, partial(self._store_all, said, now_ms))
        except (ledger.Spoilt, DataError) as error:
            if len(said) > 1:
                for each in said:
                    await self._together([each])
                return
            if isinstance(error, DataError):
                self._drop(said[0].locker, error)
                return
            done = await self._write(lockers, partial(self._store_all, said, now_ms, careful=True))
        if done is not None:
            await self._stored(said, done)

    async def _stored(self, said: Sequence[FromLocker], done: "_Done") -> None:
        """Answer what is durable now."""
        stored = {id(batch): outcome.stored_to for batch, outcome in done.outcomes}
        for each in said:
            self.quiet.wrote(each, stored.get(id(each)))
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
        hearing.take_down(connection, said, now_ms)
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
        begun = await self._write([locker], lambda c: ledger.open_stream(c, locker, epoch, now_ms))
        if begun is not None:
            self._acknowledge(locker, epoch, *begun, gap=True)


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of some messages that were stored together."""

    outcomes: Sequence[tuple[wire.UpBatch, ledger.Outcome]]
    told: AbstractSet[str]
    """Lockers that have something new to hear, or have acknowledged some."""
    freed: int
    """Notices that are due now."""


def _rounds(said: Sequence[FromLocker]) -> list[tuple[list[wire.Link], list[FromLocker]]]:
    """Links first, then all else, as often as it takes for every locker's words to keep their order."""
    rounds: list[tuple[list[wire.Link], list[FromLocker]]] = []
    reached: dict[str, tuple[int, bool]] = {}
    for each in said:
        of, past_links = reached.get(each.locker, (0, False))
        is_link = isinstance(each, wire.Link)
        of += is_link and past_links
        reached[each.locker] = (of, not is_link)
        if of == len(rounds):
            rounds.append(([], []))
        links, others = rounds[of]
        if isinstance(each, wire.Link):
            links.append(each)
        else:
            others.append(each)
    return rounds


def _all_publics(connection: Connection) -> dict[str, Mapping[bytes, bytes]]:
    asked = select(LOCKER.c.locker, LOCKER.c.public)
    return {row.locker: _keyring(row.public) for row in connection.execute(asked)}


def _keyring(public: str) -> Mapping[bytes, bytes]:
    return seal.keyring(bytes.fromhex(public))
