"""The centre in small: stores what it is sent if it fits, and only then says so."""

import asyncio
from typing import TYPE_CHECKING

from locker.domain import chain
from sync import seal, wire
from sync.link.settings import Message, Words
from tests.sync.edges import CENTRE_KEY, LOCKER, OWN_KEY, DownLog, framed

if TYPE_CHECKING:
    from sync.link.link import Link


class SmallCentre:
    def __init__(self, down: DownLog) -> None:
        self.down = down
        self.stored: list[tuple[str, str]] = []
        """Public text and hash of every entry."""
        self.epoch = ""
        self.births = 0
        self.puback_early = False
        """A centre that lies: takes a batch from the broker without storing it."""
        self.link: Link | None = None
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()

    # --- the link's calls ----------------------------------------------------------------------------------

    def will(self) -> Words | None:
        return Words(wire.CENTRAL_LINK, framed(wire.CentralLink(False, "one", 1)))

    def on_connected(self, *, session_present: bool) -> None:  # noqa: ARG002  # the listener's signature
        self._say(wire.CENTRAL_LINK, wire.CentralLink(online=True, instance="one", started_at=1), retain=True)

    def on_disconnected(self, reason: str) -> None:
        pass

    def on_message(self, message: Message) -> None:
        assert self.link is not None
        address = wire.parse_topic(message.topic)
        body = seal.open_frame(message.payload, seal.keyring(OWN_KEY.public))
        match address.name:
            case wire.Name.LINK:
                self._greet(wire.decode(wire.Link, body))
            case wire.Name.LOG if not self.puback_early:
                self._store(wire.decode(wire.UpBatch, body))
            case wire.Name.ACK:
                self._continue(wire.decode(wire.UpAck, body).stored_to)
        self.link.acknowledge(message)
        self._news.set()

    async def until_stored(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.stored) < count:
                self._news.clear()
                await self._news.wait()

    # --- what it does --------------------------------------------------------------------------------------

    def _greet(self, birth: wire.Link) -> None:
        if not birth.online:
            return
        self.births += 1
        self.epoch = birth.epoch
        hello = wire.Hello(
            locker=LOCKER,
            nonce=birth.nonce,
            now=1,
            up_epoch=birth.epoch,
            stored_to=len(self.stored),
            hash=self._hash(),
            dn_epoch=self.down.dn_epoch,
            dn_head=len(self.down.texts),
            window=2,
        )
        self._down(wire.Name.HELLO, hello)
        self._continue(birth.dn_applied if birth.dn_epoch == self.down.dn_epoch else 0)

    def _store(self, batch: wire.UpBatch) -> None:
        hashes = wire.up_hashes(batch)
        gap = batch.from_seq > len(self.stored) + 1
        if not gap:
            skip = len(self.stored) + 1 - batch.from_seq
            known = [(text, link.hex()) for text, link in zip(batch.entries, hashes, strict=True)]
            assert known[:skip] == self.stored[batch.from_seq - 1 : batch.from_seq - 1 + skip][: len(known)]
            self.stored += known[skip:]
        self._down(
            wire.Name.ACK,
            wire.DownAck(LOCKER, self.epoch, len(self.stored), self._hash(), gap, window=2, now=1),
        )

    def _continue(self, applied: int) -> None:
        if applied < len(self.down.texts):
            self._down(wire.Name.LOG, self.down.batch(applied + 1, min(applied + 5, len(self.down.texts))))

    def _hash(self) -> str:
        return self.stored[-1][1] if self.stored else chain.START.hex()

    def _down(self, name: wire.Name, payload: wire.Payload) -> None:
        self._say(wire.down(LOCKER, name).topic, payload, retain=False)

    def _say(self, topic: str, payload: wire.Payload, *, retain: bool) -> None:
        assert self.link is not None
        frame = seal.frame(CENTRE_KEY, wire.encode(payload))
        task = asyncio.ensure_future(self.link.publish(topic, frame, qos=1, retain=retain, expiry_s=600))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
