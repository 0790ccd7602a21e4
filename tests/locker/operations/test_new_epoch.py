"""A journal that lost its end begins anew: what is kept and doubted, what the centre's memory settles."""

import pytest

from locker.domain import events as ev
from locker.domain.compartment import Status
from locker.domain.deposit import Kind, Phase
from locker.domain.door import DoorReading, Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.history import DOUBT, Break
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    Epoch,
    ItemId,
    StaffId,
)
from locker.operations import drop_off, pick_up, stocktake
from locker.operations.new_epoch import REST_MS, Beginnings, begin
from locker.operations.open_door import Opened
from locker.operations.present_code import DropOffOffer, PickupOffer, present_scanned, present_typed
from tests.locker.operations.test_visits import HELPER, hand_in, load
from tests.locker.operations.world import MemoryWorld


async def begun(m: MemoryWorld, why: Break = Break.LOST_ROWS) -> None:
    assert await begin(m.world, m.journal, why, m.journal.state.epoch)
    await m.settle()


async def told(m: MemoryWorld) -> None:
    await m.say(ev.HistoryRestored(m.journal.state.epoch))


def restored(deposit: str, door: int, phase: Phase, case: str = "C-1") -> ev.DepositRestored:
    return ev.DepositRestored(
        DepositId(deposit),
        Kind.OUTGOING,
        CompartmentNumber(door),
        CaseNumber(case),
        AuthorisationId(""),
        ItemId(f"I-{case}"),
        phase,
        5,
        "",
    )


async def test_it_is_numbered_from_one_names_its_parent_and_keeps_what_it_knew() -> None:
    m = await MemoryWorld.start()
    opened = await hand_in(m)
    before, head = m.journal.state, m.journal.head
    await begun(m)
    state, first = m.journal.state, m.journal.entries[0].event
    assert first == ev.EpochStarted(
        state.epoch, before.locker, before.epoch, before.seq, head.hex(), Break.LOST_ROWS
    )
    assert state.epoch != before.epoch
    assert state.seq == len(m.journal.entries)
    assert state.deposits == before.deposits
    assert state.compartments[opened.door] == before.compartments[opened.door]
    assert {a.seq for a in state.authorisations.values()} == {0}, "names would be read of other entries"


async def test_a_finding_about_an_epoch_that_is_over_begins_nothing() -> None:
    m = await MemoryWorld.start()
    assert not await begin(m.world, m.journal, Break.FORKED, "ff" * 16)
    assert m.journal.past == {}


async def test_two_cards_that_take_turns_do_not_fill_their_journals() -> None:
    m = await MemoryWorld.start()
    beginnings = Beginnings(m.world, m.journal)
    for wait_ms in (0, 1, REST_MS - 2, 1):
        await m.later(wait_ms)
        await beginnings.found(Break.SUPERSEDED, m.journal.state.epoch)
    assert len(m.journal.past) == 2


@pytest.mark.parametrize("sensors", [True, False])
async def test_a_door_is_empty_only_where_a_sensor_says_so(*, sensors: bool) -> None:
    m = await MemoryWorld.start(item_sensors=sensors)
    opened = await hand_in_anyhow(m)
    await begun(m)
    others = [c for n, c in m.journal.state.compartments.items() if n != opened.door]
    assert {c.status for c in others} == ({Status.VACANT} if sensors else {Status.TO_CHECK})
    assert m.journal.state.compartments[opened.door].status is Status.HOLDING


async def hand_in_anyhow(m: MemoryWorld) -> Opened:
    opened = await hand_in(m)
    if m.journal.state.deposits[opened.deposit].phase is not Phase.AWAITING_INTAKE:
        assert await drop_off.confirm(m.world, opened.deposit) is None
    return opened


async def test_a_door_that_cannot_be_seen_is_doubted() -> None:
    m = await MemoryWorld.start()
    m.hands.readings[CompartmentNumber(3)] = DoorReading(Position.UNKNOWN, Presence.UNKNOWN)
    m.report_all()
    await m.settle()
    await begun(m)
    assert m.journal.state.compartments[CompartmentNumber(3)].doubt == DOUBT


@pytest.mark.parametrize("why", [Break.LOST_ROWS, Break.FORKED, Break.SUPERSEDED])
async def test_until_the_centre_has_spoken_no_door_opens(why: Break) -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    code = m.pickup_codes(loaded.deposit)["scan"]
    right = await m.grant("C-9")
    await begun(m, why)
    pulses = list(m.hands.pulses)
    offer, other = await present_scanned(m.world, code), await present_typed(m.world, right)
    assert isinstance(offer, PickupOffer)
    assert isinstance(other, DropOffOffer)
    awaited = Refusal(Reason.HISTORY_AWAITED)
    assert await pick_up.open_compartment(m.world, offer) == awaited
    assert await drop_off.open_compartment(m.world, other) == awaited
    await m.say(ev.HistoryRestored(Epoch("ab" * 16)))  # another card's
    assert await pick_up.open_compartment(m.world, offer) == awaited
    assert m.hands.pulses == pulses
    await told(m)
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)


async def test_where_the_centre_lost_rows_the_locker_goes_on_serving() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    right = await m.grant("C-9")
    await begun(m, Break.HOLE)
    offer = await present_typed(m.world, right)
    assert isinstance(offer, DropOffOffer)
    assert isinstance(await drop_off.open_compartment(m.world, offer), Opened)


async def test_only_staff_lift_the_ban_on_acts() -> None:
    m = await MemoryWorld.start()
    banned: list[bool] = []
    for why in (Break.LOST_ROWS, Break.FORKED):
        await begun(m, why)
        banned.append(m.journal.state.history.unconfirmed)
    await told(m)
    for epoch in (Epoch("ab" * 16), m.journal.state.epoch):
        banned.append(m.journal.state.history.unconfirmed)
        await m.say(ev.HistoryConfirmed(epoch, "u-1"))
    assert [*banned, m.journal.state.history.unconfirmed] == [False, True, True, True, False]


# --- the centre's memory -----------------------------------------------------------------------------------


async def test_a_code_that_ended_in_the_lost_rows_never_opens_again() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    codes = m.pickup_codes(loaded.deposit)
    await begun(m)
    await m.say(restored(loaded.deposit, loaded.door, Phase.COLLECTED))
    await told(m)
    for text in codes.values():
        asked = present_typed if text == codes["typed"] else present_scanned
        assert await asked(m.world, text) == Refusal(Reason.CODE_NOT_ACCEPTED)
    compartment = m.journal.state.compartments[loaded.door]
    assert (compartment.deposit, compartment.status) == ("", Status.TO_CHECK)


async def test_what_was_laid_in_in_the_lost_rows_is_held_again_and_its_code_opens() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    loaded = await load(m)
    codes = m.pickup_codes(loaded.deposit)
    (made,) = m.journal.events(ev.PickupCodeMade)
    lost = m.journal.state.deposits[loaded.deposit]
    other = await MemoryWorld.start(item_sensors=False)
    await begun(other)
    await other.say(
        ev.DepositRestored(
            lost.deposit, lost.kind, lost.door, lost.case, lost.authorisation, lost.item, lost.phase, 5, ""
        )
    )
    await other.say(
        ev.CodeRestored(made.code, made.deposit, made.locator, made.typed_digest, made.scan_digest, "")
    )
    await told(other)
    compartment = other.journal.state.compartments[lost.door]
    assert (compartment.deposit, compartment.status) == (lost.deposit, Status.TO_CHECK)
    offer = await present_typed(other.world, codes["typed"])
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(other.world, offer), Opened)
    await other.settle()
    await other.shut(lost.door)
    assert await pick_up.confirm_taken(other.world, lost.deposit) is None
    assert other.journal.state.compartments[lost.door].status is Status.VACANT


async def test_of_two_histories_of_one_deposit_the_further_one_counts() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    await begun(m)
    await m.say(restored(loaded.deposit, loaded.door, Phase.RESERVED))
    assert m.journal.state.deposits[loaded.deposit].phase is Phase.AWAITING_PICKUP
    await m.say(restored(loaded.deposit, loaded.door, Phase.REFUSED))
    assert m.journal.state.deposits[loaded.deposit].phase is Phase.REFUSED
    await m.say(restored(loaded.deposit, loaded.door, Phase.WITHDRAWN))
    await m.say(restored(loaded.deposit, loaded.door, Phase.AWAITING_PICKUP))
    assert m.journal.state.deposits[loaded.deposit].phase is Phase.WITHDRAWN


async def test_two_things_behind_one_door_are_a_matter_for_a_person() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    await begun(m)
    before = m.journal.state.deposits
    await m.say(restored("d-lost", loaded.door, Phase.AWAITING_PICKUP, "C-7"))
    await m.say(restored("d-far", 99, Phase.AWAITING_PICKUP, "C-8"))
    assert m.journal.state.deposits == before
    conflicts = [t.deposit for t in m.journal.events(ev.TicketOpened) if t.kind == "history_conflict"]
    assert conflicts == ["d-lost", "d-far"]


async def test_a_code_without_its_deposit_is_no_code() -> None:
    m = await MemoryWorld.start()
    await begun(m)
    await m.say(ev.CodeRestored(CodeId("c"), DepositId("d-lost"), "401", "a" * 64, "b" * 64, ""))
    assert m.journal.state.codes == {}


async def test_what_a_sensor_contradicts_is_told() -> None:
    m = await MemoryWorld.start()
    loaded = await load(m)
    m.hands.inside.discard(loaded.door)
    m.hands.readings[loaded.door] = DoorReading(Position.CLOSED, Presence.ABSENT)
    await m.restart()
    await begun(m)
    await told(m)
    (ticket,) = [t for t in m.journal.events(ev.TicketOpened) if t.kind == "history_differs"]
    assert (ticket.door, ticket.deposit) == (loaded.door, loaded.deposit)
    assert m.journal.state.compartments[loaded.door].doubt == DOUBT


async def test_on_a_new_disk_every_door_is_doubted_that_no_sensor_shows_empty() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    await m.say(restored("d-lost", 5, Phase.AWAITING_PICKUP))
    await told(m)
    assert {c.status for c in m.journal.state.compartments.values()} == {Status.TO_CHECK}
    assert m.journal.state.compartments[CompartmentNumber(5)].deposit == "d-lost"


async def test_a_helper_settles_the_doubts_door_by_door() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    await m.enrol()
    await begun(m)
    await told(m)
    doors = [c.spec.number for c in stocktake.doubtful(m.journal.state)]
    assert len(doors) == len(m.journal.state.compartments)
    assert isinstance(await stocktake.open_compartment(m.world, HELPER, doors[0]), Opened)
    await m.settle()
    await m.shut(doors[0])
    assert await stocktake.confirm(m.world, StaffId(HELPER), doors[0], empty=True) is None
    assert m.journal.state.compartments[doors[0]].status is Status.VACANT
