"""A guided round: a finding and a shut door open the next; skipped, corrected, left, taken over."""

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tests.world.times import pause

if TYPE_CHECKING:
    from tests.world.people.rounds import Helper

DOORS_MAX: Final = 40
SKIPS, HASTY, CORRECTS, STOPS, SCANS, ENDS = 0.05, 0.03, 0.06, 0.08, 0.3, 0.75
"""At one door: left alone, said to be taken and not, said otherwise afterwards, walked off for now, the case
scanned. At the end of a round: that it is ended, and not left for a colleague."""
SEEN_S: Final = 15
THINGS: Final = {"intake": "papers of", "withdraw": "licence of"}
GOES_ON: Final = frozenset({"opening", "take_out", "round_done", "round_intake", "round_withdraw"})
"""What there is to be seen once a finding was taken."""
DONE: Final = {"intake": "taken_in", "withdraw": "withdrawn"}


def is_on_slip(kind: str, finding: str) -> bool:
    """Whether the slip must name it. What turned out to be no submission at all was never taken."""
    return kind != "intake" or finding != "empty"


class Guided:
    """One helper on a round of one kind, this time."""

    def __init__(self, who: "Helper", kind: str) -> None:
        self.who, self.kind, self.world = who, kind, who.world
        self.took: Counter[str] = Counter()
        """Cases that the screen took from them on this visit."""
        self.last = ""

    async def goes(self) -> bool:
        """False: they went away in the middle."""
        who = self.who
        await who.press("round", kind=self.kind)
        if "round_go" not in who.acts:
            return True
        place = (who.machine.name, self.kind)
        if who.town.rests.get(place, who.name) != who.name:
            self.world.reached("a colleague goes on with a round")
        self.world.reached(f"a guided round: {self.kind}")
        await who.press("round_go")
        for _ in range(DOORS_MAX):
            door = await who.door_opens("take_out")
            if door is None:
                if not await self._cannot():
                    break
            elif not await self._at(door):
                who.town.rests[place] = who.name
                return False
            if who.shown["screen"] in {"round_intake", "round_withdraw"} and not await self._goes_on():
                break
            if who.shown["screen"] not in {"opening", "take_out", "stuck"}:
                break
        await self._ends(place)
        return True

    async def _goes_on(self) -> bool:
        """The next door did not open by itself: too long after the finding."""
        if "round_go" not in self.who.acts:
            return False
        self.world.reached("a round: the next door asks for a press")
        await self.who.press("round_go")
        return True

    async def _cannot(self) -> bool:
        """A door that will not open is left where it is, with the reason."""
        who = self.who
        if "skipping" not in who.acts or who.shown["screen"] == "unseen":
            await who.puzzled()
            return False
        return await self._skips("stuck")

    async def _skips(self, why: str) -> bool:
        who = self.who
        await who.press("skipping")
        fits = [each for each in who.choices("skip") if each["why"] == why]
        if not fits:
            return False
        await who.wait(1, 3)
        await who.press("skip", **fits[0])
        self.world.reached(f"a round: left, {why}")
        return not who.shown["refused"]

    # --- one door ---

    async def _at(self, door: int) -> bool:
        """False: they went away."""
        who, case = self.who, self._case()
        thing = f"{THINGS[self.kind]} {case}"
        await who.wait(1, 3)
        if who.shown["screen"] != "take_out":
            return True
        if self.last and "round_undo" in who.acts and who.chance(CORRECTS):
            await self._corrects()
        if who.chance(STOPS if who.stops else 0.0):
            who.shuts(door)
            return False
        if who.chance(SKIPS if who.errs else 0.0) and await self._skips(
            who.rng.choice(("not_mine", "other"))
        ):
            await self._shut(door)
            return True
        others, lying = who.finds(door, thing), who.lying(door)
        mine = [each for each in lying if each not in others]
        hasty = bool(mine) and who.chance(HASTY if who.errs else 0.0)
        for each in () if hasty else mine:
            who.takes(door, each)
        if hasty:
            who.town.testimony.lied_about(who.machine, door)
            who.say("lied", door=door, word="taken")
        for each in others:
            self.world.reached("a helper found what was put behind the wrong door")
            who.takes(door, each)
        finding = "complete" if mine else "empty"
        if mine and not hasty and who.chance(who.errs):
            finding = who.rng.choice(("missing", "wrong"))
        await self._says(door, case, thing, finding)
        return True

    def _case(self) -> str:
        values = [str(fact["value"]) for fact in self.who.shown["facts"]]
        return next((value for value in values if value.startswith("CASE")), "")

    async def _says(self, door: int, case: str, thing: str, finding: str) -> None:
        who = self.who
        if self.kind == "withdraw":
            said: dict[str, Any] = {}
        elif finding == "empty" and who.chance(0.4) and await self._skips("nothing_inside"):
            await self._shut(door)
            return
        else:
            said = {"finding": finding}
        act = f"{self.kind}_confirm"
        if who.chance(0.3):
            await self._shut(door)
            if act not in who.acts:
                return
        scans = finding == "complete" and self.kind == "intake" and who.chance(SCANS)
        if scans:
            await who.scans(case)
            self.world.reached("a round: the case was scanned")
        else:
            await who.press(act, **said)
        wrong = who.shown["refused"]
        if who.machine.is_open(door):
            await self._shut(door)
            wrong = who.shown["refused"] or who.shown["screen"] == "not_taken"
        if wrong:
            await self._still_there(door, thing)
            return
        self.last = case
        if who.shown["screen"] in GOES_ON:
            self.took[case] += is_on_slip(self.kind, finding)
            self.world.reached("withdrawn by a helper" if self.kind == "withdraw" else f"intake: {finding}")
        who.say(DONE[self.kind], case=case, door=door, thing=thing, word=finding)

    async def _still_there(self, door: int, thing: str) -> None:
        """The sensor sees it: open again, and take it."""
        who = self.who
        self.world.reached("a round: the sensor sees it still")
        if "again" not in who.acts:
            return
        await pause(3)
        await who.press("again")
        if await who.door_opens("take_out") != door:
            return
        for each in who.lying(door):
            if each.startswith(thing):
                who.takes(door, each)
        await self._shut(door)
        act = f"{self.kind}_confirm"
        if act in who.acts:
            await who.press(act, **({"finding": "complete"} if self.kind == "intake" else {}))

    async def _shut(self, door: int) -> None:
        """And see what comes of it."""
        who = self.who
        who.shuts(door)
        for _ in range(SEEN_S):
            await pause(1)
            await who.look()
            if who.shown["screen"] not in {"take_out", "skipping"} or who.shown["door"] != door:
                return

    async def _corrects(self) -> None:
        who = self.who
        await who.press("round_undo")
        ways = who.choices("correct")
        if who.shown["screen"] == "correcting" and ways:
            await who.wait(1, 3)
            way = who.rng.choice(ways)
            await who.press("correct", **way)
            self.world.reached(f"a round: corrected to {way['finding']}")
            if way["finding"] == "undone" and not who.shown["refused"]:
                self.took.pop(self.last, None)
        elif "resume" in who.acts:
            await who.press("resume")
        self.last = ""

    # --- the end of it ---

    async def _ends(self, place: tuple[str, str]) -> None:
        who = self.who
        await who.look()
        if "round_end" not in who.acts or not who.chance(ENDS):
            who.town.rests[place] = who.name
            return
        if "round_undo" in who.acts and self.last and who.chance(CORRECTS):
            await self._corrects()
        if "round_end" not in who.acts:
            return
        await who.press("round_end")
        who.town.rests.pop(place, None)
        if who.shown["screen"] == "round_slip":
            self.world.reached(f"a hand-over slip: {self.kind}")
            self._balances()

    def _balances(self) -> None:
        """Their own slip names what the screen took from them just now."""
        slip = self.who.shown["slip"]
        if slip is None:  # asked whether they are there still
            return
        stands = {line["case"] for part in slip["lists"] for line in part["lines"]}
        missing = sorted(set(+self.took) - stands)
        if missing:
            self.world.violated(5, f"{self.who.name} took {missing}, and the slip says {sorted(stands)}")
