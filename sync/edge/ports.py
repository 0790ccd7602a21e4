"""What the edge needs of the locker it belongs to: Protocols, and one voice towards the broker."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from locker.domain.acts import ActOrder
from locker.domain.directives import Directive
from locker.domain.ids import Epoch
from locker.domain.state import LockerState
from locker.operations.acts import Taken
from sync import seal, wire
from sync.link.settings import PublishResult, Words

KINDS_MAX: Final = 60


class Row(Protocol):
    """A journal entry as stored."""

    @property
    def seq(self) -> int: ...

    @property
    def public(self) -> str: ...

    @property
    def personal(self) -> str: ...

    @property
    def salt(self) -> bytes: ...

    @property
    def personal_digest(self) -> bytes: ...

    @property
    def hash(self) -> bytes: ...


class JournalReader(Protocol):
    """Blocking; called in the executor only."""

    def entries(self, after: int, limit: int, max_bytes: int) -> Sequence[Row]:
        """At least one entry where there is one after ``after``. Raises LookupError where that is purged."""
        ...

    def hash_at(self, seq: int) -> bytes:
        """Raises LookupError for an entry that is purged, or not there yet."""
        ...

    def oldest(self) -> int: ...


class JournalPort(Protocol):
    """The open journal, on the event loop."""

    @property
    def state(self) -> LockerState: ...

    @property
    def head(self) -> bytes:
        """The hash of entry ``state.seq``."""
        ...

    @property
    def boot(self) -> int: ...

    @property
    def failing(self) -> bool:
        """Whether nothing can be written any more."""
        ...

    def subscribe(self, callback: Callable[[LockerState, tuple[object, ...]], None]) -> Callable[[], None]:
        """See `locker.journal.journal.Journal.subscribe`: no entries means that it fails."""
        ...


class Broker(Protocol):
    """The part of `sync.link.link.Link` through which the edge speaks."""

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult: ...


class Take(Protocol):
    """Obey one order of the centre, or write down why not. ``arrived_ms`` is monotonic."""

    async def __call__(self, order: ActOrder, arrived_ms: int, *, doubted: bool) -> Taken: ...


Apply = Callable[[Directive, Epoch, str], Awaitable[object]]
"""Make one directive durable, with the moved cursor (epoch, hash in hex), idempotently."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks, in whose name it is signed, and whom we believe."""

    locker: str
    key: seal.SigningKey
    centre_keys: dict[bytes, bytes]
    """Public keys by id, as `seal.keyring` makes them: those that the locker was provisioned with."""
    software: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Says payloads as this locker: encoded, signed, on their topic, delivered as the contract says."""

    identity: Identity
    broker: Broker

    async def say(self, name: wire.Name, payload: wire.Payload) -> PublishResult:
        address = wire.up(self.identity.locker, name)
        how = address.delivery
        return await self.broker.publish(
            address.topic, self.framed(payload), qos=how.qos, retain=how.retain, expiry_s=how.expiry_s
        )

    def words(self, payload: wire.Link) -> Words:
        """For a will, or the last words."""
        return Words(wire.up(self.identity.locker, wire.Name.LINK).topic, self.framed(payload))

    def framed(self, payload: wire.Payload) -> bytes:
        return seal.frame(self.identity.key, wire.encode(payload))


class Tally:
    """What did not count, counted: never a reason to stop."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        """Frames that did not fit, by kind."""
        self.repeated: Counter[str] = Counter()
        """Frames that said what was known, by kind."""

    def drop(self, kind: str) -> None:
        # A heartbeat carries the kinds: there must not be ever more of them.
        self.dropped[kind if kind in self.dropped or len(self.dropped) < KINDS_MAX else "other"] += 1

    def repeat(self, kind: str) -> None:
        self.repeated[kind] += 1
