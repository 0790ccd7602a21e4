"""Who opens doors from afar: an operator whom somebody has called, and those who approve, rightly or not."""

from random import Random  # noqa: TID251  # seeded
from typing import Final

from locker.domain.acts import ActKind
from sync.central.access.actor import EVERY_AREA, Actor, Role, person
from sync.central.acts.approvals import APPROVE_WITHIN_MS, Thing
from sync.central.acts.sending import Wish
from sync.central.desk import Refused
from tests.world.centre import ClosedError
from tests.world.machine import Machine
from tests.world.people.town import Town
from tests.world.times import pause

OPERATOR: Final = person("operator", [Role.FLEET_OPERATOR, Role.APPROVER], [EVERY_AREA])
"""May approve, too: not what they asked for themselves."""
APPROVERS: Final = tuple(person(name, [Role.APPROVER], [EVERY_AREA]) for name in ("li", "zhao", "sun"))
STATE_S: Final = 200.0
LOOK_S: Final = 5.0


class Operator:
    """``opens``: one door, once or several times; somebody on the spot pushes it shut."""

    def __init__(self, town: Town, machine: Machine, rng: Random) -> None:
        self.town, self.world, self.machine, self.rng = town, town.world, machine, rng
        self.centre = town.world.centre

    async def opens(self, times: int) -> None:
        for _ in range(times):
            door = self.rng.choice(list(self.machine.model.numbers))
            try:
                await self._opens(door)
            except (ClosedError, Refused):
                self.world.reached("an act came to nothing at the centre")
            await pause(self.rng.uniform(5, 120))

    async def _opens(self, door: int) -> None:
        before = self.machine.model.thing(door).opened_count
        act = await self.centre.ask(Wish(self.machine.name, ActKind.OPEN, door, "help line"), OPERATOR)
        thing = await self._looked_at(act)
        await self._approved(act, thing)
        state = await self._ended(act)
        self.world.reached(f"act: {state}")
        if self.machine.model.thing(door).opened_count > before:
            await pause(self.rng.uniform(2, 60))
            self.machine.do(door, "shut")

    async def _looked_at(self, act: str) -> Thing:
        row = (await self.centre.act(act)).row
        return Thing(row.locker, row.door, row.reason, row.nonce)

    async def _approved(self, act: str, thing: Thing) -> None:
        """By two others; some words that must not count come in between."""
        one, other, third = self.rng.sample(APPROVERS, 3)
        words: list[Actor] = [one, other]
        if self.rng.random() < 0.4:
            words.insert(self.rng.randrange(3), self.rng.choice((OPERATOR, one, other, third)))
        late = self.rng.random() < 0.1
        for number, who in enumerate(words):
            if number == 1 and late:
                await pause(APPROVE_WITHIN_MS / 1000 + self.rng.uniform(1, 600))
            await pause(self.rng.uniform(1, 40))
            try:
                await self.centre.agree(act, thing, who)
            except Refused:
                self.world.reached("a word on an act did not count")

    async def _ended(self, act: str) -> str:
        until_s = self.world.loop.time() + STATE_S
        while True:
            state = str((await self.centre.act(act)).row.state)
            if state not in {"queued", "sent", "accepted"} or self.world.loop.time() > until_s:
                return state
            await pause(LOOK_S)
