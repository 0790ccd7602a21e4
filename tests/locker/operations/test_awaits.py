"""Every place at which an opening waits, and there it is cancelled, times out, or finds the journal failing.

The flows are those of the visits' own tests. A driver runs them step by step: a step ends where the journal
is waited for (for its turn, for its answer) or the line (before the pulse, for its reply).
"""

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final, TypeVar
from unittest.mock import patch

import pytest

from locker.domain.compartment import Status
from locker.domain.door import Position, PulseResult
from locker.domain.errors import DomainError
from locker.domain.events import OpeningRequested
from locker.domain.ids import CompartmentNumber, Seq
from locker.domain.state import LockerState
from locker.operations import drop_off
from locker.operations.open_door import Answer, Opened, open_door
from locker.operations.ports import Decided, JournalFailing, World
from locker.operations.recover import recover
from locker.operations.upkeep import upkeep
from tests.locker.operations import test_service, test_visits
from tests.locker.operations import world as worlds
from tests.locker.operations.world import Hands, MemoryJournal, MemoryWorld

T = TypeVar("T")
Flow = Callable[[], Coroutine[Any, Any, None]]

FLOWS: Final[tuple[Flow, ...]] = (
    test_visits.test_a_typed_code_opens_one_door_and_the_papers_are_receipted,
    test_visits.test_intake_frees_the_compartment_and_ends_the_code,
    test_visits.test_a_loaded_item_is_collected_once,
    test_visits.test_an_item_left_inside_is_not_collected,
    test_visits.test_a_sticking_door_is_tried_again_by_the_person_then_another_opens,
    test_visits.test_taking_the_papers_back_frees_the_compartment_and_keeps_the_code,
    test_visits.test_restart_between_pulse_and_door_goes_on_with_the_open_door,
    test_service.test_what_the_board_refuses_is_the_answer,
    test_service.test_a_technician_tries_as_often_as_it_takes_and_sends_for_nobody,
    test_service.test_a_cut_in_between_leaves_a_doubt_and_no_second_pulse,
)
"""Applicants' doors, staff's doors, another door by itself, a restart on the way, a technician's."""
STEPS_MAX: Final = 400
UNGRANTED: Final = "a pulse without a durable grant"
TEN_MINUTES_MS: Final = 601_000
LOST_MS: Final = 130_000
"""Longer than any door's own deadline."""


@types.coroutine
def step() -> Generator[None, None, None]:
    """Where the driver may interfere."""
    yield


class SteppingJournal(MemoryJournal):
    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        await step()
        answer = await super().commit(cause, decide)
        await step()
        return answer

    async def personal(self, seq: Seq) -> Any:
        await step()
        return await super().personal(seq)


class SteppingHands(Hands):
    """Looks, at each pulse, for a grant in the journal that is this door's and unused."""

    journal: MemoryJournal

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        await step()
        result = await super().pulse(door, deadline_ms)
        made = [e.door for e in self.journal.events(OpeningRequested)]
        for pulsed, _ in self.pulses:
            assert pulsed in made, UNGRANTED
            made.remove(pulsed)
        await step()
        return result


class Interfering:
    """What happens at the ``at``-th step: to the flow, or to the journal beneath it."""

    def __init__(self, fault: str, at: int) -> None:
        self._fault, self._left = fault, at
        self.worlds: list[SteppingWorld] = []
        self.durable = 0

    @property
    def happened(self) -> bool:
        return self._left <= 0

    def drive(self, flow: Coroutine[Any, Any, None]) -> None:
        thrown: BaseException | None = None
        while True:
            try:
                flow.throw(thrown) if thrown else flow.send(None)
            except StopIteration:
                return
            self._left -= 1
            thrown = self._now() if self._left == 0 else None

    def _now(self) -> BaseException | None:
        self.durable = len(self.worlds[-1].journal.events(OpeningRequested)) if self.worlds else 0
        if self._fault == "cancelled":
            return asyncio.CancelledError()
        if self._fault == "timed out":
            return TimeoutError()
        if self.worlds:
            self.worlds[-1].journal.failing = True
        return None


class SteppingWorld(MemoryWorld):
    hands: SteppingHands
    following = False
    """Whether the task that follows the doors, or the start, is at work; what ends these ends the daemon."""

    def __init__(self, seed: int, *, item_sensors: bool) -> None:
        with patch.multiple(worlds, MemoryJournal=SteppingJournal, Hands=SteppingHands):
            super().__init__(seed, item_sensors=item_sensors)
        self.hands.journal = self.journal

    async def settle(self) -> None:
        await self._whole(super().settle())

    async def restart(self) -> None:
        await self._whole(super().restart())

    async def _whole(self, part: Awaitable[None]) -> None:
        self.following = True
        await part
        self.following = False


def played(flow: Flow, fault: str, at: int) -> Interfering:
    """The flow as far as it goes; what people would say of it is another matter."""
    interfering = Interfering(fault, at)
    expected = (asyncio.CancelledError, TimeoutError, JournalFailing, DomainError, AssertionError)

    async def start(seed: int = 1, *, item_sensors: bool = True) -> MemoryWorld:
        """In place of `MemoryWorld.start`: the same, with steps."""
        made = SteppingWorld(seed, item_sensors=item_sensors)
        interfering.worlds.append(made)
        await recover(made.world, "test", made.journal.boot, made.cabinet)
        made.report_all()
        await made.settle()
        return made

    with patch.object(MemoryWorld, "start", start):
        running = flow()
        try:
            interfering.drive(running)
        except expected as error:
            if not interfering.happened or UNGRANTED in str(error):
                raise
    return interfering


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Without interference."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as done:
            answer: T = done.value
            return answer


def judge(left: Interfering) -> None:
    """The world goes on: everything comes to an end, and nothing is pulsed again by itself."""
    m = left.worlds[-1]
    failing, m.journal.failing = m.journal.failing, False
    grants = len(m.journal.events(OpeningRequested))
    assert len(m.hands.pulses) <= grants
    if failing:
        assert grants <= left.durable, "a grant after the journal failed"
    if failing or m.following:
        # A journal that failed writes nothing any more, a daemon that ended is started again.
        run(m.restart())
    for ms in (LOST_MS, TEN_MINUTES_MS, TEN_MINUTES_MS):
        run(m.later(ms))
        run(upkeep(m.world))
        run(m.settle())
    settled(m)
    pulses = len(m.hands.pulses)
    for _ in range(2):
        run(m.restart())
        settled(m)
    assert len(m.hands.pulses) == pulses, "a restart pulsed"


def settled(m: MemoryWorld) -> None:
    state = m.journal.state
    for opening in state.openings.values():
        shut = m.hands.readings[opening.door].position is Position.CLOSED
        assert not (opening.live and shut and state.opening_of(opening.door) == opening), opening
    assert len(m.hands.pulses) <= len(m.journal.events(OpeningRequested))
    reserved = [n for n, c in state.compartments.items() if c.status is Status.RESERVED]
    open_doors = {n for n, reading in m.hands.readings.items() if reading.position is not Position.CLOSED}
    assert set(reserved) <= open_doors, "a reservation is forgotten"


@pytest.mark.parametrize("fault", ["cancelled", "timed out", "the journal fails"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__.removeprefix("test_"))
def test_no_pulse_without_a_grant_and_an_end_for_every_opening(flow: Flow, fault: str) -> None:
    steps = 0
    for at in range(1, STEPS_MAX):
        left = played(flow, fault, at)
        if not left.happened:
            break
        if left.worlds and left.worlds[-1].journal.state.epoch:
            judge(left)
        steps = at
    else:
        pytest.fail("there are more steps than this test looks at")
    assert steps > 10, "the steps were not counted"


def test_a_second_pulse_for_one_grant_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above could not fail."""

    async def twice(world: World, cause: str, decide: Callable[[LockerState], Decided[Answer]]) -> Answer:
        answer = await open_door(world, cause, decide)
        if isinstance(answer, Opened):
            await world.doors.pulse(answer.door, world.clock.mono_ms())
        return answer

    monkeypatch.setattr(drop_off, "open_door", twice)
    with pytest.raises(AssertionError, match=UNGRANTED):
        played(FLOWS[0], "cancelled", STEPS_MAX)
