"""Every limit and deadline, each with its reason and its hard range."""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from locker.domain.errors import PolicyOutOfRange

_RANGE: Final = "range"
_CHARACTERS: Final = "characters"


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
class Policy:
    """What may be changed at the locker, and where marked remote also by the centre, within its range."""

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

    def with_value(self, name: str, value: int, *, remote: bool = False) -> "Policy":
        """A copy with one limit changed. Raises PolicyOutOfRange, also for what ``remote`` may not touch."""
        for f in fields(self):
            if f.name == name:
                low, high = f.metadata["range"]
                if (remote and not f.metadata[_REMOTE]) or not low <= value <= high:
                    raise PolicyOutOfRange(name, value, low, high)
                return replace(self, **{name: value})
        raise PolicyOutOfRange(name, value, 0, 0)
