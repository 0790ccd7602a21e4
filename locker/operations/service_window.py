"""The service window: the key is turned, a technician is signed in, a second person stands beside them.

While it stands, doors that open without a grant are `DoorOpenedByKey` and not forced. Whatever was touched,
or could have been while nobody saw it, is to be checked afterwards.
"""

from collections.abc import Iterable

from locker.domain.access import Action
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CompartmentDoubted,
    DoorOpenedByKey,
    Event,
    ServiceWindowClosed,
    ServiceWindowOpened,
)
from locker.domain.ids import CompartmentNumber, StaffId
from locker.domain.state import LockerState
from locker.operations.ports import Decided, World
from locker.operations.second_person import beside, two_may


async def open_window(world: World, staff: StaffId) -> Refusal | None:
    """It ends with the key, with the technician's word, with time, and with a restart."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        if refusal := two_may(world, state, staff, Action.WINDOW):
            return Decided(refusal)
        if not state.surroundings.service_key:
            return Decided(Refusal(Reason.KEY_NEEDED))
        if state.window.stands(world.clock.mono_ms()):
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, (*over(state), ServiceWindowOpened(staff, beside(world, state, staff))))

    return await world.journal.commit(f"staff/{staff}", decide)


async def close_window(world: World, staff: StaffId) -> Refusal | None:
    """By whoever opened it, or their second."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        window = state.window
        if not window.staff or staff not in {window.staff, window.second}:
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, (ServiceWindowClosed("ended"),))

    return await world.journal.commit(f"staff/{staff}", decide)


def over(state: LockerState, why: str = "time") -> tuple[Event, ...]:
    """The end of a window that stands, or stood, for ``why``; nothing where there was none."""
    return (ServiceWindowClosed(why),) if state.window.staff else ()


def due(world: World, state: LockerState) -> tuple[Event, ...]:
    """Its time is up."""
    return () if state.window.stands(world.clock.mono_ms()) else over(state)


def opened(state: LockerState, door: CompartmentNumber) -> tuple[Event, ...]:
    """A door opened without a grant while the window stands."""
    return (DoorOpenedByKey(door), *touched(state, (door,), "opened by key"))


def touched(state: LockerState, doors: Iterable[CompartmentNumber], why: str) -> tuple[Event, ...]:
    """Somebody had their hands in them, or could have had."""
    return tuple(CompartmentDoubted(door, why) for door in doors if not state.compartments[door].doubt)
