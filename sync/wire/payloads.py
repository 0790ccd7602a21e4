"""The payloads of the wire: what is said, and what each field may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

from locker.domain import chain
from sync.wire.fields import at_most, between, matching
from sync.wire.topics import LOCKER_PATTERN, Name, Way

BATCH_ENTRIES_MAX: Final = 100
BATCH_BYTES_MAX: Final = 64 * 1024
"""Of the entries' own texts, public and personal, in UTF-8."""
SEQ_MAX: Final = 2**63 - 1
DOORS_MAX: Final = 1000
APPROVERS_MAX: Final = 8
ACT_TTL_MS: Final = 120_000
"""An act is good for so long after its second approval; a locker may hold it to less."""
JOURNAL_FAILING: Final = "journal_failing"
"""The ``reason`` of a birth whose locker can record nothing any more, and so opens no door."""

Natural = Annotated[int, between(0, SEQ_MAX)]
Whole = Annotated[int, between(-SEQ_MAX, SEQ_MAX)]
"""Wall time in milliseconds may be before 1970 on a broken clock: no row is refused for its time."""
FromOne = Annotated[int, between(1, SEQ_MAX)]
Percent = Annotated[int, between(0, 100)]
Window = Annotated[int, between(0, 64)]
Digest = Annotated[str, matching("[0-9a-f]{64}")]
LogEpoch = Annotated[str, matching("[0-9a-f]{32}")]
LogEpochOrNone = Annotated[str, matching("([0-9a-f]{32})?")]
Nonce = Annotated[str, matching("[0-9a-f]{32}")]
NonceOrNone = Annotated[str, matching("([0-9a-f]{32})?")]
Command = Annotated[str, matching("[a-z2-7]{16}")]
LockerName = Annotated[str, matching(LOCKER_PATTERN.pattern)]
Salt = Annotated[str, matching("[0-9a-f]{2,128}")]
Word = Annotated[str, at_most(64)]
Text = Annotated[str, at_most(256)]
EntryText = Annotated[str, at_most(BATCH_BYTES_MAX)]
Counts = Annotated[Mapping[str, int], at_most(64)]

ZERO: Final = chain.START.hex()
"""The hash before the first entry of any log."""


@dataclass(frozen=True, slots=True)
class Link:
    """up/link: the birth of a connection, its orderly end, or its will.

    The centre answers every birth with a hello.
    """

    locker: LockerName
    online: bool
    epoch: LogEpoch
    boot: Natural
    conn: FromOne
    """Connections of this boot, counted."""
    head: Natural
    oldest: Natural
    """The first entry that is still kept; 0 in an empty journal."""
    head_hash: Digest
    dn_epoch: LogEpochOrNone
    dn_applied: Natural
    dn_hash: Digest
    nonce: NonceOrNone
    """To be repeated by the hello; empty where no hello is awaited."""
    sw: Word
    reason: Text


@dataclass(frozen=True, slots=True)
class Kept:
    """The personal part of an entry, with the salt of its digest."""

    salt: Salt
    text: EntryText


@dataclass(frozen=True, slots=True)
class Purged:
    """What is left of a personal part: its salted digest."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class UpBatch:
    """up/log: consecutive journal entries exactly as stored."""

    locker: LockerName
    epoch: LogEpoch
    from_seq: FromOne
    to_seq: FromOne
    prev: Digest
    entries: Annotated[tuple[EntryText, ...], at_most(BATCH_ENTRIES_MAX)]
    personal: Annotated[tuple[Kept | Purged | None, ...], at_most(BATCH_ENTRIES_MAX)]
    """One for each entry; None where there never was a personal part."""
    hash: Digest


@dataclass(frozen=True, slots=True)
class DownBatch:
    """dn/log: consecutive state entries of the centre for one locker (`locker.domain.directives`)."""

    locker: LockerName
    dn_epoch: LogEpoch
    from_seq: FromOne
    to_seq: FromOne
    prev: Digest
    entries: Annotated[tuple[EntryText, ...], at_most(BATCH_ENTRIES_MAX)]
    hash: Digest


@dataclass(frozen=True, slots=True)
class DoorState:
    number: FromOne
    size: Annotated[int, between(1, 9)]
    status: Word
    position: Word
    item: Word


@dataclass(frozen=True, slots=True)
class State:
    """up/state: what staff want to see at a glance; the journal stays the truth."""

    locker: LockerName
    epoch: LogEpoch
    as_of_seq: Natural
    doors: Annotated[tuple[DoorState, ...], at_most(DOORS_MAX)]
    silent_boards: Annotated[tuple[Word, ...], at_most(DOORS_MAX)]
    time: Whole
    tq: Word
    disk_used_percent: Percent
    sw: Word


@dataclass(frozen=True, slots=True)
class UpAck:
    """up/ack: state entries up to ``stored_to`` are applied and durable at the locker."""

    locker: LockerName
    dn_epoch: LogEpochOrNone
    stored_to: Natural


@dataclass(frozen=True, slots=True)
class Tele:
    """up/tele: the heartbeat, and what is only worth counting."""

    locker: LockerName
    epoch: LogEpoch
    boot: Natural
    conn: FromOne
    mono: Natural
    time: Whole
    tq: Word
    head: Natural
    stored_to: Natural
    disk_used_percent: Percent
    dropped: Counts
    """Frames that did not fit the contract, by kind."""
    repeated: Natural
    """Frames that said what was known."""


@dataclass(frozen=True, slots=True)
class Hello:
    """dn/hello: the centre's answer to one birth."""

    locker: LockerName
    nonce: Nonce
    now: Whole
    up_epoch: LogEpoch
    stored_to: Natural
    hash: Digest
    """Of the entry ``stored_to`` as the centre holds it."""
    dn_epoch: LogEpoch
    dn_head: Natural
    window: Window
    """Batches that may be under way beyond ``stored_to``; 0: wait for another hello."""


@dataclass(frozen=True, slots=True)
class DownAck:
    """dn/ack: entries up to ``stored_to`` are durable at the centre."""

    locker: LockerName
    up_epoch: LogEpoch
    stored_to: Natural
    hash: Digest
    gap: bool
    """The centre received something that does not follow ``stored_to``: go back."""
    window: Window
    now: Whole


@dataclass(frozen=True, slots=True)
class Act:
    """dn/act: one thing to be done now, once, that two people approved."""

    locker: LockerName
    aseq: FromOne
    """Higher than that of any act before; numbers may be left out."""
    cmd_id: Command
    act: Word
    """``open`` or ``self_test``; another word is refused."""
    door: Natural
    """0 where it is about none."""
    reason: Text
    approvers: Annotated[tuple[Word, ...], at_most(APPROVERS_MAX)]
    nonce: Nonce
    """What the approvers agreed to, together with locker, door and reason."""
    agreed: Whole
    """When the second one did: ``ttl`` counts from there."""
    ttl: Annotated[int, between(1, ACT_TTL_MS)]


@dataclass(frozen=True, slots=True)
class CentreKey:
    """dn/keys: one key of the centre, by whose frame this is, names the key that follows it. To everybody."""

    public: Digest


@dataclass(frozen=True, slots=True)
class CentralLink:
    """_central/link: whether the centre listens."""

    online: bool
    instance: Word
    started_at: Whole


Payload = Link | UpBatch | DownBatch | State | UpAck | Tele | Hello | DownAck | Act | CentreKey | CentralLink
KINDS: Final[Mapping[type[Any], str]] = MappingProxyType(
    {
        Link: "link",
        UpBatch: "up_log",
        DownBatch: "dn_log",
        State: "state",
        UpAck: "up_ack",
        Tele: "tele",
        Hello: "hello",
        DownAck: "dn_ack",
        Act: "act",
        CentreKey: "centre_key",
        CentralLink: "central_link",
    }
)
PAYLOADS: Final[Mapping[tuple[Way, Name], type[Any]]] = MappingProxyType(
    {
        (Way.UP, Name.LINK): Link,
        (Way.UP, Name.LOG): UpBatch,
        (Way.UP, Name.STATE): State,
        (Way.UP, Name.ACK): UpAck,
        (Way.UP, Name.TELE): Tele,
        (Way.DOWN, Name.HELLO): Hello,
        (Way.DOWN, Name.LOG): DownBatch,
        (Way.DOWN, Name.ACK): DownAck,
        (Way.DOWN, Name.ACT): Act,
        (Way.DOWN, Name.KEYS): CentreKey,
    }
)
"""What is said where."""
