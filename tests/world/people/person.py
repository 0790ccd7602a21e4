"""Somebody before a screen: what they see, press, type and scan, and what their hands do."""

from collections.abc import Awaitable, Callable, Mapping
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

from hw_sim.physics import Reading
from tests.world.centre import ClosedError
from tests.world.machine import Machine
from tests.world.people.town import GoneError, Town
from tests.world.screen import DarkError, View
from tests.world.times import pause

LOOK_S: Final = 1.0
DARK_S: Final = 4.0
DARK_PATIENCE_S: Final = 90.0
OTHERS_S: Final = 220.0
"""Longer than any page stays after its person has gone."""
STEPS_MAX: Final = 240
OVER: Final = frozenset({"leave", "sign_out"})

React = Callable[[View], Awaitable[bool | None]]


class Person:
    """``reacts``: what they do at each screen; True: they have what they wanted, False: not this time."""

    kind: str = "person"

    def __init__(self, town: Town, machine: Machine, name: str, rng: Random) -> None:
        self.town, self.machine, self.name, self.rng = town, machine, name, rng
        self.world, self.screen = town.world, machine.screen
        self.shown: View = {}
        self.opened_before: dict[int, int] = {}
        """How often each door had opened when they first came."""
        self.holds: set[str] = set()
        """What they have in hand."""
        self.reacts: Mapping[str, React] = {}
        town.everybody.append(self)

    # --- eyes and fingers ---

    async def look(self) -> View:
        """The screen; a dark one for a while, then DarkError."""
        until_s = self.world.loop.time() + DARK_PATIENCE_S
        while True:
            try:
                self.shown = await self.screen.view()
            except DarkError:
                if self.world.loop.time() > until_s:
                    raise
                await pause(DARK_S)
            else:
                return self.shown

    async def press(self, act: str, **data: Any) -> View:
        return await self._do(lambda: self.screen.act(act, visit=self.shown.get("visit", ""), **data))

    async def types(self, digits: str, **more: str) -> View:
        return await self._do(lambda: self.screen.typed(digits, **more))

    async def scans(self, digits: str, **more: str) -> View:
        return await self._do(lambda: self.screen.scanned(digits, **more))

    async def _do(self, ask: Callable[[], Awaitable[View]]) -> View:
        try:
            self.shown = await ask()
        except DarkError:
            self.say("dark")
            self.world.reached("the screen went dark under somebody's finger")
            return await self.look()
        return self.shown

    @property
    def acts(self) -> list[str]:
        return [button["act"] for button in self.shown["acts"]]

    @property
    def reason(self) -> str:
        refused = self.shown["refused"]
        return refused["reason"] if refused else ""

    def shows(self, case: str) -> bool:
        """Whether the page names this case, as far as it names any."""
        values = [fact["value"] for fact in self.shown["facts"]]
        masked = f"{case[:4]}****{case[-4:]}"
        named = [value for value in values if "****" in value or value.startswith("CASE")]
        return not named or masked in named or case in named

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    async def wait(self, least_s: float, most_s: float) -> None:
        await pause(self.rng.uniform(least_s, most_s))

    def say(self, what: str, **more: str | int) -> None:
        self.town.testimony.say(self.name, self.machine, what, **more)

    # --- hands ---

    def lying(self, door: int) -> list[str]:
        return self.world.contents.at(self.machine, door)

    def puts(self, door: int, thing: str) -> bool:
        done = self.town.put(self.machine, door, thing)
        if done:
            self.holds.discard(thing)
            self.say("put", door=door, thing=thing)
        return done

    def takes(self, door: int, thing: str) -> bool:
        done = self.town.take(self.machine, door, thing)
        if done:
            self.holds.add(thing)
            self.say("took", door=door, thing=thing)
        return done

    def shuts(self, door: int) -> None:
        self.machine.do(door, "shut")

    def open_doors(self) -> list[int]:
        return [door for door in self.machine.model.numbers if self.machine.is_open(door)]

    # --- a whole visit ---

    async def arrives(self) -> View:
        """Once the page is nobody else's any more. Raises GoneError."""
        until_s = self.world.loop.time() + OTHERS_S
        if not self.opened_before:
            self.opened_before = {door: self.openings(door) for door in self.machine.model.numbers}
        while True:
            view = await self.look()
            if view["screen"] == "home":
                self._tidies_up(0.3)
                return view
            if self.reason == "journal_failing":
                self.world.reached("journal failing: the screen says so")
                raise GoneError("the locker cannot record anything")
            ways = [act for act in self.acts if act in OVER]
            if ways:
                await self.press(ways[0])
                continue
            self._tidies_up(0.5)
            if self.world.loop.time() > until_s:
                raise GoneError("the page stays somebody else's")
            await pause(8.0)

    def _tidies_up(self, share: float) -> None:
        """Somebody left doors open; some people push them shut."""
        for door in self.open_doors():
            if self.chance(share):
                self.shuts(door)
                self.world.reached("somebody else's door was shut")

    def _leaves_nothing_open(self) -> None:
        """Who goes away in the middle shuts their door, most often."""
        door = self.shown.get("door")
        if door is not None and self.machine.is_open(door) and self.chance(0.8):
            self.shuts(door)

    async def goes_on(self) -> bool:
        """As the screen says, until this visit is over."""
        strange = 0
        for _ in range(STEPS_MAX):
            react = self.reacts.get(self.shown["screen"])
            strange = strange + 1 if react is None else 0
            if react is not None and (done := await react(self.shown)) is not None:
                return done
            if strange > 5:
                raise GoneError(f"what is {self.shown['screen']}?")
            await pause(LOOK_S)
            await self.look()
        raise GoneError("this leads nowhere")

    async def comes(
        self,
        visit: Callable[[], Awaitable[bool]],
        tries: int,
        again_s: tuple[float, float],
        patience_s: float,
    ) -> bool:
        """Stand in line, and come again another time where it did not work."""
        for tried in range(tries):
            if tried:
                self.world.reached("came back another time")
                await self.wait(*again_s)
            try:
                async with self.town.lines[self.machine.name].turn(patience_s):
                    if await visit():
                        return True
                    self._leaves_nothing_open()
            except (DarkError, GoneError, ClosedError) as error:
                self.say("gave_up", word=str(error) or type(error).__name__)
                self._leaves_nothing_open()
        return False

    # --- what only they can see ---

    def finds(self, door: int, mine: str, *, given: bool = True) -> list[str]:
        """What of others lies behind a door. Where it was opened for me, it must not be theirs."""
        others = [thing for thing in self.lying(door) if not mine or not thing.startswith(mine)]
        for thing in others:
            if given and self.town.testimony.entrusted.get(thing) == (self.machine.name, door):
                self.world.violated(4, f"{self.name} is given door {door} in which lies {thing}")
        return others

    def told_done(self, number: int, what: str, door: int | None) -> None:
        """The screen says that something is done: it cannot be behind a door that never stood open."""
        if door is None or self.openings(door) > self.opened_before.get(door, 0):
            return
        if self.machine.model.thing(door).door_reading is Reading.TRUE:
            self.world.violated(number, f"{self.name} is told {what!r}, and door {door} never opened")

    def openings(self, door: int) -> int:
        return self.machine.model.thing(door).opened_count
