"""Which rows a batch of entries will ask for, so that they are fetched together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Table

from locker.domain.events import Event
from sync.central import tables as t
from sync.central.project.sheet import Sheet

_BY: Final[Mapping[str, Table]] = {
    "deposit": t.DEPOSIT,
    "grant": t.OPENING,
    "code": t.PICKUP_CODE,
    "authorisation": t.AUTHORISATION,
    "item": t.OUTGOING_ITEM,
    "door": t.COMPARTMENT,
}
"""What an entry's field names."""
_ALONE: Final = frozenset({t.AUTHORISATION, t.OUTGOING_ITEM})
"""Their keys hold no locker."""


def prefetch(sheet: Sheet, locker: str, events: Sequence[Event]) -> None:
    """Nothing rests on it: what it misses is asked for one by one."""
    named: dict[Table, set[Any]] = {table: set() for table in _BY.values()}
    for event in events:
        for name, table in _BY.items():
            _name(named[table], getattr(event, name, ""))
        kind, _, reference = str(getattr(event, "record", "")).partition("/")
        if kind in _BY:
            _name(named[_BY[kind]], reference)
    for table in (t.OPENING, t.PICKUP_CODE):
        for row in _fetch(sheet, locker, table, named[table]):
            _name(named[t.DEPOSIT], row.deposit)
    for row in _fetch(sheet, locker, t.DEPOSIT, named[t.DEPOSIT]):
        _name(named[t.AUTHORISATION], row.authorisation)
        _name(named[t.OUTGOING_ITEM], row.item)
        named[t.COMPARTMENT].add(row.door)
    for table in (t.COMPARTMENT, t.AUTHORISATION, t.OUTGOING_ITEM):
        _fetch(sheet, locker, table, named[table])


def _name(names: set[Any], value: object) -> None:
    if value and isinstance(value, str | int):
        names.add(value)


def _fetch(sheet: Sheet, locker: str, table: Table, names: Iterable[Any]) -> list[Any]:
    """Those there are."""
    keys = [(name,) if table in _ALONE else (locker, name) for name in names]
    sheet.fetch(table, keys)
    return [row for row in map(sheet.held(table).get, keys) if row is not None]
