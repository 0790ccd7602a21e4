"""Where every item is, and how that is known."""

from dataclasses import dataclass

from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    ItemId,
    StaffId,
    StocktakeId,
)


@dataclass(frozen=True, slots=True)
class CompartmentReserved:
    deposit: DepositId
    door: CompartmentNumber
    kind: Kind
    case: CaseNumber
    authorisation: AuthorisationId
    item: ItemId


@dataclass(frozen=True, slots=True)
class DepositMoved:
    """Nothing lay in it yet and the door would not open: another compartment is set aside instead."""

    deposit: DepositId
    door: CompartmentNumber


@dataclass(frozen=True, slots=True)
class DepositCancelled:
    """``proof`` of its being empty; without SENSED the compartment is doubted in the same transaction."""

    deposit: DepositId
    proof: Proof


@dataclass(frozen=True, slots=True)
class SubmissionDeposited:
    deposit: DepositId
    door: CompartmentNumber
    sensed: Presence
    declared: int
    """Papers the applicant declares to be inside."""


@dataclass(frozen=True, slots=True)
class BagNoted:
    """The papers are in this numbered bag, by the label that was scanned. A later one takes its place."""

    deposit: DepositId
    bag: str


@dataclass(frozen=True, slots=True)
class ReceiptIssued:
    """``text`` is the canonical JSON that ``signature`` (Ed25519, hex) covers."""

    deposit: DepositId
    number: str
    text: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True)
class SubmissionExposed:
    deposit: DepositId


@dataclass(frozen=True, slots=True)
class SubmissionTakenBack:
    deposit: DepositId
    proof: Proof


@dataclass(frozen=True, slots=True)
class SubmissionTaken:
    """Intake by a helper. ``finding``: ``complete``, ``missing``, ``wrong`` or ``empty``. ``slip``: what it
    is handed over with, where it was taken out on a round."""

    deposit: DepositId
    staff: StaffId
    proof: Proof
    finding: str
    slip: str = ""


@dataclass(frozen=True, slots=True)
class ItemLoaded:
    deposit: DepositId
    item: ItemId
    staff: StaffId
    proof: Proof
    announced: bool
    """False: the label alone spoke for it; recalls could not be checked."""
    slip: str = ""
    """As of `SubmissionTaken`: here, the list of what was loaded on a round."""


@dataclass(frozen=True, slots=True)
class ItemPickedUp:
    deposit: DepositId
    proof: Proof
    code: CodeId = CodeId("")
    """Which code opened its door last; whose that is says its `PickupCodeMade`."""


@dataclass(frozen=True, slots=True)
class ItemRefused:
    deposit: DepositId
    reason: str


@dataclass(frozen=True, slots=True)
class ItemOverdue:
    deposit: DepositId


@dataclass(frozen=True, slots=True)
class ItemWithdrawn:
    """``slip``: as of `SubmissionTaken`."""

    deposit: DepositId
    staff: StaffId
    proof: Proof
    slip: str = ""


@dataclass(frozen=True, slots=True)
class CompartmentDoubted:
    door: CompartmentNumber
    reason: str


@dataclass(frozen=True, slots=True)
class CompartmentChecked:
    """Somebody looked. ``found``: of `stocktakes.Found`. ``second``: who looked with them, where something is
    known to lie in it, or was taken out."""

    door: CompartmentNumber
    found: str
    staff: StaffId
    second: StaffId = StaffId("")
    stocktake: StocktakeId = StocktakeId("")
    """Of which stocktake it was a look; empty for a single one."""


@dataclass(frozen=True, slots=True)
class StocktakeBegan:
    """``scope``: of `stocktakes.Scope`."""

    stocktake: StocktakeId
    scope: str
    staff: StaffId


@dataclass(frozen=True, slots=True)
class StocktakeEnded:
    """How many doors of each finding; ``left_count``: that nobody looked into."""

    stocktake: StocktakeId
    staff: StaffId
    empty_count: int
    expected_count: int
    missing_count: int
    unknown_item_count: int
    removed_count: int
    unsure_count: int
    left_count: int


@dataclass(frozen=True, slots=True)
class CompartmentFaulted:
    door: CompartmentNumber
    reason: str


@dataclass(frozen=True, slots=True)
class CompartmentBlocked:
    """Taken out of service by a person, who says why."""

    door: CompartmentNumber
    reason: str
    staff: StaffId


@dataclass(frozen=True, slots=True)
class CompartmentRestored:
    door: CompartmentNumber
    staff: StaffId
