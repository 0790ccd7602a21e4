"""Between whom things pass, what a slip goes through, and how differences end: tables, pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """Whose hands."""

    HELPER = "helper"
    WINDOW = "window"
    DEPARTMENT = "department"
    COURIER = "courier"
    # Nobody hands anything over from here: a locker's door and a person's hands have their own journal.
    LOCKER = "locker"
    RECIPIENT = "recipient"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Party:
    kind: Kind
    name: str
    """A helper's staff number, a window's or a department's name."""


ROUTES: Final[Mapping[Kind, frozenset[Kind]]] = MappingProxyType(
    {
        Kind.HELPER: frozenset({Kind.HELPER, Kind.WINDOW}),
        Kind.WINDOW: frozenset({Kind.HELPER, Kind.WINDOW, Kind.DEPARTMENT, Kind.COURIER}),
        Kind.DEPARTMENT: frozenset({Kind.WINDOW, Kind.COURIER}),
        Kind.COURIER: frozenset({Kind.WINDOW, Kind.DEPARTMENT}),
    }
)
"""From whom to whom."""
BEGINS: Final = frozenset({Kind.WINDOW, Kind.DEPARTMENT})
"""Where a result is before anybody handed it over: whoever has made it says so by proposing it."""


class SlipState(StrEnum):
    PROPOSED = "proposed"
    RECEIVED = "received"
    """All of it."""
    DIFFERS = "differs"
    """Settled; what was missing or too many is a difference of its own."""
    TAKEN_BACK = "taken_back"
    """By who proposed it, before anybody received it."""


class LineState(StrEnum):
    PROPOSED = "proposed"
    RECEIVED = "received"
    MISSING = "missing"
    TAKEN_BACK = "taken_back"


class Room(StrEnum):
    """Whose business a difference is."""

    HAND_OVER = "hand_over"
    STOCKTAKE = "stocktake"
    LOCKER = "locker"


class Difference(StrEnum):
    MISSING = "missing"
    """On the slip, and not received."""
    TOO_MANY = "too_many"
    """Received, and not on the slip."""
    LOADED_BY_ANOTHER = "loaded_by_another"
    """A locker has it from somebody else than who held it here."""
    NOT_FOUND = "not_found"
    """A stocktake did not find what should lie there."""
    UNKNOWN_ITEM = "unknown_item"
    """A stocktake found what nobody knows of."""
    UNKNOWN_TAKEN = "unknown_taken"
    """Two people took out what nobody knows of; they have it."""
    NOT_MADE_OUT = "not_made_out"
    """Something lies there, and nobody could tell whether it is what should."""
    MISCOUNTED = "miscounted"
    """A locker counted otherwise than the looks that came from it."""
    LOST_AT_LOCKER = "lost_at_locker"
    """Not in a dead locker when it was emptied."""
    CONTRADICTED = "contradicted"
    """A locker that came back says something else than who emptied it."""
    UNACCOUNTED = "unaccounted"
    """A locker that came back held it as well, and whoever emptied it said nothing of it."""


class Outcome(StrEnum):
    RECEIVED = "received"
    """Who should have received it has it."""
    KEPT = "kept"
    """Who gave it has it still."""
    EXPLAINED = "explained"
    LOST = "lost"


OUTCOMES: Final[Mapping[Difference, frozenset[Outcome]]] = MappingProxyType(
    {
        Difference.MISSING: frozenset({Outcome.RECEIVED, Outcome.KEPT, Outcome.LOST}),
        Difference.TOO_MANY: frozenset({Outcome.EXPLAINED}),
        Difference.LOADED_BY_ANOTHER: frozenset({Outcome.EXPLAINED}),
        Difference.NOT_FOUND: frozenset({Outcome.EXPLAINED, Outcome.LOST}),
        Difference.UNKNOWN_ITEM: frozenset({Outcome.EXPLAINED}),
        Difference.UNKNOWN_TAKEN: frozenset({Outcome.EXPLAINED, Outcome.LOST}),
        Difference.NOT_MADE_OUT: frozenset({Outcome.EXPLAINED, Outcome.LOST}),
        Difference.MISCOUNTED: frozenset({Outcome.EXPLAINED}),
        Difference.LOST_AT_LOCKER: frozenset({Outcome.EXPLAINED, Outcome.LOST}),
        Difference.CONTRADICTED: frozenset({Outcome.EXPLAINED, Outcome.LOST}),
        Difference.UNACCOUNTED: frozenset({Outcome.EXPLAINED, Outcome.LOST}),
    }
)


class Resolved(StrEnum):
    """What became of an item that a dead locker held."""

    TO_WINDOW = "to_window"
    TO_LOCKER = "to_locker"
    TO_RECIPIENT = "to_recipient"
    MISSING = "missing"
    LEFT_INSIDE = "left_inside"
    """Nobody could get at it yet."""


CARRIED: Final = frozenset({Resolved.TO_WINDOW, Resolved.TO_LOCKER})
"""Whoever took it out has it now, and hands it over as anything else."""
