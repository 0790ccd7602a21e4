"""Applicants hand their papers in; some look again, some take them back."""

import asyncio
from random import Random  # noqa: TID251  # seeded
from typing import Final

from sync.central.cases import PreReview
from tests.world.centre import Person as Named
from tests.world.centre import Size
from tests.world.machine import Machine
from tests.world.people import asking, bookings
from tests.world.people.town import GoneError, Refused, Town
from tests.world.people.visitors import Visitor
from tests.world.screen import View
from tests.world.times import HOUR_S, MINUTE_S, pause

SMS_PATIENCE_S: Final = 10 * MINUTE_S
GOES: Final = 0.7
"""To the locker that the page named, where this one is full."""


class Applicant(Visitor):
    """One case, from the pre-review to the receipt."""

    kind = "applicant"

    def __init__(
        self, town: Town, machine: Machine, rng: Random, case: str, phone: str, by: str = ""
    ) -> None:
        name = by or f"applicant of {case}"
        super().__init__(town, machine, name, rng, case, f"papers of {case}", phone)
        self.receipt = False
        self.right = ""
        """Their authorisation, once the clerk has made it."""
        self.envelopes = 1
        self.holds.add(self.thing)
        self.reacts = {
            **self.reacts,
            "offer": self.at_offer,
            "offer_again": self.at_offer_again,
            "place": self.at_place,
            "empty": self.at_empty,
            "confirm_in": self.at_confirm_in,
            "receipt": self.at_receipt,
            "not_empty": self.at_not_empty,
            "look": self.at_look,
            "looked": self.at_looked,
            "taken_back": self.at_taken_back,
        }

    async def lives(self, size: Size, lead_s: float, valid_h: int) -> None:
        """The clerk's pre-review now, the visit after ``lead_s``."""
        arrives_s = self.world.loop.time() + lead_s
        if not await self.prepares(size, lead_s, valid_h):
            return
        await pause(max(0.0, arrives_s - self.world.loop.time()))
        self.done = await self.comes(self.visit, 6, (5 * MINUTE_S, 3 * HOUR_S), 15 * MINUTE_S)
        if self.done and self.receipt and self.habits.comes_back:
            await self.wait(5 * MINUTE_S, HOUR_S)
            self.habits.wants_back = self.chance(0.6)
            self.world.reached("came to look again, or to take back")
            await self.comes(self.visit, 2, (MINUTE_S, HOUR_S), 15 * MINUTE_S)

    async def prepares(self, size: Size, lead_s: float, valid_h: int) -> bool:
        """The pre-review has passed and the codes are at hand."""
        passed = PreReview(
            self.case, "licence", ("form",), (), size, Named("张伟", self.phone), self.machine.name, valid_h
        )
        try:
            reference = await self.town.at_the_office(lambda: self.world.centre.pre_review(passed))
        except Refused:
            self.world.reached("no drop-off code was free")
            return False
        self.right = reference
        if self.habits.once("books"):
            self.world.spawn(bookings.books(self, lead_s))
        sms = await self.town.sms(self.phone, "drop_off_code", self.case, max(lead_s, SMS_PATIENCE_S))
        if sms is None:
            self.world.reached("handed in by the token of the own page")
            try:
                self.scan = await self.town.token(reference)
            except Refused:
                self.world.reached("the centre knows nothing of it any more")
                return False
        else:
            self.typed, self.scan = sms.said["typed"], sms.said["scan"]
        return True

    async def was_refused(self, reason: str) -> bool:
        await super().was_refused(reason)
        if reason == "no_room":
            self.world.reached("the locker is full")
            if self.sent_to and self.scan and self.chance(GOES):
                self.goes_to(self.sent_to[0])
        if reason == "code_expired":
            self.world.reached("the code has expired")
        # What was taken in meanwhile has no code any more; nor has what expired.
        return (reason == "code_not_accepted" and not self.in_hand) or reason == "code_expired"

    async def at_offer(self, view: View) -> bool | None:
        if not self.shows(self.case):
            raise GoneError("another person's page")
        if not self.in_hand:
            # Put somewhere without a receipt: the help line's business, and a helper's.
            self.world.reached("papers lie somewhere without a receipt")
            await self.leaves(view)
            return True
        self.page = view["visit"]
        await self.wait(2, 8)
        if self.habits.once("wants_help"):
            await asking.calls_for_help(self, "papers")
        if self.habits.once("only_looks"):
            self.world.reached("half a visit, and away")
            raise GoneError("thought better of it")
        if self.habits.once("presses_twice"):
            await asyncio.gather(self.press("open"), self.press("open"))
            self.world.reached("pressed twice at once")
        elif self.chance(0.1):
            await self.press("open", lower=True)
        else:
            await self.press("open")
        return None

    async def at_offer_again(self, view: View) -> bool | None:
        if not self.shows(self.case):
            raise GoneError("another person's page")
        if self.receipt and not self.habits.comes_back:
            await self.leaves(view)
            return True
        self.page = view["visit"]
        await self.wait(1, 5)
        await self.press("open")
        return None

    async def at_place(self, view: View) -> bool | None:
        door = view["door"]
        if not self.machine.is_open(door):
            return None
        if not self.is_mine(view):
            raise GoneError("another person's page")
        if self.page:
            self.say("opened", case=self.case, door=door)
        else:
            # Pushed in, and takes the door that stands open for theirs.
            self.say("astray", case=self.case, door=door)
            self.world.reached("took another person's door for theirs")
        await self.wait(1, 5)
        if not self.page and not self.machine.is_open(door):
            return None  # whose door it is has shut it meanwhile
        # Who pushed in stands at a door that somebody else left open: nobody gave it to them.
        if self.finds(door, self.thing, given=bool(self.page)):
            self.world.reached("something lay in a compartment that was to be vacant")
            self.say("not_empty", door=door)
            await self.press("not_empty")
            self.shuts(door)
            return None
        if self.in_hand and not self.habits.once("shuts_empty"):
            behind = self.habits.door_taken_for(self, door)
            self.puts(behind, self.thing)
            for number in range(2, self.envelopes + 1):
                self.puts(behind, f"{self.thing} ({number})")
                self.world.reached("several envelopes in one compartment")
            await self.wait(1, 4)
        if self.habits.once("leaves_open"):
            return await self.habits.walks_off(self, door)
        self.shuts(door)
        return None

    async def at_empty(self, view: View) -> bool | None:
        if "confirm_in" in self.acts and not self.in_hand:
            # Also who put it behind another door means what they say.
            self.world.reached("the person's word against the sensor's")
            await self.press("confirm_in")
        elif "again" in self.acts and self.in_hand:
            await self.wait(2.5, 5)
            await self.press("again")
        elif "again" in self.acts:
            await pause(3)
            await self.press("again")
        else:
            return await self.leaves(view)
        return None

    async def at_confirm_in(self, view: View) -> bool | None:
        await self.wait(1, 3)
        if self.thing in self.lying(view["door"]):
            await self.press("confirm_in")
        elif "again" in self.acts and self.in_hand:
            await pause(3)
            await self.press("again")
        else:
            return await self.leaves(view)
        return None

    async def at_receipt(self, view: View) -> bool | None:
        door, shown = view["door"], view["receipt"]
        if not self.shows(self.case):
            raise GoneError("another person's page")
        if shown is not None and not self.receipt:
            self.told_done(5, "receipt", door)
            self.receipt = True
            if self.world.contents.where(self.thing) == (self.machine.name, door):
                self.town.testimony.took_over(self.thing, self.machine, door)
            self.say("receipt", case=self.case, door=door, word=shown["number"], thing=self.thing)
            if self.machine.link is None or not self.machine.built or self.habits.offline(self.machine):
                self.world.reached("handed in while the centre was away")
        await self.wait(1, 6)
        await asking.rates(self)
        if self.chance(0.9):
            await self.press("leave")
        return True

    async def at_not_empty(self, view: View) -> bool | None:
        door = view["door"]
        if door is not None and self.machine.is_open(door):
            self.shuts(door)
        return None

    async def at_look(self, view: View) -> bool | None:
        """The door with the own papers stands open again."""
        door = view["door"]
        if not self.machine.is_open(door):
            return None
        if not self.is_mine(view):
            raise GoneError("another person's page")
        self.finds(door, self.thing, given=bool(self.page))
        await self.wait(2, 8)
        if self.habits.wants_back and self.thing in self.lying(door):
            for thing in self.lying(door):
                if thing.startswith(self.thing):
                    self.takes(door, thing)
        elif self.in_hand and not self.habits.wants_back:
            self.puts(door, self.thing)
        self.shuts(door)
        return None

    async def at_looked(self, view: View) -> bool | None:
        del view
        await self.wait(1, 3)
        if self.in_hand:
            await self.press("take_back")
        else:
            await self.press("still_inside")
        return None

    async def at_taken_back(self, view: View) -> bool | None:
        self.told_done(5, "taken back", view["door"])
        self.say("taken_back", case=self.case, door=view["door"] or 0)
        self.world.reached("papers were taken back")
        await self.leaves(view)
        return True
