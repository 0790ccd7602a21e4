"""Book a slot, cancel it, let it lapse. The locker decides whether there is room; it is asked for only where
its last word leaves some.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.bookings import at_least, fits
from locker.domain.compartment import Size
from locker.domain.deposit import Kind
from locker.domain.events import SlotBooked, SlotReleased
from locker.domain.ids import AuthorisationId, BookingId
from sync.central import cases, messages
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.bookings.said import STANDING, State
from sync.central.bookings.tables import BOOKING
from sync.central.desk import Desk, Refusal, Refused, note
from sync.central.directives import append
from sync.central.presence import Presence, presence
from sync.central.settings.said import in_force
from sync.central.store import change, find
from sync.central.tables import AUTHORISATION, COMPARTMENT, DEPOSIT, LOCKER

HOUR_MS: Final = 3_600_000
AHEAD_MAX_MS: Final = 24 * HOUR_MS
"""The compartment is kept free from now on: a slot far ahead would leave it empty for days."""
LENGTH_MAX_MS: Final = 4 * HOUR_MS
LATE_MS: Final = 5 * 60_000
"""So long the locker's own word is waited for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    authorisation: str
    from_ms: int
    until_ms: int


def book(connection: Connection, desk: Desk, actor: Actor, wanted: Wanted) -> str:
    """The booking. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    right = scope.authorisation_row(connection, actor, wanted.authorisation)
    _require_right(connection, right, now_ms)
    _require_time(wanted, right, now_ms)
    locker = find(connection, LOCKER, {"locker": right.locker})
    if locker is None or presence(locker, now_ms) is not Presence.ONLINE:
        raise Refused(Refusal.LOCKER_AWAY, f"{right.locker} is not linked just now; nothing can be kept free")
    if not _has_room(connection, right.locker, Size[right.size]):
        raise Refused(Refusal.NO_ROOM, f"{right.locker} has no room of size {right.size} to keep free")
    booking = desk.chance.new_id()
    says = SlotBooked(
        BookingId(booking),
        AuthorisationId(right.authorisation),
        Size[right.size],
        wanted.from_ms,
        wanted.until_ms,
    )
    values = {
        "booking": booking,
        "authorisation": right.authorisation,
        "case_number": right.case_number,
        "locker": right.locker,
        "size": right.size,
        "from_ms": wanted.from_ms,
        "until_ms": wanted.until_ms,
        "made_ms": now_ms,
        "made_by": actor.who,
        "state": State.WAITING.value,
        "why": "",
        "since_ms": now_ms,
        "dn_epoch": locker.dn_epoch,
        "dn_seq": append(connection, right.locker, says, now_ms),
    }
    connection.execute(BOOKING.insert().values(values))
    detail: dict[str, str | int | bool] = {"locker": right.locker, "until": wanted.until_ms}
    note(connection, right.case_number, "slot_booked", booking, actor.who, now_ms, locker=right.locker)
    audit.write(
        connection, now_ms, actor, Action.BOOK_SLOT, right.case_number, {"booking": booking, **detail}
    )
    return booking


def cancel(connection: Connection, desk: Desk, actor: Actor, booking: str) -> str:
    """The locker that is to be told. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = one(connection, actor, booking)
    if row.state not in STANDING:
        raise Refused(Refusal.NOT_NOW, f"this slot is {row.state} already")
    give_back(connection, row, State.CANCELLED, actor.who, now_ms)
    if row.state == State.SET_ASIDE.value:
        _tell_cancelled(connection, desk, row)
    detail: dict[str, str | int | bool] = {"booking": booking, "locker": row.locker, "what": "cancel"}
    audit.write(connection, now_ms, actor, Action.BOOK_SLOT, row.case_number, detail)
    return str(row.locker)


def lapse(connection: Connection, now_ms: int) -> list[str]:
    """End what nobody came for, where the locker has not said so itself; the lockers that are to be told."""
    own = BOOKING.c
    over = select(BOOKING).where(own.state.in_(STANDING), own.until_ms < now_ms - LATE_MS)
    found = [
        row
        for row in connection.execute(over.order_by(own.made_ms)).all()
        if row.until_ms + in_force(connection, row.locker).slot_grace_ms < now_ms - LATE_MS
    ]
    for row in found:
        give_back(connection, row, State.LAPSED, "centre", now_ms)
    return [row.locker for row in found]


def give_back(connection: Connection, row: Row[Any], state: State, who: str, now_ms: int) -> None:
    says = SlotReleased(BookingId(row.booking), AuthorisationId(row.authorisation), state.value)
    append(connection, row.locker, says, now_ms)
    change(connection, BOOKING, {"booking": row.booking}, {"state": state.value, "since_ms": now_ms})
    note(connection, row.case_number, f"slot_{state.value}", row.booking, who, now_ms, locker=row.locker)


def _tell_cancelled(connection: Connection, desk: Desk, row: Row[Any]) -> None:
    """Only whoever was told of it: what its locker never set aside was promised to nobody."""
    right = find(connection, AUTHORISATION, {"authorisation": row.authorisation})
    messages.say(
        connection,
        desk,
        template="slot_cancelled",
        case=row.case_number,
        subject=f"{row.authorisation}/{row.booking}",
        contact_sealed=right.sealed if right else "",
        variables={"begins_ms": row.from_ms},
        locker=row.locker,
        once=row.booking,
        urgent=True,
    )


def one(connection: Connection, actor: Actor, booking: str) -> Row[Any]:
    """Raises Refused."""
    row = find(connection, BOOKING, {"booking": booking})
    try:
        if row is not None:
            scope.locker_row(connection, actor, row.locker)
            return row
    except Refused as error:
        raise Refused(Refusal.UNKNOWN_BOOKING, "no such booking") from error
    raise Refused(Refusal.UNKNOWN_BOOKING, "no such booking")


def _require_right(connection: Connection, right: Row[Any], now_ms: int) -> None:
    """Raises Refused."""
    if cases.state_of(right, now_ms) not in {"waiting", "granted"} or _lies(connection, right):
        raise Refused(Refusal.RIGHT_OVER, "this authorisation has ended or was used; nothing can be booked")
    own = BOOKING.c
    before = select(own.booking).where(own.authorisation == right.authorisation, own.state.in_(STANDING))
    if connection.execute(before).first():
        raise Refused(Refusal.BOOKED_ALREADY, "a slot is booked for it; cancel that one first")


def _lies(connection: Connection, right: Row[Any]) -> bool:
    """Whether something lies somewhere under it."""
    own = DEPOSIT.c
    stays = select(COMPARTMENT.c.deposit).where(COMPARTMENT.c.deposit == own.deposit)
    query = select(own.deposit).where(
        own.case_number == right.case_number, own.authorisation == right.authorisation, stays.exists()
    )
    return connection.execute(query).first() is not None


def _require_time(wanted: Wanted, right: Row[Any], now_ms: int) -> None:
    """Raises Refused."""
    if not now_ms - LATE_MS <= wanted.from_ms <= now_ms + AHEAD_MAX_MS:
        raise Refused(Refusal.BAD_SLOT, "a slot begins within the next 24 hours")
    if not 0 < wanted.until_ms - wanted.from_ms <= LENGTH_MAX_MS:
        raise Refused(Refusal.BAD_SLOT, "a slot ends after it begins and lasts at most 4 hours")
    if wanted.until_ms > right.valid_until_ms:
        raise Refused(Refusal.BAD_SLOT, "the authorisation ends before the slot does")


def _has_room(connection: Connection, locker: str, size: Size) -> bool:
    """By the locker's last word: what is free takes all that is booked and one more, and loading keeps its
    share. In the words of `locker.domain.allocation`."""
    own = COMPARTMENT.c
    joined = COMPARTMENT.outerjoin(
        DEPOSIT, (DEPOSIT.c.locker == own.locker) & (DEPOSIT.c.deposit == own.deposit)
    )
    query = select(COMPARTMENT, DEPOSIT.c.kind).select_from(joined)
    doors = connection.execute(query.where(own.locker == locker, own.configured)).all()
    there = [Size[door.size] for door in doors]
    free = [Size[door.size] for door in doors if _is_free(door)]
    used = [Size[door.size] for door in doors if door.kind == Kind.SUBMISSION.value]
    booked = [*_booked(connection, locker), size]
    kept = at_least(size, there) * in_force(connection, locker).reserve_share_percent // 100
    within_share = at_least(size, used) + at_least(size, booked) <= at_least(size, there) - kept
    return fits(free, booked) and within_share


def _booked(connection: Connection, locker: str) -> list[Size]:
    own = BOOKING.c
    query = select(own.size).where(own.locker == locker, own.state.in_(STANDING))
    return [Size[name] for name in connection.execute(query).scalars()]


def _is_free(door: Row[Any]) -> bool:
    return not (door.deposit or door.doubt or door.fault or door.blocked or door.barred) and (
        door.position == "closed" and door.item != "present"
    )
