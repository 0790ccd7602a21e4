"""What the locker says of itself."""

from dataclasses import dataclass

from locker.domain.acceptance import Verdict
from locker.domain.compartment import CompartmentSpec
from locker.domain.ids import (
    AuthorisationId,
    BoardId,
    CodeId,
    CompartmentNumber,
    DepositId,
    Epoch,
    ItemId,
    LockerId,
    Seq,
    StaffId,
)


@dataclass(frozen=True, slots=True)
class EpochStarted:
    """First entry of a journal. ``parent_*`` name the history it follows, ``why`` is a `history.Break`."""

    epoch: Epoch
    locker: LockerId
    parent_epoch: str = ""
    parent_head: int = 0
    parent_hash: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Booted:
    software: str
    boot: int


@dataclass(frozen=True, slots=True)
class Stopped:
    reason: str


@dataclass(frozen=True, slots=True)
class ClockStepped:
    delta_ms: int
    quality: str


@dataclass(frozen=True, slots=True)
class CompartmentsConfigured:
    """The cabinet as the configuration describes it; replaces what was known of its form."""

    compartments: tuple[CompartmentSpec, ...]


@dataclass(frozen=True, slots=True)
class HeadSigned:
    seq: Seq
    hash: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class Anchored:
    """Rows up to ``seq`` may be purged: their outcome is this state."""

    seq: Seq
    hash: str
    state_hash: str
    fold_version: int


@dataclass(frozen=True, slots=True)
class RecordsForgotten:
    """Ended records that no right depends on any more leave the state."""

    deposits: tuple[DepositId, ...]
    codes: tuple[CodeId, ...]
    authorisations: tuple[AuthorisationId, ...]
    items: tuple[ItemId, ...]


@dataclass(frozen=True, slots=True)
class NamesPurged:
    """The personal parts of these entries are gone from the file, some time after what they were for.
    ``past``: an earlier epoch that was rid of all of its own; empty, where none was."""

    seqs: tuple[Seq, ...]
    past: str = ""


@dataclass(frozen=True, slots=True)
class BoardWentSilent:
    board: BoardId
    doors: tuple[CompartmentNumber, ...]


@dataclass(frozen=True, slots=True)
class BoardAnswered:
    board: BoardId


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A machine's trouble, or a person's, that somebody must look after."""

    kind: str
    door: CompartmentNumber
    deposit: DepositId


@dataclass(frozen=True, slots=True)
class SelfTestBegan:
    """Of these doors; the openings that follow name the same ``staff``."""

    staff: StaffId
    doors: tuple[CompartmentNumber, ...]


@dataclass(frozen=True, slots=True)
class SelfTestEnded:
    """One that began and has no end was cut off together with the daemon."""

    verdict: Verdict
    passed: tuple[CompartmentNumber, ...]
    failed: tuple[CompartmentNumber, ...]
    skipped: tuple[CompartmentNumber, ...]
