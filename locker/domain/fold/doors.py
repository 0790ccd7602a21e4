"""What doors did: what follows for the state."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from locker.domain import deposit as deposits
from locker.domain import events as ev
from locker.domain import opening as openings
from locker.domain.door import Position, Presence
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.opening import Opening, Purpose
from locker.domain.state import LockerState


def _requested(s: LockerState, t: Stamp, e: ev.OpeningRequested, seq: Seq) -> LockerState:
    compartment = s.compartments[e.door]
    opening = Opening(
        e.grant, e.door, e.purpose, e.deposit, e.staff, e.attempt, openings.Phase.REQUESTED, t.mono_ms
    )
    latest = change.put(change.without(s.openings, (compartment.grant,)), e.grant, opening)
    return change.door(replace(s, openings=latest), e.door, grant=e.grant, wear=compartment.wear + 1)


def _pulse(signal: openings.Signal) -> Callable[..., LockerState]:
    def apply(s: LockerState, t: Stamp, e: Any, seq: Seq) -> LockerState:
        return change.opening(s, e.grant, signal)

    return apply


def _door_opened(s: LockerState, t: Stamp, e: ev.DoorOpened, seq: Seq) -> LockerState:
    s = change.opening(s, e.grant, openings.Signal.DOOR_OPENS)
    s = change.door(s, e.door, position=Position.OPEN)
    opening = s.openings[e.grant]
    if opening.purpose not in {Purpose.DROP_OFF, Purpose.REOPEN}:
        return s
    # Only a door that opened counts: a jammed lock must not use up the applicant's right.
    return change.deposit(s, opening.deposit, openings=s.deposits[opening.deposit].openings + 1)


def _door_closed(s: LockerState, t: Stamp, e: ev.DoorClosed, seq: Seq) -> LockerState:
    s = change.door(s, e.door, position=Position.CLOSED, item=e.item)
    if not e.grant:
        return s
    s = change.opening(s, e.grant, openings.Signal.DOOR_SHUTS)
    opening = s.openings[e.grant]
    return _shut(s, t, opening, e.item) if opening.deposit else s


def _shut(s: LockerState, t: Stamp, opening: Opening, item: Presence) -> LockerState:
    deposit = s.deposits[opening.deposit]
    empties = deposit.empty_closes + 1 if item is Presence.ABSENT else 0
    # A recipient's looks are counted by doors that were shut again, an applicant's by doors that opened.
    looks = deposit.openings + (opening.purpose is Purpose.PICK_UP)
    s = change.deposit(s, deposit.deposit, shut_mono_ms=t.mono_ms, empty_closes=empties, openings=looks)
    placing = opening.purpose in {Purpose.DROP_OFF, Purpose.LOAD} and deposit.phase in deposits.TENTATIVE
    if placing and item is not Presence.ABSENT:
        s = change.advance(s, deposit.deposit, deposits.Signal.SHUT_UNSEEN, t)
    return s


def _left_open(s: LockerState, t: Stamp, e: ev.DoorLeftOpen, seq: Seq) -> LockerState:
    return change.opening(s, e.grant, openings.Signal.LEFT_OPEN_DEADLINE)


def _forced(s: LockerState, t: Stamp, e: ev.DoorForced | ev.DoorOpenedByKey, seq: Seq) -> LockerState:
    return change.door(s, e.door, position=Position.OPEN)


def _door_read(s: LockerState, t: Stamp, e: ev.DoorRead, seq: Seq) -> LockerState:
    return change.door(s, e.door, position=e.position, item=e.item)


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.OpeningRequested: _requested,
        ev.PulseAcknowledged: _pulse(openings.Signal.ACKNOWLEDGE),
        ev.PulseUncertain: _pulse(openings.Signal.SILENCE),
        ev.PulseRefused: _pulse(openings.Signal.REFUSE),
        ev.PulseNotSent: _pulse(openings.Signal.NOT_SENT),
        ev.OpeningUnknown: _pulse(openings.Signal.RESTART),
        ev.DoorStuck: _pulse(openings.Signal.OPEN_DEADLINE),
        ev.DoorOpened: _door_opened,
        ev.DoorClosed: _door_closed,
        ev.DoorLeftOpen: _left_open,
        ev.DoorForced: _forced,
        ev.DoorOpenedByKey: _forced,
        ev.DoorRead: _door_read,
    }
)
