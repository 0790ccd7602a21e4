"""Which case an entry belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from locker.domain.door import Presence
from locker.domain.events import Event
from sync.central import tables as t
from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.project import rows
from sync.central.project.rows import Place


def case_of(at: Place, event: Event) -> str:
    case = getattr(event, "case", "")
    if case:
        return str(case)
    kind, _, reference = str(getattr(event, "record", "")).partition("/")
    of_type: Any = type(event)
    for name in _naming(of_type):
        key = getattr(event, name, "") or (reference if kind == name else "")
        if isinstance(key, str) and key and not isinstance(key, Presence):
            found = _CASE_BY[name](at, key)
            if found:
                return found
    return ""


@cache
def _naming(kind: Any) -> tuple[str, ...]:
    """Which fields of an event may name a case; a record is one of any kind."""
    own = {each.name for each in fields(kind)}
    return tuple(name for name in _CASE_BY if name in own or "record" in own)


def _case_by_deposit(at: Place, deposit: str) -> str:
    row = rows.find(at, t.DEPOSIT, deposit=deposit)
    return str(row.case_number) if row else ""


def _case_by_grant(at: Place, grant: str) -> str:
    row = rows.find(at, t.OPENING, grant_id=grant)
    return _case_by_deposit(at, row.deposit) if row else ""


def _case_by_code(at: Place, code: str) -> str:
    row = rows.find(at, t.PICKUP_CODE, code=code)
    return _case_by_deposit(at, row.deposit) if row else ""


def _case_by_authorisation(at: Place, authorisation: str) -> str:
    row = rows.find(at, t.AUTHORISATION, authorisation=authorisation)
    return str(row.case_number) if row else ""


def _case_by_item(at: Place, item: str) -> str:
    row = rows.find(at, t.OUTGOING_ITEM, item=item)
    return str(row.case_number) if row else ""


def _case_by_entrustment(at: Place, entrustment: str) -> str:
    row = at.sheet.find(ENTRUSTMENT, {"entrustment": entrustment})
    return str(row.case_number) if row else ""


_CASE_BY: Final[Mapping[str, Callable[[Place, str], str]]] = MappingProxyType(
    {
        "deposit": _case_by_deposit,
        "grant": _case_by_grant,
        "code": _case_by_code,
        "authorisation": _case_by_authorisation,
        "item": _case_by_item,
        "entrustment": _case_by_entrustment,
    }
)
