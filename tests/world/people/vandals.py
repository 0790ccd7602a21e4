"""Those who want nothing that a locker has to give, and passers-by."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from hw_sim.damm import check_digit
from tests.world.people.person import Person
from tests.world.people.town import GoneError
from tests.world.screen import DarkError
from tests.world.times import HOUR_S, MINUTE_S, pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RUBBISH: Final = (
    "",
    "4006381333931",
    "https://example.invalid/pay?x=1",
    "1" + "9" * 40,
    "2" + "8" * 200,
    "3" + "7" * 40,
    "0" * 1999,
)
CONFIGURATION: Final = ("%%SpecCode9A", "$RST$", "0006010", "^#SC^3040007", "AT+FACTORY\r", ".B012$")
ANY_ACT: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    *(("open", {}), ("again", {}), ("confirm_in", {}), ("taken", {}), ("take_back", {}), ("not_empty", {})),
    *(("menu", {}), ("leave", {}), ("stay", {}), ("self_test", {}), ("test_open", {"door": 3})),
    *(("check_open", {"door": 5}), ("intake_open", {"deposit": "x"}), ("round", {"kind": "intake"})),
    *(("pin", {"digits": "123456"}), ("phone4", {"digits": "0000"}), ("language", {"lang": "en"})),
    *(("unblock", {"door": 1}), ("refuse", {"reason": "damaged"}), ("nonsense", {})),
)


class Vandal(Person):
    kind = "vandal"

    async def rages(self, work: str, for_s: float) -> None:
        """One kind of mischief, for so long; the screen is theirs for some minutes at a time."""
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "guesses": self.guesses,
            "scans": self.scans_rubbish,
            "presses": self.presses_everything,
            "pries": self.pries,
        }
        until_s = self.world.loop.time() + for_s
        self.world.reached(f"a vandal {work}")
        while True:
            try:
                async with self.town.lines[self.machine.name].turn(10 * MINUTE_S):
                    await works[work]()
            except (DarkError, GoneError):
                await pause(10 * MINUTE_S)
            if self.world.loop.time() > until_s:
                return
            await self.wait(0.5 * MINUTE_S, 1.5 * MINUTE_S)

    async def long_siege(self, for_s: float) -> None:
        """A try a second at first, then whenever the keypad listens again and nobody is there."""
        await self.rages("guesses", 0)
        self.world.reached("a vandal of many hours")
        until_s = self.world.loop.time() + for_s
        while self.world.loop.time() < until_s:
            await pause(MINUTE_S + 5)
            if not self.town.lines[self.machine.name].empty:
                continue
            try:
                async with self.town.lines[self.machine.name].turn(1):
                    await self.types(self.guess())
            except (DarkError, GoneError):
                await pause(10 * MINUTE_S)

    def guess(self) -> str:
        """Of the right form, with a right check digit."""
        digits = f"{self.rng.randrange(10**10):010d}"
        return digits + check_digit(digits)

    async def guesses(self) -> None:
        """A try a second."""
        for _ in range(self.rng.randrange(30, 120)):
            await self.types(self.guess())
            if self.shown["screen"] not in {"home", "problem", "phone"}:
                self.world.reached("a vandal guessed a code")
                return
            if self.shown["screen"] == "phone":
                await self.press("phone4", digits=f"{self.rng.randrange(10**4):04d}")
            await pause(1)
        if "leave" in self.acts and self.chance(0.5):
            await self.press("leave")

    async def scans_rubbish(self) -> None:
        for _ in range(self.rng.randrange(5, 30)):
            await self.scans(self.rng.choice(RUBBISH + CONFIGURATION))
            await pause(1)
        self.world.reached("a configuration barcode was scanned")

    async def presses_everything(self) -> None:
        """What the screen offers, and what it does not; with a code half typed meanwhile."""
        await self.look()
        for _ in range(self.rng.randrange(10, 40)):
            if self.shown["acts"] and self.chance(0.6):
                button = self.rng.choice(self.shown["acts"])
                await self.press(button["act"], **button["data"])
            else:
                act, data = self.rng.choice(ANY_ACT)
                await self.press(act, **data)
            await self.wait(0.1, 1)
        await asyncio.gather(self.types(self.guess()), self.types(self.guess()), self.press("leave"))
        self.world.reached("two codes at the same moment")

    async def pries(self) -> None:
        """A door by force: what lies there may go, rubbish may come."""
        door = self.rng.choice(list(self.machine.model.numbers))
        if not self.machine.do(door, "pry") or not self.machine.is_open(door):
            return
        self.world.reached("a door was forced")
        await self.wait(1, 5)
        lying = self.lying(door)
        if lying and self.chance(0.5):
            self.takes(door, lying[-1])
            self.world.reached("a vandal stole something")
        elif self.chance(0.3):
            self.puts(door, "rubbish")
        if self.chance(0.7):
            self.shuts(door)


class PasserBy(Person):
    """Looks, presses a little, and goes."""

    kind = "passer-by"

    async def passes(self) -> None:
        try:
            async with self.town.lines[self.machine.name].turn(30):
                await self.look()
                if self.chance(0.4):
                    await self.press("language", lang=self.rng.choice(("en", "zh")))
                if self.chance(0.5):
                    await self.types("".join(self.rng.choices("0123456789", k=self.rng.randrange(1, 11))))
                    self.world.reached("half a code, and away")
                await self.wait(1, 20)
                if self.chance(0.3):
                    await self.press("stay")
        except (DarkError, GoneError):
            return
        if self.chance(0.3):
            for door in self.open_doors():
                self.shuts(door)
                self.world.reached("a passer-by shut a door")


SIEGE_S: Final = 24 * HOUR_S
