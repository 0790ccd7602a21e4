"""Whoever comes with a code, and the screens that all of them meet."""

from collections.abc import Awaitable, Callable
from random import Random  # noqa: TID251  # seeded
from typing import Final

from tests.world.machine import Machine
from tests.world.people import asking
from tests.world.people.habits import Habits
from tests.world.people.person import Person
from tests.world.people.staff import Staff
from tests.world.people.town import GoneError, Town
from tests.world.screen import DarkError, View
from tests.world.times import pause

CODES_MAX: Final = 4


class Visitor(Person):
    """Whoever comes with a code: ``case`` is theirs, ``thing`` is what they bring or fetch."""

    def __init__(
        self, town: Town, machine: Machine, name: str, rng: Random, case: str, thing: str, phone: str
    ) -> None:
        super().__init__(town, machine, name, rng)
        self.case, self.thing, self.phone = case, thing, phone
        self.habits = Habits(rng)
        if town.well_behaved:
            self.habits.well_behaved()
        self.done = False
        """They have what they wanted."""
        self.typed = self.scan = ""
        self.pushes_in = False
        self.page = ""
        """The visit on the screen, once it named their case."""
        self.shown_codes = 0
        self.sent_to: list[str] = []
        """Lockers that the page named, when it was full here."""
        self.reacts = {
            "home": self.at_home,
            "assist": self.at_home,
            "problem": self.at_problem,
            "phone": self.at_phone,
            "opening": self.waits,
            "stuck": self.at_stuck,
            "give_up": self.leaves,
            "unseen": self.at_unseen,
            "interrupted": self.at_interrupted,
            "ended": self.leaves,
            "cancelled": self.leaves,
        }

    # --- codes ---

    async def shows_code(self) -> View:
        self.shown_codes += 1
        if self.shown_codes > CODES_MAX:
            raise GoneError("shown the code often enough")
        if not self.typed or (self.scan and self.habits.scans):
            self.say("code", case=self.case, word="scanned")
            return await self.scans(self.scan)
        if self.habits.once("slips"):
            await self.types(self.habits.wrong(self.typed))
            await self.wait(1, 4)
        self.say("code", case=self.case, word="typed")
        self.habits.leans_on(self)
        return await self.types(self.typed)

    def is_mine(self, view: View) -> bool:
        """As far as the page says: it names the case, or did when this visit began."""
        return self.shows(self.case) and view["visit"] == (self.page or view["visit"])

    async def visit(self) -> bool:
        self.shown_codes, self.page = 0, ""
        if not self.pushes_in:
            await self.arrives()
            if self.habits.once("is_helped"):
                await self._is_helped()
            await self.wait(1, 6)
        await self.shows_code()
        return await self.goes_on()

    async def _is_helped(self) -> None:
        """A helper steps beside them, by badge and PIN; the code is theirs all the same. Raises GoneError."""
        helper = Staff(self.town, self.machine, f"helper-{self.rng.randrange(2) + 1}", self.rng)
        await helper.signs_in()
        if "assist" in helper.acts:
            await helper.press("assist")
            self.world.reached("a helper stands beside a visitor")
        self.shown = helper.shown

    async def comes(
        self,
        visit: Callable[[], Awaitable[bool]],
        tries: int,
        again_s: tuple[float, float],
        patience_s: float,
    ) -> bool:
        if self.habits.once("wrong_locker"):
            await self.elsewhere()
        if self.habits.once("pushes_in") and await self._jumps_the_line():
            return True
        return await super().comes(visit, tries, again_s, patience_s)

    async def _jumps_the_line(self) -> bool:
        """While somebody else is at the screen: no waiting, and no looking either."""
        line = self.town.lines[self.machine.name]
        for _ in range(60):
            if not line.empty:
                break
            await pause(20)
        self.world.reached("two people at one screen")
        self.pushes_in = True
        try:
            await self.wait(0, 6)
            return await self.visit()
        except (DarkError, GoneError):
            return False
        finally:
            self.pushes_in = False

    def goes_to(self, name: str) -> None:
        """With the token, which any locker of the area takes."""
        self.machine = next(machine for machine in self.world.machines if machine.name == name)
        self.screen, self.opened_before, self.typed = self.machine.screen, {}, ""
        self.world.reached("went where there was room")

    async def elsewhere(self) -> None:
        """To another locker first, where there is one."""
        others = [machine for machine in self.world.machines if machine is not self.machine]
        if not others:
            return
        other = Person(self.town, self.rng.choice(others), self.name, self.rng)
        self.world.reached("went to another locker")
        try:
            async with self.town.lines[other.machine.name].turn(300):
                await other.arrives()
                if self.typed:
                    await other.types(self.typed)
                    other.say("refused", case=self.case, word=other.reason)
                await self.wait(1, 5)
                if "leave" in other.acts:
                    await other.press("leave")
        except (DarkError, GoneError):
            return

    # --- screens of every visit ---

    async def at_home(self, view: View) -> bool | None:
        """The code was not taken, or the visit has ended without them."""
        if view["entry"] and view["entry"]["wait_s"]:
            await pause(view["entry"]["wait_s"])
        await self.wait(2, 6)
        await self.shows_code()
        return None

    async def at_problem(self, view: View) -> bool | None:
        reason = self.reason
        self.say("refused", case=self.case, word=reason)
        if reason == "too_many_tries":
            self.world.reached("an honest person waits for the keypad")
            await pause(view["refused"]["wait_s"] + 1)
            await self.shows_code()
            return None
        self.sent_to = [each["name"] for each in view["neighbours"]]
        if self.sent_to:
            self.world.reached("the page names a locker with room")
        await self.wait(1, 5)
        if self.chance(0.1):
            await asking.calls_for_help(self, "code")
        if "leave" in self.acts:
            await self.press("leave")
        return await self.was_refused(reason)

    @property
    def in_hand(self) -> bool:
        return self.thing in self.holds

    async def was_refused(self, reason: str) -> bool:
        if reason == "code_not_accepted":
            self.habits.scans = True
        self.world.reached(f"a visitor was refused: {reason}")
        return False

    async def at_phone(self, view: View) -> bool | None:
        del view
        self.world.reached("the phone's digits were asked for")
        await self.wait(1, 4)
        digits = self.phone[-4:]
        if self.habits.once("slips_phone"):
            digits = f"{(int(digits) + 1) % 10_000:04d}"
        await self.press("phone4", digits=digits)
        return None

    async def waits(self, view: View) -> bool | None:
        del view
        return None

    async def at_stuck(self, view: View) -> bool | None:
        self.world.reached("a door did not open")
        await pause(view["ready_in_ms"] / 1000 + 1)
        if view["door"] is not None:
            self.machine.do(view["door"], "release")
        if "again" in self.acts and self.chance(0.9):
            await self.press("again")
            return None
        return await self.leaves(view)

    async def at_unseen(self, view: View) -> bool | None:
        self.world.reached("a door nobody can see")
        if view["door"] is not None:
            self.shuts(view["door"])
        await pause(5)
        await self.look()
        return await self.leaves(view) if self.shown["screen"] == "unseen" else None

    async def at_interrupted(self, view: View) -> bool | None:
        """The locker was away for a moment: the code says it anew."""
        self.world.reached("a visit was interrupted")
        if view["door"] is not None and self.machine.is_open(view["door"]):
            self.shuts(view["door"])
            await pause(2)
        await self.shows_code()
        return None

    async def leaves(self, view: View) -> bool | None:
        del view
        await self.wait(1, 3)
        if "leave" in self.acts:
            await self.press("leave")
        return False
