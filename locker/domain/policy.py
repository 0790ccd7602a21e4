"""Every limit and deadline, each with its reason and its hard range."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from locker.domain.errors import PolicyOutOfRange

_RANGE: Final = "range"
_CHARACTERS: Final = "characters"


DISK_WARN_PERCENT: Final = 80
"""Used. A month at the busiest takes one in a hundred of the smallest card: time enough to come by."""
DISK_FULL_PERCENT: Final = 90
"""Used. Nothing is dropped off or loaded any more: what lies here is still to be fetched, and recorded."""


def limit(default: int, low: int, high: int) -> Any:
    """A number with its hard range."""
    return field(default=default, metadata={_RANGE: (low, high)})


def line(characters_max: int) -> Any:
    """One line of text; empty where there is none."""
    return field(default="", metadata={_CHARACTERS: characters_max})


class Unfit(StrEnum):
    """Why a value is not taken."""

    UNKNOWN = "unknown"
    """No such name in this version."""
    LOCAL_ONLY = "local_only"
    """The locker's own configuration alone may say it."""
    NOT_OF_TYPE = "not_of_type"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the centre may set as well, within its range. What is not a field here it cannot."""

    # A person's last look back; an alarm that comes too soon is one that nobody heeds.
    left_open_warning_ms: int = limit(20_000, 5_000, 120_000)
    # After this the kiosk is freed for the next person and the door followed in the background.
    left_open_alarm_ms: int = limit(120_000, 30_000, 600_000)
    openings_per_drop_off: int = limit(5, 1, 10)

    # People. Long enough to read and think; a left session frees the kiosk.
    session_idle_s: int = limit(60, 30, 300)
    session_ask_s: int = limit(20, 10, 60)
    hold_days: int = limit(7, 1, 60)
    # After the end of a booked slot: a bus that was late must not cost the place.
    slot_grace_ms: int = limit(3_600_000, 0, 14_400_000)
    # So that neither drop-off nor loading can starve the other.
    reserve_share_percent: int = limit(15, 0, 40)
    # Names. Long enough for whoever comes back with a question about a case that has just ended.
    personal_days: int = limit(14, 1, 30)

    # The page is dim and speaks only when asked from one hour of the day to the other; both the same: never.
    night_from_h: int = limit(22, 0, 23)
    night_until_h: int = limit(7, 0, 23)
    # The number to call, on every page that has bad news.
    help_line: str = line(60)


@dataclass(frozen=True, slots=True)
class Policy(Settings):
    """And what only the locker's own configuration may change: no word from afar reaches it."""

    # Doors. A person's last act and the click must feel like one thing; a later click startles or is misused.
    pulse_deadline_ms: int = limit(3_000, 500, 5_000)
    # A spring pops within 0.5 s; a held door needs a moment to be let go.
    open_deadline_ms: int = limit(5_000, 1_000, 15_000)
    # A jammed door that did not open twice will not open the third time: the third try is another door.
    tries_per_door: int = limit(2, 1, 3)
    tries_per_visit: int = limit(3, 1, 5)

    # Codes. Ten tries at a 7-digit secret are one in a million; a forgetful person needs three.
    failures_per_record: int = limit(10, 3, 20)
    # Beyond this many failures in a day somebody is guessing: the phone's last four digits are asked too. One
    # on a code that exists counts ten. Above 270, guessers would have over 0.1 % a year.
    guesses_before_phone: int = limit(250, 50, 1_000)
    phone_tries: int = limit(3, 1, 5)
    keypad_delay_max_s: int = limit(60, 10, 300)
    keypad_decay_s: int = limit(900, 60, 3_600)
    # Refusals take the same time whatever their cause, so that timing lists no locators.
    refusal_floor_ms: int = limit(150, 50, 1_000)
    # After a declared-empty close without a sensor the recipient may look again, twice, for ten minutes.
    reopen_ms: int = limit(600_000, 60_000, 1_800_000)
    reopen_times: int = limit(2, 0, 5)
    locator_rest_ms: int = limit(86_400_000, 3_600_000, 604_800_000)

    # Staff. Five tries at a 6-digit PIN are one in 200,000.
    pin_failures: int = limit(5, 3, 10)
    # Half an hour is a cabinet looked through; a colleague who went home must not go on counting as present.
    second_person_ms: int = limit(1_800_000, 60_000, 3_600_000)
    # A board is changed in an hour; a key that was left in the switch must not excuse what happens at night.
    service_window_ms: int = limit(3_600_000, 300_000, 14_400_000)
    # Each call for help is somebody's ticket: more than one every five minutes is a child with a finger.
    help_per_hour: int = limit(12, 3, 60)

    # A compartment set aside and not used is given back; longer than any visit.
    reservation_ms: int = limit(600_000, 120_000, 1_800_000)
    # Whether a collection that nobody confirmed and no sensor saw frees its compartment (0: TO_CHECK).
    assumed_frees: int = limit(0, 0, 1)

    # Acts of the centre. Longer than any round trip, shorter than a change of who stands there. Caps bound
    # what a centre in the wrong hands can do before somebody notices; no policy makes them wider.
    act_fresh_ms: int = limit(120_000, 10_000, 120_000)
    acts_per_hour: int = limit(3, 0, 3)
    acts_per_day: int = limit(10, 0, 10)

    # Evidence.
    sign_every_entries: int = limit(100, 10, 10_000)
    sign_every_ms: int = limit(3_600_000, 60_000, 86_400_000)

    def with_value(self, name: str, value: int | str) -> "Policy":
        """A copy with one limit changed. Raises PolicyOutOfRange."""
        if unfit(Policy, name, value):
            raise PolicyOutOfRange(name, value, *range_of(name))
        return replace(self, **{name: value})  # type: ignore[arg-type]  # `unfit` knows the types of the fields


SETTINGS: Final = tuple(f.name for f in fields(Settings))
_FIELDS: Final = {f.name: f for f in fields(Policy)}


def range_of(name: str) -> tuple[int, int]:
    """Lowest and highest; of a text, of the number of its characters."""
    if name not in _FIELDS:
        return 0, 0
    about = _FIELDS[name].metadata
    low, high = about[_RANGE] if _RANGE in about else (0, about[_CHARACTERS])
    return low, high


def is_text(name: str) -> bool:
    return name in _FIELDS and _CHARACTERS in _FIELDS[name].metadata


def unfit(kind: type[Settings], name: str, value: int | str) -> Unfit | None:
    """Why ``value`` cannot be one of the fields of ``kind``; None where it can."""
    if name not in {f.name for f in fields(kind)}:
        return Unfit.LOCAL_ONLY if name in _FIELDS else Unfit.UNKNOWN
    if type(value) is not (str if is_text(name) else int):
        return Unfit.NOT_OF_TYPE
    low, high = range_of(name)
    if isinstance(value, str):
        fits = len(value) <= high and value.isprintable() and value == value.strip()
    else:
        fits = low <= value <= high
    return None if fits else Unfit.OUT_OF_RANGE
