"""Which vacant compartment: a pure function of the state."""

from enum import StrEnum
from typing import Final

from locker.domain.compartment import Compartment, Reach, Size, Status
from locker.domain.deposit import Kind
from locker.domain.door import Position, Presence
from locker.domain.ids import CompartmentNumber
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
) -> CompartmentNumber | None:
    """The best door for an item, or None where there is no room.

    Smallest size that fits, then a handy height, then the least worn lock; the height first where it is
    asked for. A share of each size stays free for the other kind, so that neither can starve the other.
    """
    fitting = [
        c
        for c in state.compartments.values()
        if c.spec.size >= size
        and usable(c)
        and c.spec.number not in without
        and not being_opened(state, c.spec.number)
    ]
    allowed = [c for c in fitting if _leaves_room(state, kind, c.spec.size)]
    if not allowed:
        return None
    return min(allowed, key=lambda c: _rank(c, wish)).spec.number


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
