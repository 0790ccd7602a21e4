"""Real MQTT 5 connections, hundreds on one event loop: paho does the packets, asyncio tells when.

The only user of paho-mqtt here. Each connection has a fresh client, thrown away with it: what paho keeps of
an earlier one is not repeated [LKR-4].
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hw_sim.fleet.words import PACKET_BYTES_MAX, UP, filters, topic_up

KEEPALIVE_S: Final = 30
SILENCE_S: Final = 1.5 * KEEPALIVE_S
SESSION_EXPIRY_S: Final = 300
RECEIVE_MAXIMUM: Final = 20
WILL_DELAY_S: Final = 30
ANSWER_S: Final = 10.0
"""For CONNACK and SUBACK together."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, and who we are there: the name is user name and client id."""

    host: str
    port: int
    name: str
    password: str = field(repr=False)


class Owner(Protocol):
    def ready(self) -> None: ...

    def lost(self, reason: str) -> None: ...

    def hear(self, topic: str, frame: bytes, *, retained: bool) -> None: ...

    def answered(self, kind: str, code: int) -> None: ...


class Connections:
    """One locker's way to the broker, one connection after the other (`hw_sim.fleet.locker.Line`)."""

    def __init__(self, broker: Broker, dialling: Executor, now_s: Callable[[], float]) -> None:
        """``dialling``: where a TCP connect may block."""
        self._broker = broker
        self._dialling = dialling
        self._now_s = now_s
        self._loop = asyncio.get_running_loop()
        self._client: paho.Client | None = None
        self._socket: Any = None
        self._kinds: dict[int, str] = {}
        self._began_s = self._heard_s = 0.0
        self._ready = False
        self.owner: Owner | None = None

    # --- what the locker asks ------------------------------------------------------------------------------

    def dial(self, will: bytes) -> None:
        self._client = client = self._new_client(will)
        self._ready = False
        self._kinds.clear()
        dialled = self._loop.run_in_executor(self._dialling, client.reconnect)
        dialled.add_done_callback(lambda done: self._dialled(client, done))

    def publish(self, kind: str, frame: bytes) -> None:
        """Gone with the connection where there is one that fails; nothing rests on it."""
        if self._client is None:
            return
        how = UP[kind][1]
        properties = _properties(PacketTypes.PUBLISH)
        if how.expiry_s is not None:
            properties.MessageExpiryInterval = how.expiry_s
        topic = topic_up(self._broker.name, kind)
        info = self._client.publish(topic, frame, how.qos, how.retain, properties)
        if how.qos:
            self._kinds[info.mid] = kind

    # --- what the fleet does to it -------------------------------------------------------------------------

    def cut(self, reason: str = "cut") -> None:
        """As a torn wire: no DISCONNECT, so that the broker says the will when its time comes."""
        if self._client is not None:
            self._end(reason)

    def farewell(self) -> None:
        """DISCONNECT, behind what is still to be written."""
        if self._client is not None and self._ready:
            self._client.disconnect()

    @property
    def quiet(self) -> bool:
        """Whether every word had its PUBACK."""
        return not self._kinds

    def look(self) -> None:
        """Every second or so: pings, and whether the other end still answers."""
        client, now_s = self._client, self._now_s()
        if client is None or self._socket is None:
            return
        if not self._ready and now_s - self._began_s > ANSWER_S:
            self._end("no answer")
        elif now_s - self._heard_s > SILENCE_S:  # [LKR-7]
            self._end("silent")
        else:
            self._check(client, client.loop_misc())

    # --- the loop ------------------------------------------------------------------------------------------

    def _dialled(self, client: paho.Client, done: "asyncio.Future[MQTTErrorCode]") -> None:
        if client is not self._client:  # cut meanwhile
            sock = client.socket()
            if sock is not None:
                sock.close()
            return
        error = done.exception()
        if error is not None:
            if not isinstance(error, OSError):
                raise error
            self._end("unreachable")
            return
        sock = client.socket()
        if sock is None:
            self._end("lost")
            return
        self._socket = sock
        self._began_s = self._heard_s = self._now_s()
        self._loop.add_reader(sock, self._readable, client)
        self._want_write()

    def _readable(self, client: paho.Client) -> None:
        self._heard_s = self._now_s()
        self._check(client, client.loop_read())

    def _writable(self, client: paho.Client) -> None:
        self._check(client, client.loop_write())
        if self._socket is not None and not client.want_write():
            self._loop.remove_writer(self._socket)

    def _want_write(self) -> None:
        client = self._client
        if client is not None and self._socket is not None and client.want_write():
            self._loop.add_writer(self._socket, self._writable, client)

    def _check(self, client: paho.Client, rc: MQTTErrorCode) -> None:
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS and client is self._client:
            self._end("lost")

    def _end(self, reason: str) -> None:
        client, self._client = self._client, None
        self._kinds.clear()
        if self._socket is not None:
            sock = self._socket
            self._let_go()
            sock.close()
        if client is not None and self.owner is not None:
            self.owner.lost(reason)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = None

    # --- the client ----------------------------------------------------------------------------------------

    def _new_client(self, will: bytes) -> paho.Client:
        broker = self._broker
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            broker.name,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(broker.name, broker.password)
        client.max_inflight_messages = RECEIVE_MAXIMUM
        client.connect_timeout = ANSWER_S
        said = _properties(PacketTypes.WILLMESSAGE)
        said.WillDelayInterval = WILL_DELAY_S
        client.will_set(topic_up(broker.name, "link"), will, 1, True, said)
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.connect_async(broker.host, broker.port, KEEPALIVE_S, clean_start=False, properties=_session())
        return client

    def _on_register_write(self, client: paho.Client, _u: Any, _sock: Any) -> None:
        # While it dials this comes in another thread, and `_dialled` looks itself.
        if client is self._client and self._socket is not None:
            self._loop.add_writer(self._socket, self._writable, client)

    def _on_socket_open(self, _client: paho.Client, _u: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_socket_close(self, client: paho.Client, _u: Any, _sock: Any) -> None:
        # Before paho closes it: a number given to another socket must not have our reader.
        if client is self._client:
            self._let_go()

    def _on_connect(
        self,
        client: paho.Client,
        _u: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _p: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._loop.call_soon(self.cut, f"refused: {reason}")
            return
        client.subscribe([(name, SubscribeOptions(qos=1)) for name in filters(self._broker.name)])

    def _on_subscribe(
        self, client: paho.Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Properties
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._loop.call_soon(self.cut, "subscription refused")
        elif client is self._client and self.owner is not None:
            self._ready = True
            self.owner.ready()

    def _on_message(self, client: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        if client is self._client and self.owner is not None:
            self.owner.hear(message.topic, bytes(message.payload), retained=message.retain)

    def _on_publish(self, client: paho.Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties) -> None:
        kind = self._kinds.pop(mid, "")
        if kind and client is self._client and self.owner is not None:
            self.owner.answered(kind, reason.value)


def _session() -> Properties:
    properties = _properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = PACKET_BYTES_MAX
    return properties


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves this constructor untyped
