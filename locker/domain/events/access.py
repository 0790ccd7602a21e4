"""Who was let in, who was not. Digests are hex HMAC-SHA256 (`codes.keyed_digest`)."""

from dataclasses import dataclass
from typing import Final

from locker.domain.compartment import Size
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    DepositId,
    EntrustmentId,
    OrderId,
    StaffId,
)

UNKNOWN_CODE: Final = "unknown_code"


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """``record`` is ``authorisation/…``, ``code/…``; ``form`` is ``typed`` or ``scanned``."""

    record: str
    form: str
    entrustment: EntrustmentId = EntrustmentId("")
    """Possession of this agent's code, never more; empty: the code is the recipient's own, or the right's."""


@dataclass(frozen=True, slots=True)
class CodeFailed:
    """A wrong secret for an existing record; counted before the answer shows."""

    record: str


@dataclass(frozen=True, slots=True)
class PhoneFailed:
    """A wrong second factor for an existing record."""

    record: str


@dataclass(frozen=True, slots=True)
class GuessesCounted:
    """Codes that met no record: one row a kind (`UNKNOWN_CODE` typed, ``unknown_scan``) and minute."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class TokenAdmitted:
    """A signed drop-off token without an earlier message of the centre. What it said stands here."""

    authorisation: AuthorisationId
    case: CaseNumber
    size: Size
    valid_from_ms: int
    valid_until_ms: int
    time_uncertain: bool


@dataclass(frozen=True, slots=True)
class PickupCodeMade:
    """``sealed`` holds the plain digits for the centre alone (`sync.seal`)."""

    code: CodeId
    deposit: DepositId
    locator: str
    typed_digest: str
    scan_digest: str
    sealed: str
    entrustment: EntrustmentId = EntrustmentId("")
    """For this agent; empty: for the recipient."""
    order: OrderId = OrderId("")
    """The centre's order of a re-issue; empty: made at the loading, or with the entrustment."""


@dataclass(frozen=True, slots=True)
class CodeEnded:
    """``reason``: ``collected``, ``refused``, ``withdrawn``, ``reissued`` or ``revoked``."""

    code: CodeId
    reason: str


@dataclass(frozen=True, slots=True)
class StaffSignedIn:
    staff: StaffId


@dataclass(frozen=True, slots=True)
class SecondJoined:
    """Another badge and PIN at the same kiosk, beside ``beside`` who is signed in; for a time."""

    staff: StaffId
    beside: StaffId


@dataclass(frozen=True, slots=True)
class SecondLeft:
    """The second person stands there no more; said where nobody signed out."""

    staff: StaffId
    beside: StaffId


@dataclass(frozen=True, slots=True)
class VisitAssisted:
    """A helper stood beside whoever opened with their code for this deposit: the code was the right."""

    deposit: DepositId
    staff: StaffId


@dataclass(frozen=True, slots=True)
class StaffSignInFailed:
    staff: StaffId


@dataclass(frozen=True, slots=True)
class StaffSignedOut:
    staff: StaffId
