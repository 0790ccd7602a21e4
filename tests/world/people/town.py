"""What people of one town share: the line before each screen, phones, the helpers' desk, and their memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Final, TypeVar

from sync.central.cases import authorisation_row, token_of
from sync.central.desk import Refused
from sync.central.outgoing import item_row
from sync.central.staff import Enrolment
from tests.world.centre import ClosedError, Sms
from tests.world.machine import Machine
from tests.world.people import crowds
from tests.world.times import HOUR_S, pause
from tests.world.world import World

if TYPE_CHECKING:
    from tests.world.people.person import Person

T = TypeVar("T")
OPENS_AT_H: Final = 8.0
"""Which hour of the day it is when the world begins."""
RHYTHM: Final = (1, 1, 1, 1, 1, 2, 3, 6, 9, 10, 10, 9, 8, 8, 9, 9, 9, 9, 8, 7, 5, 4, 3, 2)
"""How many people are about in each hour, in tenths of the busiest."""
OFFICE_RETRY_S: Final = 60.0


class GoneError(Exception):
    """Somebody goes away for now; they may come back."""


def hour_of_day(at_s: float) -> int:
    return int(at_s / HOUR_S + OPENS_AT_H) % 24


def is_about(at_s: float, rng: Random) -> bool:
    """Whether somebody who could come at any time comes now."""
    return rng.random() * 10 < RHYTHM[hour_of_day(at_s)]


class Line:
    """Those who wait for one screen: one person at a time, first come, first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self.waiting = 0

    @property
    def empty(self) -> bool:
        return not self._lock.locked() and self.waiting == 0

    @asynccontextmanager
    async def turn(self, patience_s: float) -> AsyncIterator[None]:
        """Raises GoneError where it takes too long."""
        self.waiting += 1
        try:
            async with asyncio.timeout(patience_s):
                await self._lock.acquire()
        except TimeoutError:
            raise GoneError("the line is too long") from None
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._lock.release()


@dataclass(frozen=True, slots=True)
class Label:
    """What lies on the helpers' desk: a finished thing with its label."""

    item: str
    case: str
    token: str = field(repr=False)

    @property
    def thing(self) -> str:
        return f"licence of {self.item}"


@dataclass(slots=True)
class Badge:
    """A member of staff, with what they were given."""

    staff: str
    role: str
    pin: str
    digits: str = ""


class Town:
    def __init__(self, world: World, days: float, *, well_behaved: bool = False) -> None:
        self.world = world
        self.days = days
        self.well_behaved = well_behaved
        """Nobody does anything wrong, for once."""
        self.crowd = crowds.USUAL if well_behaved else crowds.drawn(world.seed)
        self.everybody: list[Person] = []
        self.testimony = world.testimony
        self.lines = {machine.name: Line() for machine in world.machines}
        self.desk: dict[str, list[Label]] = {machine.name: [] for machine in world.machines}
        self.badges: dict[str, Badge] = {}
        self.found: dict[tuple[str, int], int] = {}
        """Doors behind which a helper found what nobody expected, and how often."""
        self.rests: dict[tuple[str, str], str] = {}
        """Rounds that were left unfinished, and by whom: by locker and kind."""

    # --- things ---

    def put(self, machine: Machine, door: int, thing: str) -> bool:
        return self.world.contents.put(machine, door, thing)

    def take(self, machine: Machine, door: int, thing: str) -> bool:
        """This one of the things that lie there."""
        contents, above = self.world.contents, []
        while (found := contents.take(machine, door)) is not None and found != thing:
            above.append(found)
        for other in reversed(above):
            contents.put(machine, door, other)
        if found is not None:
            self.testimony.moved(thing)
        return found is not None

    # --- the centre and the phones ---

    async def at_the_office(self, ask: Callable[[], Awaitable[T]]) -> T:
        """As long as it takes until the hub answers."""
        while True:
            try:
                return await ask()
            except ClosedError:
                self.world.reached("the office was closed")
                await pause(OFFICE_RETRY_S)

    async def sms(
        self, phone: str, template: str, case: str, patience_s: float | None, after_s: float = 0.0
    ) -> Sms | None:
        """The newest message about a case since ``after_s``; None where none came in time."""
        phones = self.world.centre.phones

        def fits(sms: Sms) -> bool:
            return sms.template == template and sms.said["case"] == case and sms.at_s >= after_s

        known = [sms for sms in phones.inbox.get(phone, ()) if fits(sms)]
        if known:
            return known[-1]
        came: asyncio.Future[Sms] = self.world.loop.create_future()

        def tell(sms: Sms) -> None:
            if fits(sms) and not came.done():
                came.set_result(sms)

        told = phones.waiting.setdefault(phone, [])
        told.append(tell)
        try:
            async with asyncio.timeout(patience_s):
                return await came
        except TimeoutError:
            return None
        finally:
            told.remove(tell)

    async def token(self, authorisation: str) -> str:
        """From the applicant's own page at the centre: it is there at once. Raises Refused."""
        centre = self.world.centre
        row = await self.at_the_office(lambda: centre.read(lambda c: authorisation_row(c, authorisation)))
        token = token_of(centre.desk, row)
        centre.pages.setdefault(row.case_number, set()).add(token)
        return token

    async def label(self, item: str) -> str:
        """Raises Refused."""
        centre = self.world.centre
        return await self.at_the_office(
            lambda: centre.read(lambda c: token_of(centre.desk, item_row(c, item)))
        )

    async def badge(self, staff: str, role: str, rng: Random, *, anew: bool = False) -> Badge:
        """The one they have; a new one for who has none. Raises ClosedError."""
        badge = self.badges.get(staff)
        if badge is not None and badge.digits and not anew:
            return badge
        badge = Badge(staff, role, f"{rng.randrange(10**6):06d}")
        lockers = tuple(machine.name for machine in self.world.machines)
        wish = Enrolment(staff, "赵敏", frozenset({role}), badge.pin, lockers)
        badge.digits = await self.world.centre.enrol_staff(wish)
        self.badges[staff] = badge
        return badge


__all__ = ["Badge", "GoneError", "Label", "Line", "Refused", "Town", "hour_of_day", "is_about"]
