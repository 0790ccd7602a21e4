"""A locker and a centre in small, for tests of the edge: real entries and real frames, kept in memory."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from locker.domain import chain, directives, entry
from locker.domain.acts import ActOrder
from locker.domain.directives import Directive, StateEntry
from locker.domain.entry import Entry, Stamp
from locker.domain.events import (
    ActRefused,
    DirectiveApplied,
    DownLogStarted,
    EpochStarted,
    Event,
    StaffRevoked,
)
from locker.domain.fold import fold
from locker.domain.ids import Epoch, LockerId, Seq, StaffId
from locker.domain.state import LockerState
from locker.journal.errors import RowsPurged
from locker.operations.acts import Taken
from sync import seal, wire
from sync.edge import Edge, ForkFound, Identity, Reports
from sync.link.settings import Listener, Message, PublishResult, Words

LOCKER = "loc-1"
EPOCH = "ab" * 16
DN_EPOCH = "cd" * 16
OWN_KEY = seal.SigningKey.from_seed(bytes(range(32)))
CENTRE_KEY = seal.SigningKey.from_seed(bytes(range(32, 64)))


class Inline(Executor):
    """Runs at once, where it is asked to: virtual time has no threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # an executor hands on whatever its work raises
            future.set_exception(error)
        return future


class VirtualClock:
    """Time moves when `to` is called, and everything due happens on the way, in order."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000
        self._alarms: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def mono_ms(self) -> int:
        return self.now_ms

    def wall_ms(self) -> int:
        return self.now_ms + 1_700_000_000_000

    def quality(self) -> str:
        return "ntp"

    def call_at(self, mono_ms: int, action: Callable[[], None]) -> Callable[[], None]:
        self._count += 1
        alarm = (mono_ms, self._count, action)
        self._alarms.append(alarm)

        def cancel() -> None:
            if alarm in self._alarms:
                self._alarms.remove(alarm)

        return cancel

    async def sleep_until(self, mono_ms: int) -> None:
        woken = asyncio.Event()
        self.call_at(mono_ms, woken.set)
        await woken.wait()

    async def advance(self, by_ms: int) -> None:
        until_ms = self.now_ms + by_ms
        await settle()
        while self._alarms and min(self._alarms)[0] <= until_ms:
            alarm = min(self._alarms)
            self._alarms.remove(alarm)
            self.now_ms = max(self.now_ms, alarm[0])
            alarm[2]()
            await settle()
        self.now_ms = until_ms


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(30):
        turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(turn.set)
        await turn.wait()


@dataclass
class MemoryJournal:
    """The journal, its reader and the operation that applies directives, without a disk."""

    state: LockerState = field(default_factory=LockerState)
    head: bytes = chain.START
    boot: int = 1
    rows: list["MemoryRow"] = field(default_factory=list)
    applied: list[Directive] = field(default_factory=list)
    taken: list[tuple[ActOrder, int, bool]] = field(default_factory=list)
    subscribers: list[Callable[[LockerState, tuple[Entry, ...]], None]] = field(default_factory=list)
    failing: bool = False
    purged: int = 0
    """Entries up to this one are no longer kept."""

    def begin(self, epoch: str = EPOCH) -> "MemoryJournal":
        self.write(EpochStarted(Epoch(epoch), LockerId(LOCKER)))
        return self

    def write(self, *events: Event) -> None:
        written: list[Entry] = []
        for event in events:
            seq = Seq(self.state.seq + 1)
            stamp = Stamp(self.boot, 5, 6, "ntp")
            row = entry.write(seq, stamp, "daemon", event, bytes([seq % 256]) * 16, self.head)
            self.state, self.head = fold(self.state, seq, stamp, event), row.hash
            digest = chain.personal_digest(row.salt, row.personal.encode())
            self.rows.append(MemoryRow(seq, row.public, row.personal, row.salt, digest, row.hash))
            written.append(row)
        for tell in list(self.subscribers):
            tell(self.state, tuple(written))

    def grow(self, count: int) -> None:
        self.write(*(StaffRevoked(StaffId(f"s{n}")) for n in range(count)))

    def subscribe(self, callback: Callable[..., None]) -> Callable[[], None]:
        self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback)

    async def apply(self, directive: Directive, dn_epoch: Epoch, dn_hash: str) -> None:
        if self.state.down.epoch != dn_epoch:
            self.write(DownLogStarted(dn_epoch))
        self.applied.append(directive)
        self.write(DirectiveApplied(dn_epoch, directive.seq, dn_hash, "applied"))

    async def take(self, order: ActOrder, arrived_ms: int, *, doubted: bool) -> Taken:
        """Whatever is new; ``taken`` tells what came, when, and whether it was vouched for."""
        if order.aseq <= self.state.acts.aseq:
            return Taken.STALE
        self.taken.append((order, arrived_ms, doubted))
        why = "history_doubted" if doubted else "board_lost"
        self.write(ActRefused(order.act, order.aseq, order.kind, order.door, why))
        return Taken.REFUSED

    # --- the reader ----------------------------------------------------------------------------------------

    def entries(self, after: int, limit: int, max_bytes: int) -> list["MemoryRow"]:
        self._require(after + 1)
        found: list[MemoryRow] = []
        size = 0
        for row in self.rows[after : after + limit]:
            size += len(row.public.encode()) + len(row.personal.encode())
            if found and size > max_bytes:
                break
            found.append(row)
        return found

    def hash_at(self, seq: int) -> bytes:
        if seq:
            self._require(seq)
        return self.rows[seq - 1].hash if seq else chain.START

    def oldest(self) -> int:
        return self.purged + 1 if len(self.rows) > self.purged else 0

    def _require(self, seq: int) -> None:
        if seq <= self.purged:
            raise RowsPurged(seq, self.oldest())


@dataclass(frozen=True)
class MemoryRow:
    seq: int
    public: str
    personal: str
    salt: bytes
    personal_digest: bytes
    hash: bytes


@dataclass
class Said:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None


class FakeLink:
    """A link without a broker: what is said is kept, what arrives is told by the test."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.acknowledged: list[Message] = []
        self.connected = False
        self.answer: PublishResult = PublishResult(0)
        self.listener: Listener | None = None
        self.last_words: Words | None = None
        self._ended = asyncio.Event()
        self._mid = 0

    async def start(self, listener: Listener) -> None:
        self.listener = listener

    async def stop(self, last_words: Words | None = None) -> None:
        if not self._ended.is_set():
            self.last_words = last_words
        self._ended.set()

    async def closed(self) -> None:
        await self._ended.wait()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        if not self.connected:
            return PublishResult(None)
        self.said.append(Said(topic, payload, qos, retain, expiry_s))
        return self.answer

    def acknowledge(self, message: Message) -> None:
        self.acknowledged.append(message)

    def connect(self) -> None:
        assert self.listener is not None
        self.listener.will()
        self.connected = True
        self.listener.on_connected(session_present=False)

    def lose(self) -> None:
        assert self.listener is not None
        self.connected = False
        self.listener.on_disconnected("lost")

    def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert self.listener is not None
        self._mid += 1
        self.listener.on_message(Message(topic, payload, 1, retain, self._mid, 1))

    def heard(self, name: wire.Name, kind: type[Any]) -> list[Any]:
        """What was said on one topic, opened and decoded."""
        topic = wire.up(LOCKER, name).topic
        keys = seal.keyring(OWN_KEY.public)
        return [wire.decode(kind, seal.open_frame(s.payload, keys)) for s in self.said if s.topic == topic]

    def from_centre(self, name: wire.Name, payload: wire.Payload, *, retain: bool = False) -> None:
        self.deliver(wire.down(LOCKER, name).topic, framed(payload), retain=retain)

    def centre_is(self, *, online: bool, retain: bool = True, instance: str = "one") -> None:
        link = wire.CentralLink(online, instance, 1)
        self.deliver(wire.CENTRAL_LINK, framed(link), retain=retain)


def framed(payload: wire.Payload) -> bytes:
    return seal.frame(CENTRE_KEY, wire.encode(payload))


def hello(journal: MemoryJournal, nonce: str, stored_to: int = 0, **more: Any) -> wire.Hello:
    values: dict[str, Any] = {
        "locker": LOCKER,
        "nonce": nonce,
        "now": 5_000_000,
        "up_epoch": journal.state.epoch,
        "stored_to": stored_to,
        "hash": journal.hash_at(stored_to).hex(),
        "dn_epoch": DN_EPOCH,
        "dn_head": 0,
        "window": 2,
    }
    return wire.Hello(**(values | more))


def ack(journal: MemoryJournal, stored_to: int, **more: Any) -> wire.DownAck:
    values: dict[str, Any] = {
        "locker": LOCKER,
        "up_epoch": journal.state.epoch,
        "stored_to": stored_to,
        "hash": journal.hash_at(stored_to).hex(),
        "gap": False,
        "window": 2,
        "now": 5_000_000,
    }
    return wire.DownAck(**(values | more))


class DownLog:
    """The centre's numbered entries for one locker."""

    def __init__(self, dn_epoch: str = DN_EPOCH) -> None:
        self.dn_epoch = dn_epoch
        self.texts: list[str] = []
        self.hashes = [chain.START]

    def add(self, says: StateEntry) -> None:
        self.add_text(directives.write(Seq(len(self.texts) + 1), says))

    def add_text(self, text: str) -> None:
        self.texts.append(text)
        self.hashes.append(directives.link(self.hashes[-1], text))

    def batch(self, first: int, last: int) -> wire.DownBatch:
        return wire.DownBatch(
            LOCKER,
            self.dn_epoch,
            first,
            last,
            self.hashes[first - 1].hex(),
            tuple(self.texts[first - 1 : last]),
            self.hashes[last].hex(),
        )


@dataclass
class Told:
    times: list[tuple[int, int]] = field(default_factory=list)
    forks: list[ForkFound] = field(default_factory=list)


def edge_of(link: Any, journal: MemoryJournal, clock: Any, told: Told, executor: Executor) -> Edge:
    counter = iter(range(1, 1_000_000))
    return Edge(
        link,
        journal,
        journal,
        clock,
        executor,
        Identity(LOCKER, OWN_KEY, dict(seal.keyring(CENTRE_KEY.public)), "1.0"),
        journal.apply,
        Reports(lambda now, off: told.times.append((now, off)), told.forks.append),
        take=journal.take,
        draw=lambda _below: 0,
        random_bytes=lambda size: next(counter).to_bytes(size),
        disk_used_percent=lambda: 42,
    )
