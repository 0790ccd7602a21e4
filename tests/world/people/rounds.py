"""Helpers empty and fill the locker: intake, what is overdue or refused, what must be looked at, loads."""

from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

from tests.world.machine import Machine
from tests.world.people.guided import Guided
from tests.world.people.staff import Staff
from tests.world.people.town import Label, Town
from tests.world.times import HOUR_S, MINUTE_S, pause

EACH_MAX: Final = 40
STOPS: Final = 0.02
"""Half-way, at any one door."""
TWICE: Final = 0.05
WRONG_FINDING: Final = 0.03
GUIDED, NAMES, LOW, UNDOES, ENDS = 0.7, 0.3, 0.1, 0.03, 0.5
"""Shares: of rounds that the screen leads; of labels that are compared by the name, that get a low door, that
were the wrong one; of rounds of loading that are ended."""


class Helper(Staff):
    kind = "helper"
    role = "helper"

    def __init__(self, town: Town, machine: Machine, name: str, rng: Random) -> None:
        super().__init__(town, machine, name, rng)
        self.stops = 0.0 if town.well_behaved else STOPS
        self.errs = 0.0 if town.well_behaved else WRONG_FINDING
        self.guided = rng.random() < GUIDED

    async def round(self) -> bool:
        """Everything that is to be done there, and away."""
        self.say("code", word="badge")
        await self.signs_in()
        self.world.reached("a helper's round")
        for work in (self.intake, self.withdraw, self.check, self.load):
            if not await self.to_menu():
                return True
            if not await work():
                self.world.reached("a helper stopped half-way")
                return True
        if self.chance(0.95):
            await self.signs_out()
        return True

    async def comes_round(self) -> None:
        await self.comes(self.round, 4, (10 * MINUTE_S, HOUR_S), 40 * MINUTE_S)

    # --- what waits in a list ---

    async def rows(self, kind: str) -> list[Any]:
        await self.press("round", kind=kind)
        return list(self.shown["rows"])

    async def intake(self) -> bool:
        if self.guided:
            return await Guided(self, "intake").goes()
        rows = await self.rows("intake")
        for row in rows[:EACH_MAX]:
            if self.shown["screen"] != "round_intake":
                return await self.to_menu()
            await self.press("intake_open", **row["data"])
            door = await self.door_opens("take_out")
            if door is None:
                await self.puzzled()
                return True
            if not await self._takes_in(door, row):
                return False
        return True

    async def _takes_in(self, door: int, row: Any) -> bool:
        case, deposit = row["title"], row["data"]["deposit"]
        papers = f"papers of {case}"
        await self.wait(1, 3)
        others = self.finds(door, papers)
        if self.chance(self.stops):
            self.shuts(door)
            return False
        mine = [thing for thing in self.lying(door) if thing not in others]
        for thing in mine:
            self.takes(door, thing)
        found = bool(mine)
        for thing in others:
            self.world.reached("a helper found what was put behind the wrong door")
            self.takes(door, thing)
        finding = "complete" if found else "empty"
        if found and self.chance(self.errs):
            finding = self.rng.choice(("missing", "wrong"))
        if await self.shut_and_see(door, "intake_confirm", "not_taken") != "intake_confirm":
            await self.puzzled()
            return True
        await self.press("intake_confirm", finding=finding, deposit=deposit)
        if not self.shown["refused"]:
            self.say("taken_in", case=case, door=door, thing=papers, word=finding, deposit=deposit)
            self.world.reached(f"intake: {finding}")
        return True

    async def withdraw(self) -> bool:
        if self.guided:
            return await Guided(self, "withdraw").goes()
        rows = await self.rows("withdraw")
        for row in rows[:EACH_MAX]:
            if self.shown["screen"] != "round_withdraw":
                return await self.to_menu()
            await self.press("withdraw_open", **row["data"])
            door = await self.door_opens("take_out")
            if door is None:
                await self.puzzled()
                return True
            case, thing = row["title"], f"licence of {row['title']}"
            await self.wait(1, 3)
            for each in [*self.finds(door, thing), thing]:
                self.takes(door, each)
            if await self.shut_and_see(door, "withdraw_confirm", "not_taken") != "withdraw_confirm":
                await self.puzzled()
                return True
            await self.press("withdraw_confirm", deposit=row["data"]["deposit"])
            if not self.shown["refused"]:
                self.say("withdrawn", case=case, door=door, thing=thing, deposit=row["data"]["deposit"])
                self.world.reached("withdrawn by a helper")
        return True

    async def check(self) -> bool:
        rows = await self.rows("check")
        for row in rows[:EACH_MAX]:
            if self.shown["screen"] != "round_check":
                return await self.to_menu()
            await self.press("check_open", **row["data"])
            door = await self.door_opens("inspect")
            if door is None:
                await self.puzzled()
                return True
            await self._inspects(door)
        return True

    async def _inspects(self, door: int) -> None:
        await self.wait(1, 4)
        lying, place = self.lying(door), (self.machine.name, door)
        if lying and self.town.found.get(place, 0):
            # Found before: today it is fetched.
            for thing in lying:
                self.takes(door, thing)
        lying = self.lying(door)
        self.town.found[place] = self.town.found.get(place, 0) + 1 if lying else 0
        if await self.shut_and_see(door, "check_confirm") != "check_confirm":
            await self.puzzled()
            return
        await self.press("check_confirm", empty=not lying, door=door)
        if not self.shown["refused"]:
            self.say("checked", door=door, word="found" if lying else "empty")
            self.world.reached("a doubtful door was checked: " + ("found" if lying else "empty"))

    # --- labels ---

    async def load(self) -> bool:
        desk = self.town.desk[self.machine.name]
        await self.press("load")
        if "load_low" in self.acts and self.chance(LOW):
            await self.press("load_low")
            self.world.reached("loaded behind low doors")
        for label in tuple(desk[:EACH_MAX]):
            if self.shown["screen"] not in {"load", "label"}:
                return await self.to_menu()
            if not await self._loads(label, desk):
                return False
            if self.reason == "no_room":
                self.world.reached("no room to load")
                return True
        if "round_end" in self.acts and self.chance(ENDS):
            await self.press("round_end")
            if self.shown["screen"] == "round_slip":
                self.world.reached("a round of loading was ended")
        return True

    async def _loads(self, label: Label, desk: list[Label]) -> bool:
        """False: they went away in the middle."""
        await self.scans(label.token)
        if self.chance(TWICE):
            await self.scans(label.token)
            self.world.reached("a label was scanned twice")
        if self.shown["screen"] not in {"label", "opening", "put_in"}:
            if self.reason in {"already_loaded", "withdrawn"}:
                desk.remove(label)
            return True
        door = await self._opened_for_label()
        if door is None:
            return True
        await self.wait(1, 3)
        if self.finds(door, label.thing):
            self.world.reached("a helper found a thing in a vacant compartment")
            await self.press("not_empty")
            self.shuts(door)
            await pause(2)
            return await self.to_menu()
        if self.chance(self.stops):
            self.shuts(door)
            return False
        self.puts(door, label.thing)
        await self.wait(1, 3)
        if await self.shut_and_see(door, "second_look", "load_empty") != "second_look":
            await self.puzzled()
            return True
        await self._looks_twice(label, desk, door)
        return True

    async def _looks_twice(self, label: Label, desk: list[Label], door: int) -> None:
        if "name_seen" in self.acts and self.chance(NAMES):
            await self.press("name_seen")
            self.world.reached("the name on a label was compared")
        else:
            await self.scans(label.token)
        if self.shown["screen"] == "load" and not self.shown["refused"]:
            self.town.testimony.took_over(label.thing, self.machine, door)
            self.say("loaded", case=label.case, door=door, thing=label.thing)
            self.world.reached("loaded")
            desk.remove(label)
            if self.errs and "round_undo" in self.acts and self.chance(UNDOES):
                await self._takes_out_again(label, desk)

    async def _takes_out_again(self, label: Label, desk: list[Label]) -> None:
        """It was the wrong one: out again with it, for a later round."""
        await self.press("round_undo")
        door = await self.door_opens("take_out")
        if door is None or not self.takes(door, label.thing):
            return
        if await self.shut_and_see(door, "withdraw_confirm", "not_taken") != "withdraw_confirm":
            await self.puzzled()
            return
        await self.press("withdraw_confirm")
        if not self.shown["refused"]:
            self.world.reached("what was loaded last was taken out again")
            desk.append(label)

    async def _opened_for_label(self) -> int | None:
        """The door that a scanned label opens, on a round by itself."""
        if self.shown["said"] or self.shown["banner"]:
            self.world.reached("a label nobody had announced")
        if self.shown["screen"] == "label":
            await self.press("load_open")
        return await self.door_opens("put_in")

    async def puzzled(self) -> None:
        """Something else than hoped for: as far as the menu, where there is a way."""
        await pause(2)
        for door in self.open_doors():
            if self.shown["door"] == door:
                self.shuts(door)
        await pause(2)
        await self.look()
        if self.shown["screen"] in {"stuck", "give_up", "unseen", "interrupted", "staff_problem"}:
            self.world.reached(f"a helper before: {self.shown['screen']}")
