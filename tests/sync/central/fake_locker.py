"""A locker that speaks the wire and has no doors: a journal in a list, keys, and words."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from locker.domain import chain, entry
from locker.domain.events import Event
from locker.domain.ids import Seq
from sync import seal, wire
from sync.link.link import Link
from sync.link.settings import LinkSettings, Message, Subscription, Words

WALL_MS = 1_790_000_000_000


def name_of(text: str) -> str:
    """32 hex digits that are always the same for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass
class FakeLocker:
    locker: str = "hall-1"
    epoch: str = field(default_factory=lambda: name_of("epoch"))
    boot: int = 1
    conn: int = 1
    key: seal.SigningKey = field(default_factory=lambda: seal.SigningKey.from_seed(b"k" * 32))
    entries: list[entry.Entry] = field(default_factory=list)
    quality: str = "ntp"

    @property
    def public(self) -> str:
        return self.key.public.hex()

    @property
    def head(self) -> int:
        return len(self.entries)

    def hash_at(self, seq: int) -> str:
        return self.entries[seq - 1].hash.hex() if seq else wire.ZERO

    def add(self, *events: Event, wall_ms: int = WALL_MS) -> "FakeLocker":
        for event in events:
            seq = Seq(self.head + 1)
            stamp = entry.Stamp(self.boot, seq * 1000, wall_ms + seq, self.quality)
            previous = self.entries[-1].hash if self.entries else chain.START
            self.entries.append(entry.write(seq, stamp, "test", event, b"s" * 16, previous))
        return self

    def add_raw(self, public: str) -> "FakeLocker":
        """An entry whose text is nobody's."""
        previous = self.entries[-1].hash if self.entries else chain.START
        link = chain.link(previous, chain.leaf(public.encode(), chain.personal_digest(b"", b"")))
        stamp = entry.Stamp(1, 0, 0, "unset")
        self.entries.append(
            entry.Entry(Seq(self.head + 1), stamp, "", None, public, "", b"", link)  # type: ignore[arg-type]
        )
        return self

    def batch(self, first: int = 1, last: int | None = None) -> wire.UpBatch:
        last = self.head if last is None else last
        chosen = self.entries[first - 1 : last]
        return wire.UpBatch(
            locker=self.locker,
            epoch=self.epoch,
            from_seq=first,
            to_seq=last,
            prev=self.hash_at(first - 1),
            entries=tuple(e.public for e in chosen),
            personal=tuple(
                wire.kept(e.personal, e.salt, chain.personal_digest(e.salt, e.personal.encode()))
                for e in chosen
            ),
            hash=self.hash_at(last),
        )

    def link(
        self, *, online: bool = True, dn_epoch: str = "", dn_applied: int = 0, dn_hash: str = wire.ZERO
    ) -> wire.Link:
        return wire.Link(
            locker=self.locker,
            online=online,
            epoch=self.epoch,
            boot=self.boot,
            conn=self.conn,
            head=self.head,
            oldest=min(1, self.head),
            head_hash=self.hash_at(self.head),
            dn_epoch=dn_epoch,
            dn_applied=dn_applied,
            dn_hash=dn_hash,
            nonce=name_of(f"nonce {self.boot} {self.conn}"),
            sw="0.1.0",
            reason="" if online else "test",
        )

    def frame(self, words: wire.Payload) -> bytes:
        return seal.frame(self.key, wire.encode(words))


class FakeWaiter:
    """Real time, for a real broker."""

    def mono_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    async def sleep_until(self, mono_ms: int) -> None:
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_at(mono_ms / 1000, done.set_result, None)
        await done


class Connected:
    """A fake locker on a real broker."""

    def __init__(self, locker: FakeLocker, port: int, password: str, centre: Sequence[bytes]) -> None:
        self.locker = locker
        self.heard: asyncio.Queue[tuple[wire.Name, wire.Payload]] = asyncio.Queue()
        self.ready = asyncio.Event()
        self._centre = seal.keyring(*centre)
        settings = LinkSettings(
            host="127.0.0.1",
            port=port,
            client_id=locker.locker,
            user=locker.locker,
            password=password,
            subscriptions=(Subscription(wire.everything_down(locker.locker)),),
            will_delay_s=0,
        )
        self.mqtt = Link(settings, FakeWaiter(), lambda _below: 0)

    async def say(self, name: wire.Name, words: wire.Payload) -> None:
        address = wire.up(self.locker.locker, name)
        how = address.delivery
        answer = await self.mqtt.publish(
            address.topic, self.locker.frame(words), qos=how.qos, retain=how.retain, expiry_s=how.expiry_s
        )
        assert answer.taken

    async def hear(self, name: wire.Name, timeout_s: float = 10.0) -> wire.Payload:
        """The next message of a kind; others before it are passed over."""
        async with asyncio.timeout(timeout_s):
            while True:
                found, words = await self.heard.get()
                if found is name:
                    return words

    def will(self) -> Words:
        address = wire.up(self.locker.locker, wire.Name.LINK)
        return Words(address.topic, self.locker.frame(self.locker.link(online=False)))

    def on_connected(self, *, session_present: bool) -> None:
        del session_present
        self.ready.set()

    def on_message(self, message: Message) -> None:
        address = wire.parse_topic(message.topic)
        body = seal.open_frame(message.payload, self._centre)
        self.mqtt.acknowledge(message)
        self.heard.put_nowait((address.name, wire.decode(wire.PAYLOADS[address.way, address.name], body)))

    def on_disconnected(self, reason: str) -> None:
        del reason
        self.ready.clear()
