"""What asks for two: another badge beside the first, a stocktake of what is occupied, the way back without a
link, a service window. And a helper beside an applicant, who adds no power."""

import pytest

from locker.domain import events as ev
from locker.domain.access import Action
from locker.domain.codes import Form
from locker.domain.compartment import Status
from locker.domain.door import BoardLost, Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.history import DOUBT, Break
from locker.domain.ids import AuthorisationId, BoardId, CompartmentNumber, DepositId, StaffId
from locker.domain.stocktakes import Found, Scope
from locker.domain.surroundings import Sensed, Watched
from locker.operations import (
    drop_off,
    pick_up,
    second_person,
    service_window,
    sign_in,
    stocktake,
    vouch,
)
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.new_epoch import begin
from locker.operations.open_door import Opened
from locker.operations.ports import Decided
from locker.operations.present_code import BadgeOffer, DropOffOffer, PickupOffer, present_scanned
from locker.operations.upkeep import next_ms, upkeep
from tests.locker.operations.test_visits import HELPER, hand_in, load
from tests.locker.operations.world import MemoryWorld

SECOND = StaffId("h-2")
TECHNICIAN = StaffId("t-1")
NEEDED = Refusal(Reason.SECOND_NEEDED)


async def join(m: MemoryWorld, first: str = HELPER, second: str = SECOND, pin: str = "135790") -> object:
    return await second_person.join(m.world, StaffId(first), BadgeOffer(StaffId(second)), pin)


async def two(*, item_sensors: bool = True) -> MemoryWorld:
    """A locker with two helpers and a technician; nobody stands beside anybody yet."""
    m = await MemoryWorld.start(item_sensors=item_sensors)
    await m.enrol()
    await m.enrol("h-2")
    await m.enrol("t-1", roles=frozenset({"technician"}))
    return m


async def looked(m: MemoryWorld, door: CompartmentNumber, found: Found) -> Refusal | None:
    opened = await stocktake.open_one(m.world, HELPER, door)
    assert isinstance(opened, Opened), opened
    await m.settle()
    assert await stocktake.settle(m.world, HELPER, door, found) == Refusal(Reason.DOOR_OPEN)
    await m.shut(door)
    return await stocktake.settle(m.world, HELPER, door, found)


# --- the second person ---


async def test_the_second_person_is_another_one_with_their_own_pin() -> None:
    m = await two()
    assert await join(m, second=HELPER) == Refusal(Reason.SAME_PERSON)
    assert await join(m, pin="000000") == Refusal(Reason.SIGN_IN_FAILED)
    assert m.journal.state.staff[SECOND].pin_failures == 1
    assert second_person.beside(m.world, m.journal.state, HELPER) == ""
    assert await join(m) == SECOND
    assert second_person.beside(m.world, m.journal.state, HELPER) == SECOND
    assert second_person.beside(m.world, m.journal.state, SECOND) == "", "never the other way round by itself"
    assert m.journal.state.staff[SECOND].pin_failures == 0


async def test_a_second_person_tried_too_often_is_locked_as_anybody() -> None:
    m = await two()
    for _ in range(m.journal.state.policy.pin_failures):
        await join(m, pin="000000")
    assert await join(m) == Refusal(Reason.SIGN_IN_FAILED)


@pytest.mark.rule("LKR-95")
@pytest.mark.parametrize("how", ["time", "first", "second", "leaves", "restart", "revoked", "grant"])
async def test_a_second_persons_right_ends(how: str) -> None:
    m = await two()
    door = (await load(m)).door
    assert await join(m) == SECOND
    assert second_person.two_may(m.world, m.journal.state, HELPER, Action.STOCKTAKE) is None
    match how:
        case "time":
            m.clock.advance(m.journal.state.policy.second_person_ms)
        case "first" | "second":
            await sign_in.sign_out(m.world, HELPER if how == "first" else SECOND)
        case "leaves":
            await second_person.leave(m.world, HELPER)
        case "restart":
            await m.restart()
        case "revoked":
            await m.say(ev.StaffRevoked(SECOND))
        case _:
            m.clock.wall_offset_ms += 8 * 86_400_000
    refusal = await stocktake.open_one(m.world, HELPER, door)
    assert refusal == (Refusal(Reason.NOT_ALLOWED) if how == "grant" else NEEDED)
    assert m.hands.readings[door].position is Position.CLOSED


async def test_a_technician_is_no_second_in_a_stocktake() -> None:
    m = await two()
    door = (await load(m)).door
    await join(m, second=TECHNICIAN)
    assert await stocktake.open_one(m.world, HELPER, door) == Refusal(Reason.NOT_ALLOWED)


# --- the stocktake ---


@pytest.mark.rule("LKR-96")
@pytest.mark.parametrize(
    ("found", "status", "ticket"),
    [
        (Found.EXPECTED, Status.HOLDING, ""),
        (Found.MISSING, Status.TO_CHECK, "item_missing"),
        (Found.UNKNOWN_ITEM, Status.TO_CHECK, "unknown_item"),
        (Found.UNSURE, Status.TO_CHECK, "item_not_made_out"),
    ],
)
async def test_two_people_look_where_something_lies(found: Found, status: Status, ticket: str) -> None:
    m = await two(item_sensors=False)
    loaded = await load(m)
    assert await stocktake.open_one(m.world, HELPER, loaded.door) == NEEDED
    await join(m)
    assert await stocktake.open_one(m.world, StaffId("nobody"), loaded.door) == Refusal(Reason.NOT_ALLOWED)
    assert await looked(m, loaded.door, found) is None
    compartment = m.journal.state.compartments[loaded.door]
    assert (compartment.deposit, compartment.status) == (loaded.deposit, status)
    assert m.journal.events(ev.CompartmentChecked)[0].second == SECOND
    assert [t.kind for t in m.journal.events(ev.TicketOpened)] == ([ticket] if ticket else [])
    offer = await present_scanned(m.world, m.pickup_codes(loaded.deposit)["scan"])
    assert isinstance(offer, PickupOffer)
    opened = await pick_up.open_compartment(m.world, offer)
    # What staff did not find there may be another's: its code opens nothing until it is settled.
    assert isinstance(opened, Opened) if not ticket else opened == Refusal(Reason.LOOKED_FOR)


async def test_what_was_looked_for_in_vain_is_not_given_back_by_its_code() -> None:
    m = await two()
    opened = await hand_in(m)
    await join(m)
    m.hands.take(opened.door)
    assert await looked(m, opened.door, Found.MISSING) is None
    right = m.journal.state.deposits[opened.deposit].authorisation
    offer = DropOffOffer(right, opened.deposit, None, Form.TYPED)
    assert await drop_off.open_compartment(m.world, offer) == Refusal(Reason.LOOKED_FOR)


async def test_a_good_sensor_is_not_overruled() -> None:
    m = await two()
    loaded = await load(m)
    await join(m)
    assert await looked(m, loaded.door, Found.MISSING) == Refusal(Reason.STILL_INSIDE)
    m.hands.take(loaded.door)
    await m.shut(loaded.door)
    await stocktake.open_one(m.world, HELPER, loaded.door)
    await m.settle()
    await m.shut(loaded.door)
    assert await stocktake.settle(m.world, HELPER, loaded.door, Found.EXPECTED) == Refusal(
        Reason.NOTHING_INSIDE
    )


async def test_an_unknown_item_waits_and_two_take_it_out() -> None:
    m = await two(item_sensors=False)
    door = CompartmentNumber(5)
    assert await looked(m, door, Found.UNKNOWN_ITEM) is None
    assert m.journal.state.compartments[door].status is Status.TO_CHECK
    assert await looked(m, door, Found.REMOVED) == NEEDED
    await join(m)
    assert await looked(m, door, Found.REMOVED) is None
    assert m.journal.state.compartments[door].status is Status.VACANT
    assert [t.kind for t in m.journal.events(ev.TicketOpened)] == ["unknown_item", "unknown_item_removed"]


async def test_what_cannot_be_said_of_a_door_is_not_taken() -> None:
    m = await two(item_sensors=False)
    loaded = await load(m)
    await join(m)
    assert await looked(m, loaded.door, Found.EXPECTED) is None
    for found in (Found.EMPTY, Found.REMOVED):
        assert await stocktake.settle(m.world, HELPER, loaded.door, found) == Refusal(Reason.NOT_NOW)
    other = CompartmentNumber(9)
    for found in (Found.EXPECTED, Found.MISSING, Found.UNSURE):
        assert await stocktake.settle(m.world, HELPER, other, found) == Refusal(Reason.NOT_NOW)


@pytest.mark.rule("LKR-96")
async def test_a_stocktake_counts_outlives_a_restart_and_ends_with_its_last_door() -> None:
    m = await two(item_sensors=False)
    loaded = await load(m)
    doors = (CompartmentNumber(3), CompartmentNumber(4))
    for door in (*doors, loaded.door):
        await m.say(ev.CompartmentDoubted(door, DOUBT))  # type: ignore[arg-type]  # as a new epoch does
    assert await stocktake.begin(m.world, HELPER, Scope.DOUBTS) is None
    assert await stocktake.begin(m.world, SECOND, Scope.ALL) == Refusal(Reason.NOT_NOW), "one at a time"
    left = [c.spec.number for c in stocktake.left(m.journal.state)]
    assert left == sorted((*doors, loaded.door))
    assert await looked(m, doors[0], Found.EMPTY) is None
    await m.restart()
    assert await join(m) == SECOND
    assert await looked(m, doors[1], Found.UNKNOWN_ITEM) is None
    assert [c.spec.number for c in stocktake.left(m.journal.state)] == [loaded.door]
    assert await looked(m, loaded.door, Found.EXPECTED) is None
    (ended,) = m.journal.events(ev.StocktakeEnded)
    assert (ended.empty_count, ended.expected_count, ended.unknown_item_count) == (1, 1, 1)
    assert (ended.missing_count, ended.removed_count, ended.unsure_count, ended.left_count) == (0, 0, 0, 0)
    keys = {check.stocktake for check in m.journal.events(ev.CompartmentChecked)}
    assert keys == {ended.stocktake}


async def test_everything_is_also_what_lies_behind_a_door_that_is_out_of_order() -> None:
    m = await two()
    loaded = await load(m)
    broken = (loaded.door, CompartmentNumber(9))
    facts = tuple(ev.CompartmentFaulted(door, "did not open") for door in broken)
    await m.journal.commit("sensor", lambda _state: Decided(None, facts))
    await stocktake.begin(m.world, HELPER, Scope.ALL)
    left = [c.spec.number for c in stocktake.left(m.journal.state)]
    assert (loaded.door in left, 9 in left) == (True, False)
    await join(m)
    assert await looked(m, loaded.door, Found.EXPECTED) is None


async def test_a_stocktake_that_is_broken_off_says_what_was_left() -> None:
    m = await two()
    assert await stocktake.end(m.world, HELPER) == Refusal(Reason.NOT_NOW)
    assert await stocktake.begin(m.world, TECHNICIAN, Scope.ALL) == Refusal(Reason.NOT_ALLOWED)
    assert await stocktake.begin(m.world, HELPER, Scope.DOUBTS) == Refusal(Reason.NOT_NOW), (
        "nothing to look at"
    )
    assert await stocktake.begin(m.world, HELPER, Scope.ALL) is None
    assert await looked(m, CompartmentNumber(1), Found.EMPTY) is None
    assert await stocktake.end(m.world, SECOND) is None
    assert m.journal.events(ev.StocktakeEnded)[0].left_count == 15
    assert stocktake.left(m.journal.state) == []


# --- without the centre's memory ---


@pytest.mark.rule("LKR-97")
async def test_two_on_site_look_everywhere_and_doors_open_again_without_a_link() -> None:
    m = await two()
    loaded = await load(m)
    code = m.pickup_codes(loaded.deposit)["scan"]
    assert await begin(m.world, m.journal, Break.LOST_ROWS, m.journal.state.epoch)
    awaited = Refusal(Reason.HISTORY_AWAITED)
    offer = await present_scanned(m.world, code)
    assert isinstance(offer, PickupOffer)
    assert await pick_up.open_compartment(m.world, offer) == awaited
    door = CompartmentNumber(1)
    assert await stocktake.open_one(m.world, HELPER, door) == NEEDED, "alone not even an empty one"
    assert m.journal.state.compartments[door].status is Status.VACANT
    assert await stocktake.open_compartment(m.world, HELPER, door) == awaited
    await join(m)
    assert await vouch.vouch(m.world, HELPER) == Refusal(Reason.NOT_NOW)
    assert await stocktake.begin(m.world, HELPER, Scope.ALL) is None
    while left := stocktake.left(m.journal.state):
        assert await vouch.vouch(m.world, HELPER) == Refusal(Reason.NOT_NOW)
        holds = bool(left[0].deposit)
        assert await looked(m, left[0].spec.number, Found.EXPECTED if holds else Found.EMPTY) is None
    assert await pick_up.open_compartment(m.world, offer) == awaited
    await second_person.leave(m.world, HELPER)
    assert await vouch.vouch(m.world, HELPER) == NEEDED
    await join(m)
    assert await vouch.vouch(m.world, HELPER) is None
    assert not m.journal.state.history.awaited
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)


async def test_until_the_centre_is_heard_the_phone_is_asked_as_well() -> None:
    m = await two()
    await m.announce()
    code = m.pickup_codes((await load(m)).deposit)["scan"]
    assert await begin(m.world, m.journal, Break.LOST_ROWS, m.journal.state.epoch)
    await join(m)
    await stocktake.begin(m.world, HELPER, Scope.ALL)
    while left := stocktake.left(m.journal.state):
        found = Found.EXPECTED if left[0].deposit else Found.EMPTY
        assert await looked(m, left[0].spec.number, found) is None
    assert await vouch.vouch(m.world, HELPER) is None
    offer = await present_scanned(m.world, code)
    assert isinstance(offer, PickupOffer)
    assert offer.asks_phone
    assert await pick_up.open_compartment(m.world, offer) == Refusal(Reason.PHONE_ASKED)
    assert await pick_up.open_compartment(m.world, offer, "0000") == Refusal(Reason.PHONE_WRONG)
    await m.say(ev.HistoryRestored(m.journal.state.epoch))
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)


async def test_a_stocktake_of_the_epoch_before_vouches_for_nothing() -> None:
    m = await two()
    await join(m)
    await stocktake.begin(m.world, HELPER, Scope.ALL)
    while left := stocktake.left(m.journal.state):
        await looked(m, left[0].spec.number, Found.EMPTY)
    await begin(m.world, m.journal, Break.LOST_ROWS, m.journal.state.epoch)
    await join(m)
    assert await vouch.vouch(m.world, HELPER) == Refusal(Reason.NOT_NOW)


# --- the service window ---


async def turn(m: MemoryWorld, *, on: bool) -> None:
    await SurroundingsFollower(m.world).settle(Sensed(Watched.SERVICE_KEY, on))


async def window(m: MemoryWorld) -> None:
    await turn(m, on=True)
    await join(m, TECHNICIAN, HELPER)
    assert await service_window.open_window(m.world, TECHNICIAN) is None


async def by_hand(m: MemoryWorld, door: int) -> None:
    m.hands.move(door, Position.OPEN)
    await m.settle()
    await m.shut(door)


async def test_a_window_needs_key_technician_and_a_second_who_is_none() -> None:
    m = await two()
    await m.enrol("t-2", roles=frozenset({"technician"}))
    assert await service_window.open_window(m.world, TECHNICIAN) == NEEDED
    await join(m, TECHNICIAN, HELPER)
    assert await service_window.open_window(m.world, TECHNICIAN) == Refusal(Reason.KEY_NEEDED)
    assert await service_window.open_window(m.world, HELPER) == Refusal(Reason.NOT_ALLOWED)
    await turn(m, on=True)
    await join(m, TECHNICIAN, "t-2")
    assert await service_window.open_window(m.world, TECHNICIAN) == Refusal(Reason.NOT_ALLOWED)
    await join(m, TECHNICIAN, HELPER)
    assert await service_window.open_window(m.world, TECHNICIAN) is None
    assert await service_window.open_window(m.world, TECHNICIAN) == Refusal(Reason.NOT_NOW)


@pytest.mark.rule("LKR-99")
async def test_in_a_window_doors_are_opened_by_key_and_to_be_checked_afterwards() -> None:
    m = await two()
    loaded = await load(m)
    await window(m)
    await by_hand(m, loaded.door)
    await by_hand(m, 9)
    assert m.journal.events(ev.DoorForced) == []
    assert [e.door for e in m.journal.events(ev.DoorOpenedByKey)] == [loaded.door, 9]
    touched = [c.spec.number for c in m.journal.state.compartments.values() if c.status is Status.TO_CHECK]
    assert touched == sorted([loaded.door, 9])


async def test_whom_nobody_saw_in_a_window_is_touched() -> None:
    m = await two()
    await window(m)
    m.follower.report(BoardLost(BoardId("A/1"), (CompartmentNumber(1), CompartmentNumber(2)), 0))
    await m.settle()
    doubts = {c.spec.number: c.doubt for c in m.journal.state.compartments.values() if c.doubt}
    assert doubts == dict.fromkeys((1, 2), "not seen in a service window")


@pytest.mark.rule("LKR-99")
@pytest.mark.parametrize("how", ["key", "ended", "time", "restart"])
async def test_a_window_ends_and_then_doors_are_forced_again(how: str) -> None:
    m = await two()
    await window(m)
    match how:
        case "key":
            await turn(m, on=False)
        case "ended":
            assert await service_window.close_window(m.world, SECOND) == Refusal(Reason.NOT_NOW)
            assert await service_window.close_window(m.world, HELPER) is None
        case "time":
            due_ms = next_ms(m.world)
            assert due_ms is not None
            m.clock.advance(due_ms - m.clock.mono_ms())
            await upkeep(m.world)
        case _:
            await m.restart()
    assert [e.why for e in m.journal.events(ev.ServiceWindowClosed)] == [how]
    await by_hand(m, 9)
    assert len(m.journal.events(ev.DoorForced)) == 1
    assert m.journal.events(ev.DoorOpenedByKey) == []


# --- beside an applicant ---


@pytest.mark.rule("LKR-98")
async def test_whoever_helps_is_named_and_the_code_is_the_right() -> None:
    m = await two()
    loaded = await load(m)
    offer = await present_scanned(m.world, m.pickup_codes(loaded.deposit)["scan"])
    assert isinstance(offer, PickupOffer)
    for nobody in ("t-1", "unknown"):
        answer = await pick_up.open_compartment(m.world, offer, helper=StaffId(nobody))
        assert answer == Refusal(Reason.NOT_ALLOWED)
    assert isinstance(await pick_up.open_compartment(m.world, offer, helper=SECOND), Opened)
    await m.settle()
    assert m.journal.events(ev.VisitAssisted) == [ev.VisitAssisted(loaded.deposit, SECOND)]
    assert m.journal.events(ev.OpeningRequested)[-1].staff == "", "the helper's right opened nothing"
    m.hands.take(loaded.door)
    await m.shut(loaded.door)
    again = await pick_up.open_compartment(m.world, offer, helper=SECOND)
    assert again == Refusal(Reason.CODE_NOT_ACCEPTED), "a helper opens nothing that the code does not"
    assert m.journal.state.compartments[loaded.door].item is Presence.ABSENT


async def test_nobody_is_named_where_no_door_opened() -> None:
    m = await two()
    before = len(m.journal.entries)
    offer = DropOffOffer(AuthorisationId("none"), DepositId(""), None, Form.TYPED)
    assert await drop_off.open_compartment(m.world, offer, helper=SECOND) == Refusal(Reason.CODE_NOT_ACCEPTED)
    assert len(m.journal.entries) == before
