"""Recipients collect what was loaded for them; some do not want it."""

from contextlib import suppress
from random import Random  # noqa: TID251  # seeded

from sync.central.outgoing import Outgoing
from sync.central.pickups.agents import Entrusting
from sync.central.pickups.codes import Lost
from tests.world.centre import Person as Named
from tests.world.centre import Size, Sms
from tests.world.machine import Machine
from tests.world.people import asking
from tests.world.people.town import GoneError, Label, Refused, Town, is_about
from tests.world.people.visitors import Visitor
from tests.world.screen import View
from tests.world.times import HOUR_S, MINUTE_S, pause

LOSE, SEND = 0.09, 0.15
"""Who loses their code; and, above that, who sends somebody else."""


class Recipient(Visitor):
    """One finished thing, from the clerk's word to the hand it is for."""

    kind = "recipient"

    def __init__(self, town: Town, machine: Machine, rng: Random, case: str, phone: str) -> None:
        super().__init__(town, machine, f"recipient of {case}", rng, case, f"licence of {case}", phone)
        self.why = self.entrustment = ""
        self.told = False
        self.reacts = {
            **self.reacts,
            "take": self.at_take,
            "confirm_taken": self.at_confirm_taken,
            "still_inside": self.at_still_inside,
            "refusing": self.at_refusing,
            "put_back": self.at_put_back,
            "put_back_confirm": self.at_put_back_confirm,
            "refused_item": self.at_refused_item,
            "collected": self.at_collected,
        }

    async def lives(self, size: Size, second_factor: bool, lag_s: float) -> None:
        """The clerk's word now; whoever it is for comes ``lag_s`` after the message, when they are about."""
        name = Named("李娜", self.phone)
        ready = Outgoing(self.case, self.case, "licence", size, name, self.machine.name, second_factor)
        token = await self._announced(ready)
        if token is None:
            return
        self.town.desk[self.machine.name].append(Label(self.case, self.case, token))
        sms = await self.town.sms(self.phone, "pickup_code", self.case, None)
        if sms is None:
            return
        sms = await self._another(sms)
        self.typed, self.scan = sms.said["typed"], sms.said["scan"]
        if self.done:
            return
        await pause(lag_s)
        while not is_about(self.world.loop.time(), self.rng):
            await self.wait(10 * MINUTE_S, HOUR_S)
        self.done = await self.comes(self.visit, 8, (5 * MINUTE_S, 3 * HOUR_S), 15 * MINUTE_S)

    async def _another(self, first: Sms) -> Sms:
        """Some lose their code and ask for a new one; some send an agent, who has a code of their own."""
        wish, centre, asked_s = self.rng.random(), self.world.centre, self.world.loop.time()
        with suppress(Refused):
            if wish < LOSE:
                self.typed, self.scan = first.said["typed"], first.said["scan"]
                if wish > LOSE / 2 and (sms := await asking.asks_for_another_code(self)):
                    self.world.reached("a new pickup code was asked for at the kiosk")
                    await self._tries_the_old()
                    return sms
                lost = Lost(self.case, "lost", stolen=wish < LOSE / 3)
                await self.town.at_the_office(lambda: centre.reissue(lost))
                self.world.reached("a new pickup code was ordered")
                sms = await self.town.sms(self.phone, "pickup_code", self.case, 6 * HOUR_S, asked_s)
                if sms is not None:
                    await self._tries_the_old()
                return sms or first
            if wish < SEND:
                agent = Named("王芳", f"15{self.phone[2:-4]}7531")
                entrusting = Entrusting(self.case, agent, 720)
                self.entrustment = await self.town.at_the_office(lambda: centre.entrust(entrusting))
                own = await self.town.sms(agent.phone, "agent_code", self.case, 6 * HOUR_S)
                if own is not None:
                    self.world.reached("an agent was sent")
                    self.phone = agent.phone
                    return own
        return first

    async def _tries_the_old(self) -> None:
        """The code that was lost is found again, after the new one has come."""
        if not self.habits.once("tries_the_old"):
            return
        await self.wait(MINUTE_S, 15 * MINUTE_S)
        self.world.reached("a lost code was found again")
        self.done = await self.comes(self.visit, 1, (0, 1), 15 * MINUTE_S)

    async def _announced(self, ready: Outgoing) -> str | None:
        """Its label. The clerk asks again where the hub broke off, or was set back."""
        for _ in range(3):
            with suppress(Refused):
                # Refused: it is known already.
                await self.town.at_the_office(lambda: self.world.centre.outgoing_item(ready))
            with suppress(Refused):
                return await self.town.label(self.case)
        self.world.reached("the office refused an outgoing item")
        return None

    async def was_refused(self, reason: str) -> bool:
        await super().was_refused(reason)
        over = reason == "code_not_accepted" and (self.in_hand or self.told)
        if reason == "code_not_accepted" and not over:
            self._looks_at_the_phone()
        return over

    def _looks_at_the_phone(self) -> None:
        """Perhaps another code has come since."""
        inbox = self.world.centre.phones.inbox.get(self.phone, [])
        codes = [sms.said for sms in inbox if sms.said["case"] == self.case and "typed" in sms.said]
        if codes:
            self.typed, self.scan = codes[-1]["typed"], codes[-1]["scan"]

    async def at_take(self, view: View) -> bool | None:
        door = view["door"]
        if not self.machine.is_open(door):
            return None
        if not self.shows(self.case):
            raise GoneError("another person's page")
        self.page = view["visit"]
        self.say("opened", case=self.case, door=door)
        await self.wait(1, 5)
        self.finds(door, self.thing)
        if self.thing in self.lying(door):
            return await self._before_mine(door)
        if not self.in_hand:
            self._is_elsewhere(door)
        if self.lying(door) and "refusing" in self.acts:
            self.why = "not_mine"
            await self.press("refusing")
            return None
        self.shuts(door)
        return None

    async def _before_mine(self, door: int) -> bool | None:
        if self.habits.once("declines"):
            self.why = self.rng.choice(("not_mine", "damaged", "incomplete"))
            self.takes(door, self.thing)
            await self.press("refusing")
            return None
        if self.habits.once("lets_lie"):
            self.shuts(door)
            return None
        self.takes(door, self.thing)
        await self.wait(1, 4)
        if self.habits.once("leaves_open"):
            return await self.habits.walks_off(self, door)
        self.shuts(door)
        return None

    def _is_elsewhere(self, door: int) -> None:
        place = self.town.testimony.entrusted.get(self.thing)
        if place is not None and place != (self.machine.name, door):
            self.world.violated(5, f"{self.name} is sent to door {door}, and it lies in {place}")

    async def at_confirm_taken(self, view: View) -> bool | None:
        await self.wait(1, 3)
        if self.in_hand:
            await self.press("taken")
        elif "again" in self.acts and self.thing in self.lying(view["door"]):
            await pause(3)
            await self.press("again")
        else:
            return await self.leaves(view)
        return None

    async def at_still_inside(self, view: View) -> bool | None:
        await self.wait(3, 6)
        if self.thing in self.lying(view["door"]) and "again" in self.acts:
            await self.press("again")
        elif "refusing" in self.acts:
            self.why = "not_mine"
            await self.press("refusing")
        else:
            return await self.leaves(view)
        return None

    async def at_refusing(self, view: View) -> bool | None:
        del view
        await self.wait(1, 4)
        await self.press("refuse", reason=self.why or "not_mine")
        return None

    async def at_put_back(self, view: View) -> bool | None:
        door = view["door"]
        if not self.machine.is_open(door):
            return None
        await self.wait(1, 3)
        if self.in_hand and self.why and not self.habits.once("keeps"):
            self.puts(door, self.thing)
        self.shuts(door)
        return None

    async def at_put_back_confirm(self, view: View) -> bool | None:
        await self.wait(1, 3)
        if self.in_hand and "back" in self.acts:
            # Kept it after all, and says so.
            await self.press("back")
            return None
        await self.press("refuse", reason=self.why or "not_mine")
        if self.shown["refused"]:
            return await self.leaves(view)
        return None

    async def at_refused_item(self, view: View) -> bool | None:
        self.say("declined", case=self.case, door=view["door"] or 0, word=self.why)
        self.world.reached("an item was refused by its recipient")
        self.told = True
        await asking.rates(self)
        await self.leaves(view)
        return True

    async def at_collected(self, view: View) -> bool | None:
        if not self.shows(self.case):
            raise GoneError("another person's page")
        self.told_done(6, "collected", view["door"])
        self.say("collected", case=self.case, door=view["door"] or 0, thing=self.thing)
        self.told = True
        if self.habits.offline(self.machine):
            self.world.reached("collected while the centre was away")
        if not self.in_hand and self.world.contents.where(self.thing) == (self.machine.name, view["door"]):
            self.world.reached("collected, and it lies there still")
            self.town.testimony.moved(self.thing)
        await self.wait(1, 4)
        if self.habits.once("wants_help"):
            await asking.calls_for_help(self, "wrong_item")
        await asking.rates(self)
        if self.chance(0.9):
            await self.press("leave")
        return True
