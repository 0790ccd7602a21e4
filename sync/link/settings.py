"""How a link is configured, and what passes over it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

NO_SUBSCRIBERS: Final = 0x10
"""The broker took it, and nobody was there to hear it."""
_FAILURES_FROM: Final = 0x80


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Mutual TLS: whom we believe, and who we are."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Subscription:
    filter: str
    qos: int = 1


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """One end of the link. The defaults are a locker's; each has its reason in docs/wire.md."""

    host: str
    port: int
    client_id: str
    subscriptions: tuple[Subscription, ...]
    user: str = ""
    """Empty with TLS: there the certificate's name is the user."""
    password: str = field(default="", repr=False)
    tls: TlsFiles | None = None
    session_expiry_s: int = 300
    receive_maximum: int = 20
    """Messages under way to us that we have not acknowledged."""
    in_flight_max: int = 20
    """Messages under way from us that the broker has not acknowledged."""
    keepalive_s: int = 30
    packet_bytes_max: int = 128 * 1024
    will_delay_s: int = 30
    answer_timeout_s: float = 10.0
    """For TCP, TLS, CONNACK and SUBACK each."""
    last_words_timeout_s: float = 3.0
    first_delay_s: int = 30
    """Longest wait after the loss of a connection that had been good: a fleet must not come back at once."""
    delay_max_s: int = 120
    stable_after_s: int = 60
    waiting_max: int = 2_000
    """Messages that wait for the owner; beyond, those of QoS 0 are dropped and counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived. With QoS 1 it stays the broker's until `Link.acknowledge`."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    connection: int
    """Which connection brought it: an acknowledgement on another would hit another message."""


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What the broker said; never that anybody stored it."""

    reason_code: int | None
    """None: the connection went, or was not there, before the broker answered."""

    @property
    def taken(self) -> bool:
        return self.reason_code is not None and self.reason_code < _FAILURES_FROM

    @property
    def heard(self) -> bool:
        """Taken, and somebody was subscribed."""
        return self.taken and self.reason_code != NO_SUBSCRIBERS


@dataclass(frozen=True, slots=True)
class Words:
    """A message for the broker to keep: a will, or the last thing said before an orderly end."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


class Waiter(Protocol):
    """The part of a clock that a link needs (`locker.operations.ports.Clock` fits)."""

    def mono_ms(self) -> int: ...

    async def sleep_until(self, mono_ms: int) -> None: ...


class Listener(Protocol):
    """Whoever owns a link. All calls come on the event loop, one at a time, in order.

    What a call raises ends the link; `Link.closed` raises it again.
    """

    def will(self) -> Words | None:
        """What the broker shall say when we vanish; asked for each connection anew."""
        ...

    def on_connected(self, *, session_present: bool) -> None:
        """Connected, and every subscription granted. Messages may have come before."""
        ...

    def on_message(self, message: Message) -> None: ...

    def on_disconnected(self, reason: str) -> None:
        """The connection ended, or an attempt failed. Nothing published before it is known to be taken."""
        ...


Draw = Callable[[int], int]
"""A number in ``0..below-1``, unpredictable."""


class LinkPort(Protocol):
    """What owners need of a link; `sync.link.link.Link` fits."""

    @property
    def connected(self) -> bool: ...

    async def start(self, listener: Listener) -> None: ...

    async def stop(self, last_words: Words | None = None) -> None: ...

    async def closed(self) -> None: ...

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult: ...

    def acknowledge(self, message: Message) -> None: ...
