"""What became of the centre's orders. Whatever is journaled of one moves the highest number taken."""

from dataclasses import dataclass

from locker.domain.acts import ActKind
from locker.domain.encoding import personal
from locker.domain.ids import ActId, CompartmentNumber, DepositId, GrantId


@dataclass(frozen=True, slots=True)
class ActAccepted:
    """Durable before anything moves. ``deposit``: what lies behind the door, empty where nothing does."""

    act: ActId
    aseq: int
    kind: ActKind
    door: CompartmentNumber
    grant: GrantId
    deposit: DepositId
    approvers: tuple[str, ...]
    nonce: str
    agreed_ms: int
    reason: str = personal()
    """Free text: it may name a person."""


@dataclass(frozen=True, slots=True)
class ActRefused:
    """``why``: of `acts.Why`, or of `errors.Reason` for what any opening may meet."""

    act: ActId
    aseq: int
    kind: str
    door: CompartmentNumber
    why: str


@dataclass(frozen=True, slots=True)
class ActExpired:
    """It came too late after the second approval, or waited too long here."""

    act: ActId
    aseq: int
    kind: str
    door: CompartmentNumber


@dataclass(frozen=True, slots=True)
class ActDone:
    """The door was seen to open; the self-test passed."""

    act: ActId
    door: CompartmentNumber
    deposit: DepositId


@dataclass(frozen=True, slots=True)
class ActFailed:
    """``why``: the phase in which the opening ended, or the self-test's verdict."""

    act: ActId
    door: CompartmentNumber
    deposit: DepositId
    why: str


@dataclass(frozen=True, slots=True)
class ActUnknown:
    """The daemon ended between acceptance and outcome; it is never tried again."""

    act: ActId
    door: CompartmentNumber
    deposit: DepositId
