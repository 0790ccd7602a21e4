"""Whoever comes with a badge and a PIN."""

from random import Random  # noqa: TID251  # seeded
from typing import Any

from tests.world.machine import Machine
from tests.world.people.person import Person
from tests.world.people.town import Badge, GoneError, Town
from tests.world.screen import View
from tests.world.times import pause

SIGN_IN_S = 4.0


class Staff(Person):
    role = "helper"

    def __init__(self, town: Town, machine: Machine, name: str, rng: Random) -> None:
        super().__init__(town, machine, name, rng)
        self.badge: Badge | None = None

    async def signs_in(self) -> View:
        """To the menu. Raises GoneError, ClosedError."""
        badge = await self.town.badge(self.name, self.role, self.rng)
        await self.arrives()
        for tried in range(4):
            await self.scans(badge.digits)
            if self.shown["screen"] == "pin":
                await self.wait(1, SIGN_IN_S)
                slip = tried == 0 and self.chance(0.05)
                await self.press("pin", digits="000000" if slip else badge.pin)
            if self.shown["screen"] == "menu":
                return self.shown
            # Enrolled only just now, forgotten by a centre that was set back, or a slip.
            self.say("refused", word=self.reason)
            await pause(5)
            if tried == 2:
                self.world.reached("a badge was no longer good")
                badge = await self.town.badge(self.name, self.role, self.rng, anew=True)
                await pause(20)
        raise GoneError("cannot sign in")

    async def to_menu(self) -> bool:
        """False: signed out meanwhile."""
        for _ in range(6):
            await self.look()
            if self.shown["screen"] == "menu":
                return True
            if "menu" in self.acts:
                await self.press("menu")
            elif not self.shown["staff"]:
                return False
            else:
                await pause(2)
        return False

    def choices(self, act: str) -> list[dict[str, Any]]:
        """What each button of this act carries."""
        return [dict(button["data"]) for button in self.shown["acts"] if button["act"] == act]

    async def signs_out(self) -> None:
        await self.look()
        if "sign_out" in self.acts and self.shown["staff"]:
            await self.press("sign_out")

    async def door_opens(self, standing: str) -> int | None:
        """The door, once this screen says it stands open and it does; None where it will not."""
        tries = 0
        for _ in range(60):
            screen = self.shown["screen"]
            door = self.shown["door"]
            if screen == standing and door is not None and self.machine.is_open(door):
                return int(door)
            if screen == "stuck":
                tries += 1
                self.world.reached("a door did not open for staff")
                await pause(self.shown["ready_in_ms"] / 1000 + 1)
                if "again" not in self.acts or tries > 2:
                    return None
                await self.press("again")
                continue
            if screen not in {"opening", standing, "unseen"}:
                return None
            await pause(1)
            await self.look()
        return None

    async def shut_and_see(self, door: int, *screens: str, patience_s: float = 15) -> str:
        """Push it shut; the first of these screens that comes, or whatever else it is in the end."""
        self.shuts(door)
        for _ in range(int(patience_s)):
            await pause(1)
            await self.look()
            if self.shown["screen"] in screens:
                break
        return str(self.shown["screen"])
