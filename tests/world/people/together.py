"""Two members of staff at one kiosk: a stocktake, a look into what is occupied, a service window."""

from functools import partial
from random import Random  # noqa: TID251  # seeded
from typing import Final

from locker.domain.surroundings import Sensed, Watched
from tests.world.machine import Machine
from tests.world.people.staff import Staff
from tests.world.people.town import Town
from tests.world.times import HOUR_S, MINUTE_S, pause

DOORS_MAX: Final = 5
"""Then they have seen enough for today, and end it."""
ALONE, SAME, WRONG_PIN, SKIPS, ERRS, RESTS, FORGETS = 0.35, 0.15, 0.1, 0.08, 0.04, 0.3, 0.15
"""Comes without a second person; shows the own badge again; a slip at the PIN; a door left for later; a
finding that is not so; a stocktake that is left for others to go on with; a window that stands on."""
BY_KEY_MAX: Final = 3
EVERY_DOOR: Final = 60
CALLED_TIMES: Final = 3


class Pair(Staff):
    """``second``: who comes along."""

    def __init__(self, town: Town, machine: Machine, name: str, second: str, rng: Random) -> None:
        super().__init__(town, machine, name, rng)
        self.second = second

    async def brings_second(self) -> bool:
        """A badge and a PIN on top of the sign-in that is there; False where it came to nothing."""
        if self.shown["screen"] != "second":
            if "second" not in self.acts:
                return False
            await self.press("second")
        if self.chance(SAME) and self.shown["screen"] == "second":
            await self.scans(self.town.badges[self.name].digits)
            self.world.reached(f"the same person twice: {self.reason}")
        badge = await self.town.badge(self.second, "helper", self.rng)
        for tried in range(3):
            if self.shown["screen"] not in {"second", "second_pin"}:
                break
            await self.wait(1, 4)
            await self.scans(badge.digits)
            if self.shown["screen"] != "second_pin":
                await pause(8)  # enrolled only just now
                continue
            await self.wait(1, 4)
            slip = tried == 0 and self.chance(WRONG_PIN)
            await self.press("second_pin", digits="000000" if slip else badge.pin)
        if self.shown["said"] and self.shown["screen"] not in {"second", "second_pin"}:
            self.world.reached("a second person stands beside")
            return True
        if "second_back" in self.acts:
            await self.press("second_back")
        return False


class Stocktaker(Pair):
    kind = "stocktaker"
    role = "helper"
    doors_max = DOORS_MAX
    alone = ALONE

    async def takes_stock(self, scope: str) -> None:
        async def work() -> bool:
            return await self._works(scope)

        await self.comes(work, 2, (10 * MINUTE_S, HOUR_S), 40 * MINUTE_S)

    async def is_called(self) -> None:
        """The locker opens for nobody until two have looked behind every door."""
        await self.wait(MINUTE_S, 8 * MINUTE_S)
        self.doors_max, self.alone = EVERY_DOOR, 0.0
        for _ in range(CALLED_TIMES):
            built = self.machine.built
            if built is not None and not built.journal.state.history.awaited:
                return
            self.world.reached("two are called to vouch")
            await self.comes(partial(self._works, "all"), 2, (MINUTE_S, 5 * MINUTE_S), 40 * MINUTE_S)

    async def _works(self, scope: str) -> bool:
        await self.signs_in()
        await self.press("round", kind="check")
        if "stocktake" not in self.acts:
            return True
        await self.press("stocktake")
        if self.shown["screen"] == "stocktake":
            ways = [each["scope"] for each in self.choices("stock_begin")]
            if not ways:
                await self.signs_out()
                return True
            await self.press("stock_begin", scope=scope if scope in ways else ways[0])
            self.world.reached("a stocktake")
        else:
            self.world.reached("a stocktake that others began")
        if not self.chance(self.alone):
            await self.brings_second()
        await self._looks()
        await self._vouches()
        await self.signs_out()
        return True

    async def _looks(self) -> None:
        """Door after door: the answer to one opens the next."""
        for number in range(self.doors_max):
            if number == 0 or self.shown["screen"] == "stock_list":
                if "stock_go" not in self.acts:
                    break
                await self._picks(first=number == 0)
            if self.shown["screen"] == "second":
                self.world.reached(f"two are needed: {self.reason}")
                if not await self.brings_second():
                    break
                continue
            door = await self.door_opens("inspect")
            if door is None:
                if "stock_skip" not in self.acts:
                    break
                await self.press("stock_skip")
                self.world.reached("a stocktake: a door that did not open is left out")
            else:
                await self._says(door, number == self.doors_max - 1)
        await self._ends()

    async def _picks(self, *, first: bool) -> None:
        """What is known to be occupied, at first: that is what two came for."""
        rows = [row for row in self.shown["rows"] if row["act"] == "stock_open"]
        two = [row for row in rows if row["note"]]
        if first and two and self.chance(0.7):
            await self.press("stock_open", **self.rng.choice(two)["data"])
        else:
            await self.press("stock_go")

    async def _says(self, door: int, last: bool) -> None:
        await self.wait(1, 4)
        things = self.lying(door)
        if await self.shut_and_see(door, "stock_confirm") != "stock_confirm":
            await pause(2)
            await self.look()
            return
        fits = [each["found"] for each in self.choices("stock_say")]
        if last or not fits or (self.chance(SKIPS) and "stock_skip" in self.acts):
            if "stocktake" in self.acts and (last or not fits):
                await self.press("stocktake")
            else:
                await self.press("stock_skip")
                self.world.reached("a stocktake: a door is left for later")
            return
        found = self._finding(things, fits)
        holds = "expected" in fits or "missing" in fits
        await self.press("stock_say", found=found, door=door)
        if self.shown["refused"] and self.reason != "second_needed":
            return
        self.say("checked", door=door, word=found)
        self.world.reached(f"a look behind {'an occupied' if holds else 'a vacant'} door: {found}")

    def _finding(self, things: list[str], fits: list[str]) -> str:
        """What they saw, as far as the sensor lets them say it."""
        if self.chance(ERRS if not self.town.well_behaved else 0.0):
            return self.rng.choice(fits)
        wanted = ("expected", "unknown_item", "unsure") if things else ("empty", "missing")
        return next((each for each in wanted if each in fits), fits[0])

    async def _ends(self) -> None:
        for _ in range(3):
            if "stock_end" in self.acts:
                if self.chance(RESTS):
                    return
                await self.press("stock_end")
            if self.shown["screen"] == "stock_done":
                self.world.reached("a stocktake was ended")
                return
            if "stocktake" not in self.acts:
                return
            await self.press("stocktake")

    async def _vouches(self) -> None:
        if "vouch" in self.acts:
            await self.press("vouch")
            self.world.reached(f"two vouched for a history: {self.reason or 'done'}")


class Fitter(Pair):
    """A technician who works behind the doors, with a key, while somebody looks on."""

    kind = "fitter"
    role = "technician"

    async def fits(self) -> None:
        await self.comes(self._works, 2, (10 * MINUTE_S, HOUR_S), 40 * MINUTE_S)

    async def _works(self) -> bool:
        await self.signs_in()
        await self.press("service", tab="doors")
        if "window" not in self.acts:
            return True
        await self.press("window")
        if self.chance(ALONE) and "window_open" in self.acts:
            await self.press("window_open")
            self.world.reached(f"a window is not opened: {self.reason}")
        if not await self.brings_second():
            await self.signs_out()
            return True
        if self.chance(ALONE) and "window_open" in self.acts:
            await self.press("window_open")
            self.world.reached(f"a window is not opened: {self.reason}")
        self._turns(on=True)
        await pause(2)
        if "window_open" in self.acts:
            await self.press("window_open")
        await self.look()
        if "window_close" in self.acts:
            self.world.reached("a service window stands")
            await self._opens_by_hand()
        await self._closes()
        return True

    async def _opens_by_hand(self) -> None:
        """Some doors, by key; what lies there stays there."""
        for door in self.rng.sample(list(self.machine.model.numbers), self.rng.randrange(1, BY_KEY_MAX + 1)):
            if not self.machine.do(door, "pry"):
                continue
            self.world.reached("a door was opened by key")
            await self.wait(5, 40)
            self.shuts(door)
            await self.wait(2, 10)

    async def _closes(self) -> None:
        forgets = self.chance(FORGETS)
        await self.look()
        if forgets:
            # The key is turned back, or not even that: time ends it.
            self.world.reached("a service window was left standing")
            if self.chance(0.5):
                self._turns(on=False)
            return
        if "window_close" in self.acts:
            await self.press("window_close")
        self._turns(on=False)
        await pause(1)
        for _ in range(3):
            await self.look()
            if "sign_out" in self.acts:
                await self.press("sign_out")
                return
            if "service" in self.acts:
                await self.press("service", tab="doors")

    def _turns(self, *, on: bool) -> None:
        """The switch that the service key turns: its contact tells the daemon that runs."""
        self.say("key", word="on" if on else "back")
        if self.machine.built is not None:
            self.machine.built.surroundings.report(Sensed(Watched.SERVICE_KEY, on))
