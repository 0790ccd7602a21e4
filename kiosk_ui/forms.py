"""What lies over a page for a while: help, and a lost code. The visit beneath goes on as it is.

A form is typed on pages of its own, by a table; whoever leaves it finds the page beneath as it is by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.errors import IllegalTransition


class Sheet(StrEnum):
    HELP_WHAT = "help_what"
    HELP_PHONE = "help_phone"
    HELP_SENT = "help_sent"
    LOST_CASE = "lost_case"
    LOST_PHONE = "lost_phone"
    LOST_SENT = "lost_sent"
    LOST_OFFLINE = "lost_offline"
    LOST_TOO_OFTEN = "lost_too_often"
    HELP_TOO_OFTEN = "help_too_often"


class Move(StrEnum):
    TOLD = "told"
    """What it is about was chosen, or the number of the case was typed."""
    SENT = "sent"
    TOO_OFTEN = "too_often"
    OFFLINE = "offline"
    BACK = "back"


NEXT: Final[Mapping[tuple[Sheet, Move], Sheet | None]] = MappingProxyType(
    {
        (Sheet.HELP_WHAT, Move.TOLD): Sheet.HELP_PHONE,
        (Sheet.HELP_PHONE, Move.SENT): Sheet.HELP_SENT,
        (Sheet.HELP_PHONE, Move.BACK): Sheet.HELP_WHAT,
        # Others asked meanwhile, over and over.
        (Sheet.HELP_PHONE, Move.TOO_OFTEN): Sheet.HELP_TOO_OFTEN,
        (Sheet.LOST_CASE, Move.TOLD): Sheet.LOST_PHONE,
        (Sheet.LOST_PHONE, Move.SENT): Sheet.LOST_SENT,
        (Sheet.LOST_PHONE, Move.TOO_OFTEN): Sheet.LOST_TOO_OFTEN,
        # The link went while they typed.
        (Sheet.LOST_PHONE, Move.OFFLINE): Sheet.LOST_OFFLINE,
        (Sheet.LOST_PHONE, Move.BACK): Sheet.LOST_CASE,
    }
    | {(sheet, Move.BACK): None for sheet in Sheet if sheet not in {Sheet.HELP_PHONE, Sheet.LOST_PHONE}}
)
"""None: the page beneath."""


@dataclass(frozen=True, slots=True)
class Form:
    sheet: Sheet
    beneath: str = ""
    """The screen from which help was asked, and what it had refused."""
    refusal: str = ""
    category: str = ""
    case: str = field(default="", repr=False)
    """Typed: letters, digits and dashes, or digits alone. Forgotten when it was sent."""
    reference: str = ""
    wrong: bool = False
    """What was typed last is no such number."""
    wait_s: int = 0


def moved(form: Form, move: Move) -> Sheet | None:
    """The sheet after it; None for the page beneath. Raises IllegalTransition."""
    try:
        return NEXT[form.sheet, move]
    except KeyError:
        raise IllegalTransition("form", form.sheet, move) from None
