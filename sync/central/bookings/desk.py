"""What the API and the console ask for of slots, and the round in which they lapse."""

from typing import Final

from sync.central.access.actor import Actor
from sync.central.bookings import slots
from sync.central.office import Office, Repeatable

ROUND_MS: Final = 60_000


async def book(office: Office, actor: Actor, wanted: slots.Wanted, repeatable: Repeatable) -> str:
    """The booking. Raises Refused."""
    booking = await office.once(
        "bookings", actor, repeatable, lambda c: slots.book(c, office.desk, actor, wanted)
    )
    row = await office.store.read(lambda c: slots.one(c, actor, booking))
    office.pump.wake([row.locker])
    return booking


async def cancel(office: Office, actor: Actor, booking: str) -> None:
    """Raises Refused."""
    office.pump.wake([await office.store.write(lambda c: slots.cancel(c, office.desk, actor, booking))])


async def keep(office: Office) -> None:
    """Until cancelled."""
    clock = office.desk.clock
    while True:
        office.pump.wake(await office.store.write(lambda c: slots.lapse(c, clock.wall_ms())))
        await clock.sleep_until(clock.mono_ms() + ROUND_MS)
