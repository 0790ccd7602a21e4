"""Random rounds of two helpers, with doors that stick, cuts of power and people who walk off.

Against a model that knows only what lies behind which door and in whose hands it is. They share no code.
"""

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk_ui.acts import read_code, read_press
from kiosk_ui.round_page import values
from locker.domain.deposit import Phase
from locker.domain.door import Position
from locker.domain.events import OpeningRequested, RoundSkipped, SubmissionTaken
from locker.operations import rounds
from tests.kiosk_ui.page import Page, View
from tests.locker.operations.world import MemoryWorld

HELPERS = ("h-1", "h-2")
AT_LIST, AT_DOOR = {"round_intake", "round_done"}, {"take_out", "intake_confirm", "not_taken"}


class Quick(Page):
    """The page without HTTP: thousands of presses in a second."""

    async def view(self) -> View:
        await self.settle()
        return self.kiosk.view()

    async def _post(self, path: str, body: View) -> View:
        if path == "/api/code":
            await self.kiosk.code(read_code(body))
        else:
            await self.kiosk.act(read_press(body)[0])
        return await self.view()


class Rounds(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.inside: dict[int, str] = {}
        """What lies behind which door."""
        self.carried: dict[str, str] = {}
        """Case: the helper who has it in their bag."""
        self.helper = ""
        self.cases = 0
        self.view: dict[str, Any] = {}

    def teardown(self) -> None:
        self.loop.run_until_complete(self.page.close())
        self.loop.close()

    def run_(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize(seed=st.integers(0, 10_000))
    def begin(self, seed: int) -> None:
        async def start() -> Page:
            return Quick(await MemoryWorld.start(seed))

        self.page = self.run_(start())
        self.hand_in(4)
        self._signs_in("h-1")
        self.press("round_go")

    def hand_in(self, many: int) -> None:
        stuck, self.page.world.hands.jammed = self.page.world.hands.jammed, set()
        for _ in range(many):
            self.cases += 1
            case = f"C-{self.cases}"
            view = self.run_(self.page.hand_in(case))
            if view["screen"] == "receipt":
                self.inside[view["door"]] = case
            self.run_(self.page.act("leave"))
        self.page.world.hands.jammed = stuck

    @property
    def screen(self) -> str:
        return str(self.view.get("screen", "home"))

    def acts(self) -> list[dict[str, Any]]:
        return list(self.view["acts"])

    def press(self, name: str, at: int = 0) -> None:
        found = [each for each in self.acts() if each["act"] == name]
        if found:
            each = found[at % len(found)]
            self.view = self.run_(self.page.act(name, **each["data"]))

    # --- what people do -------------------------------------------------------------------------------------

    @precondition(lambda self: not self.helper)
    @rule(who=st.sampled_from(HELPERS), more=st.integers(0, 1))
    def comes(self, who: str, more: int) -> None:
        self.hand_in(more)
        self._signs_in(who)

    def _signs_in(self, who: str) -> None:
        badge = self.run_(self.page.world.enrol(who))
        self.run_(self.page.code(scanned=badge))
        self.run_(self.page.act("pin", digits="135790"))
        self.view = self.run_(self.page.act("round", kind="intake"))
        self.helper = who if self.screen in AT_LIST else ""

    @precondition(lambda self: bool(self.helper) and self.screen in AT_LIST)
    @rule(first=st.booleans())
    def goes_on(self, first: bool) -> None:
        if first or not self.view["rows"]:
            self.press("round_go")
        else:
            row = self.view["rows"][-1]
            self.view = self.run_(self.page.act(row["act"], **row["data"]))

    @precondition(lambda self: self.screen == "take_out")
    @rule(found=st.integers(0, 2), took=st.booleans(), walks_off=st.booleans())
    def says_and_shuts(self, found: int, took: bool, walks_off: bool) -> None:
        door = int(self.view["door"])
        if took:
            self._takes(door)
        self.press("intake_confirm", found)
        if walks_off:
            self.view = self.run_(self.page.later(rounds.GO_ON_MS + 1))
        pulses = len(self.page.world.hands.pulses)
        self.view = self.run_(self.page.shut(door))
        assert not walks_off or len(self.page.world.hands.pulses) == pulses

    @precondition(lambda self: self.screen in AT_DOOR)
    @rule(found=st.integers(0, 2))
    def shuts_and_says(self, found: int) -> None:
        door = int(self.view["door"])
        if self.screen == "take_out":
            self._takes(door)
            self.view = self.run_(self.page.shut(door))
        if self.screen == "not_taken":
            self.press("again")
            return
        self.press("intake_confirm", found)

    @precondition(lambda self: self.screen in AT_DOOR | {"stuck", "give_up"})
    @rule(why=st.integers(0, 3))
    def skips(self, why: int) -> None:
        door = int(self.view["door"])
        self.press("skipping")
        self.press("skip", why)
        if self.screen == "take_out":
            self.view = self.run_(self.page.shut(door))

    @precondition(lambda self: self.screen in AT_DOOR | AT_LIST)
    @rule(which=st.integers(0, 1))
    def corrects(self, which: int) -> None:
        self.press("round_undo")
        if self.screen == "correcting":
            self.press("correct", which)
        if self.screen == "correcting":
            self.press("resume")

    @precondition(lambda self: self.screen == "opening")
    @rule()
    def waits(self) -> None:
        self.view = self.run_(self.page.later(6_000))

    @precondition(lambda self: bool(self.helper))
    @rule()
    def leaves(self) -> None:
        if any(each["act"] == "sign_out" for each in self.acts()):
            self.press("sign_out")
            self.helper = ""

    @precondition(lambda self: self.screen in AT_LIST)
    @rule()
    def ends(self) -> None:
        self.press("round_end")
        self.press("menu")
        self.press("sign_out")
        self.helper = "" if self.screen == "home" else self.helper

    @rule(doors=st.sets(st.integers(1, 6), max_size=2))
    def some_doors_stick(self, doors: set[int]) -> None:
        self.page.world.hands.jammed = doors

    @rule()
    def the_power_is_cut(self) -> None:
        self.view = self.run_(self.page.restart())
        for door, reading in tuple(self.page.world.hands.readings.items()):
            if reading.position is Position.OPEN:
                self.view = self.run_(self.page.shut(door))
        self.view, self.helper = {}, ""

    def _takes(self, door: int) -> None:
        case = self.inside.pop(door, "")
        self.page.world.hands.take(door)
        if case:
            self.carried[case] = self.helper

    # --- what must be true ----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_counted_twice_and_nothing_is_lost(self) -> None:
        state = self.page.world.journal.state
        taken = [e.deposit for e in self.page.world.journal.events(SubmissionTaken)]
        assert len(taken) == len(set(taken))
        for deposit in state.deposits.values():
            if deposit.phase is Phase.TAKEN_IN:
                assert deposit.case in self.carried
            if deposit.case in self.inside.values():
                assert deposit.phase is Phase.AWAITING_INTAKE or deposit.ended is False
        skipped = {e.deposit for e in self.page.world.journal.events(RoundSkipped)}
        assert skipped <= set(state.deposits)

    @invariant()
    def every_pulse_has_its_grant(self) -> None:
        grants = self.page.world.journal.events(OpeningRequested)
        assert len(self.page.world.hands.pulses) <= len(grants)
        assert len({each.grant for each in grants}) == len(grants)
        standing = [d for d, r in self.page.world.hands.readings.items() if r.position is Position.OPEN]
        assert len(standing) <= 1

    @invariant()
    def the_count_on_the_screen_is_that_of_the_journal(self) -> None:
        state = self.page.world.journal.state
        going = state.rounds.open("intake")
        if going is None:
            return
        slips = {part.slip for part in going.parts}
        taken = [e for e in self.page.world.journal.events(SubmissionTaken) if e.slip in slips]
        counted = rounds.count(state, "intake")
        assert counted.done == len(taken) == len({e.deposit for e in taken})
        waits = [d for d in state.deposits.values() if d.phase is Phase.AWAITING_INTAKE]
        assert counted.left + counted.skipped >= len(waits)
        if self.page.kiosk.visit.going is not None and self.screen in AT_LIST:
            assert values(self.page.kiosk.visit, state)["done"] == len(taken)


Rounds.TestCase.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
test_rounds_live = Rounds.TestCase
