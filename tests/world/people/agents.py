"""Agents come for several cases in a row; some of their papers are several envelopes."""

import asyncio
from collections.abc import Sequence
from random import Random  # noqa: TID251  # seeded

from tests.world.centre import Size
from tests.world.machine import Machine
from tests.world.people.applicants import Applicant
from tests.world.people.person import Person
from tests.world.people.town import GoneError, Town
from tests.world.screen import DarkError
from tests.world.times import HOUR_S, MINUTE_S, pause


class Agent(Person):
    """One person, several cases: the line is stood in once."""

    kind = "agent"

    def __init__(self, town: Town, machine: Machine, rng: Random, cases: Sequence[str], phone: str) -> None:
        super().__init__(town, machine, f"agent of {cases[0]}", rng)
        self.errands = [
            Applicant(town, machine, Random(rng.random()), case, phone, by=self.name) for case in cases
        ]
        for errand in self.errands:
            errand.envelopes = rng.choice((1, 1, 2, 3))

    async def lives(self, lead_s: float) -> None:
        until_s = self.world.loop.time() + lead_s
        ready = await asyncio.gather(*(each.prepares(Size.S, lead_s, 72) for each in self.errands))
        await pause(max(0.0, until_s - self.world.loop.time()))
        left = [each for each, is_ready in zip(self.errands, ready, strict=True) if is_ready]

        async def visit() -> bool:
            for errand in tuple(left):
                try:
                    if await errand.visit():
                        left.remove(errand)
                except (GoneError, DarkError):
                    errand.say("gave_up", word="one of several")
            return not left

        if await self.comes(visit, 6, (5 * MINUTE_S, 3 * HOUR_S), 20 * MINUTE_S):
            self.world.reached("an agent with several cases is done")
