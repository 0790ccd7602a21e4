"""What became of what the centre said of doors and slots, and of every entry of its log."""

from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.sql.dml import UpdateBase

from locker.domain import events as ev
from sync.central import store
from sync.central import tables as t
from sync.central.bookings.said import STANDING, State
from sync.central.bookings.tables import BOOKING
from sync.central.bulk import BIG, NUMBER, TEXT, Change
from sync.central.doors.tables import DOOR_BAR
from sync.central.project import rows
from sync.central.project.rows import Apply, Place

REFUSED: Final = "refused: "


def told(at: Place, e: ev.DirectiveApplied) -> None:
    """The life of a state entry ends here; that of a booking that was refused does too."""
    where: dict[str, Any] = {"of_locker": at.locker, "of_epoch": e.dn_epoch, "of_seq": e.dn_seq}
    at.sheet.later(_OUTCOME, {**where, "as_outcome": e.outcome, "at_ms": at.now_ms})
    if e.outcome.startswith(REFUSED):
        at.sheet.later(_REFUSED, {**where, "as_why": e.outcome.removeprefix(REFUSED), "at_ms": at.now_ms})


def used(at: Place, deposit: str) -> None:
    stay = rows.deposit(at, deposit)
    if stay.authorisation:
        at.sheet.later(_USED, {"of_right": stay.authorisation, "of_locker": at.locker, "at_ms": at.now_ms})


def revoked(at: Place, right: str) -> None:
    at.sheet.later(_REVOKED, {"of_right": right, "of_locker": at.locker, "at_ms": at.now_ms})


def restored(at: Place, door: int) -> None:
    """Somebody on the spot put it back in service; a bar that its locker had not heard of yet stands."""
    at.sheet.later(_LIFTED, {"of_locker": at.locker, "of_door": door})


def _barred(at: Place, e: ev.CompartmentBarred) -> None:
    rows.door(at, e.door, barred=e.reason)
    keys = {"locker": at.locker, "door": e.door}
    before = store.find(at.connection, DOOR_BAR, keys)
    if before is None:
        # We said it once, and came back from a copy that is older.
        said = {"reason": e.reason, "who": e.by, "at_ms": at.now_ms, "seen_ms": at.now_ms}
        store.put(at.connection, DOOR_BAR, keys, said)
    elif before.reason == e.reason:
        store.change(at.connection, DOOR_BAR, keys, {"seen_ms": at.now_ms})


def _unbarred(at: Place, e: ev.CompartmentUnbarred) -> None:
    rows.door(at, e.door, barred="")


def _booked(at: Place, e: ev.SlotBooked) -> None:
    if at.sheet.find(BOOKING, {"booking": e.booking}) is None:
        _recreate(at, e)
    else:
        at.sheet.later(_SET_ASIDE, {"of_booking": e.booking, "at_ms": at.now_ms})


def _recreate(at: Place, e: ev.SlotBooked) -> None:
    """As `_barred`, for a slot."""
    right = at.sheet.find(t.AUTHORISATION, {"authorisation": e.authorisation})
    values = {
        "booking": e.booking,
        "authorisation": e.authorisation,
        "case_number": right.case_number if right else "",
        "locker": at.locker,
        "size": e.size.name,
        "from_ms": e.from_ms,
        "until_ms": e.until_ms,
        "made_ms": at.now_ms,
        "made_by": "",
        "state": State.SET_ASIDE.value,
        "why": "",
        "since_ms": at.now_ms,
        "dn_epoch": "",
        "dn_seq": 0,
    }
    at.sheet.add(BOOKING, values)


def _lapsed(at: Place, e: ev.SlotLapsed) -> None:
    at.sheet.later(_LAPSED, {"of_booking": e.booking, "of_locker": at.locker, "at_ms": at.now_ms})


# --- how it is told ----------------------------------------------------------------------------------------

_row: Final = BOOKING.c
# No `in_` in what may be done for many rows at once: its lists are written out for one execution only.
_stands: Final = or_(*(_row.state == state for state in STANDING))


def _moved(told: Any, state: State, *where: Any, **more: Any) -> UpdateBase:
    return BOOKING.update().where(*where).values(state=state.value, since_ms=told.at_ms, **more)


def _of_right(told: Any) -> ColumnElement[bool]:
    return and_(_row.authorisation == told.of_right, _row.locker == told.of_locker)


def _is_used(told: Any) -> UpdateBase:
    # One that lapsed by our clock may have been used before, far from any link.
    return _moved(told, State.USED, _of_right(told), or_(_stands, _row.state == State.LAPSED.value))


def _is_revoked(told: Any) -> UpdateBase:
    return _moved(told, State.REVOKED, _of_right(told), _stands)


def _is_set_aside(told: Any) -> UpdateBase:
    named = _row.booking == told.of_booking
    return _moved(told, State.SET_ASIDE, named, _row.state == State.WAITING.value)


def _is_over(told: Any) -> UpdateBase:
    named = and_(_row.booking == told.of_booking, _row.locker == told.of_locker)
    return _moved(told, State.LAPSED, named, _stands)


def _is_refused(told: Any) -> UpdateBase:
    named = [_row.locker == told.of_locker, _row.dn_epoch == told.of_epoch, _row.dn_seq == told.of_seq]
    return _moved(told, State.REFUSED, *named, _stands, why=told.as_why)


def _outcome(told: Any) -> UpdateBase:
    own = t.DIRECTIVE.c
    named = [own.locker == told.of_locker, own.dn_epoch == told.of_epoch, own.seq == told.of_seq]
    return t.DIRECTIVE.update().where(*named).values(outcome=told.as_outcome, told_ms=told.at_ms)


def _lifted(told: Any) -> UpdateBase:
    own = DOOR_BAR.c
    named = [own.locker == told.of_locker, own.door == told.of_door, own.seen_ms > 0]
    return DOOR_BAR.delete().where(*named)


_ENTRY: Final = ("of_locker", "of_epoch", "of_seq")
_USED: Final = Change(_is_used, ["of_right"], of_right=TEXT, of_locker=TEXT, at_ms=BIG)
_REVOKED: Final = Change(_is_revoked, ["of_right"], of_right=TEXT, of_locker=TEXT, at_ms=BIG)
_SET_ASIDE: Final = Change(_is_set_aside, ["of_booking"], of_booking=TEXT, at_ms=BIG)
_LAPSED: Final = Change(_is_over, ["of_booking"], of_booking=TEXT, of_locker=TEXT, at_ms=BIG)
_REFUSED: Final = Change(
    _is_refused, _ENTRY, of_locker=TEXT, of_epoch=TEXT, of_seq=BIG, as_why=TEXT, at_ms=BIG
)
_OUTCOME: Final = Change(
    _outcome, _ENTRY, of_locker=TEXT, of_epoch=TEXT, of_seq=BIG, as_outcome=TEXT, at_ms=BIG
)
_LIFTED: Final = Change(_lifted, ["of_locker", "of_door"], of_locker=TEXT, of_door=NUMBER)

APPLY: Final[Apply] = MappingProxyType(
    {
        ev.CompartmentBarred: _barred,
        ev.CompartmentUnbarred: _unbarred,
        ev.SlotBooked: _booked,
        ev.SlotLapsed: _lapsed,
    }
)
