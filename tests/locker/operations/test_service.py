"""A technician's door work: what holds nothing is tried, blocked and freed; everything else is left alone."""

import pytest

from locker.domain.allocation import choose
from locker.domain.compartment import Size, Status
from locker.domain.deposit import Kind
from locker.domain.door import Position, PulseOutcome, PulseResult
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CompartmentBlocked,
    CompartmentDoubted,
    CompartmentFaulted,
    CompartmentRestored,
    DoorStuck,
    OpeningRequested,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber, StaffId
from locker.domain.opening import Phase, Purpose
from locker.operations import drop_off, service
from locker.operations.open_door import Opened
from locker.operations.ports import Decided, JournalFailing
from locker.operations.present_code import DropOffOffer, present_typed
from locker.operations.service import Technician
from tests.locker.operations.world import MemoryWorld

DOOR = CompartmentNumber(5)
ROOT = Technician(StaffId("console/0"), local=True)
SIGNED_IN = Technician(StaffId("t-1"))
EITHER = pytest.mark.parametrize("who", [ROOT, SIGNED_IN], ids=["local", "signed_in"])


async def locker(*, item_sensors: bool = True) -> MemoryWorld:
    m = await MemoryWorld.start(item_sensors=item_sensors)
    await m.enrol("t-1", roles=frozenset({"technician"}))
    return m


def status(m: MemoryWorld, door: int = DOOR) -> Status:
    return m.journal.state.compartments[CompartmentNumber(door)].status


async def fault(m: MemoryWorld, door: int = DOOR) -> None:
    fact = CompartmentFaulted(CompartmentNumber(door), "did not open")
    await m.journal.commit("sensor", lambda _state: Decided(None, (fact,)))


async def drop_off_lies(m: MemoryWorld) -> CompartmentNumber:
    """Somebody hands in; the door of their papers."""
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    await m.settle()
    assert isinstance(opened, Opened)
    m.hands.put(opened.door)
    await m.shut(opened.door)
    return opened.door


@EITHER
async def test_a_vacant_door_is_tried_and_is_vacant_again(who: Technician) -> None:
    m = await locker()
    opened = await service.test_open(m.world, who, DOOR)
    await m.settle()
    assert isinstance(opened, Opened)
    request = m.journal.events(OpeningRequested)[-1]
    assert (request.door, request.purpose, request.staff) == (DOOR, Purpose.SERVICE, who.staff)
    granted = next(e for e in m.journal.entries if isinstance(e.event, OpeningRequested))
    assert granted.cause == f"staff/{who.staff}"
    await m.shut(DOOR)
    assert status(m) is Status.VACANT
    assert [door for door, _ in m.hands.pulses] == [DOOR]


@EITHER
async def test_what_is_left_inside_makes_it_a_door_to_check(who: Technician) -> None:
    m = await locker()
    await service.test_open(m.world, who, DOOR)
    await m.settle()
    m.hands.put(DOOR)
    await m.shut(DOOR)
    assert status(m) is Status.TO_CHECK
    assert [e.kind for e in m.journal.events(TicketOpened)] == ["unknown_item"]
    assert await service.test_open(m.world, who, DOOR) == Refusal(Reason.OCCUPIED)


async def test_without_an_item_sensor_nothing_is_made_up() -> None:
    m = await locker(item_sensors=False)
    await service.test_open(m.world, ROOT, DOOR)
    await m.settle()
    await m.shut(DOOR)
    assert status(m) is Status.VACANT


@EITHER
async def test_what_belongs_to_somebody_is_neither_opened_nor_blocked(who: Technician) -> None:
    m = await locker()
    door = await drop_off_lies(m)
    pulses = len(m.hands.pulses)
    for _ in range(2):  # once as it is, once behind a fault
        assert await service.test_open(m.world, who, door) == Refusal(Reason.OCCUPIED)
        assert await service.block(m.world, who, door, "lock") == Refusal(Reason.OCCUPIED)
        await fault(m, door)
    assert status(m, door) is Status.FAULTY
    assert len(m.hands.pulses) == pulses
    assert await service.unblock(m.world, who, door) is None
    assert status(m, door) is Status.HOLDING


async def test_a_doubt_behind_a_fault_stays_a_doubt() -> None:
    m = await locker()
    doubted = CompartmentDoubted(DOOR, "opened without a grant")
    await m.journal.commit("sensor", lambda _state: Decided(None, (doubted,)))
    await fault(m)
    assert await service.test_open(m.world, ROOT, DOOR) == Refusal(Reason.OCCUPIED)
    assert await service.unblock(m.world, ROOT, DOOR) is None
    assert status(m) is Status.TO_CHECK


@pytest.mark.parametrize("roles", [{"helper"}, {"supervisor"}, set()])
async def test_others_are_no_technicians(roles: set[str]) -> None:
    m = await locker()
    await m.enrol("x-1", roles=frozenset(roles))
    who = Technician(StaffId("x-1"))
    for held in (False, True):
        door = await drop_off_lies(m) if held else DOOR
        assert await service.test_open(m.world, who, door) == Refusal(Reason.NOT_ALLOWED)
        assert await service.block(m.world, who, door, "lock") == Refusal(Reason.NOT_ALLOWED)


@pytest.mark.parametrize("end", ["expired", "never_enrolled"])
async def test_a_grant_that_is_none_opens_nothing(end: str) -> None:
    m = await locker()
    who = SIGNED_IN if end == "expired" else Technician(StaffId("t-2"))
    m.clock.wall_offset_ms += 8 * 86_400_000
    assert await service.test_open(m.world, who, DOOR) == Refusal(Reason.NOT_ALLOWED)
    assert await service.block(m.world, who, DOOR, "lock") == Refusal(Reason.NOT_ALLOWED)
    assert await service.unblock(m.world, who, DOOR) == Refusal(Reason.NOT_ALLOWED)
    assert m.hands.pulses == []


@EITHER
async def test_blocked_and_back_in_service(who: Technician) -> None:
    m = await locker()
    assert await service.block(m.world, who, DOOR, "  hinge \n bent ") is None
    blocked = m.journal.events(CompartmentBlocked)[-1]
    assert (blocked.door, blocked.reason, blocked.staff) == (DOOR, "hinge bent", who.staff)
    assert status(m) is Status.OUT_OF_SERVICE
    assert choose(m.journal.state, Kind.SUBMISSION, Size.S) != DOOR
    assert await service.block(m.world, who, DOOR, "again") == Refusal(Reason.NOT_NOW)
    assert await service.unblock(m.world, who, DOOR) is None
    assert (status(m), m.journal.events(CompartmentRestored)[-1].staff) == (Status.VACANT, who.staff)
    assert await service.unblock(m.world, who, DOOR) == Refusal(Reason.NOT_NOW)


async def test_a_block_takes_the_place_of_a_fault_and_ends_with_it() -> None:
    m = await locker()
    await fault(m)
    assert await service.block(m.world, ROOT, DOOR, "x" * 500) is None
    assert status(m) is Status.OUT_OF_SERVICE
    assert m.journal.state.compartments[DOOR].blocked == "x" * service.WHY_MAX
    assert await service.unblock(m.world, ROOT, DOOR) is None
    assert status(m) is Status.VACANT


async def test_nobody_blocks_without_saying_why() -> None:
    m = await locker()
    assert await service.block(m.world, ROOT, DOOR, " \n ") == Refusal(Reason.NOT_NOW)
    assert m.journal.events(CompartmentBlocked) == []


async def test_it_comes_back_only_shut_seen_and_empty() -> None:
    m = await locker()
    await service.block(m.world, ROOT, DOOR, "lock")
    await service.test_open(m.world, ROOT, DOOR)
    await m.settle()
    assert await service.unblock(m.world, ROOT, DOOR) == Refusal(Reason.DOOR_OPEN)
    await m.shut(DOOR)
    m.hands.jammed.add(DOOR)
    await service.test_open(m.world, ROOT, DOOR)
    assert await service.unblock(m.world, ROOT, DOOR) == Refusal(Reason.DOOR_BUSY)
    await m.later(6_000)
    m.hands.put(DOOR)
    await m.restart()
    m.hands.move(DOOR, Position.CLOSED)
    await m.restart()
    assert await service.unblock(m.world, ROOT, DOOR) == Refusal(Reason.STILL_INSIDE)
    m.hands.take(DOOR)
    m.hands.move(DOOR, Position.CLOSED)
    await m.restart()
    assert await service.unblock(m.world, ROOT, DOOR) is None
    assert status(m) is Status.VACANT


async def test_a_door_under_trial_is_given_to_nobody() -> None:
    """From the grant until it is seen shut, whether it stands open or has not moved yet."""
    m = await locker()
    others = frozenset(m.journal.state.compartments) - {DOOR}
    m.hands.jammed.add(DOOR)
    await service.test_open(m.world, ROOT, DOOR)
    opening = m.journal.state.opening_of(DOOR)
    assert opening is not None
    assert opening.phase is Phase.ACKNOWLEDGED
    assert choose(m.journal.state, Kind.SUBMISSION, Size.S, without=others) is None
    await m.later(6_000)
    assert choose(m.journal.state, Kind.SUBMISSION, Size.S, without=others) == DOOR
    m.hands.jammed.clear()
    await service.test_open(m.world, ROOT, DOOR)
    await m.later(130_000)
    assert choose(m.journal.state, Kind.SUBMISSION, Size.S, without=others) is None
    await m.shut(DOOR)
    assert choose(m.journal.state, Kind.SUBMISSION, Size.S, without=others) == DOOR


async def test_one_opening_at_a_time() -> None:
    m = await locker()
    m.hands.jammed.add(DOOR)
    assert isinstance(await service.test_open(m.world, ROOT, DOOR), Opened)
    assert await service.test_open(m.world, ROOT, DOOR) == Refusal(Reason.DOOR_BUSY)
    m.hands.jammed.clear()
    await m.later(6_000)
    await service.test_open(m.world, ROOT, DOOR)
    await m.settle()
    assert await service.test_open(m.world, ROOT, DOOR) == Refusal(Reason.DOOR_OPEN)


async def test_a_technician_tries_as_often_as_it_takes_and_sends_for_nobody() -> None:
    m = await locker()
    m.hands.jammed.add(DOOR)
    for n in range(1, 6):
        assert isinstance(await service.test_open(m.world, ROOT, DOOR), Opened)
        await m.later(6_000)
        assert m.journal.events(OpeningRequested)[-1].attempt == n
    assert len(m.journal.events(DoorStuck)) == 5
    assert m.journal.events(TicketOpened) == []
    assert status(m) is Status.VACANT


async def test_what_the_board_refuses_is_the_answer() -> None:
    m = await locker()
    m.hands.next_result = PulseResult(PulseOutcome.NOT_SENT, "hourly_limit")
    assert isinstance(await service.test_open(m.world, ROOT, DOOR), Opened)
    opening = m.journal.state.opening_of(DOOR)
    assert opening is not None
    assert opening.phase is Phase.NOT_SENT
    assert m.hands.pulses == []


async def test_a_door_that_does_not_exist() -> None:
    m = await locker()
    nowhere = CompartmentNumber(99)
    assert await service.test_open(m.world, ROOT, nowhere) == Refusal(Reason.NOT_NOW)
    assert await service.block(m.world, ROOT, nowhere, "lock") == Refusal(Reason.NOT_NOW)
    assert await service.unblock(m.world, ROOT, nowhere) == Refusal(Reason.NOT_NOW)


async def test_a_cut_in_between_leaves_a_doubt_and_no_second_pulse() -> None:
    m = await locker()
    m.hands.jammed.add(DOOR)
    await service.test_open(m.world, ROOT, DOOR)
    await m.restart()
    assert status(m) is Status.TO_CHECK
    assert len(m.hands.pulses) == 1


async def test_a_journal_that_cannot_be_written_opens_nothing() -> None:
    m = await locker()
    m.journal.failing = True
    with pytest.raises(JournalFailing):
        await service.test_open(m.world, ROOT, DOOR)
    assert m.hands.pulses == []
