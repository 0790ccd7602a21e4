"""The flows of the service, from a code to a shut door, in memory."""

import pytest

from locker.domain.allocation import Wish
from locker.domain.compartment import Status
from locker.domain.deposit import Phase, Proof
from locker.domain.door import Position, PulseOutcome, PulseResult
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CompartmentFaulted,
    DepositMoved,
    DoorForced,
    DoorLeftOpen,
    DoorStuck,
    ItemPickedUp,
    OpeningRequested,
    ReceiptIssued,
    SubmissionDeposited,
    SubmissionExposed,
    SubmissionTakenBack,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.tokens import TokenPurpose
from locker.operations import (
    clear_submissions,
    drop_off,
    load_outgoing,
    pick_up,
    stocktake,
    withdraw_overdue,
)
from locker.operations.open_door import Opened
from locker.operations.ports import JournalFailing
from locker.operations.present_code import (
    BadgeOffer,
    DropOffOffer,
    LoadOffer,
    PickupOffer,
    present_scanned,
    present_typed,
)
from locker.operations.sign_in import SignedIn, sign_in
from locker.operations.upkeep import upkeep
from tests.locker.operations.world import MemoryWorld

HELPER = StaffId("h-1")


async def hand_in(m: MemoryWorld, case: str = "C-1") -> Opened:
    code = await m.grant(case)
    offer = await present_typed(m.world, code)
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.settle()
    m.hands.put(opened.door)
    await m.shut(opened.door)
    return opened


async def load(m: MemoryWorld, item: str = "I-1", case: str = "C-1") -> Opened:
    badge = await m.enrol()
    offer = await present_scanned(m.world, badge)
    assert isinstance(offer, BadgeOffer)
    assert isinstance(await sign_in(m.world, offer, "135790"), SignedIn)
    label = await present_scanned(m.world, m.token(item, case=case))
    assert isinstance(label, LoadOffer)
    opened = await load_outgoing.open_compartment(m.world, HELPER, label)
    assert isinstance(opened, Opened)
    await m.settle()
    m.hands.put(opened.door)
    await m.shut(opened.door)
    assert await load_outgoing.confirm(m.world, HELPER, opened.deposit, label) is None
    return opened


async def test_a_typed_code_opens_one_door_and_the_papers_are_receipted() -> None:
    m = await MemoryWorld.start()
    opened = await hand_in(m)
    assert [door for door, _ in m.hands.pulses] == [opened.door]
    deposit = m.journal.state.deposits[opened.deposit]
    assert deposit.phase is Phase.AWAITING_INTAKE
    assert deposit.receipt
    assert len(m.journal.events(ReceiptIssued)) == 1


async def test_intake_frees_the_compartment_and_ends_the_code() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    opened = await hand_in(m, "C-2")
    await m.enrol()
    assert [d.deposit for d in clear_submissions.waiting(m.journal.state)] == [opened.deposit]
    again = await clear_submissions.open_compartment(m.world, HELPER, opened.deposit)
    assert isinstance(again, Opened)
    await m.settle()
    still = await clear_submissions.confirm(m.world, HELPER, opened.deposit, "complete")
    assert still == Refusal(Reason.DOOR_OPEN)
    m.hands.take(opened.door)
    await m.shut(opened.door)
    assert await clear_submissions.confirm(m.world, HELPER, opened.deposit, "complete") is None
    assert m.journal.state.compartments[opened.door].status is Status.VACANT
    assert m.journal.state.authorisations["auth-C-2"].ended == "taken_in"  # type: ignore[index]  # a plain key
    assert isinstance(await present_typed(m.world, code), DropOffOffer)


async def test_a_loaded_item_is_collected_once() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    codes = m.pickup_codes(loaded.deposit)
    offer = await present_scanned(m.world, codes["scan"])
    assert isinstance(offer, PickupOffer)
    opened = await pick_up.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    assert opened.door == loaded.door
    await m.settle()
    m.hands.take(opened.door)
    await m.shut(opened.door)
    assert [e.proof for e in m.journal.events(ItemPickedUp)] == [Proof.SENSED]
    assert await present_scanned(m.world, codes["scan"]) == Refusal(Reason.CODE_NOT_ACCEPTED)
    assert await present_typed(m.world, codes["typed"]) == Refusal(Reason.CODE_NOT_ACCEPTED)
    assert await pick_up.open_compartment(m.world, offer) == Refusal(Reason.CODE_NOT_ACCEPTED)
    assert len(m.hands.pulses) == 2


async def test_an_item_left_inside_is_not_collected() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    offer = await present_typed(m.world, m.pickup_codes(loaded.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)
    await m.settle()
    await m.shut(loaded.door)
    assert m.journal.state.deposits[loaded.deposit].phase is Phase.AWAITING_PICKUP
    assert await pick_up.refuse(m.world, loaded.deposit, "damaged") is None
    assert m.journal.state.deposits[loaded.deposit].phase is Phase.REFUSED
    assert isinstance(await withdraw_overdue.open_compartment(m.world, HELPER, loaded.deposit), Opened)
    await m.settle()
    m.hands.take(loaded.door)
    await m.shut(loaded.door)
    assert await withdraw_overdue.confirm(m.world, HELPER, loaded.deposit) is None
    assert m.journal.state.compartments[loaded.door].status is Status.VACANT


async def test_without_a_sensor_people_are_asked() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    opened = await hand_in(m)
    assert m.journal.state.deposits[opened.deposit].phase is Phase.UNCONFIRMED
    assert await drop_off.confirm(m.world, opened.deposit) is None
    assert m.journal.state.deposits[opened.deposit].phase is Phase.AWAITING_INTAKE
    loaded = await load(m)
    offer = await present_typed(m.world, m.pickup_codes(loaded.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    await pick_up.open_compartment(m.world, offer)
    await m.settle()
    await m.shut(loaded.door)
    assert m.journal.state.deposits[loaded.deposit].phase is Phase.AWAITING_PICKUP
    assert await pick_up.confirm_taken(m.world, loaded.deposit) is None
    assert [e.proof for e in m.journal.events(ItemPickedUp)] == [Proof.DECLARED]


async def test_an_unsaid_collection_is_assumed_after_ten_minutes_and_the_door_doubted() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    loaded = await load(m)
    offer = await present_typed(m.world, m.pickup_codes(loaded.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    await pick_up.open_compartment(m.world, offer)
    await m.settle()
    await m.shut(loaded.door)
    await m.later(601_000)
    await upkeep(m.world)
    assert [e.proof for e in m.journal.events(ItemPickedUp)] == [Proof.ASSUMED]
    assert m.journal.state.compartments[loaded.door].status is Status.TO_CHECK
    assert isinstance(await stocktake.open_compartment(m.world, HELPER, loaded.door), Opened)
    await m.settle()
    await m.shut(loaded.door)
    assert await stocktake.confirm(m.world, HELPER, loaded.door, empty=True) is None
    assert m.journal.state.compartments[loaded.door].status is Status.VACANT


async def test_a_sticking_door_is_tried_again_by_the_person_then_another_opens() -> None:
    m = await MemoryWorld.start()
    code = await m.grant()
    offer = await present_typed(m.world, code)
    assert isinstance(offer, DropOffOffer)
    first = CompartmentNumber(5)
    m.hands.jammed.add(first)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    assert opened.door == first
    await m.settle()
    await m.later(5_001)
    assert len(m.journal.events(DoorStuck)) == 1
    assert isinstance(await drop_off.open_compartment(m.world, offer), Opened)
    await m.settle()
    await m.later(5_001)
    await m.settle()
    moved = m.journal.events(DepositMoved)
    assert len(moved) == 1
    assert m.journal.events(CompartmentFaulted)[0].door == first
    assert m.journal.events(TicketOpened)[0].kind == "door_stuck"
    assert [door for door, _ in m.hands.pulses] == [first, first, moved[0].door]
    m.hands.put(moved[0].door)
    await m.shut(moved[0].door)
    assert m.journal.state.deposits[opened.deposit].phase is Phase.AWAITING_INTAKE
    assert m.journal.state.compartments[first].status is Status.FAULTY


async def test_an_empty_close_offers_the_door_again_and_leaving_gives_it_back() -> None:
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer, Wish.LOW)
    assert isinstance(opened, Opened)
    assert opened.door in {13, 14, 15, 16}
    await m.settle()
    await m.shut(opened.door)
    assert await drop_off.confirm(m.world, opened.deposit) == Refusal(Reason.NOTHING_INSIDE)
    await drop_off.leave(m.world, opened.deposit)
    assert m.journal.state.compartments[opened.door].status is Status.VACANT
    assert isinstance(await present_typed(m.world, await m.grant("C-3")), DropOffOffer)


async def test_taking_the_papers_back_frees_the_compartment_and_keeps_the_code() -> None:
    m = await MemoryWorld.start()
    opened = await hand_in(m)
    code = await m.grant("C-9")
    assert code
    offer = DropOffOffer(
        m.journal.state.deposits[opened.deposit].authorisation,
        opened.deposit,
        None,
        "typed",  # type: ignore[arg-type]  # the word itself
    )
    again = await drop_off.open_compartment(m.world, offer)
    assert isinstance(again, Opened)
    assert again.door == opened.door
    await m.settle()
    m.hands.take(again.door)
    await m.shut(again.door)
    assert len(m.journal.events(SubmissionTakenBack)) == 1
    assert m.journal.state.compartments[opened.door].status is Status.VACANT
    assert isinstance(await drop_off.open_compartment(m.world, offer), Opened)


async def test_a_door_left_open_is_an_exposed_submission() -> None:
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.settle()
    await m.later(120_001)
    assert len(m.journal.events(DoorLeftOpen)) == 1
    assert len(m.journal.events(SubmissionExposed)) == 1
    m.hands.put(opened.door)
    await m.shut(opened.door)
    assert m.journal.state.deposits[opened.deposit].phase is Phase.AWAITING_INTAKE


@pytest.mark.parametrize("outcome", [PulseOutcome.UNCERTAIN, PulseOutcome.NOT_SENT, PulseOutcome.REFUSED])
async def test_whatever_the_wire_says_a_grant_is_pulsed_at_most_once(outcome: PulseOutcome) -> None:
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    m.hands.next_result = PulseResult(outcome, "test")
    await drop_off.open_compartment(m.world, offer)
    await m.settle()
    await m.later(60_000)
    assert len(m.hands.pulses) <= 1
    assert len(m.journal.events(OpeningRequested)) == 1


async def test_a_door_that_opens_by_itself_is_forced() -> None:
    m = await MemoryWorld.start()
    m.hands.move(3, Position.OPEN)
    await m.settle()
    assert [e.door for e in m.journal.events(DoorForced)] == [3]
    assert m.journal.state.compartments[CompartmentNumber(3)].status is Status.TO_CHECK


async def test_restart_between_pulse_and_door_goes_on_with_the_open_door() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    offer = await present_typed(m.world, m.pickup_codes(loaded.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    await pick_up.open_compartment(m.world, offer)
    await m.restart()
    assert len(m.hands.pulses) == 2
    m.hands.take(loaded.door)
    await m.shut(loaded.door)
    assert [e.proof for e in m.journal.events(ItemPickedUp)] == [Proof.SENSED]


async def test_restart_with_the_door_shut_spends_no_code_and_pulses_nothing() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    offer = await present_typed(m.world, m.pickup_codes(loaded.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    m.hands.jammed.add(loaded.door)
    await pick_up.open_compartment(m.world, offer)
    await m.restart()
    assert len(m.hands.pulses) == 2
    assert m.journal.state.compartments[loaded.door].status is Status.TO_CHECK
    m.hands.jammed.clear()
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)
    await m.settle()
    m.hands.take(loaded.door)
    await m.shut(loaded.door)
    assert m.journal.state.compartments[loaded.door].status is Status.VACANT


async def test_nothing_opens_while_the_journal_fails() -> None:
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    m.journal.failing = True
    with pytest.raises(JournalFailing):
        await drop_off.open_compartment(m.world, offer)
    assert m.hands.pulses == []


async def test_a_token_of_the_area_is_honoured_without_an_earlier_message() -> None:
    m = await MemoryWorld.start()
    digits = m.token("auth-77", TokenPurpose.DROP_OFF, case="C-77")
    offer = await present_scanned(m.world, digits)
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.settle()
    m.hands.put(opened.door)
    await m.shut(opened.door)
    assert m.journal.events(SubmissionDeposited)[0].deposit == opened.deposit
    elsewhere = await present_scanned(m.world, m.token("a-1", TokenPurpose.DROP_OFF, where="other-9"))
    assert elsewhere == Refusal(Reason.CODE_NOT_ACCEPTED)


async def test_the_second_look_must_be_the_same_label() -> None:
    m = await MemoryWorld.start()
    await m.enrol()
    label = await present_scanned(m.world, m.token("I-1"))
    other = await present_scanned(m.world, m.token("I-2"))
    assert isinstance(label, LoadOffer)
    assert isinstance(other, LoadOffer)
    opened = await load_outgoing.open_compartment(m.world, HELPER, label)
    assert isinstance(opened, Opened)
    await m.settle()
    m.hands.put(opened.door)
    await m.shut(opened.door)
    wrong = await load_outgoing.confirm(m.world, HELPER, opened.deposit, other)
    assert wrong == Refusal(Reason.WRONG_LABEL)
    assert m.journal.state.codes == {}


async def cut_off_in_loading(m: MemoryWorld) -> tuple[LoadOffer, CompartmentNumber]:
    """A label was scanned, and the machine was killed before it knew whether the door opened."""
    await m.enrol()
    label = await present_scanned(m.world, m.token("I-1"))
    assert isinstance(label, LoadOffer)
    m.hands.jammed = set(m.hands.sensors)
    opened = await load_outgoing.open_compartment(m.world, HELPER, label)
    assert isinstance(opened, Opened)
    await m.restart()
    m.hands.jammed = set()
    return label, opened.door


async def test_who_loads_again_after_a_restart_gets_another_door() -> None:
    """The sensor shows that nothing lies in the first one."""
    m = await MemoryWorld.start()
    label, before = await cut_off_in_loading(m)
    assert m.journal.state.compartments[before].status is Status.TO_CHECK
    opened = await load_outgoing.open_compartment(m.world, HELPER, label)
    assert isinstance(opened, Opened)
    assert opened.door != before
    await m.settle()
    m.hands.put(opened.door)
    await m.shut(opened.door)
    assert await load_outgoing.confirm(m.world, HELPER, opened.deposit, label) is None
    assert m.journal.state.compartments[before].status is Status.VACANT


async def test_where_no_sensor_shows_what_lies_there_somebody_looks_before_it_is_loaded_elsewhere() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    label, _ = await cut_off_in_loading(m)
    pulses = len(m.hands.pulses)
    refused = await load_outgoing.open_compartment(m.world, HELPER, label)
    assert refused == Refusal(Reason.LOOK_FIRST)
    assert len(m.hands.pulses) == pulses


async def test_a_second_factor_is_counted_apart_and_runs_out() -> None:
    m = await MemoryWorld.start()
    await m.announce(second_factor=True)
    loaded = await load(m)
    offer = await present_typed(m.world, m.pickup_codes(loaded.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    assert offer.asks_phone
    for _ in range(3):
        assert await pick_up.open_compartment(m.world, offer, "0000") == Refusal(Reason.PHONE_WRONG)
    assert await pick_up.open_compartment(m.world, offer, "5678") == Refusal(Reason.TRIES_USED_UP)
    assert len(m.hands.pulses) == 1


async def test_nobody_but_staff_of_the_right_role_opens_a_staff_door() -> None:
    m = await MemoryWorld.start()
    opened = await hand_in(m)
    stranger = await clear_submissions.open_compartment(m.world, StaffId("nobody"), opened.deposit)
    assert stranger == Refusal(Reason.NOT_ALLOWED)
    await m.enrol("t-1", roles=frozenset({"technician"}))
    technician = await clear_submissions.open_compartment(m.world, StaffId("t-1"), opened.deposit)
    assert technician == Refusal(Reason.NOT_ALLOWED)
    unknown = await clear_submissions.open_compartment(m.world, HELPER, DepositId("none"))
    assert unknown == Refusal(Reason.NOT_NOW)


async def test_somebody_elses_thing_in_the_compartment_makes_no_receipt_and_the_code_gets_another_door() -> (
    None
):
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.settle()
    m.hands.put(opened.door)
    await pick_up.report_not_empty(m.world, opened.door)
    await m.shut(opened.door)
    assert m.journal.events(SubmissionDeposited, ReceiptIssued) == []
    assert m.journal.state.compartments[opened.door].status is Status.TO_CHECK
    again = await drop_off.open_compartment(m.world, offer)
    assert isinstance(again, Opened)
    assert again.door != opened.door


async def test_doors_that_did_not_open_use_up_no_right() -> None:
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    m.hands.jammed.update(m.hands.readings)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.later(5_001)
    assert m.journal.state.deposits[opened.deposit].openings == 0
