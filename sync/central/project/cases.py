"""Which case an entry belongs to."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

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
    record = str(getattr(event, "record", ""))
    kind, _, reference = record.partition("/")
    named = {kind: reference} if record else {}
    for name in _CASE_BY:
        key = getattr(event, name, "") or named.get(name, "")
        if isinstance(key, str) and key and not isinstance(key, Presence):
            found = _CASE_BY[name](at, key)
            if found:
                return found
    return ""


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
