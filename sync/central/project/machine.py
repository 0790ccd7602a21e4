"""The locker itself: its starts, its compartments and its boards."""

from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from locker.domain.door import Position, Presence
from sync.central import tables as t
from sync.central.project import rows
from sync.central.project.rows import Apply, Place


def _booted(at: Place, e: ev.Booted) -> None:
    rows.change(at, t.LOCKER, {}, software=e.software)
    rows.blank(at)


def _configured(at: Place, e: ev.CompartmentsConfigured) -> None:
    rows.change(at, t.COMPARTMENT, {}, configured=False)
    for spec in e.compartments:
        rows.door(
            at,
            spec.number,
            cabinet=spec.cabinet,
            size=spec.size.name,
            reach=spec.reach.value,
            row=spec.row,
            column=spec.column,
            item_sensor=spec.item_sensor,
            configured=True,
        )


def _silent(at: Place, e: ev.BoardWentSilent) -> None:
    for door in e.doors:
        rows.door(at, door, position=Position.UNKNOWN.value, item=Presence.UNKNOWN.value)


def _ticket(at: Place, e: ev.TicketOpened) -> None:
    keys = {"epoch": at.epoch, "seq": at.seq}
    rows.put(
        at,
        t.TICKET,
        keys,
        {"kind": e.kind, "door": e.door, "deposit": e.deposit, "at_ms": at.stamp.wall_ms},
    )


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.Booted: _booted,
        ev.CompartmentsConfigured: _configured,
        ev.BoardWentSilent: _silent,
        ev.TicketOpened: _ticket,
    }
)
