"""What the page makes of a fact that became durable: pure functions of the visit and the journal's state."""

from dataclasses import replace
from typing import Final

from kiosk_ui import flow
from kiosk_ui.flow import Signal
from kiosk_ui.screens import Visit, door_of, opening_of
from locker.domain import deposit as deposits
from locker.domain.door import Presence
from locker.domain.entry import Entry
from locker.domain.events import (
    CompartmentBarred,
    CompartmentDoubted,
    CompartmentFaulted,
    CompartmentUnbarred,
    OpeningRequested,
)
from locker.domain.ids import CompartmentNumber, GrantId
from locker.domain.opening import Opening, Phase, Purpose
from locker.domain.state import LockerState

_APPLICANTS: Final = frozenset({Purpose.DROP_OFF, Purpose.REOPEN, Purpose.PICK_UP})
_STANDS_THERE_MS: Final = 300_000
"""Longer than anybody waits for a screen to come back."""
_JUDGED: Final = (CompartmentBarred, CompartmentDoubted, CompartmentFaulted, CompartmentUnbarred)
"""What is thought of a compartment, by upkeep or from afar."""


def from_afar(state: LockerState, door: CompartmentNumber) -> bool:
    """Whether the latest opening of a door is nobody's who stands here."""
    opening = state.opening_of(door) if door in state.compartments else None
    return opening is not None and opening.purpose is Purpose.REMOTE


def was_interrupted(opening: Opening, state: LockerState, now_ms: int) -> bool:
    """An applicant's opening that the last run left behind, while its person may still stand there."""
    if opening.purpose not in _APPLICANTS or opening.phase not in {Phase.UNKNOWN, Phase.OPEN}:
        return False
    recent = 0 <= now_ms - opening.requested_ms < _STANDS_THERE_MS
    # Monotonic time may have begun anew; a door not seen since is what the cut interrupted.
    return recent or not state.compartments[opening.door].doubt


def interrupted(state: LockerState, now_ms: int) -> Opening | None:
    """The latest such opening; None where nobody waits for their page."""
    known = [each for each in state.openings.values() if was_interrupted(each, state, now_ms)]
    return max(known, key=lambda each: each.requested_ms) if known else None


def is_ours(visit: Visit, state: LockerState, entry: Entry) -> bool:
    """Whether somebody at this visit's door, or with its deposit, did that.

    Whoever asks from afar, and be it in vain, does not stand here.
    """
    event = entry.event
    if entry.cause == "centre" or isinstance(event, _JUDGED):
        return False
    opening = state.openings.get(getattr(event, "grant", GrantId("")))
    door = getattr(event, "door", None) if opening is None else opening.door
    if door is not None and from_afar(state, door):
        return False
    return bool(door and door == door_of(visit, state)) or bool(
        visit.deposit and getattr(event, "deposit", "") == visit.deposit
    )


def is_shut(visit: Visit, state: LockerState) -> bool:
    """Whether the door that this visit opened was seen shut again."""
    opening = opening_of(visit, state)
    return opening is not None and opening.phase is Phase.CLOSED


def back_inside(visit: Visit, state: LockerState) -> bool:
    """Whether a good sensor shows that a refused item was put back."""
    door, deposit = door_of(visit, state), state.deposits.get(visit.deposit)
    return (
        is_shut(visit, state)
        and door is not None
        and deposit is not None
        and deposit.phase is deposits.Phase.AWAITING_PICKUP
        and state.compartments[door].item is Presence.PRESENT
    )


def commanded(begun: Visit, fact: OpeningRequested) -> Visit:
    going = replace(begun.going, verdict=None, late=False) if begun.going else None
    return replace(
        begun,
        going=going,
        step=flow.advance(begun.step, Signal.OPENED),
        deposit=fact.deposit,
        door=fact.door,
        refusing="",
        kept=False,
        receipt=None,
        opened_mono_ms=0,
    )
