"""What people ask for and say at the kiosk, beside their visits; and what the centre says for them to see.

``sealed`` is JSON for the centre's seal key alone. It stands apart as what names a person does: it is purged.
"""

from dataclasses import dataclass

from locker.domain.asked import HelpCategory, Neighbour
from locker.domain.encoding import personal
from locker.domain.ids import AuthorisationId, CompartmentNumber, DepositId


@dataclass(frozen=True, slots=True)
class CodeAskedFor:
    """Somebody says that they lost a code. Whether it fits is for the centre alone to know."""

    sealed: str = personal()
    """``{"case", "like", "phone"}``: the digits of the case that were typed; cases known here that have the
    same digits, a line each; the phone."""


@dataclass(frozen=True, slots=True)
class HelpAsked:
    """Somebody could not get done what they came for. Its number is the reference on their screen."""

    category: HelpCategory
    screen: str
    """What they had before them, and why it was refused: names, no texts."""
    refusal: str
    door: CompartmentNumber
    """0 where it is about none."""
    deposit: DepositId
    authorisation: AuthorisationId
    sealed: str = personal()
    """``{"phone"}`` to call back; empty where they gave none."""


@dataclass(frozen=True, slots=True)
class VisitRated:
    """5 very satisfied … 1 very dissatisfied: the national scale."""

    deposit: DepositId
    grade: int


@dataclass(frozen=True, slots=True)
class NeighboursTold:
    """By the centre: the lockers near here, the nearest first. What it said before is forgotten."""

    neighbours: tuple[Neighbour, ...]
