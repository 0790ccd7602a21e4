"""The hub's end of the link: messages in, one after the other; signed words out; the broker told last."""

import asyncio
import logging
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sync import seal, wire
from sync.central.desk import Desk
from sync.central.ingest import Ingest
from sync.link.settings import LinkPort, LinkSettings, Message, Subscription, TlsFiles, Words

log = logging.getLogger(__name__)

SESSION_EXPIRY_S: Final = 3_600
RECEIVE_MAXIMUM: Final = 200
IN_FLIGHT_MAX: Final = 20
"""What every broker allows unless it is told otherwise."""
FIRST_DELAY_S: Final = 2
"""One hub does not come back as a herd; a hundred lockers wait for it."""
DELAY_MAX_S: Final = 30
TOGETHER_MAX: Final = 20
"""Messages in one transaction, while more are waiting: what a commit costs is shared, nobody waits long."""
NAMES: Final = (wire.Name.LINK, wire.Name.LOG, wire.Name.STATE, wire.Name.ACK, wire.Name.TELE)


def link_settings(
    host: str,
    port: int,
    user: str,
    password: str,
    tls: TlsFiles | None,
    *,
    name: str = "",
    subscriptions: tuple[Subscription, ...] | None = None,
) -> LinkSettings:
    """How the hub connects: alone, for all lockers; or as one of several, by a ``name`` of its own."""
    every = tuple(Subscription(wire.every_locker(each)) for each in NAMES)
    return LinkSettings(
        host=host,
        port=port,
        client_id=f"{user}-{name}" if name else user,
        subscriptions=every if subscriptions is None else subscriptions,
        user=user,
        password=password,
        tls=tls,
        session_expiry_s=SESSION_EXPIRY_S,
        receive_maximum=RECEIVE_MAXIMUM,
        in_flight_max=IN_FLIGHT_MAX,
        will_delay_s=0,
        first_delay_s=FIRST_DELAY_S,
        delay_max_s=DELAY_MAX_S,
    )


class Switchboard:
    """Owns the link (`sync.link.settings.Listener`). `run` until cancelled; `close` ends in order."""

    def __init__(self, link: LinkPort, desk: Desk, lanes: int = 1, *, speaks_for_all: bool = True) -> None:
        """``lanes``: how many transactions with messages may be under way; each locker keeps to one.

        ``speaks_for_all``: tells the lockers that the centre is there, and that it is gone.
        """
        self._speaks_for_all = speaks_for_all
        self._link = link
        self._desk = desk
        self._instance = desk.chance.new_id()
        self._started_at = desk.clock.wall_ms()
        self._lanes = [_Lane() for _ in range(lanes)]
        self._order: deque[_Waiting] = deque()
        """What the broker was not told yet, in the order in which it is to be told."""
        self._speaking: set[asyncio.Task[None]] = set()

    def say(self, locker: str, words: wire.Hello | wire.DownBatch | wire.DownAck | wire.Act) -> None:
        """Sign and publish. Whether anybody heard it is told by what the locker answers, by nothing else."""
        if isinstance(words, wire.Hello):
            self._introduce(locker)
        address = wire.down(locker, _NAMES[type(words)])
        self._publish(address.topic, wire.encode(words), address.delivery)

    def _introduce(self, locker: str) -> None:
        """To one that was away while the signing key changed: each former key's word on the one after it."""
        for former in self._desk.keys.former:
            address = wire.down(locker, wire.Name.KEYS)
            self._spawn(address.topic, former.introduction, address.delivery)

    async def run(self, ingest: Ingest) -> None:
        """Raises what broke the link or the store: the hub must not go on deaf."""
        await self._link.start(self)
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._receive(ingest, lane))
            group.create_task(self._link.closed())

    async def close(self) -> None:
        await self._link.stop(self.will())
        for task in self._speaking:
            task.cancel()

    # --- called by the link --------------------------------------------------------------------------------

    def will(self) -> Words | None:
        return self._words(online=False) if self._speaks_for_all else None

    def on_connected(self, *, session_present: bool) -> None:
        log.info("connected to the broker, session %s", "resumed" if session_present else "new")
        if not self._speaks_for_all:
            return
        words = self._words(online=True)
        self._spawn(words.topic, words.payload, wire.CENTRAL_LINK_DELIVERY)

    def on_message(self, message: Message) -> None:
        waiting = _Waiting(message)
        self._order.append(waiting)
        self._lanes[zlib.crc32(waiting.whose) % len(self._lanes)].put(waiting)

    def on_disconnected(self, reason: str) -> None:
        log.info("no connection to the broker: %s", reason)

    # -------------------------------------------------------------------------------------------------------

    async def _receive(self, ingest: Ingest, lane: "_Lane") -> None:
        loop = asyncio.get_running_loop()
        while True:
            together = await lane.take()
            await ingest.take_all([(each.message.topic, each.message.payload) for each in together])
            # Through the loop, behind the answers: durable, then our ack, then the broker's.
            loop.call_soon(self._acknowledge, together)

    def _acknowledge(self, done: Sequence["_Waiting"]) -> None:
        """MQTT wants it in the order in which they came."""
        for each in done:
            each.done = True
        while self._order and self._order[0].done:
            self._link.acknowledge(self._order.popleft().message)

    def _words(self, *, online: bool) -> Words:
        body = wire.encode(wire.CentralLink(online, self._instance, self._started_at))
        return Words(wire.CENTRAL_LINK, seal.frame(self._desk.keys.sign, body))

    def _publish(self, topic: str, body: bytes, delivery: wire.Delivery) -> None:
        self._spawn(topic, seal.frame(self._desk.keys.sign, body), delivery)

    def _spawn(self, topic: str, frame: bytes, delivery: wire.Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._send(topic, frame, delivery))
        self._speaking.add(task)
        task.add_done_callback(self._speaking.discard)

    async def _send(self, topic: str, frame: bytes, delivery: wire.Delivery) -> None:
        await self._link.publish(
            topic, frame, qos=delivery.qos, retain=delivery.retain, expiry_s=delivery.expiry_s
        )


@dataclass(slots=True)
class _Waiting:
    message: Message
    done: bool = False

    @property
    def whose(self) -> bytes:
        """What tells one locker's messages from another's; the same for all of one."""
        return self.message.topic.rpartition("/up/")[0].encode()


class _Lane:
    """What waits for one transaction after the other. Links go first: a hello that waited behind the backlogs
    of others would answer a birth that its locker has given up. No locker's own words overtake each other,
    and of each only one goes first in a round: who says births without end holds up nobody."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._news = asyncio.Event()

    def put(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._news.set()

    async def take(self) -> list[_Waiting]:
        """The next ones, at least one."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        first: list[_Waiting] = []
        rest: list[_Waiting] = []
        passed: set[bytes] = set()
        for each in self._waiting:
            goes_first = each.message.topic.endswith(_LINK) and each.whose not in passed
            passed.add(each.whose)
            (first if goes_first else rest).append(each)
        queue = first + rest
        self._waiting = queue[TOGETHER_MAX:]
        return queue[:TOGETHER_MAX]


_LINK: Final = f"/up/{wire.Name.LINK}"


_NAMES: Final = {
    wire.Hello: wire.Name.HELLO,
    wire.DownBatch: wire.Name.LOG,
    wire.DownAck: wire.Name.ACK,
    wire.Act: wire.Name.ACT,
}
