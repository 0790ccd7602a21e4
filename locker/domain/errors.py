"""Refusals are values that a person can meet; faults are exceptions."""

from dataclasses import dataclass, field
from enum import StrEnum


class DomainError(Exception):
    """Base of every fault raised by the domain."""


class UnreadableFact(DomainError, ValueError):
    """A stored or received fact does not fit its type. Remedy: keep it raw, raise an alarm, go on."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class IllegalTransition(DomainError):
    """A state machine met a signal that its phase does not know: a bug, never a person's doing."""

    def __init__(self, machine: str, phase: str, signal: str) -> None:
        super().__init__(f"{machine}: {signal} in {phase}")
        self.machine = machine
        self.phase = phase
        self.signal = signal


class PolicyOutOfRange(DomainError, ValueError):
    """A limit outside its hard range. Remedy: choose a value inside it."""

    def __init__(self, name: str, value: object, low: int, high: int) -> None:
        super().__init__(f"{name} = {value}: must lie in {low}..{high}")
        self.name = name


class Reason(StrEnum):
    """Why a person is refused. Each has a page that says what happened and what to do."""

    CODE_SLIP = "code_slip"
    """The check digit is wrong: a typing slip, no attempt counted."""
    CODE_NOT_ACCEPTED = "code_not_accepted"
    """Unknown, wrong, ended, another locker's or malformed: one answer for all, never a listing."""
    CODE_EXPIRED = "code_expired"
    """The right code, too late."""
    TOO_MANY_TRIES = "too_many_tries"
    """The keypad waits; scanning still works."""
    PHONE_ASKED = "phone_asked"
    """The phone's last four digits are asked for as well."""
    PHONE_WRONG = "phone_wrong"
    NO_ROOM = "no_room"
    OPENINGS_USED_UP = "openings_used_up"
    TRIES_USED_UP = "tries_used_up"
    """The door did not open three times in this visit: help line, ticket."""
    DOOR_BUSY = "door_busy"
    """This door is being opened just now."""
    DOOR_OPEN = "door_open"
    """The door must be shut first."""
    BOARD_LOST = "board_lost"
    """The door cannot be seen just now."""
    STILL_INSIDE = "still_inside"
    """The sensor sees an item where none should be any more."""
    NOTHING_INSIDE = "nothing_inside"
    """The sensor sees nothing where an item should be."""
    WRONG_LABEL = "wrong_label"
    """The second look scanned another label than the first."""
    WITHDRAWN = "withdrawn"
    ALREADY_LOADED = "already_loaded"
    LOOK_FIRST = "look_first"
    """This item may lie in a compartment already, which is to be checked: staff look there first."""
    SIGN_IN_FAILED = "sign_in_failed"
    NOT_ALLOWED = "not_allowed"
    SAME_PERSON = "same_person"
    """A second person is asked for, and this is the first one again."""
    SECOND_NEEDED = "second_needed"
    """Two people do this: nobody stands beside who is signed in, or not any more."""
    KEY_NEEDED = "key_needed"
    """The service key must be turned first."""
    LOOKED_FOR = "looked_for"
    """Staff have looked, and what this code is for was not there: the help line knows more."""
    OCCUPIED = "occupied"
    """Something lies behind the door, or may: no technician opens or blocks it."""
    TOO_OFTEN = "too_often"
    """Asked here so often within an hour that it has to wait; the help line does it meanwhile."""
    NOT_NOW = "not_now"
    """What was asked does not fit the state of things (any more). Look again."""
    POWER_FAILING = "power_failing"
    """The mains have failed: what is under way ends, nothing new begins. Come back later."""
    DISK_FULL = "disk_full"
    """The disk is nearly full: nothing new is taken in, so that what lies here can still be fetched."""
    HISTORY_AWAITED = "history_awaited"
    """This locker may have forgotten something: until the centre has said what it knows, no door opens."""
    JOURNAL_FAILING = "journal_failing"
    """Nothing can be recorded, so no door opens. Call the help line."""


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason
    wait_s: int = 0
    """For TOO_MANY_TRIES: seconds until the keypad listens again; for TOO_OFTEN: until it may be asked."""
    hint: str = field(default="", compare=False)
    """For the words alone, where a scanned code is refused: nobody lists those. ``used``: it has ended;
    ``elsewhere``: it is for the locker ``where``, or where that is empty for another area."""
    where: str = field(default="", compare=False)
