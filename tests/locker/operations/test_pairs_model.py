"""Any order of sign-ins, goodbyes, time and tries: what asks for two opens for two, and for nobody else."""

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from locker.domain.door import Position
from locker.domain.errors import Reason
from locker.domain.events import OpeningRequested, VisitAssisted
from locker.domain.ids import StaffId
from locker.domain.opening import Purpose
from locker.operations import pick_up, second_person, sign_in, stocktake
from locker.operations.open_door import Opened
from locker.operations.present_code import BadgeOffer, PickupOffer
from tests.locker.operations.test_visits import load
from tests.locker.operations.world import MemoryWorld

PEOPLE = ("h-1", "h-2", "h-3", "t-1")
HELPERS = frozenset({"h-1", "h-2", "h-3"})
PIN = "135790"
STAYS_MS = 1_800_000
DAY_MS = 86_400_000
RIGHTS = {Reason.NOT_ALLOWED, Reason.SECOND_NEEDED}


class Two(RuleBasedStateMachine):
    """The model is three facts: who stands beside whom, until when, and whose grant holds until which day."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.beside: tuple[str, str, int] = ("", "", 0)
        self.until_ms: dict[str, int] = {}
        self.opened: list[tuple[Any, str]] = []

    def teardown(self) -> None:
        self.loop.close()

    def run_(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize()
    def begin(self) -> None:
        self.m = self.run_(MemoryWorld.start(item_sensors=False))
        self.loaded = self.run_(load(self.m))
        for who in PEOPLE:
            self.enrol(who)
        (code,) = self.m.journal.state.codes
        self.offer = PickupOffer(code, self.loaded.deposit, asks_phone=False, form="typed")  # type: ignore[arg-type]  # its value

    def enrol(self, who: str) -> None:
        role = "helper" if who in HELPERS else "technician"
        self.run_(self.m.enrol(who, PIN, roles=frozenset({role})))
        self.until_ms[who] = self.m.clock.wall_ms() + 7 * DAY_MS

    def holds(self, who: str) -> bool:
        return bool(self.m.clock.wall_ms() < self.until_ms.get(who, 0))

    @rule(who=st.sampled_from(PEOPLE))
    def is_renewed(self, who: str) -> None:
        self.enrol(who)

    @rule(first=st.sampled_from(PEOPLE), second=st.sampled_from(PEOPLE), right=st.booleans())
    def joins(self, first: str, second: str, *, right: bool) -> None:
        offer = BadgeOffer(StaffId(second))
        locked = self.m.journal.state.staff[StaffId(second)].pin_failures >= 5
        answer = self.run_(second_person.join(self.m.world, StaffId(first), offer, PIN if right else "0"))
        fits = right and not locked and first != second and self.holds(first) and self.holds(second)
        assert (answer == second) is fits
        if fits:
            self.beside = (first, second, self.m.clock.mono_ms() + STAYS_MS)

    @rule(who=st.sampled_from(PEOPLE))
    def signs_out(self, who: str) -> None:
        self.run_(sign_in.sign_out(self.m.world, StaffId(who)))
        if who in self.beside[:2]:
            self.beside = ("", "", 0)

    @rule(ms=st.sampled_from((1_000, STAYS_MS - 1, STAYS_MS, 4 * DAY_MS)))
    def time_passes(self, ms: int) -> None:
        self.m.clock.advance(ms)
        self.run_(self.m.settle())

    @rule()
    def starts_anew(self) -> None:
        self.run_(self.m.restart())
        self.beside = ("", "", 0)

    @rule(who=st.sampled_from(PEOPLE))
    def looks_where_something_lies(self, who: str) -> None:
        first, second, until_ms = self.beside
        two = first == who and self.m.clock.mono_ms() < until_ms and {first, second} <= HELPERS
        fits = two and self.holds(first) and self.holds(second)
        if not self.m.journal.state.compartments[self.loaded.door].deposit:
            return
        answer = self.run_(stocktake.open_one(self.m.world, StaffId(who), self.loaded.door))
        assert (isinstance(answer, Opened) or answer.reason not in RIGHTS) is fits
        self.opened.append((answer, who))
        self.shut()

    @rule(helper=st.sampled_from(PEOPLE))
    def comes_with_a_helper(self, helper: str) -> None:
        before = len(self.m.journal.events(VisitAssisted))
        fits = helper in HELPERS and self.holds(helper)
        answer = self.run_(pick_up.open_compartment(self.m.world, self.offer, helper=StaffId(helper)))
        assert isinstance(answer, Opened) <= fits
        assert (isinstance(answer, Opened) or answer.reason is not Reason.NOT_ALLOWED) is fits
        assert len(self.m.journal.events(VisitAssisted)) - before == isinstance(answer, Opened)
        self.shut()

    def shut(self) -> None:
        self.run_(self.m.later(6_000))
        for door, reading in self.m.hands.readings.items():
            if reading.position is Position.OPEN:
                self.run_(self.m.shut(door))

    @invariant()
    def only_what_was_asked_for_was_opened(self) -> None:
        looks = [e for e in self.m.journal.events(OpeningRequested) if e.purpose is Purpose.CHECK]
        assert len(looks) == sum(isinstance(answer, Opened) for answer, _ in self.opened)


TestTwo = Two.TestCase
TestTwo.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)
