"""One stay of one item in one compartment: a table and one function."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.errors import IllegalTransition
from locker.domain.ids import AuthorisationId, CaseNumber, CodeId, CompartmentNumber, DepositId, ItemId


class Kind(StrEnum):
    SUBMISSION = "submission"
    OUTGOING = "outgoing"


class Phase(StrEnum):
    RESERVED = "reserved"
    """A compartment is set aside; nothing is known to lie in it."""
    UNCONFIRMED = "unconfirmed"
    """Shut after an opening; no sensor and no person has said yet that the item is in."""
    EXPOSED = "exposed"
    """The door was never shut: not a submission."""
    AWAITING_INTAKE = "awaiting_intake"
    AWAITING_PICKUP = "awaiting_pickup"
    REFUSED = "refused"
    """Put back by its recipient; waits for a helper."""
    TAKEN_IN = "taken_in"
    TAKEN_BACK = "taken_back"
    COLLECTED = "collected"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Signal(StrEnum):
    SHUT_UNSEEN = "shut_unseen"
    EXPOSE = "expose"
    HAND_IN = "hand_in"
    LOAD = "load"
    TAKE_IN = "take_in"
    TAKE_BACK = "take_back"
    COLLECT = "collect"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"


NEXT: Final[Mapping[tuple[Phase, Signal], Phase]] = MappingProxyType(
    {
        (Phase.RESERVED, Signal.SHUT_UNSEEN): Phase.UNCONFIRMED,
        (Phase.RESERVED, Signal.EXPOSE): Phase.EXPOSED,
        (Phase.RESERVED, Signal.HAND_IN): Phase.AWAITING_INTAKE,
        (Phase.RESERVED, Signal.LOAD): Phase.AWAITING_PICKUP,
        (Phase.RESERVED, Signal.CANCEL): Phase.CANCELLED,
        (Phase.UNCONFIRMED, Signal.SHUT_UNSEEN): Phase.UNCONFIRMED,
        (Phase.UNCONFIRMED, Signal.EXPOSE): Phase.EXPOSED,
        (Phase.UNCONFIRMED, Signal.HAND_IN): Phase.AWAITING_INTAKE,
        (Phase.UNCONFIRMED, Signal.LOAD): Phase.AWAITING_PICKUP,
        (Phase.UNCONFIRMED, Signal.TAKE_IN): Phase.TAKEN_IN,
        (Phase.UNCONFIRMED, Signal.WITHDRAW): Phase.WITHDRAWN,
        (Phase.UNCONFIRMED, Signal.CANCEL): Phase.CANCELLED,
        (Phase.EXPOSED, Signal.SHUT_UNSEEN): Phase.UNCONFIRMED,
        (Phase.EXPOSED, Signal.HAND_IN): Phase.AWAITING_INTAKE,
        (Phase.EXPOSED, Signal.LOAD): Phase.AWAITING_PICKUP,
        (Phase.EXPOSED, Signal.TAKE_IN): Phase.TAKEN_IN,
        (Phase.EXPOSED, Signal.WITHDRAW): Phase.WITHDRAWN,
        (Phase.EXPOSED, Signal.CANCEL): Phase.CANCELLED,
        (Phase.AWAITING_INTAKE, Signal.TAKE_IN): Phase.TAKEN_IN,
        (Phase.AWAITING_INTAKE, Signal.TAKE_BACK): Phase.TAKEN_BACK,
        (Phase.AWAITING_PICKUP, Signal.COLLECT): Phase.COLLECTED,
        (Phase.AWAITING_PICKUP, Signal.REFUSE): Phase.REFUSED,
        (Phase.AWAITING_PICKUP, Signal.WITHDRAW): Phase.WITHDRAWN,
        (Phase.REFUSED, Signal.WITHDRAW): Phase.WITHDRAWN,
    }
)

TENTATIVE: Final = frozenset({Phase.RESERVED, Phase.UNCONFIRMED, Phase.EXPOSED})
"""Nothing has been promised to anybody yet."""
HELD: Final = frozenset({Phase.AWAITING_INTAKE, Phase.AWAITING_PICKUP, Phase.REFUSED})
ENDED: Final = frozenset(set(Phase) - TENTATIVE - HELD)


def advance(phase: Phase, signal: Signal) -> Phase:
    """The phase after ``signal``. Raises IllegalTransition."""
    try:
        return NEXT[phase, signal]
    except KeyError:
        raise IllegalTransition("deposit", phase, signal) from None


class Proof(StrEnum):
    """How it is known that an item changed hands; never claimed better than it is."""

    SENSED = "sensed"
    DECLARED = "declared"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Deposit:
    deposit: DepositId
    kind: Kind
    door: CompartmentNumber
    case: CaseNumber
    authorisation: AuthorisationId
    """Empty for outgoing items."""
    item: ItemId
    """Empty for submissions."""
    phase: Phase
    since_ms: int
    """Wall time at which the phase began; for people and for the order of rounds, never for a right."""
    shut_mono_ms: int = 0
    """When its door was last seen shut after an opening; 0 before."""
    openings: int = 0
    """Of a submission: doors opened by the applicant's code; of an outgoing item: looks of its recipient."""
    empty_closes: int = 0
    """Shut and shown empty, one after the other."""
    overdue: bool = False
    receipt: str = ""
    code: CodeId = CodeId("")
    """Of an outgoing item: the code that opened its door last."""
    bag: str = ""
    """Of a submission: the number of its bag, where one was scanned."""

    @property
    def ended(self) -> bool:
        return self.phase in ENDED
