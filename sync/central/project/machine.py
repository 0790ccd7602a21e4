"""The locker itself: its starts, its compartments and its boards."""

from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.sql.dml import UpdateBase

from locker.domain import events as ev
from locker.domain.door import Position, Presence
from sync.central import tables as t
from sync.central.bulk import TEXT, Change
from sync.central.project import rows
from sync.central.project.rows import Apply, Place


def _booted(at: Place, e: ev.Booted) -> None:
    at.sheet.later(_SOFTWARE, {"of_locker": at.locker, "as_software": e.software})
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
    named = {"locker": at.locker, "epoch": at.epoch, "seq": at.seq}
    told = {"kind": e.kind, "door": e.door, "deposit": e.deposit, "at_ms": at.stamp.wall_ms}
    at.sheet.add(t.TICKET, named | told)


def _software(told: Any) -> UpdateBase:
    return t.LOCKER.update().where(t.LOCKER.c.locker == told.of_locker).values(software=told.as_software)


_SOFTWARE: Final = Change(_software, ["of_locker"], of_locker=TEXT, as_software=TEXT)

APPLY: Final[Apply] = MappingProxyType(
    {
        ev.Booted: _booted,
        ev.CompartmentsConfigured: _configured,
        ev.BoardWentSilent: _silent,
        ev.TicketOpened: _ticket,
    }
)
