"""What may be concluded from a door that nobody saw: never that a compartment is empty."""

from collections.abc import Callable

import pytest

from locker.domain.compartment import Status
from locker.domain.deposit import Phase
from locker.domain.door import BoardLost, Position
from locker.domain.errors import Reason, Refusal
from locker.domain.events import PulseNotSent
from locker.domain.ids import BoardId, CompartmentNumber
from locker.domain.opening import Phase as OpeningPhase
from locker.domain.state import LockerState
from locker.operations import drop_off, load_outgoing, stocktake, withdraw_overdue
from locker.operations.open_door import Opened
from locker.operations.ports import Decided
from locker.operations.present_code import DropOffOffer, present_typed
from tests.locker.operations.test_visits import HELPER, cut_off_in_loading
from tests.locker.operations.world import MemoryWorld


async def _asked(m: MemoryWorld) -> tuple[DropOffOffer, Opened]:
    return await _asked_with(m, await m.grant())


async def _asked_with(m: MemoryWorld, code: str) -> tuple[DropOffOffer, Opened]:
    offer = await present_typed(m.world, code)
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.settle()
    return offer, opened


async def test_a_compartment_broken_open_while_set_aside_is_not_given_to_the_next() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    m.hands.jammed.add(5)
    _, opened = await _asked(m)
    assert opened.door == 5
    await m.later(5_001)
    m.hands.move(5, Position.OPEN)
    await m.settle()
    await m.shut(5)
    await drop_off.leave(m.world, opened.deposit)
    assert m.journal.state.deposits[opened.deposit].phase is Phase.CANCELLED
    door = m.journal.state.compartments[CompartmentNumber(5)]
    assert (door.status, door.deposit) == (Status.TO_CHECK, "")
    assert [c.spec.number for c in stocktake.doubtful(m.journal.state)] == [5]


async def test_nobody_takes_back_what_lies_behind_a_door_that_did_not_open() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    code = await m.grant()
    _, opened = await _asked_with(m, code)
    await m.shut(opened.door)
    assert await drop_off.confirm(m.world, opened.deposit) is None
    m.hands.jammed.add(opened.door)
    again = await present_typed(m.world, code)
    assert isinstance(again, DropOffOffer)
    assert isinstance(await drop_off.open_compartment(m.world, again), Opened)
    await m.later(5_001)
    assert await drop_off.take_back(m.world, opened.deposit) == Refusal(Reason.NOT_NOW)
    m.hands.jammed.clear()
    assert isinstance(await drop_off.open_compartment(m.world, again), Opened)
    await m.settle()
    await m.shut(opened.door)
    assert await drop_off.take_back(m.world, opened.deposit) is None


async def test_the_next_door_does_not_open_when_its_grant_was_long_in_writing() -> None:
    m = await MemoryWorld.start()
    m.hands.jammed.add(5)
    offer, _ = await _asked(m)
    await m.later(5_001)
    assert isinstance(await drop_off.open_compartment(m.world, offer), Opened)
    await m.settle()
    pulsed, honest = len(m.hands.pulses), m.journal.commit

    async def slow(cause: str, decide: Callable[[LockerState], Decided[Opened | None]]) -> Opened | None:
        answer = await honest(cause, decide)
        m.clock.now_ms += 10_000
        return answer

    m.journal.commit = slow  # type: ignore[assignment, method-assign]  # a disk that takes its time
    await m.later(5_001)
    assert len(m.hands.pulses) == pulsed
    assert [fact.reason for fact in m.journal.events(PulseNotSent)] == ["late"]


async def test_after_a_standstill_the_sensors_are_asked_before_a_door_counts_as_stuck() -> None:
    """It opened, papers were laid in, it was shut, all while this process slept."""
    m = await MemoryWorld.start()
    m.hands.jammed.add(5)
    _, opened = await _asked(m)
    m.clock.now_ms += 9_000
    await m.later(0)
    assert m.journal.state.openings[opened.grant].phase is OpeningPhase.ACKNOWLEDGED
    m.hands.move(5, Position.UNKNOWN)
    await m.later(2_000)
    assert m.journal.state.openings[opened.grant].phase is OpeningPhase.UNKNOWN
    m.hands.put(5)
    m.hands.move(5, Position.CLOSED)
    await m.settle()
    assert m.journal.state.deposits[opened.deposit].phase is Phase.UNCONFIRMED
    await drop_off.leave(m.world, opened.deposit)
    assert m.journal.state.compartments[CompartmentNumber(5)].status is not Status.VACANT


@pytest.mark.parametrize("lost", [True, False])
async def test_a_stuck_door_that_is_out_of_sight_is_doubted(*, lost: bool) -> None:
    m = await MemoryWorld.start(item_sensors=False)
    m.hands.jammed.add(5)
    _, opened = await _asked(m)
    await m.later(5_001)
    assert m.journal.state.openings[opened.grant].phase is OpeningPhase.STUCK
    if lost:
        m.follower.report(BoardLost(BoardId("A/1"), (CompartmentNumber(5),), m.clock.now_ms))
    else:
        m.hands.move(5, Position.UNKNOWN)
    await m.settle()
    await drop_off.leave(m.world, opened.deposit)
    door = m.journal.state.compartments[CompartmentNumber(5)]
    assert (door.status, door.doubt) == (Status.TO_CHECK, "not seen while it was to open")


async def test_a_sensor_that_sees_something_behind_a_stuck_door_is_believed() -> None:
    m = await MemoryWorld.start()
    m.hands.jammed.add(5)
    _, opened = await _asked(m)
    await m.later(5_001)
    m.hands.move(5, Position.UNKNOWN)
    m.hands.put(5)
    m.hands.move(5, Position.CLOSED)
    await m.settle()
    await drop_off.leave(m.world, opened.deposit)
    assert m.journal.state.compartments[CompartmentNumber(5)].status is Status.TO_CHECK


async def test_who_was_cut_off_in_loading_settles_it_alone_where_no_sensor_shows_what_lies_there() -> None:
    """Nothing was promised to anybody yet: it is on the round of what goes back, for one helper."""
    m = await MemoryWorld.start(item_sensors=False)
    label, door = await cut_off_in_loading(m)
    waits = withdraw_overdue.waiting(m.journal.state)
    assert [each.door for each in waits] == [door]
    assert isinstance(await withdraw_overdue.open_compartment(m.world, HELPER, waits[0].deposit), Opened)
    await m.settle()
    await m.shut(door)
    assert await withdraw_overdue.confirm(m.world, HELPER, waits[0].deposit) is None
    assert m.journal.state.compartments[door].status is Status.VACANT
    assert m.journal.state.codes == {}
    assert isinstance(await load_outgoing.open_compartment(m.world, HELPER, label), Opened)
