"""An item that was withdrawn or refused: to the window or out by post, until somebody has it. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    NOWHERE = "nowhere"
    """Nothing is said yet."""
    TO_WINDOW = "to_window"
    AT_WINDOW = "at_window"
    HANDED_OUT = "handed_out"
    TO_POST = "to_post"
    POSTED = "posted"
    DELIVERED = "delivered"
    CAME_BACK = "came_back"
    LOST = "lost"


class Signal(StrEnum):
    CHOOSE_WINDOW = "choose_window"
    RECEIVE = "receive"
    HAND_OUT = "hand_out"
    CHOOSE_POST = "choose_post"
    POST = "post"
    DELIVER = "deliver"
    COME_BACK = "come_back"
    LOSE = "lose"


NEXT: Final[Mapping[tuple[State, Signal], State]] = MappingProxyType(
    {
        (State.NOWHERE, Signal.CHOOSE_WINDOW): State.TO_WINDOW,
        (State.NOWHERE, Signal.CHOOSE_POST): State.TO_POST,
        (State.TO_WINDOW, Signal.RECEIVE): State.AT_WINDOW,
        (State.TO_WINDOW, Signal.CHOOSE_POST): State.TO_POST,
        (State.AT_WINDOW, Signal.HAND_OUT): State.HANDED_OUT,
        (State.AT_WINDOW, Signal.CHOOSE_POST): State.TO_POST,
        (State.TO_POST, Signal.POST): State.POSTED,
        (State.TO_POST, Signal.CHOOSE_WINDOW): State.TO_WINDOW,
        (State.POSTED, Signal.DELIVER): State.DELIVERED,
        (State.POSTED, Signal.COME_BACK): State.CAME_BACK,
        (State.POSTED, Signal.LOSE): State.LOST,
        (State.CAME_BACK, Signal.CHOOSE_WINDOW): State.TO_WINDOW,
        (State.CAME_BACK, Signal.CHOOSE_POST): State.TO_POST,
        # Carriers find things again.
        (State.LOST, Signal.DELIVER): State.DELIVERED,
        (State.LOST, Signal.COME_BACK): State.CAME_BACK,
    }
)
MAY_LIE_INSIDE: Final = frozenset({Signal.CHOOSE_WINDOW, Signal.CHOOSE_POST})
"""May be said of a refused item that still lies in its locker; all else is of what a helper took out."""


OUTSIDE: Final = frozenset({"withdrawn", "recalled"})
"""States of an outgoing item in which it lies in no locker, and nobody collected it."""


def signals(state: State) -> tuple[Signal, ...]:
    """What may be done now, in the order of the table."""
    return tuple(signal for (before, signal) in NEXT if before is state)
