"""Applicants who say beforehand when they come: a compartment is kept free for them until then."""

from typing import TYPE_CHECKING, Final

from sync.central.bookings import desk
from sync.central.bookings.slots import Wanted
from sync.central.desk import Refused
from sync.central.office import Repeatable
from tests.world.centre import CLERK, ClosedError
from tests.world.times import HOUR_S, MINUTE_S, pause

if TYPE_CHECKING:
    from tests.world.people.applicants import Applicant

TRIES: Final = 3


async def books(who: "Applicant", lead_s: float) -> None:
    """A slot around the moment at which they mean to come, or one that they will miss."""
    for _ in range(TRIES):
        try:
            await _books(who, lead_s)
        except ClosedError:
            await pause(MINUTE_S)
        except Refused as error:
            who.world.reached(f"no slot was booked: {error.reason}")
            await pause(5 * MINUTE_S)
        else:
            return


async def _books(who: "Applicant", lead_s: float) -> None:
    centre = who.world.centre
    from_s = max(0.0, lead_s - HOUR_S) if not who.habits.once("is_late") else 0.0
    length_s = who.rng.uniform(5, 15) * MINUTE_S if not from_s else 2 * HOUR_S
    begins_ms = centre.desk.clock.wall_ms() + round(from_s * 1000)
    wanted = Wanted(who.right, begins_ms, begins_ms + round(length_s * 1000))

    booking = await centre.does(lambda office: desk.book(office, CLERK, wanted, Repeatable()))
    who.say("booked", case=who.case, word=booking)
    who.world.reached("a slot was booked")
    if who.habits.once("cancels"):
        await pause(who.rng.uniform(MINUTE_S, 20 * MINUTE_S))
        await centre.does(lambda office: desk.cancel(office, CLERK, booking))
        who.world.reached("a slot was cancelled")
