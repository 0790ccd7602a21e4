"""What boards say of themselves, and what follows from it at the doors."""

from locker.domain.compartment import Status
from locker.domain.door import DoorMoved, DoorReading, Position, RelayStuck
from locker.domain.errors import Reason, Refusal
from locker.domain.events import CompartmentDoubted, CompartmentFaulted, DoorRead, TicketOpened
from locker.domain.ids import BoardId, CompartmentNumber
from locker.operations import drop_off
from locker.operations.present_code import DropOffOffer, present_typed
from tests.locker.operations.test_visits import hand_in
from tests.locker.operations.world import MemoryWorld

BOARD = BoardId("A/1")


async def test_a_door_that_cannot_be_told_is_unknown_and_opens_for_nobody() -> None:
    m = await MemoryWorld.start()
    for door in m.world.journal.state.compartments:
        m.follower.report(DoorMoved(door, DoorReading(Position.UNKNOWN), m.clock.mono_ms()))
    await m.settle()
    compartments = m.world.journal.state.compartments
    assert {each.position for each in compartments.values()} == {Position.UNKNOWN}
    assert len([fact for fact in m.journal.events(DoorRead) if fact.position is Position.UNKNOWN]) == 16
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    refused = await drop_off.open_compartment(m.world, offer)
    assert isinstance(refused, Refusal)
    m.report_all()
    await m.settle()
    assert {each.position for each in m.world.journal.state.compartments.values()} == {Position.CLOSED}
    opened = await drop_off.open_compartment(m.world, offer)
    assert not isinstance(opened, Refusal) or opened.reason is not Reason.BOARD_LOST


async def test_a_vacant_compartment_whose_relay_stays_on_is_faulty() -> None:
    m = await MemoryWorld.start()
    door = CompartmentNumber(3)
    m.follower.report(RelayStuck(BOARD, (door,), m.clock.mono_ms()))
    await m.settle()
    assert m.world.journal.state.compartments[door].status is Status.FAULTY
    (fault,) = m.journal.events(CompartmentFaulted)
    assert (fault.door, fault.reason) == (door, "its relay stays on")
    assert [ticket.kind for ticket in m.journal.events(TicketOpened)] == ["relay_stuck"]


async def test_what_lies_behind_a_lock_that_may_not_have_held_is_doubted() -> None:
    m = await MemoryWorld.start()
    opened = await hand_in(m)
    m.follower.report(RelayStuck(BOARD, (opened.door,), m.clock.mono_ms()))
    m.follower.report(RelayStuck(BOARD, (opened.door,), m.clock.mono_ms()))
    await m.settle()
    assert m.world.journal.state.compartments[opened.door].status is Status.TO_CHECK
    assert len(m.journal.events(CompartmentDoubted)) == 1
