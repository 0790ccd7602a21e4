"""What the centre said: the state entries of the down-log, as they were applied."""

from dataclasses import dataclass

from locker.domain.compartment import Size
from locker.domain.encoding import personal
from locker.domain.ids import (
    AuthorisationId,
    BookingId,
    CaseNumber,
    CompartmentNumber,
    Epoch,
    ItemId,
    Seq,
    StaffId,
)
from locker.domain.policy import Unfit
from locker.domain.settings import Setting


@dataclass(frozen=True, slots=True)
class AuthorisationGranted:
    """Pre-review passed: this case may be handed in here."""

    authorisation: AuthorisationId
    case: CaseNumber
    service_item: str
    papers: tuple[str, ...]
    deferred: tuple[str, ...]
    size: Size
    valid_from_ms: int
    valid_until_ms: int
    locator: str
    typed_digest: str
    phone4_digest: str
    name: str = personal()
    """Masked, as the screen shows it."""
    phone: str = personal()
    """Masked."""


@dataclass(frozen=True, slots=True)
class AuthorisationRevoked:
    authorisation: AuthorisationId
    reason: str


@dataclass(frozen=True, slots=True)
class ItemAnnounced:
    """An outgoing item that may be loaded here."""

    item: ItemId
    case: CaseNumber
    service_item: str
    size: Size
    second_factor: bool
    phone4_digest: str
    hold_days: int
    name: str = personal()
    phone: str = personal()


@dataclass(frozen=True, slots=True)
class ItemRecalled:
    item: ItemId
    reason: str


@dataclass(frozen=True, slots=True)
class StaffEnrolled:
    staff: StaffId
    roles: frozenset[str]
    badge_digest: str
    pin_digest: str
    until_ms: int
    name: str = personal()


@dataclass(frozen=True, slots=True)
class StaffRevoked:
    staff: StaffId


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """All that the centre sets here: a later version takes the place of an earlier, whole. What it does not
    name is as the locker's own configuration says."""

    version: int
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class SettingRefused:
    """One value of a version that was not taken: what was in force before stays."""

    version: int
    name: str
    value: str
    """As it was said, shortened."""
    why: Unfit


@dataclass(frozen=True, slots=True)
class SettingsReported:
    """Everything that the centre may set, as it is in force from here on."""

    version: int
    settings: tuple[Setting, ...]
    given: tuple[str, ...]
    """The names of those that the centre has set; all others are the locker's own."""


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """The locker's own configuration says another value than before."""

    name: str
    value: int | str


@dataclass(frozen=True, slots=True)
class CentreKeysTold:
    """By which keys the centre signs, all of them, and by which it does so no more: public, in hex."""

    keys: tuple[str, ...]
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompartmentBarred:
    """Nothing new is to go into it; what lies in it is collected as ever. ``by``: whoever said so."""

    door: CompartmentNumber
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class CompartmentUnbarred:
    """The centre's own bar ends; a fault, or what a technician said, stands."""

    door: CompartmentNumber
    by: str


@dataclass(frozen=True, slots=True)
class SlotBooked:
    """A compartment of this size, or a larger one, is kept free for the right until the slot lapses."""

    booking: BookingId
    authorisation: AuthorisationId
    size: Size
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class SlotReleased:
    booking: BookingId
    authorisation: AuthorisationId
    reason: str


@dataclass(frozen=True, slots=True)
class SlotLapsed:
    """The locker's own word: nobody came until the slot's grace was over."""

    booking: BookingId
    authorisation: AuthorisationId


@dataclass(frozen=True, slots=True)
class DownLogStarted:
    """The centre numbers its entries anew."""

    dn_epoch: Epoch


@dataclass(frozen=True, slots=True)
class DirectiveApplied:
    """Moves the down cursor. ``outcome``: ``applied``, ``repeated``, ``refused: why``, or ``void: why`` where
    what it speaks of is over."""

    dn_epoch: Epoch
    dn_seq: Seq
    dn_hash: str
    outcome: str
