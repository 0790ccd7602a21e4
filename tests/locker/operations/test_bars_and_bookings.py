"""What the centre says of compartments: nothing new into this one, one of that size kept free for them."""

from dataclasses import replace
from itertools import product

import pytest

from locker.domain import allocation
from locker.domain.bookings import Booking, Bookings, fits
from locker.domain.compartment import Size, Status
from locker.domain.deposit import Kind
from locker.domain.door import Position
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    AuthorisationRevoked,
    CompartmentBarred,
    CompartmentUnbarred,
    DirectiveApplied,
    SlotBooked,
    SlotLapsed,
    SlotReleased,
)
from locker.domain.ids import AuthorisationId, BookingId, CompartmentNumber, StaffId
from locker.domain.state import LockerState
from locker.operations import clear_submissions, drop_off, service
from locker.operations.open_door import Opened
from locker.operations.present_code import DropOffOffer, present_typed
from locker.operations.upkeep import upkeep
from tests.locker.operations.test_service import ROOT, drop_off_lies, fault, status
from tests.locker.operations.world import MemoryWorld

DOOR = CompartmentNumber(5)
HOUR_MS = 3_600_000


async def bar(m: MemoryWorld, door: int = DOOR) -> str:
    """What the locker made of it."""
    await m.say(CompartmentBarred(CompartmentNumber(door), "flooded hall", "wang"))
    return outcome(m)


def outcome(m: MemoryWorld) -> str:
    applied: DirectiveApplied = m.journal.events(DirectiveApplied)[-1]
    return applied.outcome


async def book(m: MemoryWorld, case: str, size: Size = Size.S, *, hours: int = 1) -> str:
    from_ms = m.clock.wall_ms()
    await m.say(
        SlotBooked(
            BookingId(f"slot-{case}"),
            AuthorisationId(f"auth-{case}"),
            size,
            from_ms,
            from_ms + hours * HOUR_MS,
        )
    )
    return outcome(m)


def held(m: MemoryWorld) -> list[str]:
    return [each.booking for each in m.journal.state.bookings.held]


async def come(m: MemoryWorld, code: str) -> Opened | Refusal:
    """Somebody shows a drop-off code and asks for a compartment."""
    offer = await present_typed(m.world, code)
    assert isinstance(offer, DropOffOffer), offer
    opened = await drop_off.open_compartment(m.world, offer)
    await m.settle()
    return opened


async def leave_free(m: MemoryWorld, count: int) -> None:
    """Bar all but so many small doors, and all larger ones."""
    for number in range(count + 1, 17):
        await bar(m, number)


# --- bars ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("LKR-70")
async def test_a_barred_vacant_door_is_out_of_service_until_the_bar_ends() -> None:
    m = await MemoryWorld.start()
    assert await bar(m) == "applied"
    others = frozenset(m.journal.state.compartments) - {DOOR}
    assert status(m) is Status.OUT_OF_SERVICE
    assert allocation.choose(m.journal.state, Kind.SUBMISSION, Size.S, without=others) is None
    await m.say(CompartmentUnbarred(DOOR, "wang"))
    assert status(m) is Status.VACANT
    assert allocation.choose(m.journal.state, Kind.SUBMISSION, Size.S, without=others) == DOOR


@pytest.mark.rule("LKR-70")
async def test_what_lies_behind_a_bar_stays_in_reach_and_nothing_follows_it() -> None:
    m = await MemoryWorld.start()
    await m.enrol("h-1")
    door = await drop_off_lies(m)
    deposit = m.journal.state.compartments[door].deposit
    assert await bar(m, door) == "applied"
    assert status(m, door) is Status.HOLDING
    opened = await clear_submissions.open_compartment(m.world, StaffId("h-1"), deposit)
    await m.settle()
    assert isinstance(opened, Opened)
    m.hands.take(door)
    await m.shut(door)
    assert await clear_submissions.confirm(m.world, StaffId("h-1"), deposit, "complete") is None
    assert status(m, door) is Status.OUT_OF_SERVICE


@pytest.mark.rule("LKR-70")
async def test_the_centre_ends_its_own_bar_only_and_a_technician_ends_them_all() -> None:
    m = await MemoryWorld.start()
    await fault(m)
    await bar(m)
    await m.say(CompartmentUnbarred(DOOR, "wang"))
    assert status(m) is Status.FAULTY
    await bar(m)
    assert await service.unblock(m.world, ROOT, DOOR) is None
    assert status(m) is Status.VACANT
    await bar(m)
    assert status(m) is Status.OUT_OF_SERVICE
    assert await service.unblock(m.world, ROOT, DOOR) is None
    assert status(m) is Status.VACANT


@pytest.mark.rule("LKR-71")
async def test_a_door_that_is_not_there_is_refused_and_the_log_goes_on() -> None:
    m = await MemoryWorld.start()
    assert await bar(m, 99) == "refused: no door 99"
    assert not m.journal.events(CompartmentBarred)
    assert await bar(m) == "applied"


# --- bookings -----------------------------------------------------------------------------------------------


@pytest.mark.rule("LKR-72")
async def test_what_is_booked_is_there_for_those_who_booked_and_for_nobody_else() -> None:
    m = await MemoryWorld.start()
    await leave_free(m, 2)
    booked, other, third = await m.grant("C-1"), await m.grant("C-2"), await m.grant("C-3")
    assert await book(m, "C-1") == "applied"
    assert isinstance(await come(m, other), Opened)
    assert await come(m, third) == Refusal(Reason.NO_ROOM)
    assert allocation.choose(m.journal.state, Kind.OUTGOING, Size.S) is None
    opened = await come(m, booked)
    assert isinstance(opened, Opened)
    m.hands.put(opened.door)
    await m.shut(opened.door)
    assert held(m) == []


@pytest.mark.rule("LKR-72")
async def test_whoever_leaves_without_handing_in_still_has_their_slot() -> None:
    m = await MemoryWorld.start()
    await leave_free(m, 1)
    booked, other = await m.grant("C-1"), await m.grant("C-2")
    await book(m, "C-1")
    for _ in range(2):
        opened = await come(m, booked)
        assert isinstance(opened, Opened)
        await m.shut(opened.door)
        await drop_off.leave(m.world, opened.deposit)
        assert await come(m, other) == Refusal(Reason.NO_ROOM)


@pytest.mark.rule("LKR-73")
async def test_no_more_is_booked_than_there_is_and_an_ended_right_books_nothing() -> None:
    m = await MemoryWorld.start()
    await leave_free(m, 2)
    for case in ("C-1", "C-2", "C-3"):
        await m.grant(case)
    assert await book(m, "C-1") == "applied"
    assert await book(m, "C-3", Size.L) == "refused: no_room"
    assert await book(m, "C-2") == "applied"
    assert await book(m, "C-3") == "refused: no_room"
    assert await book(m, "C-1") == "applied", "said again by a new numbering it is what it was"
    await m.say(AuthorisationRevoked(AuthorisationId("auth-C-1"), "withdrawn"))
    assert held(m) == ["slot-C-2"]
    assert await book(m, "C-1") == "refused: right_used"


@pytest.mark.rule("LKR-74")
async def test_a_slot_lapses_after_its_grace_and_only_by_a_clock_that_is_trusted() -> None:
    m = await MemoryWorld.start()
    await m.grant("C-1")
    await book(m, "C-1", hours=1)
    await m.later(2 * HOUR_MS)
    await upkeep(m.world)
    assert held(m) == ["slot-C-1"], "an hour of grace"
    m.clock.time_quality = "unset"
    await m.later(HOUR_MS)
    await upkeep(m.world)
    assert held(m) == ["slot-C-1"]
    m.clock.time_quality = "centre"
    await upkeep(m.world)
    assert held(m) == []
    assert m.journal.events(SlotLapsed) == [SlotLapsed(BookingId("slot-C-1"), AuthorisationId("auth-C-1"))]


@pytest.mark.rule("LKR-74")
async def test_the_centre_gives_a_slot_back_and_one_that_is_gone_is_no_trouble() -> None:
    m = await MemoryWorld.start()
    await m.grant("C-1")
    await book(m, "C-1")
    for _ in range(2):
        await m.say(SlotReleased(BookingId("slot-C-1"), AuthorisationId("auth-C-1"), "cancelled"))
        assert (held(m), outcome(m)) == ([], "applied")


async def test_a_door_that_fails_takes_no_booking_with_it() -> None:
    """A number is kept free, not a door."""
    m = await MemoryWorld.start()
    await leave_free(m, 2)
    booked = await m.grant("C-1")
    await book(m, "C-1")
    await fault(m, 1)
    assert allocation.choose(m.journal.state, Kind.SUBMISSION, Size.S) is None
    opened = await come(m, booked)
    assert isinstance(opened, Opened)
    assert opened.door == 2


def _every_state(state: LockerState) -> list[tuple[tuple[Size, ...], LockerState]]:
    """All ways to have up to three doors of each size free, beside the same bookings: one S, one M."""
    found = []
    numbers = {size: [n for n, c in state.compartments.items() if c.spec.size is size][:2] for size in Size}
    for counts in product(range(3), repeat=3):
        free = {n for size, count in zip(Size, counts, strict=True) for n in numbers[size][:count]}
        doors = {
            n: replace(c, position=Position.CLOSED, blocked="" if n in free else "no")
            for n, c in state.compartments.items()
        }
        sizes = tuple(state.compartments[n].spec.size for n in free)
        found.append((sizes, replace(state, compartments=doors)))
    return found


async def test_whatever_others_take_all_that_fitted_before_fits_after() -> None:
    m = await MemoryWorld.start()
    one = Booking(BookingId("s"), AuthorisationId("s"), Size.S, 0, 0)
    booked = Bookings(
        (one, replace(one, booking=BookingId("m"), authorisation=AuthorisationId("m"), size=Size.M))
    )
    wanted = [each.size for each in booked.held]
    refused = 0
    for sizes, bare in _every_state(m.journal.state):
        state = replace(bare, bookings=booked)
        for kind, size in product(Kind, Size):
            door = allocation.choose(state, kind, size)
            if door is not None:
                left = list(sizes)
                left.remove(state.compartments[door].spec.size)
                assert fits(left, wanted) or not fits(sizes, wanted), (sizes, size, door)
            elif allocation.choose(bare, kind, size) is not None:
                refused += 1
    assert refused, "nothing was kept free at all"
