"""Technicians try doors, mend what jams, take doors out of service and put them back."""

from typing import Final

from tests.world.people.staff import Staff
from tests.world.times import HOUR_S, MINUTE_S, pause

DOORS_TRIED: Final = 3
TEST_STEPS: Final = 150


class Technician(Staff):
    kind = "technician"
    role = "technician"

    async def comes_round(self, *, tests_all: bool) -> None:
        async def work() -> bool:
            return await self.works(tests_all=tests_all)

        await self.comes(work, 3, (10 * MINUTE_S, HOUR_S), 40 * MINUTE_S)

    async def works(self, *, tests_all: bool) -> bool:
        await self.signs_in()
        self.world.reached("a technician at work")
        await self.press("service", tab="doors")
        for door in self._of_interest():
            if self.shown["screen"] not in {"service", "service_door"}:
                return True
            await self.at_door(door)
        if tests_all and self.shown["screen"] in {"service", "service_door"}:
            await self.tests()
        await self.signs_out()
        return True

    def _of_interest(self) -> list[int]:
        """What jams, and some others. What somebody holds shut they let go of."""
        doors = list(self.machine.model.numbers)
        jammed = [door for door in doors if self.machine.model.thing(door).jammed]
        for door in jammed:
            self.machine.do(door, "unjam")
            self.world.reached("a jammed door was mended")
        some = self.rng.sample(doors, DOORS_TRIED)
        return [*jammed, *(door for door in some if door not in jammed)]

    async def at_door(self, door: int) -> None:
        await self.wait(1, 3)
        await self.press("service_door", door=door)
        if "test_open" in self.acts:
            await self.tries(door)
        if "blocking" in self.acts and self.chance(0.3):
            await self.press("blocking")
            await self.press("block", why=self.rng.choice(("lock", "leaf", "sensor", "dirty", "other")))
            self.world.reached("a door was taken out of service")
        if "unblock" in self.acts and self.chance(0.9):
            await self.wait(1, 5)
            await self.press("unblock", door=door)
            if not self.shown["refused"]:
                self.world.reached("a door was put back into service")

    async def tries(self, door: int) -> None:
        """A door that holds nothing, pulsed once."""
        await self.press("test_open", door=door)
        for _ in range(9):
            if self.machine.is_open(door):
                break
            await pause(1)
        if not self.machine.is_open(door):
            self.world.reached("a technician's door did not open")
            return
        self.finds(door, "")
        await self.wait(1, 3)
        self.shuts(door)
        await pause(2)
        await self.look()
        self.world.reached("a technician tried a door")

    async def tests(self) -> None:
        """All vacant doors, one after the other; each is pushed shut as it comes out."""
        await self.press("service", tab="self_test")
        if "self_test" not in self.acts:
            return
        before = {door: self.openings(door) for door in self.machine.model.numbers}
        await self.press("self_test")
        stops_at = self.rng.randrange(TEST_STEPS) if self.chance(0.3) else TEST_STEPS
        for step in range(TEST_STEPS):
            await pause(2)
            for door in self.open_doors():
                if self.openings(door) > before[door]:
                    self.finds(door, "")
                self.shuts(door)
            await self.look()
            if self.shown["screen"] != "service":
                return
            if step == stops_at and "self_test_stop" in self.acts:
                await self.press("self_test_stop")
                self.world.reached("a self-test was stopped")
            if "self_test" in self.acts:
                self.world.reached("a self-test went to its end")
                return
