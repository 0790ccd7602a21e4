"""What every act of the centre needs, and how it refuses."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from locker.domain.encoding import canonical
from locker.domain.ids import LockerId
from sync import seal
from sync.central.platform import Chance, Clock
from sync.central.store import find, insert
from sync.central.tables import DESK_FACT, LOCKER
from sync.central.workdays.calendar import WorkDays
from sync.seal import SigningKey


class Refusal(StrEnum):
    """Why the centre does not do what it is asked."""

    UNKNOWN_LOCKER = "unknown_locker"
    UNKNOWN_AUTHORISATION = "unknown_authorisation"
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_CASE = "unknown_case"
    UNKNOWN_ALARM = "unknown_alarm"
    UNKNOWN_STAFF = "unknown_staff"
    ITEM_EXISTS = "item_exists"
    NO_LOCATOR = "no_locator"
    KEY_REUSED = "key_reused"
    SHOWN_ONCE = "shown_once"
    STAFF_ELSEWHERE = "staff_elsewhere"
    UNKNOWN_ACT = "unknown_act"
    NOT_APPROVABLE = "not_approvable"
    UNFIT = "unfit"
    UNKNOWN_SLIP = "unknown_slip"
    UNKNOWN_DIFFERENCE = "unknown_difference"
    NOT_HELD = "not_held"
    SAME_PERSON = "same_person"
    SLIP_CLOSED = "slip_closed"
    UNKNOWN_PLACE = "unknown_place"
    PLACE_EXISTS = "place_exists"
    NOT_YOURS = "not_yours"
    # intake
    UNKNOWN_OWED = "unknown_owed"
    ASKED_ALREADY = "asked_already"
    NO_COMMITMENT = "no_commitment"
    NO_CONTACT = "no_contact"
    NOT_NOW = "not_now"
    BAD_DAY = "bad_day"
    NO_REASON = "no_reason"
    # items that left a locker
    STILL_INSIDE = "still_inside"
    NO_TRACKING = "no_tracking"
    BAD_CURSOR = "bad_cursor"
    UNKNOWN_MESSAGE = "unknown_message"
    UNKNOWN_WEBHOOK = "unknown_webhook"
    UNKNOWN_DELIVERY = "unknown_delivery"
    UNKNOWN_UPLOAD = "unknown_upload"
    # what waits for its recipient
    UNKNOWN_ENTRUSTMENT = "unknown_entrustment"
    TOO_OFTEN = "too_often"
    # booked slots
    UNKNOWN_BOOKING = "unknown_booking"
    BOOKED_ALREADY = "booked_already"
    RIGHT_OVER = "right_over"
    BAD_SLOT = "bad_slot"
    NO_ROOM = "no_room"
    LOCKER_AWAY = "locker_away"
    # complaints and ratings
    UNKNOWN_COMPLAINT = "unknown_complaint"
    UNKNOWN_SOLUTION = "unknown_solution"
    UNKNOWN_VISIT = "unknown_visit"
    NOT_MOVABLE = "not_movable"
    NOTE_LACKING = "note_lacking"
    TOO_FEW_CALLS = "too_few_calls"
    NOT_ASSIGNABLE = "not_assignable"
    HOLDS_NUMBERS = "holds_numbers"
    ALREADY_RATED = "already_rated"
    # settings
    UNKNOWN_AREA = "unknown_area"
    WHOLE_FLEET = "whole_fleet"
    CHANGED_MEANWHILE = "changed_meanwhile"
    # certificates and claims
    NO_AUTHORITY = "no_authority"
    LOCKER_ELSEWHERE = "locker_elsewhere"


class Refused(Exception):
    """The centre will not; nothing was changed. ``detail`` tells a person what to do."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Former:
    """A key by which the centre signed before; nobody has its secret any more."""

    public: bytes
    introduction: bytes
    """Its last word: a frame that names the key after it."""
    switched_ms: int
    """When that one took its place, by the wall clock."""
    retired: bool
    """Lockers are told not to believe it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The centre's own pairs: one signs what it says, the other opens what only it may read."""

    sign: seal.SigningKey
    seal: seal.SealKey
    coming: SigningKey | None = None
    """To sign next; announced, and of no use yet."""
    former: tuple[Former, ...] = ()
    """Earliest first."""

    @property
    def standing(self) -> tuple[Former, ...]:
        """Those that are still believed."""
        return tuple(each for each in self.former if not each.retired)

    @property
    def believed(self) -> tuple[bytes, ...]:
        """Public keys that every locker is to believe, the one that signs now first."""
        coming = (self.coming.public,) if self.coming else ()
        return (self.sign.public, *coming, *(each.public for each in self.standing))

    @property
    def retired(self) -> tuple[bytes, ...]:
        return tuple(each.public for each in self.former if each.retired)

    @property
    def publics(self) -> tuple[bytes, ...]:
        """Every key by which this centre ever signed."""
        return (self.sign.public, *(each.public for each in reversed(self.former)))


@dataclass(slots=True)
class Bell:
    """Rung by whoever leaves a message to be sent, before their commit: it is worth looking for a while."""

    rung_ms: int | None = None
    """Monotonic; None: never."""

    def ring(self, mono_ms: int) -> None:
        self.rung_ms = mono_ms


@dataclass(frozen=True, slots=True)
class Desk:
    """Passed to every act. Plain codes exist only between `sealed` and `opened`, in memory."""

    keys: Keys
    clock: Clock
    chance: Chance = field(default_factory=Chance)
    bell: Bell = field(default_factory=Bell, compare=False)
    workdays: WorkDays = field(default_factory=WorkDays, compare=False)
    utc_offset_minutes: int = 480
    """Of the halls: deadlines end while they work, days are theirs."""

    def sealed(self, secrets: dict[str, str]) -> str:
        return seal.seal(self.keys.seal.public, canonical(secrets), self.chance.random_bytes)

    def opened(self, text: str) -> dict[str, str]:
        """Raises sync.seal.SealError, ValueError."""
        body = json.loads(seal.unseal(self.keys.seal, text))
        if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
            raise ValueError("a sealed object of texts was expected")
        return body

    def code_key(self, locker: Row[Any]) -> bytes:
        """The key under which this locker's codes are digested."""
        return bytes.fromhex(self.opened(locker.code_key_sealed)["code_key"])


def locker_row(connection: Connection, locker: str) -> Row[Any]:
    """Raises Refused for a locker that is not enrolled."""
    row = find(connection, LOCKER, {"locker": LockerId(locker)})
    if row is None:
        raise Refused(Refusal.UNKNOWN_LOCKER, f"no locker {locker!r} is enrolled here")
    return row


def note(
    connection: Connection,
    case: str,
    kind: str,
    reference: str,
    actor: str,
    now_ms: int,
    **detail: str | int | bool,
) -> None:
    """Write down what the centre did in a case."""
    told = {"actor": actor, "detail": canonical(detail), "at_ms": now_ms}
    insert(connection, DESK_FACT, [{"case_number": case, "kind": kind, "reference": reference, **told}])
