"""One connection to the broker, from CONNECT to its end. The only import of the MQTT client.

What paho-mqtt 2 does that would hurt, and what is done about it here:

- its own reconnecting repeats what `publish` kept in memory, in its own time: each connection has a fresh
  client, thrown away with it, and whoever published is told that the answer never came;
- `publish` from another thread may write to the socket in that thread: a register-write callback keeps all
  reading and writing in ours;
- an exception in a callback, or in the decoding of a garbled packet, would end its thread while
  `is_connected` stays true: the loop is ours, what a garbled packet raises ends the connection, all else
  goes to the owner;
- it resets "last byte received" when it *sends* a ping: we keep our own time of the last byte;
- there is no time-out for CONNACK and SUBACK: ours;
- clean start and session expiry have surprising defaults: always passed;
- it does not set TCP_NODELAY, nor heed the broker's receive maximum: set here; a lower maximum is refused;
- where a TLS handshake fails it leaves the socket open: closed here;
- a message acknowledged on a later connection would hit another message: `Message.connection`.
"""

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt import MQTTException
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from sync.link.settings import LinkSettings, Message, TlsFiles, Words

_GARBLED: Final = (
    MQTTException,
    struct.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
)
"""What its decoders raise for packets that are none."""
_SILENCE_FACTOR: Final = 1.5
_STEP_MAX_S: Final = 1.0
_GONE: Final = select.POLLERR | select.POLLHUP | select.POLLNVAL


@dataclass(frozen=True, slots=True)
class Ready:
    """Connected and subscribed."""

    session_present: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The broker's PUBACK, or for QoS 0 the last byte written."""

    mid: int
    reason_code: int


News = Ready | Answered | Message


class Connection:
    """`converse` blocks one thread; everything else may be called from the event loop."""

    def __init__(
        self, number: int, settings: LinkSettings, will: Words | None, tell: Callable[[News], None]
    ) -> None:
        """``tell`` is called in the conversing thread."""
        self._number = number
        self._settings = settings
        self._tell = tell
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._ended = ""
        self._closing_since: float | None = None
        self._abandoned = False
        self._ready = False
        self._session_present = False
        self._heard = self._began = 0.0
        self._tls: _TlsContext | None = None
        self._client = self._new_client(will)

    # --- from the event loop -------------------------------------------------------------------------------

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool, expiry_s: int | None
    ) -> int | None:
        """The message's number in coming `Answered` news; None where it was not even queued."""
        properties = _properties(PacketTypes.PUBLISH)
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos, retain, properties)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def acknowledge(self, message: Message) -> None:
        """PUBACK it, unless it came by another connection: then it comes again."""
        if message.qos > 0 and message.connection == self._number:
            self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """End it in order: the broker drops our will."""
        self._closing_since = time.monotonic()
        self._wake()

    def abandon(self) -> None:
        """End it as a crash would: the broker says our will."""
        self._abandoned = True
        self._wake()

    # --- in the thread -------------------------------------------------------------------------------------

    def converse(self) -> str:
        """Connect, and stay connected for as long as it goes; why it ended."""
        try:
            return self._converse()
        finally:
            self._drop()
            self._wake_read.close()
            self._wake_write.close()

    def _converse(self) -> str:
        client = self._client
        try:
            client.reconnect()
        except OSError as error:
            return f"unreachable: {error}"
        self._heard = self._began = time.monotonic()
        try:
            while not self._ended:
                self._step(client)
        except _GARBLED as error:
            return f"garbled: {error!r}"
        return self._ended

    def _step(self, client: mqtt.Client) -> None:
        if self._abandoned:
            self._end("abandoned")
            return
        if self._closing_since is not None:
            self._say_goodbye(client, self._closing_since)
        sock = client.socket()
        if sock is None:
            self._end("lost")
            return
        wants_write = client.want_write()
        readable, writable = self._wait(sock, wants_write=wants_write)
        if readable:
            self._check(client.loop_read())
            self._heard = time.monotonic()
        if writable or (wants_write and client.want_write()):
            self._check(client.loop_write())
        self._check(client.loop_misc())
        self._watch(time.monotonic())

    def _wait(self, sock: Any, *, wants_write: bool) -> tuple[bool, bool]:
        """Until the socket can be read or written, somebody wakes us, or a moment has passed."""
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True, wants_write
        poll = select.poll()
        poll.register(sock, select.POLLIN | (select.POLLOUT if wants_write else 0))
        poll.register(self._wake_read, select.POLLIN)
        step_s = min(_STEP_MAX_S, self._client.keepalive / 4)
        events = dict(poll.poll(step_s * 1000))
        if self._wake_read.fileno() in events:
            self._wake_read.recv(4096)
        mask = events.get(sock.fileno(), 0)
        return bool(mask & (select.POLLIN | _GONE)), bool(mask & select.POLLOUT)

    def _say_goodbye(self, client: mqtt.Client, since: float) -> None:
        if not self._ready or time.monotonic() - since > self._settings.last_words_timeout_s:
            self._end("stopped")
        elif client.is_connected():
            client.disconnect()

    def _watch(self, now: float) -> None:
        if not self._ready and now - self._began > self._settings.answer_timeout_s:
            self._end("no answer")
        elif now - self._heard > self._client.keepalive * _SILENCE_FACTOR:
            self._end("silent")

    def _check(self, rc: MQTTErrorCode) -> None:
        if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._end(f"lost: {rc.name}")

    def _end(self, reason: str) -> None:
        """The first reason stands: what follows only follows from it."""
        self._ended = self._ended or reason

    def _drop(self) -> None:
        for sock in (self._client.socket(), None if self._tls is None else self._tls.latest):
            if sock is not None:
                sock.close()

    def _wake(self) -> None:
        try:
            self._wake_write.send(b"\0")
        except OSError:
            # Full: it is awake already. Closed: there is nobody left to wake.
            return

    # --- the client ----------------------------------------------------------------------------------------

    def _new_client(self, will: Words | None) -> mqtt.Client:
        settings = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = settings.answer_timeout_s
        client.max_inflight_messages = settings.in_flight_max
        if settings.user:
            client.username_pw_set(settings.user, settings.password)
        if settings.tls is not None:
            self._tls = _tls_context(settings.tls)
            client.tls_set_context(self._tls)
        if will is not None:
            properties = _properties(PacketTypes.WILLMESSAGE)
            properties.WillDelayInterval = settings.will_delay_s
            client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        client.on_socket_open = self._on_socket_open
        client.on_socket_register_write = lambda *_: self._wake()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.connect_async(
            settings.host,
            settings.port,
            settings.keepalive_s,
            clean_start=False,
            properties=_connect_properties(settings),
        )
        return client

    def _on_socket_open(self, _client: mqtt.Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(
        self,
        client: mqtt.Client,
        _u: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._end(f"refused: {reason.value:#04x} {reason}")
            return
        allowed = getattr(properties, "ReceiveMaximum", self._settings.in_flight_max)
        if allowed < self._settings.in_flight_max:
            self._end(f"refused: the broker allows {allowed} messages under way, in_flight_max is more")
            return
        self._session_present = flags.session_present
        # Always, also into a session that is said to be present: a restored broker may not know our filters.
        filters = [(s.filter, SubscribeOptions(qos=s.qos)) for s in self._settings.subscriptions]
        if filters:
            client.subscribe(filters)
        else:
            self._set_ready()

    def _on_subscribe(
        self, _client: mqtt.Client, _u: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._end(f"subscription refused: {refused[0].value:#04x} {refused[0]}")
        else:
            self._set_ready()

    def _set_ready(self) -> None:
        self._ready = True
        self._tell(Ready(self._session_present))

    def _on_message(self, client: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            # No broker may pass it on; taken and forgotten, lest it come again for ever.
            client.ack(message.mid, message.qos)
            return
        payload = bytes(message.payload)
        self._tell(Message(topic, payload, message.qos, message.retain, message.mid, self._number))

    def _on_publish(
        self, _client: mqtt.Client, _u: Any, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        self._tell(Answered(mid, reason.value))

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _u: Any,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _p: Properties | None,
    ) -> None:
        if self._closing_since is not None:
            self._end("stopped")
        elif flags.is_disconnect_packet_from_server:
            self._end(f"closed by the broker: {reason.value:#04x} {reason}")
        else:
            self._end(f"lost: {reason}")


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves this constructor untyped


def _connect_properties(settings: LinkSettings) -> Properties:
    properties = _properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = settings.session_expiry_s
    properties.ReceiveMaximum = settings.receive_maximum
    properties.MaximumPacketSize = settings.packet_bytes_max
    return properties


class _TlsContext(ssl.SSLContext):
    """Remembers the socket it made: paho forgets to close it where the handshake fails."""

    latest: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        self.latest = super().wrap_socket(*args, **kwargs)
        return self.latest


def _tls_context(files: TlsFiles) -> _TlsContext:
    """TLS 1.3 and a certificate each way. Raises OSError for files that cannot be used."""
    context = _TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(files.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(str(files.certificate), str(files.key))
    return context
