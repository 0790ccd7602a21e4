"""What the centre granted, and the codes that rest on it."""

from types import MappingProxyType
from typing import Final

from sqlalchemy import bindparam

from locker.domain import events as ev
from sync.central import tables as t
from sync.central.alarms import Trouble, raise_alarm
from sync.central.project import rows
from sync.central.project.rows import Apply, Place


def _granted(at: Place, e: ev.AuthorisationGranted) -> None:
    """The hub's own row: that the locker has it is what lets the typed code go out."""
    at.sheet.later(_GRANTED, {"of": e.authorisation, "of_locker": at.locker, "at_ms": at.now_ms})


def _revoked(at: Place, e: ev.AuthorisationRevoked) -> None:
    rows.end_authorisation(at, e.authorisation, "revoked")


def _recalled(at: Place, e: ev.ItemRecalled) -> None:
    rows.change(at, t.OUTGOING_ITEM, {"item": e.item, "state": "announced"}, state="recalled")


def _code_made(at: Place, e: ev.PickupCodeMade) -> None:
    keys = {"code": e.code}
    rows.put(at, t.PICKUP_CODE, keys, {"deposit": e.deposit, "ended": ""})


def _code_ended(at: Place, e: ev.CodeEnded) -> None:
    rows.change(at, t.PICKUP_CODE, {"code": e.code}, ended=e.reason)


def _directive_applied(at: Place, e: ev.DirectiveApplied) -> None:
    if e.outcome.startswith("refused"):
        trouble = Trouble("directive_refused", f"{e.dn_epoch}/{e.dn_seq}", e.outcome)
        raise_alarm(at.connection, at.locker, trouble, at.now_ms)


_GRANTED: Final = (
    t.AUTHORISATION.update()
    .where(t.AUTHORISATION.c.authorisation == bindparam("of"), t.AUTHORISATION.c.granted_ms == 0)
    .where(t.AUTHORISATION.c.locker == bindparam("of_locker"))
    .values(granted_ms=bindparam("at_ms"))
)

APPLY: Final[Apply] = MappingProxyType(
    {
        ev.AuthorisationGranted: _granted,
        ev.AuthorisationRevoked: _revoked,
        ev.ItemRecalled: _recalled,
        ev.DirectiveApplied: _directive_applied,
        ev.PickupCodeMade: _code_made,
        ev.CodeEnded: _code_ended,
    }
)
