"""Which rows a batch of entries will ask for, so that they are fetched together."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields
from functools import cache
from typing import Any, Final

from sqlalchemy import Table

from locker.domain.events import (
    AuthorisationGranted,
    Booted,
    CompartmentsConfigured,
    EpochStarted,
    Event,
    StaffEnrolled,
)
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
_LAST: Final = tuple(
    table
    for table in (*_BY.values(), t.NOTICE, t.STAFF_GRANT)
    if table not in {t.OPENING, t.PICKUP_CODE, t.DEPOSIT}
)
"""What the rows of others name as well."""
_ALONE: Final = frozenset({t.AUTHORISATION, t.OUTGOING_ITEM, BOOKING, ENTRUSTMENT})
"""Their keys hold no locker."""
_WHOLE: Final = frozenset({Booted, CompartmentsConfigured, EpochStarted})
"""What is said of every door of a locker."""


def prefetch(sheet: Sheet, events: Iterable[tuple[str, Event]]) -> None:
    """Entries with their lockers. Nothing rests on it: what it misses is asked for one by one."""
    named: dict[Table, set[Key]] = {table: set() for table in (*_BY.values(), t.NOTICE, t.STAFF_GRANT)}
    whole: set[str] = set()
    for locker, event in events:
        _gather(named, locker, event)
        if type(event) in _WHOLE:
            whole.add(locker)
    sheet.fetch_whole(t.COMPARTMENT, whole)
    for table in (t.OPENING, t.PICKUP_CODE):
        for row in _fetch(sheet, table, named[table]):
            _name(named, t.DEPOSIT, row.locker, row.deposit)
    for row in _fetch(sheet, t.DEPOSIT, named[t.DEPOSIT]):
        _name(named, t.AUTHORISATION, row.locker, row.authorisation)
        _name(named, t.OUTGOING_ITEM, row.locker, row.item)
        _name(named, t.COMPARTMENT, row.locker, row.door)
    for table in _LAST:
        _fetch(sheet, table, named[table])


def _gather(named: dict[Table, set[Key]], locker: str, event: Event) -> None:
    of_type: Any = type(event)
    for name, table in _naming(of_type):
        _name(named, table, locker, getattr(event, name))
    record = getattr(event, "record", "")
    if record:
        kind, _, reference = str(record).partition("/")
        if kind in _BY:
            _name(named, _BY[kind], locker, reference)
    if isinstance(event, AuthorisationGranted):
        named[t.NOTICE].add((subject_of(event),))
    elif isinstance(event, StaffEnrolled):
        _name(named, t.STAFF_GRANT, locker, event.staff)


@cache
def _naming(kind: Any) -> tuple[tuple[str, Table], ...]:
    """Which fields of an event name a row, and of which table."""
    own = {each.name for each in fields(kind)}
    return tuple((name, table) for name, table in _BY.items() if name in own)


def subject_of(granted: AuthorisationGranted) -> str:
    """Of the notice with the code by which one hands in."""
    return f"{granted.authorisation}/{granted.typed_digest}"


def _name(named: dict[Table, set[Key]], table: Table, locker: str, value: object) -> None:
    if value and isinstance(value, str | int):
        named[table].add((value,) if table in _ALONE else (locker, value))


def _fetch(sheet: Sheet, table: Table, keys: AbstractSet[Key]) -> list[Any]:
    """Those there are."""
    if not keys:
        return []
    sheet.fetch(table, keys)
    return [row for row in map(sheet.held(table).get, keys) if row is not None]
