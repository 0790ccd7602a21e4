"""What a locker says of itself at the start of an epoch that follows another, and what the centre answers.

The first are reports: they change nothing here, the centre joins them to what it has. The last are state
entries of the down-log: the centre's longer memory, joined to ours.
"""

from dataclasses import dataclass

from locker.domain.deposit import Kind, Phase
from locker.domain.door import Position, Presence
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    EntrustmentId,
    Epoch,
    ItemId,
    StaffId,
)


@dataclass(frozen=True, slots=True)
class DoorReported:
    """What this journal makes of one compartment."""

    door: CompartmentNumber
    deposit: DepositId
    doubt: str
    fault: str
    blocked: str
    position: Position
    item: Presence


@dataclass(frozen=True, slots=True)
class DepositReported:
    """A deposit that this journal knows, also one that has ended."""

    deposit: DepositId
    kind: Kind
    door: CompartmentNumber
    case: CaseNumber
    authorisation: AuthorisationId
    item: ItemId
    phase: Phase
    since_ms: int
    receipt: str


@dataclass(frozen=True, slots=True)
class CodeReported:
    """A pickup code that this journal knows; its digests, so that the centre can say them again."""

    code: CodeId
    deposit: DepositId
    locator: str
    typed_digest: str
    scan_digest: str
    ended: str
    entrustment: EntrustmentId = EntrustmentId("")


@dataclass(frozen=True, slots=True)
class HistoryReported:
    """The report is complete: so many of each."""

    door_count: int
    deposit_count: int
    code_count: int


@dataclass(frozen=True, slots=True)
class DepositRestored:
    """A deposit as the centre knows it."""

    deposit: DepositId
    kind: Kind
    door: CompartmentNumber
    case: CaseNumber
    authorisation: AuthorisationId
    item: ItemId
    phase: Phase
    since_ms: int
    receipt: str


@dataclass(frozen=True, slots=True)
class CodeRestored:
    """A pickup code as the centre knows it."""

    code: CodeId
    deposit: DepositId
    locator: str
    typed_digest: str
    scan_digest: str
    ended: str
    entrustment: EntrustmentId = EntrustmentId("")


@dataclass(frozen=True, slots=True)
class HistoryRestored:
    """The centre has said all it knows of this locker, to the one whose journal is ``epoch``."""

    epoch: Epoch


@dataclass(frozen=True, slots=True)
class HistoryVouched:
    """Two staff on site have looked behind every door: doors open again without the centre's memory."""

    epoch: Epoch
    staff: StaffId
    second: StaffId


@dataclass(frozen=True, slots=True)
class HistoryConfirmed:
    """Staff have confirmed that the card with ``epoch`` is the true one."""

    epoch: Epoch
    by: str
