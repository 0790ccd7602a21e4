"""Which rows a batch of entries will ask for, so that they are fetched together."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Table

from locker.domain.events import AuthorisationGranted, Event, StaffEnrolled
from sync.central import tables as t
from sync.central.bookings.tables import BOOKING
from sync.central.bulk import Key
from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.project.sheet import Sheet

_BY: Final[Mapping[str, Table]] = {
    "deposit": t.DEPOSIT,
    "grant": t.OPENING,
    "code": t.PICKUP_CODE,
    "authorisation": t.AUTHORISATION,
    "item": t.OUTGOING_ITEM,
    "door": t.COMPARTMENT,
    "booking": BOOKING,
    "entrustment": ENTRUSTMENT,
}
"""What an entry's field names."""
_ALONE: Final = frozenset({t.AUTHORISATION, t.OUTGOING_ITEM, BOOKING, ENTRUSTMENT})
"""Their keys hold no locker."""


def prefetch(sheet: Sheet, events: Iterable[tuple[str, Event]]) -> None:
    """Entries with their lockers. Nothing rests on it: what it misses is asked for one by one."""
    named: dict[Table, set[Key]] = {table: set() for table in (*_BY.values(), t.NOTICE, t.STAFF_GRANT)}
    for locker, event in events:
        for name, table in _BY.items():
            _name(named, table, locker, getattr(event, name, ""))
        kind, _, reference = str(getattr(event, "record", "")).partition("/")
        if kind in _BY:
            _name(named, _BY[kind], locker, reference)
        if isinstance(event, AuthorisationGranted):
            named[t.NOTICE].add((subject_of(event),))
        elif isinstance(event, StaffEnrolled):
            _name(named, t.STAFF_GRANT, locker, event.staff)
    for table in (t.OPENING, t.PICKUP_CODE):
        for row in _fetch(sheet, table, named[table]):
            _name(named, t.DEPOSIT, row.locker, row.deposit)
    for row in _fetch(sheet, t.DEPOSIT, named[t.DEPOSIT]):
        _name(named, t.AUTHORISATION, row.locker, row.authorisation)
        _name(named, t.OUTGOING_ITEM, row.locker, row.item)
        _name(named, t.COMPARTMENT, row.locker, row.door)
    for table in (t.COMPARTMENT, t.AUTHORISATION, t.OUTGOING_ITEM, t.NOTICE, t.STAFF_GRANT):
        _fetch(sheet, table, named[table])


def subject_of(granted: AuthorisationGranted) -> str:
    """Of the notice with the code by which one hands in."""
    return f"{granted.authorisation}/{granted.typed_digest}"


def _name(named: dict[Table, set[Key]], table: Table, locker: str, value: object) -> None:
    if value and isinstance(value, str | int):
        named[table].add((value,) if table in _ALONE else (locker, value))


def _fetch(sheet: Sheet, table: Table, keys: Iterable[Key]) -> list[Any]:
    """Those there are."""
    sheet.fetch(table, keys)
    return [row for row in map(sheet.held(table).get, keys) if row is not None]
