"""What doors did."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from locker.domain.deposit import TENTATIVE, Phase
from locker.domain.door import Position, Presence
from locker.domain.opening import Purpose
from sync.central import tables as t
from sync.central.project import rows
from sync.central.project.rows import Apply, Place


def _requested(at: Place, e: ev.OpeningRequested) -> None:
    keys = {"grant_id": e.grant}
    values = {"door": e.door, "purpose": e.purpose.value, "deposit": e.deposit, "outcome": "requested"}
    rows.put(at, t.OPENING, keys, values)


def _outcome(word: str) -> Callable[[Place, Any], None]:
    def apply(at: Place, e: Any) -> None:
        rows.change(at, t.OPENING, {"grant_id": e.grant}, outcome=word)

    return apply


def _door_opened(at: Place, e: ev.DoorOpened) -> None:
    rows.change(at, t.OPENING, {"grant_id": e.grant}, outcome="open")
    rows.door(at, e.door, position=Position.OPEN.value)


def _door_closed(at: Place, e: ev.DoorClosed) -> None:
    rows.change(at, t.OPENING, {"grant_id": e.grant}, outcome="closed")
    rows.door(at, e.door, position=Position.CLOSED.value, item=e.item.value)
    opening = rows.find(at, t.OPENING, grant_id=e.grant) if e.grant else None
    placing = opening is not None and opening.purpose in {Purpose.DROP_OFF, Purpose.LOAD}
    if opening is not None and placing and e.item is not Presence.ABSENT:
        held = rows.find(at, t.DEPOSIT, deposit=opening.deposit)
        if held is not None and held.phase in TENTATIVE:
            rows.change(at, t.DEPOSIT, {"deposit": opening.deposit}, phase=Phase.UNCONFIRMED.value)


def _forced(at: Place, e: ev.DoorForced) -> None:
    rows.alarm(at, "door_forced", f"{at.epoch}/{at.seq}", f"door {e.door}")
    rows.door(at, e.door, position=Position.OPEN.value)


def _by_key(at: Place, e: ev.DoorOpenedByKey) -> None:
    """In a service window, which was told before: nobody is alarmed a second time."""
    rows.door(at, e.door, position=Position.OPEN.value)


def _door_read(at: Place, e: ev.DoorRead) -> None:
    rows.door(at, e.door, position=e.position.value, item=e.item.value)


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.OpeningRequested: _requested,
        ev.PulseAcknowledged: _outcome("acknowledged"),
        ev.PulseUncertain: _outcome("uncertain"),
        ev.PulseRefused: _outcome("refused"),
        ev.PulseNotSent: _outcome("not_sent"),
        ev.OpeningUnknown: _outcome("unknown"),
        ev.DoorStuck: _outcome("stuck"),
        ev.DoorLeftOpen: _outcome("left_open"),
        ev.DoorOpened: _door_opened,
        ev.DoorClosed: _door_closed,
        ev.DoorForced: _forced,
        ev.DoorOpenedByKey: _by_key,
        ev.DoorRead: _door_read,
    }
)
