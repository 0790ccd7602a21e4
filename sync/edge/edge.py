"""The locker's end of the link: what arrives is judged here, in order, by one task."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from locker.operations.ports import Clock
from sync import seal, wire
from sync.edge.acts import Acts
from sync.edge.directives import Directives
from sync.edge.downlog import Placing
from sync.edge.hello import TIME_COUNTS_MS, Facts, ForkFound, Outcome, judge
from sync.edge.ports import Apply, Identity, JournalPort, JournalReader, Take, Tally, Voice
from sync.edge.presence import Presence
from sync.edge.publisher import Publisher, kept_hash
from sync.edge.retry import Retry
from sync.edge.window import Window
from sync.link.settings import Draw, LinkPort, Message, Words
from sync.trust import Trust

_HEARD: Final[Mapping[tuple[wire.Way, wire.Name], type[Any]]] = {
    (wire.Way.DOWN, wire.Name.HELLO): wire.Hello,
    (wire.Way.DOWN, wire.Name.LOG): wire.DownBatch,
    (wire.Way.DOWN, wire.Name.ACK): wire.DownAck,
    (wire.Way.DOWN, wire.Name.ACT): wire.Act,
    (wire.Way.DOWN, wire.Name.KEYS): wire.CentreKey,
}
_Heard = wire.Hello | wire.DownBatch | wire.DownAck | wire.Act | wire.CentreKey
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EdgeStatus:
    """What the kiosk and `lockerctl` show of the centre."""

    connected: bool
    centre_online: bool
    stored_to: int
    """0 before the first hello of this run."""
    unsynced: int
    """Entries that the centre has not acknowledged."""
    last_hello_wall_ms: int | None
    last_loss: str
    """Why the latest connection ended or failed."""
    fork: str = ""
    """Why nothing is sent although the centre answered (`Outcome`); empty where there is no reason."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What the edge tells the daemon."""

    on_centre_time: Callable[[int, int], None]
    """Signed centre time: wall milliseconds now, and how far it may be off."""
    on_fork: Callable[[ForkFound], None]


class Edge:
    """Presence, publisher and directives around one link. Build it once the journal has its epoch."""

    def __init__(
        self,
        link: LinkPort,
        journal: JournalPort,
        reader: JournalReader,
        clock: Clock,
        executor: Executor,
        identity: Identity,
        apply: Apply,
        reports: Reports,
        *,
        take: Take,
        draw: Draw,
        random_bytes: Callable[[int], bytes],
        disk_used_percent: Callable[[], int],
    ) -> None:
        self._link = link
        self._journal = journal
        self._reader = reader
        self._clock = clock
        self._executor = executor
        self._identity = identity
        self._trust = Trust(identity.centre_keys, lambda: journal.state.centre_keys)
        self._strange: Message | None = None
        """What the centre said last of being there, by a key that was not believed then."""
        self._reports = reports
        self._tally = Tally()
        voice = Voice(identity, link)
        self._presence = Presence(voice, journal, clock, draw, random_bytes, disk_used_percent, self._tally)
        window = Window(Retry(draw))
        self._publisher = Publisher(
            voice, journal, reader, executor, clock, window, self._tally, self._presence.ask_again
        )
        self._directives = Directives(voice, journal, apply, self._tally)
        self._acts = Acts(take, self._tally, lambda: self._vouched)
        self._vouched = False
        """Whether the latest hello of this connection fitted our history."""
        self._presence.stored_to = lambda: window.stored_to
        self._inbox: asyncio.Queue[tuple[Message, int]] = asyncio.Queue()
        self._epoch = ""
        self._answered = ("", 0)
        """Nonce of the birth that had the latest hello, and the centre's time in it."""
        self._last_hello_wall_ms: int | None = None
        self._last_loss = ""
        self._fork = ""

    @property
    def dropped(self) -> Counter[str]:
        """Frames that did not fit the contract, by kind."""
        return self._tally.dropped

    @property
    def repeated(self) -> Counter[str]:
        return self._tally.repeated

    @property
    def countersigned(self) -> bytes:
        """The centre's signed word on how much of this journal it has, as it came; empty before one did."""
        return self._publisher.countersigned

    @property
    def countersigned_to(self) -> tuple[str, int]:
        """Of which epoch, and how far, `countersigned` says that it is stored."""
        return self._publisher.countersigned_to

    @property
    def status(self) -> EdgeStatus:
        stored_to = self._publisher.window.stored_to
        return EdgeStatus(
            connected=self._link.connected,
            centre_online=self._link.connected and self._presence.centre.online,
            stored_to=stored_to,
            unsynced=max(0, self._journal.state.seq - stored_to),
            last_hello_wall_ms=self._last_hello_wall_ms,
            last_loss=self._last_loss,
            fork=self._fork,
        )

    async def run(self) -> None:
        """Serve until `stop`.

        Raises, in a group, what is a fault: a journal that cannot be read or written, a bug; never an outage.
        """
        self._epoch = self._journal.state.epoch
        await self._refresh_oldest()
        unsubscribe = self._journal.subscribe(self._journal_grew)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work)
                    for work in (self._publisher.run(), self._presence.run(), self._hear())
                ]
                await self._link.start(self)
                await self._link.closed()
                for task in tasks:
                    task.cancel()
        finally:
            unsubscribe()
            await self._link.stop(self._presence.last_words("fault"))

    async def stop(self, reason: str = "stopped") -> None:
        """Say goodbye and end; `run` returns."""
        await self._link.stop(self._presence.last_words(reason))

    # --- the link's calls ----------------------------------------------------------------------------------

    def will(self) -> Words | None:
        return self._presence.will()

    def on_connected(self, *, session_present: bool) -> None:  # noqa: ARG002  # nothing rests on a broker's session
        self._presence.connected()

    def on_message(self, message: Message) -> None:
        self._inbox.put_nowait((message, self._clock.mono_ms()))

    def on_disconnected(self, reason: str) -> None:
        self._last_loss = reason
        self._vouched = False
        self._trust.part()
        self._strange = None
        self._presence.disconnected()
        self._publisher.close()

    def _journal_grew(self, _state: object, entries: tuple[object, ...]) -> None:
        if not entries:
            # It will not grow any more: somebody must come, and the centre can send them.
            self._presence.ask()
            return
        if self._journal.state.epoch != self._epoch:
            self._epoch = self._journal.state.epoch
            self._fork = ""
            self._vouched = False
            self._publisher.forget()
            self._presence.oldest = 1
            self._presence.ask()
        self._publisher.changed()
        self._presence.changed()

    # --- what arrives --------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            message, arrived_ms = await self._inbox.get()
            try:
                await self._judge(message, arrived_ms)
            except seal.SealError as error:
                self._tally.drop(f"seal:{type(error).__name__}")
            except wire.WireError as error:
                self._tally.drop(f"{error.kind}:{type(error).__name__}")
            # Only now: what a crash interrupted comes again.
            self._link.acknowledge(message)

    async def _judge(self, message: Message, arrived_ms: int) -> None:
        if message.topic == wire.CENTRAL_LINK:
            self._hear_of_centre(message)
            return
        address = wire.parse_topic(message.topic)
        kind = _HEARD.get((address.way, address.name))
        if kind is None or message.retain or address.locker != self._identity.locker:
            self._tally.drop("retained" if message.retain else "topic")
            return
        said: _Heard = wire.decode(kind, self._opened(message))
        if isinstance(said, wire.CentreKey):
            self._introduced(said)
        elif said.locker != self._identity.locker:
            self._tally.drop("foreign")
        else:
            await self._take(said, message.payload, arrived_ms)

    async def _take(
        self, said: wire.Hello | wire.DownBatch | wire.DownAck | wire.Act, frame: bytes, arrived_ms: int
    ) -> None:
        if isinstance(said, wire.Hello):
            await self._hear_hello(said, frame, arrived_ms)
        elif isinstance(said, wire.Act):
            await self._acts.received(said, arrived_ms)
        elif isinstance(said, wire.DownAck):
            await self._publisher.acknowledged(said, frame)
            if said.window == 0:
                self._presence.ask_again()
        elif await self._directives.received(said) in (Placing.FORKED, Placing.FOREIGN):
            # At a birth the centre judges whether its numbering must begin anew, and says which is in force.
            self._presence.ask_again()

    def _opened(self, message: Message) -> bytes:
        return seal.open_frame(message.payload, self._trust.keys())

    def _hear_of_centre(self, message: Message) -> None:
        # It is the same for all, and said before anybody is introduced to us.
        self._strange = message
        link = wire.decode(wire.CentralLink, self._opened(message))
        self._strange = None
        if not self._presence.heard_of_centre(link, retain=message.retain):
            self._publisher.close()

    def _introduced(self, said: wire.CentreKey) -> None:
        if not self._trust.introduce(bytes.fromhex(said.public)):
            self._tally.drop("keys:retired")
        elif self._strange is not None:
            self._hear_of_centre(self._strange)

    async def _hear_hello(self, hello: wire.Hello, frame: bytes, arrived_ms: int) -> None:
        facts = await self._facts(hello)
        outcome = judge(hello, facts)
        if outcome is Outcome.STALE:
            self._tally.drop(f"hello:{outcome}")
            if hello.nonce == self._answered[0]:
                # An old answer, or a centre whose clock went back: a new birth has neither.
                self._presence.ask_again()
            return
        self._answered = (hello.nonce, hello.now)
        took_ms = arrived_ms - self._presence.born_ms
        if took_ms <= TIME_COUNTS_MS:
            self._reports.on_centre_time(hello.now + self._clock.mono_ms() - arrived_ms, took_ms)
        # By the clock as it is now that the centre may have put it right.
        self._last_hello_wall_ms = self._clock.wall_ms()
        self._directives.announced(hello.dn_epoch)
        if outcome is not Outcome.FOLLOW:
            self._publisher.close()
            self._presence.answered()
            self._fork = outcome.value
            self._vouched = False
            self._reports.on_fork(ForkFound(outcome, facts.epoch, hello.stored_to, hello.hash, facts.head))
            await self._presence.tell_of_fork(outcome.value)
            # Until a new epoch has begun: it may be put off, and the centre may find its history again.
            self._presence.ask_again()
            return
        self._fork = ""
        self._vouched = True
        self._presence.answered()
        self._publisher.open(hello.stored_to, hello.window, frame)
        if hello.window == 0:
            self._presence.ask_again()

    async def _facts(self, hello: wire.Hello) -> Facts:
        await self._refresh_oldest()
        state, oldest = self._journal.state, self._presence.oldest
        stored = await self._in_executor(kept_hash, self._reader, hello.stored_to)
        ours, (answered, answered_ms) = self._presence.nonce, self._answered
        return Facts(
            ours if self._presence.born_epoch == state.epoch == self._journal.state.epoch else "",
            state.epoch,
            oldest,
            state.seq,
            stored.hex() if stored else None,
            answered_ms if answered == ours else 0,
        )

    async def _refresh_oldest(self) -> None:
        self._presence.oldest = await self._in_executor(self._reader.oldest)

    async def _in_executor(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)
