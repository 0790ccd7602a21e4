"""Which vacant compartment: a pure function of the state."""

from enum import StrEnum
from typing import Final

from locker.domain.bookings import at_least, fits
from locker.domain.compartment import Compartment, Reach, Size, Status
from locker.domain.deposit import Kind
from locker.domain.door import Position, Presence
from locker.domain.ids import AuthorisationId, CompartmentNumber
from locker.domain.state import LockerState


class Wish(StrEnum):
    """Which height a person asks for."""

    ANY = "any"
    LOW = "low"


def usable(compartment: Compartment) -> bool:
    """Vacant, seen shut, and nothing says that something lies in it."""
    return (
        compartment.status is Status.VACANT
        and compartment.position is Position.CLOSED
        and compartment.item is not Presence.PRESENT
    )


def being_opened(state: LockerState, door: CompartmentNumber) -> bool:
    """Whether an opening of this door is under way: a technician may have a vacant one pulsed just now."""
    opening = state.opening_of(door)
    return opening is not None and opening.live


def choose(
    state: LockerState,
    kind: Kind,
    size: Size,
    wish: Wish = Wish.ANY,
    without: frozenset[CompartmentNumber] = frozenset(),
    right: AuthorisationId = AuthorisationId(""),
) -> CompartmentNumber | None:
    """The best door for an item, or None where there is no room.

    Never one that others have booked; ``right`` has what is booked for it, whatever the shares say.

    Smallest size that fits, then a handy height, then the least worn lock; the height first where it is
    asked for. A share of each size stays free for the other kind, so that neither can starve the other.
    """
    free = _free(state, without)
    booked = _booked_by_others(state, right)
    sizes = [c.spec.size for c in free]
    allowed = [
        c
        for c in free
        if c.spec.size >= size
        and _leaves_bookings(sizes, booked, c.spec.size)
        and (state.bookings.of(right) or _leaves_room(state, kind, c.spec.size))
    ]
    if not allowed:
        return None
    return min(allowed, key=lambda c: _rank(c, wish)).spec.number


def bookable(state: LockerState, size: Size, right: AuthorisationId) -> bool:
    """Whether one more compartment can be kept free just now, beside all that are."""
    return fits([c.spec.size for c in _free(state)], [*_booked_by_others(state, right), size])


def _free(state: LockerState, without: frozenset[CompartmentNumber] = frozenset()) -> list[Compartment]:
    return [
        c
        for c in state.compartments.values()
        if usable(c) and c.spec.number not in without and not being_opened(state, c.spec.number)
    ]


def _booked_by_others(state: LockerState, right: AuthorisationId) -> list[Size]:
    """A booking whose owner has a compartment just now keeps no second one free."""
    rights = state.authorisations
    return [
        each.size
        for each in state.bookings.held
        if each.authorisation != right
        and not (each.authorisation in rights and rights[each.authorisation].deposit)
    ]


def _leaves_bookings(free: list[Size], booked: list[Size], taken: Size) -> bool:
    """Whether all that is booked still fits when one of this size is gone; larger ones are not touched."""
    return all(
        at_least(size, free) - 1 >= wanted
        for size in Size
        if size <= taken and (wanted := at_least(size, booked))
    )


def unseen(state: LockerState, size: Size) -> bool:
    """Whether a vacant compartment that fits just cannot be seen: then "full" would not be the truth."""
    return any(
        c.status is Status.VACANT and c.spec.size >= size and c.position is Position.UNKNOWN
        for c in state.compartments.values()
    )


_LOW_FIRST: Final = (Reach.LOW, Reach.MIDDLE, Reach.HIGH)


def _rank(compartment: Compartment, wish: Wish) -> tuple[int, ...]:
    """Who asks for a low door needs it more than we need the large one."""
    spec, wear = compartment.spec, compartment.wear
    if wish is Wish.LOW:
        return (_LOW_FIRST.index(spec.reach), spec.size, wear, spec.number)
    return (spec.size, spec.reach is not Reach.MIDDLE, wear, spec.number)


def _leaves_room(state: LockerState, kind: Kind, size: Size) -> bool:
    """Whether one more of ``kind`` still leaves the other kind its share of this size."""
    total = used_by_kind = 0
    for compartment in state.compartments.values():
        if compartment.spec.size != size:
            continue
        total += 1
        deposit = state.deposits.get(compartment.deposit)
        used_by_kind += deposit is not None and deposit.kind is kind
    reserved = total * state.policy.reserve_share_percent // 100
    return used_by_kind < total - reserved
