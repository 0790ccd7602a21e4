"""What the centre said of things that wait for their recipients: state entries of the down-log."""

from dataclasses import dataclass

from locker.domain.encoding import personal
from locker.domain.ids import AuthorisationId, EntrustmentId, ItemId, OrderId


@dataclass(frozen=True, slots=True)
class CodeReissueOrdered:
    """A new pickup code in place of one that was lost. ``entrustment``: whose; empty for the recipient's."""

    order: OrderId
    item: ItemId
    entrustment: EntrustmentId
    stolen: bool
    """The codes so far end at once, not only when the centre has the new one."""


@dataclass(frozen=True, slots=True)
class AgentEntrusted:
    """Somebody may collect one item for its recipient, with a code and a second factor of their own."""

    entrustment: EntrustmentId
    item: ItemId
    valid_from_ms: int
    valid_until_ms: int
    phone4_digest: str
    name: str = personal()
    """Masked."""
    phone: str = personal()
    """Masked."""


@dataclass(frozen=True, slots=True)
class EntrustmentEnded:
    entrustment: EntrustmentId
    reason: str


@dataclass(frozen=True, slots=True)
class HoldExtended:
    """An item is held for so many days in all, counted from its loading."""

    item: ItemId
    hold_days: int


@dataclass(frozen=True, slots=True)
class PapersDue:
    """What was deferred, or is owed, under this right is to come by then. A later word takes its place."""

    authorisation: AuthorisationId
    until_ms: int


@dataclass(frozen=True, slots=True)
class AuthorisationExtended:
    """A right that has not ended, or ran out unused, is good until then."""

    authorisation: AuthorisationId
    valid_until_ms: int
