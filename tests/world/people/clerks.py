"""What the centre says beside its daily work: codes ended, things called back, doors barred, limits set."""

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random  # noqa: TID251  # seeded
from typing import Final

from sync.central.desk import Refused
from sync.central.doors import bars
from sync.central.office import Office
from sync.central.pickups.desk import Pickups
from sync.central.settings import wishes
from sync.central.settings.levels import Level, Target, Wishes
from tests.world.centre import CLERK, ClosedError
from tests.world.machine import Machine
from tests.world.people.applicants import Applicant
from tests.world.people.recipients import Recipient
from tests.world.people.town import Town
from tests.world.times import HOUR_S, MINUTE_S, pause

WORKS: Final = ("bars", "settings", "revokes", "revokes", "recalls", "holds", "extends", "ends")
RANGES: Final = {
    "openings_per_drop_off": (3, 8),
    "reserve_share_percent": (0, 25),
    "left_open_warning_ms": (10_000, 40_000),
    "hold_days": (3, 14),
    "slot_grace_ms": (600_000, 5_400_000),
    "night_from_h": (20, 23),
}
BARRED_ALL: Final = 0.25
LEFT_S: Final = (10 * MINUTE_S, HOUR_S)


class Clerk:
    """One errand about one locker, now."""

    def __init__(self, town: Town, machine: Machine, rng: Random) -> None:
        self.town, self.world, self.machine, self.rng = town, town.world, machine, rng
        self.centre = town.world.centre

    async def works(self, work: str) -> None:
        does: dict[str, Callable[[], Awaitable[str]]] = {
            "bars": self._bars,
            "settings": self._settings,
            "revokes": self._revokes,
            "recalls": self._recalls,
            "holds": self._holds,
            "extends": self._extends,
            "ends": self._ends,
        }
        try:
            said = await does[work]()
        except ClosedError:
            said = ""
        except Refused as error:
            said = f"the centre would not: {work}, {error.reason}"
        if said:
            self.world.reached(said)

    async def _bars(self) -> str:
        """Some doors, or the locker as a whole; for a while nothing new goes in."""
        doors = list(self.machine.model.numbers)
        whole = self.rng.random() < BARRED_ALL
        chosen = doors if whole else self.rng.sample(doors, self.rng.randrange(1, 4))
        for door in chosen:
            await self._barred(door)
        await pause(self.rng.uniform(*LEFT_S))
        for door in chosen:
            await self.town.at_the_office(partial(self._unbarred, door))
        return "a locker was out of service for a while" if whole else "doors were barred for a while"

    async def _barred(self, door: int) -> None:
        await self.centre.does(lambda office: bars.bar(office, CLERK, self.machine.name, door, "painters"))

    async def _unbarred(self, door: int) -> None:
        await self.centre.does(lambda office: bars.unbar(office, CLERK, self.machine.name, door))

    async def _settings(self) -> str:
        target = Target(Level.LOCKER, self.machine.name)
        values = dict(await self.centre.read(lambda c: Wishes(c).at(target)))
        seen = wishes.revision(values)
        name = self.rng.choice([*RANGES, "help_line"])
        least, most = RANGES.get(name, (0, 0))
        values[name] = self.rng.randint(least, most) if most else f"{self.rng.randrange(10**5):05d}"
        if self.rng.random() < 0.2:
            values = {}
        await self.centre.does(lambda office: wishes.change(office, CLERK, target, values, seen))
        return "settings were changed from afar"

    async def _revokes(self) -> str:
        """A right that nobody has used yet: the case was given up."""
        waiting = [
            person
            for person in self.town.everybody
            if isinstance(person, Applicant) and person.right and not person.done and not person.receipt
        ]
        if not waiting:
            return ""
        who = self.rng.choice(waiting)
        await self._pickups(lambda desk: desk.revoke(who.right, "given up", CLERK))
        return "a right was revoked"

    async def _recalls(self) -> str:
        if (who := self._recipient()) is None:
            return ""
        await self._pickups(lambda desk: desk.recall(who.case, "misprint", CLERK))
        return "an item was called back"

    async def _holds(self) -> str:
        if (who := self._recipient()) is None:
            return ""
        days = self.rng.randint(8, 30)
        await self._pickups(lambda desk: desk.hold(who.case, days, CLERK))
        return "an item is held longer"

    async def _extends(self) -> str:
        rights = [each.right for each in self.town.everybody if isinstance(each, Applicant) and each.right]
        if not rights:
            return ""
        right = self.rng.choice(rights)
        await self._pickups(lambda desk: desk.extend(right, 96, CLERK))
        return "a right was lengthened"

    async def _ends(self) -> str:
        sent = [each for each in self.town.everybody if isinstance(each, Recipient) and each.entrustment]
        if not sent:
            return ""
        who = self.rng.choice(sent)
        await self._pickups(lambda desk: desk.end(who.case, who.entrustment, "quarrel", CLERK))
        return "an entrustment was ended"

    def _recipient(self) -> Recipient | None:
        """Of a thing that nobody has collected yet."""
        waiting = [each for each in self.town.everybody if isinstance(each, Recipient) and not each.told]
        return self.rng.choice(waiting) if waiting else None

    async def _pickups(self, ask: Callable[[Pickups], Awaitable[None]]) -> None:
        async def does(office: Office) -> None:
            await ask(Pickups(office))

        await self.centre.does(does)
