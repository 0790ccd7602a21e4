"""The link against a real broker, and against servers that misbehave."""

import asyncio
import socket
import struct
from functools import partial

import pytest

from hw_sim.free_port import free_port
from sync.link.link import Link
from sync.link.settings import Message, PublishResult, Words
from tests.mosquitto import CENTRAL_USER, Broker
from tests.sync.links import (
    CONNACK,
    CONNACK_REFUSED,
    RealTime,
    Remembering,
    central_settings,
    read_packet,
    serving,
    settings_for,
    started,
    suback,
    until,
)

UP = "doclocker/v1/loc-1/up/log"
DOWN = "doclocker/v1/loc-1/dn/log"
DOWN_ALL = "doclocker/v1/loc-1/dn/#"
LINK = "doclocker/v1/loc-1/up/link"


@pytest.fixture
def users(broker: Broker) -> Broker:
    broker.add_user("loc-1", "pw")
    broker.add_user(CENTRAL_USER, "pw")
    return broker


@pytest.mark.processes
async def test_a_message_goes_over_and_is_the_brokers_until_acknowledged(users: Broker) -> None:
    hub, locker = Remembering(), Remembering()
    up = await started(central_settings(users, UP), hub)
    down = await started(settings_for(users.port, "loc-1", DOWN_ALL), locker)
    await hub.until(lambda: bool(hub.connections))
    await locker.until(lambda: bool(locker.connections))

    result = await down.publish(UP, b"\x00one", qos=1, expiry_s=600)
    assert result == PublishResult(0)
    assert result.heard
    await hub.until(lambda: len(hub.messages) == 1)
    assert hub.messages[0].payload == b"\x00one"
    assert hub.messages[0].qos == 1
    assert not hub.messages[0].retain
    # Not acknowledged: a broken connection brings it again.
    up._connection.abandon()  # type: ignore[union-attr]
    await hub.until(lambda: len(hub.messages) == 2 and len(hub.connections) == 2)
    assert hub.connections == [False, True]
    up.acknowledge(hub.messages[0])  # of the connection before: must not count for the new one
    up.acknowledge(hub.messages[1])
    await until(lambda: any("Received PUBACK from " + CENTRAL_USER in line for line in users.log))
    await up.stop()
    await down.stop()
    assert sum("Received PUBACK from " + CENTRAL_USER in line for line in users.log) == 1


@pytest.mark.processes
@pytest.mark.rule("LKR-14")
async def test_nobody_subscribed_is_told_apart(users: Broker) -> None:
    listener = Remembering()
    link = await started(settings_for(users.port), listener)
    await listener.until(lambda: bool(listener.connections))
    result = await link.publish(UP, b"x", qos=1)
    assert result == PublishResult(0x10)
    assert result.taken
    assert not result.heard
    refused = await link.publish(DOWN, b"x", qos=1)
    assert refused == PublishResult(0x87)
    assert not refused.taken
    await link.stop()


@pytest.mark.processes
@pytest.mark.rule("LKR-4")
async def test_it_comes_back_after_the_broker_lost_everything(users: Broker) -> None:
    listener = Remembering()
    link = await started(settings_for(users.port, "loc-1", DOWN_ALL), listener)
    await listener.until(lambda: len(listener.connections) == 1)
    users.kill()
    await listener.until(lambda: bool(listener.losses))
    assert not link.connected
    assert await link.publish(UP, b"x", qos=1) == PublishResult(None)
    users.start()
    await listener.until(lambda: len(listener.connections) == 2)
    assert listener.connections == [False, False]
    assert (await link.publish(UP, b"x", qos=1)).taken
    await link.stop()


@pytest.mark.processes
def _was_connected(end: Remembering) -> bool:
    return bool(end.connections)


@pytest.mark.rule("LKR-3")
async def test_the_will_is_said_after_a_crash_and_not_after_an_orderly_end(users: Broker) -> None:
    hub = Remembering()
    up = await started(central_settings(users, LINK), hub)
    await hub.until(lambda: bool(hub.connections))
    for orderly in (True, False):
        hub.messages.clear()
        locker = Remembering(Words(LINK, b"gone"))
        link = await started(settings_for(users.port), locker)
        await locker.until(partial(_was_connected, locker))
        if orderly:
            await link.stop(Words(LINK, b"goodbye"))
        else:
            link._connection._client.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        await hub.until(lambda: bool(hub.messages))
        await link.stop()
        assert [m.payload for m in hub.messages] == [b"goodbye" if orderly else b"gone"]
    await up.stop()


@pytest.mark.processes
@pytest.mark.rule("LKR-7")
async def test_a_silent_broker_is_left(users: Broker) -> None:
    listener = Remembering()
    link = await started(settings_for(users.port, keepalive_s=1), listener)
    await listener.until(lambda: bool(listener.connections))
    users.pause()
    await listener.until(lambda: bool(listener.losses))
    users.resume()
    assert listener.losses[0] == "silent"
    await listener.until(lambda: len(listener.connections) == 2)
    await link.stop()


@pytest.mark.processes
async def test_what_the_owner_raises_comes_out(users: Broker) -> None:
    class Failing(Remembering):
        def on_message(self, message: Message) -> None:
            raise ZeroDivisionError(message.topic)

    listener = Failing()
    link = await started(settings_for(users.port, CENTRAL_USER, UP), listener)
    await listener.until(lambda: bool(listener.connections))
    sender = Remembering()
    other = await started(settings_for(users.port), sender)
    await sender.until(lambda: bool(sender.connections))
    await other.publish(UP, b"x", qos=1)
    with pytest.raises(ZeroDivisionError):
        await link.closed()
    assert not link.connected
    await other.stop()


@pytest.mark.rule("LKR-1")
@pytest.mark.rule("LKR-2")
async def test_the_bytes_of_connect() -> None:
    packets: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await packets.put(await read_packet(reader))

    async with serving(talk) as port:
        settings = settings_for(port, will_delay_s=30)
        link = await started(settings, Remembering(Words(LINK, b"gone")))
        first, body = await asyncio.wait_for(packets.get(), 10)
        await link.stop()

    assert first == 0x10
    assert body[:7] == b"\x00\x04MQTT\x05"
    flags = body[7]
    assert (
        flags == 0x80 | 0x40 | 0x20 | 0x08 | 0x04
    )  # user, password, will retained, QoS 1, will; no clean start
    assert struct.unpack_from(">H", body, 8) == (30,)
    length = body[10]
    properties, rest = body[11 : 11 + length], body[11 + length :]
    assert b"\x11" + struct.pack(">I", 300) in properties  # session expiry
    assert b"\x21" + struct.pack(">H", 20) in properties  # receive maximum
    assert b"\x27" + struct.pack(">I", 128 * 1024) in properties  # maximum packet size
    assert len(properties) == 5 + 3 + 5
    assert rest[:7] == b"\x00\x05loc-1"
    will = rest[7:]
    assert will[:6] == bytes([5, 0x18]) + struct.pack(">I", 30)  # will delay
    assert will[6:].startswith(struct.pack(">H", len(LINK)) + LINK.encode() + b"\x00\x04gone")


async def test_nothing_waits_in_the_socket() -> None:
    listener = Remembering()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK)
        await reader.read()

    async with serving(talk) as port:
        link = await started(settings_for(port), listener)
        await listener.until(lambda: bool(listener.connections))
        sock = link._connection._client.socket()  # type: ignore[union-attr]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # type: ignore[union-attr]
        # An answer that never comes is an answer: the connection went.
        answer = asyncio.ensure_future(link.publish(UP, b"x", qos=1))
        await until(lambda: bool(link._answers))
        link._connection.abandon()  # type: ignore[union-attr]
        assert await asyncio.wait_for(answer, 60) == PublishResult(None)
        await link.stop()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "no answer"),
        (CONNACK, "no answer"),  # SUBACK missing
        (CONNACK + suback(b"\x00\x01", 0x87), "subscription refused: 0x87"),
        (CONNACK_REFUSED, "refused: 0x87"),
        (b"\xff\xff\xff\xff\xff\xff", "lost"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20, ""),
        (b"\x20\x03\x00\x00\xff", ""),
        (b"\x20\x01\x00", ""),
        (b"\x20\x00", ""),
        (CONNACK + b"\x32\x03\x00\xff\x00", ""),
        (CONNACK + b"\x90\x01\x00", ""),
        (CONNACK + b"\x90\x04\x00\x01\x00\x03", ""),
        (CONNACK + b"\xe0\x01\x8e", "closed by the broker: 0x8e"),
        (CONNACK + b"\xe0\x01\x03", ""),
    ],
)
async def test_a_server_that_is_none_costs_one_attempt(said: bytes, reason: str) -> None:
    attempts = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        await read_packet(reader)
        writer.write(said)
        await reader.read()

    # Who gets an answer waits for it, however slow this machine is just now.
    patience_s = 0.2 if reason in {"", "no answer"} else 20.0
    async with serving(talk) as port:
        listener = Remembering()
        link = await started(settings_for(port, "loc-1", DOWN_ALL, answer_timeout_s=patience_s), listener)
        await listener.until(lambda: len(listener.losses) >= 2)
        assert attempts >= 2
        assert not listener.connections
        assert listener.losses[0].startswith(reason), listener.losses
        await link.stop()


async def test_no_broker_at_all_is_no_exception() -> None:
    listener = Remembering()
    link = await started(settings_for(free_port()), listener)
    await listener.until(lambda: len(listener.losses) >= 3)
    assert listener.losses[0].startswith("unreachable")
    await link.stop()
    await link.closed()


@pytest.mark.rule("LKR-6")
async def test_a_kicking_broker_is_not_hammered() -> None:
    waits: list[int] = []

    class Counting(RealTime):
        async def sleep_until(self, mono_ms: int) -> None:
            waits.append(mono_ms - self.mono_ms())

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK)

    async with serving(talk) as port:
        listener = Remembering()
        link = Link(settings_for(port, delay_max_s=120), Counting(), lambda below: below - 1)
        await link.start(listener)
        await listener.until(lambda: len(listener.losses) >= 9)
        await link.stop()
    assert [round(wait / 1000) for wait in waits[:8]] == [2, 4, 8, 16, 32, 64, 120, 120]
