"""Booked slots: so many compartments of a size are kept free for people who said when they come.

Which compartment it will be is decided when they stand there: a number that is kept free asks nothing of any
one door, so a door that fails, or is looked into, takes no booking with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from locker.domain.compartment import Size
from locker.domain.ids import AuthorisationId, BookingId


@dataclass(frozen=True, slots=True)
class Booking:
    booking: BookingId
    authorisation: AuthorisationId
    size: Size
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Bookings:
    held: tuple[Booking, ...] = ()
    """Those that were neither used nor given back; oldest first."""

    def find(self, key: BookingId) -> Booking | None:
        return next((each for each in self.held if each.booking == key), None)

    def of(self, right: AuthorisationId) -> bool:
        return any(each.authorisation == right for each in self.held)

    def put(self, booking: Booking) -> "Bookings":
        """One booking for each right: a later one takes the place of an earlier."""
        return Bookings((*self.without_right(booking.authorisation).held, booking))

    def without(self, key: BookingId) -> "Bookings":
        return replace(self, held=tuple(each for each in self.held if each.booking != key))

    def without_right(self, right: AuthorisationId) -> "Bookings":
        return replace(self, held=tuple(each for each in self.held if each.authorisation != right))


def at_least(size: Size, sizes: Iterable[Size]) -> int:
    """How many of ``sizes`` are this one or larger."""
    return sum(each >= size for each in sizes)


def fits(free: Iterable[Size], wanted: Iterable[Size]) -> bool:
    """Whether each of ``wanted`` finds one of its own among ``free``, that size or larger."""
    there, asked = tuple(free), tuple(wanted)
    return all(at_least(size, there) >= at_least(size, asked) for size in set(asked))
