"""What tests of the link share: real waiting, a listener that remembers, a scripted server."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sync.link.link import Link
from sync.link.settings import LinkSettings, Listener, Message, Subscription, Words
from tests.mosquitto import CENTRAL_USER, Broker
from tests.sync.edges import settle

PATIENCE_S = 60.0


class RealTime:
    """A waiter on the loop's own clock."""

    def mono_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    async def sleep_until(self, mono_ms: int) -> None:
        woken = asyncio.Event()
        asyncio.get_running_loop().call_at(mono_ms / 1000, woken.set)
        await woken.wait()


class Remembering:
    """A listener that notes all it is told and lets tests wait for it."""

    def __init__(self, will: Words | None = None) -> None:
        self.last_will = will
        self.messages: list[Message] = []
        self.connections: list[bool] = []
        self.losses: list[str] = []
        self._news = asyncio.Event()

    def will(self) -> Words | None:
        return self.last_will

    def on_connected(self, *, session_present: bool) -> None:
        self.connections.append(session_present)
        self._news.set()

    def on_message(self, message: Message) -> None:
        self.messages.append(message)
        self._news.set()

    def on_disconnected(self, reason: str) -> None:
        self.losses.append(reason)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


async def until(condition: Callable[[], bool]) -> None:
    """For what nobody tells: look again at every turn of the loop, a hundred times a second."""
    waiter = RealTime()
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await waiter.sleep_until(waiter.mono_ms() + 10)


def settings_for(port: int, name: str = "loc-1", *filters: str, **more: Any) -> LinkSettings:
    """Quick to come back; `more` overrides any field."""
    base = LinkSettings(
        "127.0.0.1",
        port,
        name,
        tuple(Subscription(f) for f in filters),
        user=name,
        password="pw",
        will_delay_s=0,
        first_delay_s=0,
        delay_max_s=0,
    )
    return replace(base, **more)


def central_settings(broker: Broker, *filters: str) -> LinkSettings:
    return settings_for(broker.port, CENTRAL_USER, *filters)


async def started(settings: LinkSettings, listener: Listener) -> Link:
    link = Link(settings, RealTime(), lambda _below: 0)
    await link.start(listener)
    return link


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP listener on loopback that talks as it is told; its port. Leaves no connection behind."""
    talks: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await settle()  # who comes in just now: a server that closes meanwhile leaves that connection open
        server.close()
        if talks:
            await asyncio.wait(talks)
        await settle()


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """First byte and body of one MQTT packet."""
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return first, await reader.readexactly(length)


CONNACK = bytes([0x20, 3, 0, 0, 0])
CONNACK_REFUSED = bytes([0x20, 3, 0, 0x87, 0])


def suback(mid: bytes, reason: int = 1) -> bytes:
    return bytes([0x90, 4]) + mid + bytes([0, reason])
