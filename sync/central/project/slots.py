"""What became of what the centre said of doors and slots, and of every entry of its log."""

from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import bindparam, or_

from locker.domain import events as ev
from sync.central import store
from sync.central import tables as t
from sync.central.bookings.said import STANDING, State
from sync.central.bookings.tables import BOOKING
from sync.central.doors.tables import DOOR_BAR
from sync.central.project import rows
from sync.central.project.rows import Apply, Place

REFUSED: Final = "refused: "


def told(at: Place, e: ev.DirectiveApplied) -> None:
    """The life of a state entry ends here; that of a booking that was refused does too."""
    where = {"of_locker": at.locker, "of_epoch": e.dn_epoch, "of_seq": e.dn_seq}
    at.sheet.later(_OUTCOME, {**where, "as_outcome": e.outcome, "at_ms": at.now_ms})
    if e.outcome.startswith(REFUSED):
        at.sheet.later(_REFUSED, {**where, "as_why": e.outcome.removeprefix(REFUSED), "at_ms": at.now_ms})


def used(at: Place, deposit: str) -> None:
    stay = rows.deposit(at, deposit)
    at.sheet.later(_USED, {"of": stay.authorisation, "of_locker": at.locker, "at_ms": at.now_ms})


def revoked(at: Place, right: str) -> None:
    at.sheet.later(_REVOKED, {"of": right, "of_locker": at.locker, "at_ms": at.now_ms})


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
    row = store.find(at.connection, BOOKING, {"booking": e.booking})
    moved = {"state": State.SET_ASIDE.value, "since_ms": at.now_ms}
    if row is not None and row.state == State.WAITING.value:
        store.change(at.connection, BOOKING, {"booking": e.booking}, moved)
    elif row is None:
        _recreate(at, e, moved)


def _recreate(at: Place, e: ev.SlotBooked, moved: dict[str, Any]) -> None:
    """As `_barred`, for a slot."""
    right = store.find(at.connection, t.AUTHORISATION, {"authorisation": e.authorisation})
    values = {
        "authorisation": e.authorisation,
        "case_number": right.case_number if right else "",
        "locker": at.locker,
        "size": e.size.name,
        "from_ms": e.from_ms,
        "until_ms": e.until_ms,
        "made_ms": at.now_ms,
        "made_by": "",
        "why": "",
        "dn_epoch": "",
        "dn_seq": 0,
    }
    store.put(at.connection, BOOKING, {"booking": e.booking}, values | moved)


def _lapsed(at: Place, e: ev.SlotLapsed) -> None:
    at.sheet.later(_LAPSED, {"of": e.booking, "of_locker": at.locker, "at_ms": at.now_ms})


# --- built once ---------------------------------------------------------------------------------------------

_row: Final = BOOKING.c
_here: Final = _row.locker == bindparam("of_locker")
_right: Final = _row.authorisation == bindparam("of")
# No `in_` in what may be done for many rows at once: its lists are written out for one execution only.
_stands: Final = or_(*(_row.state == state for state in STANDING))


def _moved(state: State, **more: Any) -> dict[str, Any]:
    return {"state": state.value, "since_ms": bindparam("at_ms"), **more}


_USED: Final = (
    # One that lapsed by our clock may have been used before, far from any link.
    BOOKING.update()
    .where(_right, _here, or_(_stands, _row.state == State.LAPSED.value))
    .values(_moved(State.USED))
)
_REVOKED: Final = BOOKING.update().where(_right, _here, _stands).values(_moved(State.REVOKED))
_LAPSED: Final = (
    BOOKING.update().where(_row.booking == bindparam("of"), _here, _stands).values(_moved(State.LAPSED))
)
_REFUSED: Final = (
    BOOKING.update()
    .where(_here, _row.dn_epoch == bindparam("of_epoch"), _row.dn_seq == bindparam("of_seq"), _stands)
    .values(_moved(State.REFUSED, why=bindparam("as_why")))
)
_OUTCOME: Final = (
    t.DIRECTIVE.update()
    .where(t.DIRECTIVE.c.locker == bindparam("of_locker"), t.DIRECTIVE.c.dn_epoch == bindparam("of_epoch"))
    .where(t.DIRECTIVE.c.seq == bindparam("of_seq"))
    .values(outcome=bindparam("as_outcome"), told_ms=bindparam("at_ms"))
)
_LIFTED: Final = (
    DOOR_BAR.delete()
    .where(DOOR_BAR.c.locker == bindparam("of_locker"), DOOR_BAR.c.door == bindparam("of_door"))
    .where(DOOR_BAR.c.seen_ms > 0)
)

APPLY: Final[Apply] = MappingProxyType(
    {
        ev.CompartmentBarred: _barred,
        ev.CompartmentUnbarred: _unbarred,
        ev.SlotBooked: _booked,
        ev.SlotLapsed: _lapsed,
    }
)
