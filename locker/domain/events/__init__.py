"""All that can be journaled. Past tense; each a fact with its own fields; one union `Event`.

Times inside facts are wall milliseconds unless they say ``_mono_ms``. Empty strings mean "none".
Digests are hex HMAC-SHA256 under the locker's code key (`codes.keyed_digest`).
"""

from typing import Final, get_args

from locker.domain.events.access import (
    UNKNOWN_CODE,
    CodeAccepted,
    CodeEnded,
    CodeFailed,
    GuessesCounted,
    PhoneFailed,
    PickupCodeMade,
    SecondJoined,
    SecondLeft,
    StaffSignedIn,
    StaffSignedOut,
    StaffSignInFailed,
    TokenAdmitted,
    VisitAssisted,
)
from locker.domain.events.acts import (
    ActAccepted,
    ActDone,
    ActExpired,
    ActFailed,
    ActRefused,
    ActUnknown,
)
from locker.domain.events.asked import CodeAskedFor, HelpAsked, NeighboursTold, VisitRated
from locker.domain.events.centre import (
    AuthorisationGranted,
    AuthorisationRevoked,
    CentreKeysTold,
    CompartmentBarred,
    CompartmentUnbarred,
    DirectiveApplied,
    DownLogStarted,
    ItemAnnounced,
    ItemRecalled,
    PolicyChanged,
    SettingRefused,
    SettingsChanged,
    SettingsReported,
    SlotBooked,
    SlotLapsed,
    SlotReleased,
    StaffEnrolled,
    StaffRevoked,
)
from locker.domain.events.custody import (
    BagNoted,
    CompartmentBlocked,
    CompartmentChecked,
    CompartmentDoubted,
    CompartmentFaulted,
    CompartmentReserved,
    CompartmentRestored,
    DepositCancelled,
    DepositMoved,
    ItemLoaded,
    ItemOverdue,
    ItemPickedUp,
    ItemRefused,
    ItemWithdrawn,
    ReceiptIssued,
    StocktakeBegan,
    StocktakeEnded,
    SubmissionDeposited,
    SubmissionExposed,
    SubmissionTaken,
    SubmissionTakenBack,
)
from locker.domain.events.doors import (
    DoorClosed,
    DoorForced,
    DoorLeftOpen,
    DoorOpened,
    DoorOpenedByKey,
    DoorRead,
    DoorStuck,
    OpeningRequested,
    OpeningUnknown,
    PulseAcknowledged,
    PulseNotSent,
    PulseRefused,
    PulseUncertain,
)
from locker.domain.events.history import (
    CodeReported,
    CodeRestored,
    DepositReported,
    DepositRestored,
    DoorReported,
    HistoryConfirmed,
    HistoryReported,
    HistoryRestored,
    HistoryVouched,
)
from locker.domain.events.machine import (
    Anchored,
    BoardAnswered,
    BoardWentSilent,
    Booted,
    ClockStepped,
    CompartmentsConfigured,
    EpochStarted,
    HeadSigned,
    NamesPurged,
    RecordsForgotten,
    SelfTestBegan,
    SelfTestEnded,
    Stopped,
    TicketOpened,
)
from locker.domain.events.pickups import (
    AgentEntrusted,
    AuthorisationExtended,
    CodeReissueOrdered,
    EntrustmentEnded,
    HoldExtended,
    PapersDue,
)
from locker.domain.events.rounds import (
    FindingCorrected,
    RoundBegan,
    RoundEnded,
    RoundJoined,
    RoundSkipped,
)
from locker.domain.events.surroundings import (
    BatteryGood,
    BatteryLow,
    LockSupplyCut,
    MainsBack,
    MainsLost,
    ServiceKeyTurned,
    ServiceWindowClosed,
    ServiceWindowOpened,
    TamperClosed,
    TamperOpened,
)

Event = (
    EpochStarted
    | Booted
    | Stopped
    | ClockStepped
    | CompartmentsConfigured
    | HeadSigned
    | Anchored
    | RecordsForgotten
    | NamesPurged
    | BoardWentSilent
    | BoardAnswered
    | TicketOpened
    | SelfTestBegan
    | SelfTestEnded
    | TamperOpened
    | TamperClosed
    | MainsLost
    | MainsBack
    | BatteryLow
    | BatteryGood
    | ServiceKeyTurned
    | ServiceWindowOpened
    | ServiceWindowClosed
    | LockSupplyCut
    | AuthorisationGranted
    | AuthorisationRevoked
    | ItemAnnounced
    | ItemRecalled
    | StaffEnrolled
    | StaffRevoked
    | PolicyChanged
    | SettingsChanged
    | SettingRefused
    | SettingsReported
    | CentreKeysTold
    | CompartmentBarred
    | CompartmentUnbarred
    | SlotBooked
    | SlotReleased
    | SlotLapsed
    | CodeReissueOrdered
    | AgentEntrusted
    | EntrustmentEnded
    | HoldExtended
    | AuthorisationExtended
    | PapersDue
    | NeighboursTold
    | DownLogStarted
    | DirectiveApplied
    | ActAccepted
    | ActRefused
    | ActExpired
    | ActDone
    | ActFailed
    | ActUnknown
    | CodeAccepted
    | CodeFailed
    | PhoneFailed
    | GuessesCounted
    | TokenAdmitted
    | PickupCodeMade
    | CodeEnded
    | CodeAskedFor
    | HelpAsked
    | VisitRated
    | StaffSignedIn
    | StaffSignInFailed
    | StaffSignedOut
    | SecondJoined
    | SecondLeft
    | VisitAssisted
    | OpeningRequested
    | PulseAcknowledged
    | PulseUncertain
    | PulseRefused
    | PulseNotSent
    | OpeningUnknown
    | DoorOpened
    | DoorClosed
    | DoorStuck
    | DoorLeftOpen
    | DoorForced
    | DoorOpenedByKey
    | DoorRead
    | CompartmentReserved
    | DepositMoved
    | DepositCancelled
    | SubmissionDeposited
    | BagNoted
    | ReceiptIssued
    | SubmissionExposed
    | SubmissionTakenBack
    | SubmissionTaken
    | ItemLoaded
    | ItemPickedUp
    | ItemRefused
    | ItemOverdue
    | ItemWithdrawn
    | CompartmentDoubted
    | CompartmentChecked
    | StocktakeBegan
    | StocktakeEnded
    | CompartmentFaulted
    | CompartmentBlocked
    | CompartmentRestored
    | RoundBegan
    | RoundJoined
    | RoundSkipped
    | FindingCorrected
    | RoundEnded
    | DoorReported
    | DepositReported
    | CodeReported
    | HistoryReported
    | DepositRestored
    | CodeRestored
    | HistoryRestored
    | HistoryConfirmed
    | HistoryVouched
)

TYPES: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in get_args(Event)}
"""Every type of entry by its name on the wire and on disk. A name, once used, keeps its meaning."""

_SUBJECTS: Final = ("deposit", "door", "authorisation", "item", "staff", "code", "record", "grant", "board")


def subject_of(event: Event) -> str:
    """What the fact is mainly about, as ``kind/id``; ``locker`` where it is about all of it."""
    for kind in _SUBJECTS:
        value = getattr(event, kind, "")
        if value:
            return str(value) if kind == "record" else f"{kind}/{value}"
    return "locker"


__all__ = [
    "TYPES",
    "UNKNOWN_CODE",
    "ActAccepted",
    "ActDone",
    "ActExpired",
    "ActFailed",
    "ActRefused",
    "ActUnknown",
    "AgentEntrusted",
    "Anchored",
    "AuthorisationExtended",
    "AuthorisationGranted",
    "AuthorisationRevoked",
    "BagNoted",
    "BatteryGood",
    "BatteryLow",
    "BoardAnswered",
    "BoardWentSilent",
    "Booted",
    "CentreKeysTold",
    "ClockStepped",
    "CodeAccepted",
    "CodeAskedFor",
    "CodeEnded",
    "CodeFailed",
    "CodeReissueOrdered",
    "CodeReported",
    "CodeRestored",
    "CompartmentBarred",
    "CompartmentBlocked",
    "CompartmentChecked",
    "CompartmentDoubted",
    "CompartmentFaulted",
    "CompartmentReserved",
    "CompartmentRestored",
    "CompartmentUnbarred",
    "CompartmentsConfigured",
    "DepositCancelled",
    "DepositMoved",
    "DepositReported",
    "DepositRestored",
    "DirectiveApplied",
    "DoorClosed",
    "DoorForced",
    "DoorLeftOpen",
    "DoorOpened",
    "DoorOpenedByKey",
    "DoorRead",
    "DoorReported",
    "DoorStuck",
    "DownLogStarted",
    "EntrustmentEnded",
    "EpochStarted",
    "Event",
    "FindingCorrected",
    "GuessesCounted",
    "HeadSigned",
    "HelpAsked",
    "HistoryConfirmed",
    "HistoryReported",
    "HistoryRestored",
    "HistoryVouched",
    "HoldExtended",
    "ItemAnnounced",
    "ItemLoaded",
    "ItemOverdue",
    "ItemPickedUp",
    "ItemRecalled",
    "ItemRefused",
    "ItemWithdrawn",
    "LockSupplyCut",
    "MainsBack",
    "MainsLost",
    "NamesPurged",
    "NeighboursTold",
    "OpeningRequested",
    "OpeningUnknown",
    "PapersDue",
    "PhoneFailed",
    "PickupCodeMade",
    "PolicyChanged",
    "PulseAcknowledged",
    "PulseNotSent",
    "PulseRefused",
    "PulseUncertain",
    "ReceiptIssued",
    "RecordsForgotten",
    "RoundBegan",
    "RoundEnded",
    "RoundJoined",
    "RoundSkipped",
    "SecondJoined",
    "SecondLeft",
    "SelfTestBegan",
    "SelfTestEnded",
    "ServiceKeyTurned",
    "ServiceWindowClosed",
    "ServiceWindowOpened",
    "SettingRefused",
    "SettingsChanged",
    "SettingsReported",
    "SlotBooked",
    "SlotLapsed",
    "SlotReleased",
    "StaffEnrolled",
    "StaffRevoked",
    "StaffSignInFailed",
    "StaffSignedIn",
    "StaffSignedOut",
    "StocktakeBegan",
    "StocktakeEnded",
    "Stopped",
    "SubmissionDeposited",
    "SubmissionExposed",
    "SubmissionTaken",
    "SubmissionTakenBack",
    "TamperClosed",
    "TamperOpened",
    "TicketOpened",
    "TokenAdmitted",
    "VisitAssisted",
    "VisitRated",
    "subject_of",
]
