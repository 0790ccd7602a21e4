"""What the centre granted, and the codes that rest on it."""

from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.sql.dml import UpdateBase

from locker.domain import directives
from locker.domain import events as ev
from locker.domain.encoding import canonical
from locker.domain.ids import Seq
from sync.central import tables as t
from sync.central.bulk import BIG, TEXT, Change
from sync.central.project import pickups, rows, slots
from sync.central.project.rows import Apply, Place


def _granted(at: Place, e: ev.AuthorisationGranted) -> None:
    """The hub's own row: that the locker has it is what lets the typed code go out."""
    if at.sheet.find(t.AUTHORISATION, {"authorisation": e.authorisation}) is None:
        _recreate_right(at, e)
    at.sheet.later(_GRANTED, {"of_right": e.authorisation, "of_locker": at.locker, "at_ms": at.now_ms})


def _recreate_right(at: Place, e: ev.AuthorisationGranted) -> None:
    """We said it once, and came back from a copy that is older: the locker holds it, and so do we again.

    Nobody can be told: whom to call was never in the locker's journal.
    """
    values = {
        "case_number": e.case,
        "service_item": e.service_item,
        "papers": canonical(list(e.papers)),
        "deferred": canonical(list(e.deferred)),
        "size": e.size.name,
        "locker": at.locker,
        "name": e.name,
        "phone": e.phone,
        "locator": e.locator,
        "directive": directives.write(Seq(1), e),
        "valid_from_ms": e.valid_from_ms,
        "valid_until_ms": e.valid_until_ms,
        "made_ms": at.now_ms,
    }
    at.sheet.add(t.AUTHORISATION, {"authorisation": e.authorisation} | values)
    _extra(
        at, f"authorisation/{e.authorisation}", f"case {e.case}: it is in force again, its phone is unknown"
    )


def _announced(at: Place, e: ev.ItemAnnounced) -> None:
    """As `_granted`, for what may be loaded."""
    if at.sheet.find(t.OUTGOING_ITEM, {"item": e.item}) is not None:
        return
    values = {
        "case_number": e.case,
        "service_item": e.service_item,
        "size": e.size.name,
        "locker": at.locker,
        "second_factor": e.second_factor,
        "name": e.name,
        "phone": e.phone,
        "directive": directives.write(Seq(1), e),
        "made_ms": at.now_ms,
        "valid_until_ms": at.now_ms,
    }
    at.sheet.add(t.OUTGOING_ITEM, {"item": e.item} | values)
    _extra(at, f"item/{e.item}", f"case {e.case}: it may be loaded, its phone and label are unknown")


def _enrolled(at: Place, e: ev.StaffEnrolled) -> None:
    """Not made again: who may open doors is said by the office, never by a locker."""
    if at.sheet.find(t.STAFF_GRANT, {"locker": at.locker, "staff": e.staff}) is None:
        _extra(at, f"staff/{e.staff}", "their badge works there until it runs out: enrol or revoke them")


def _extra(at: Place, subject: str, detail: str) -> None:
    """The locker holds a right that is not in our books; a snapshot cancels none."""
    rows.alarm(at, "right_extra", subject, detail)


def _revoked(at: Place, e: ev.AuthorisationRevoked) -> None:
    rows.end_authorisation(at, e.authorisation, "revoked")
    slots.revoked(at, e.authorisation)


def _recalled(at: Place, e: ev.ItemRecalled) -> None:
    at.sheet.later(_RECALLED, {"of_item": e.item, "of_locker": at.locker})


def _code_made(at: Place, e: ev.PickupCodeMade) -> None:
    keys = {"code": e.code}
    rows.put(at, t.PICKUP_CODE, keys, {"deposit": e.deposit, "ended": ""})
    pickups.made(at, e)


def _code_ended(at: Place, e: ev.CodeEnded) -> None:
    rows.change(at, t.PICKUP_CODE, {"code": e.code}, ended=e.reason)


def _directive_applied(at: Place, e: ev.DirectiveApplied) -> None:
    slots.told(at, e)
    pickups.told(at, e)
    if e.outcome.startswith("refused"):
        rows.alarm(at, "directive_refused", f"{e.dn_epoch}/{e.dn_seq}", e.outcome)


def _first_granted(told: Any) -> UpdateBase:
    own = t.AUTHORISATION.c
    unknown = [own.authorisation == told.of_right, own.locker == told.of_locker, own.granted_ms == 0]
    return t.AUTHORISATION.update().where(*unknown).values(granted_ms=told.at_ms)


def _never_loaded(told: Any) -> UpdateBase:
    own = t.OUTGOING_ITEM.c
    waiting = [own.item == told.of_item, own.locker == told.of_locker, own.state == "announced"]
    return t.OUTGOING_ITEM.update().where(*waiting).values(state="recalled")


_GRANTED: Final = Change(_first_granted, ["of_right"], of_right=TEXT, of_locker=TEXT, at_ms=BIG)
_RECALLED: Final = Change(_never_loaded, ["of_item"], of_item=TEXT, of_locker=TEXT)

APPLY: Final[Apply] = MappingProxyType(
    {
        ev.AuthorisationGranted: _granted,
        ev.ItemAnnounced: _announced,
        ev.StaffEnrolled: _enrolled,
        ev.AuthorisationRevoked: _revoked,
        ev.ItemRecalled: _recalled,
        ev.DirectiveApplied: _directive_applied,
        **slots.APPLY,
        ev.PickupCodeMade: _code_made,
        ev.CodeEnded: _code_ended,
    }
)
