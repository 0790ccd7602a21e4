"""What the centre orders to be done at once: done at most once, while fresh, if two people approved of it."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from locker.domain.acts import Phase, Why
from locker.domain.compartment import Status
from locker.domain.door import DoorReading, Position, PulseOutcome, PulseResult
from locker.domain.errors import Reason
from locker.domain.events import (
    ActAccepted,
    ActDone,
    ActFailed,
    ActUnknown,
    CompartmentBlocked,
    CompartmentDoubted,
    CompartmentFaulted,
    DoorOpened,
    EpochStarted,
    MainsLost,
    OpeningRequested,
    PulseAcknowledged,
)
from locker.domain.ids import ActId, CompartmentNumber, Epoch, StaffId
from locker.domain.opening import Purpose
from locker.operations import drop_off, pick_up
from locker.operations.acts import Taken
from locker.operations.open_door import Opened
from locker.operations.ports import JournalFailing
from locker.operations.present_code import DropOffOffer, PickupOffer, present_scanned, present_typed
from tests.locker.operations.afar import DOOR, RESULTS, Afar
from tests.locker.operations.test_visits import load

HOUR_MS = 3_600_000


async def test_it_opens_one_door_once_and_says_so() -> None:
    afar = await Afar.start()
    m, order = afar.m, afar.order()
    assert await afar.take(order) is Taken.ACCEPTED
    assert [door for door, _ in m.hands.pulses] == [DOOR]
    accepted, done = afar.results()
    assert isinstance(accepted, ActAccepted)
    assert isinstance(done, ActDone)
    assert (accepted.approvers, accepted.nonce, accepted.reason) == (
        order.approvers,
        order.nonce,
        order.reason,
    )
    requested = m.journal.events(OpeningRequested)[-1]
    assert (requested.purpose, requested.grant, requested.staff) == (Purpose.REMOTE, accepted.grant, "")
    written = [type(entry.event) for entry in m.journal.entries]
    assert written.index(ActAccepted) < written.index(PulseAcknowledged)
    assert {entry.cause for entry in m.journal.entries if isinstance(entry.event, RESULTS)} == {"centre"}


@pytest.mark.rule("LKR-43")
async def test_a_number_that_is_not_higher_is_nothing_at_all() -> None:
    afar = await Afar.start()
    order = afar.order()
    await afar.take(order)
    await afar.m.shut(DOOR)
    before = afar.m.journal.state
    again = [order, replace(order, door=CompartmentNumber(3), act=ActId("other")), afar.order(aseq=0)]
    again.append(afar.order(act=order.act))
    for stale in again:
        assert await afar.take(stale) is Taken.STALE
    await afar.restart()
    assert await afar.take(order) is Taken.STALE
    assert len(afar.m.hands.pulses) == 1
    assert afar.m.journal.state.acts == before.acts
    assert len(afar.results()) == 2


@pytest.mark.rule("LKR-44")
@pytest.mark.parametrize(
    ("approvers", "taken"),
    [
        ((), Taken.REFUSED),
        (("person:li",), Taken.REFUSED),
        (("person:li", "person:li"), Taken.REFUSED),
        (("person:li", " Person:LI "), Taken.REFUSED),
        (("person:li", "", " "), Taken.REFUSED),
        (("person:li", "person:zhao"), Taken.ACCEPTED),
    ],
)
async def test_it_names_two_different_approvers(approvers: tuple[str, ...], taken: Taken) -> None:
    afar = await Afar.start()
    assert await afar.take(afar.order(approvers=approvers)) is taken
    assert len(afar.m.hands.pulses) == (taken is Taken.ACCEPTED)
    assert taken is Taken.ACCEPTED or afar.why() == Why.ONE_APPROVER


@pytest.mark.rule("LKR-45")
async def test_it_is_good_for_two_minutes_from_the_second_approval_and_not_later() -> None:
    afar = await Afar.start()
    wall_ms = afar.m.clock.wall_ms()
    assert await afar.take(afar.order(agreed_ms=wall_ms - 120_001)) is Taken.EXPIRED
    # It was fresh when it came; what held it up here counts as well.
    late = afar.order(agreed_ms=wall_ms - 60_000)
    afar.m.clock.advance(60_001)
    assert await afar.take(late, waited_ms=60_001) is Taken.EXPIRED
    # The centre can ask for less than the policy gives, never for more.
    wall_ms = afar.m.clock.wall_ms()
    assert await afar.take(afar.order(agreed_ms=wall_ms - 5_001, ttl_ms=5_000)) is Taken.EXPIRED
    assert await afar.take(afar.order(agreed_ms=wall_ms - 120_001, ttl_ms=10**9)) is Taken.EXPIRED
    assert afar.m.hands.pulses == []
    assert await afar.take(afar.order(agreed_ms=wall_ms - 119_999)) is Taken.ACCEPTED


@pytest.mark.rule("LKR-45")
async def test_a_slow_disk_does_not_make_it_good_for_longer() -> None:
    """The grant is durable, and meanwhile the two minutes are over: no pulse leaves."""
    afar = await Afar.start()
    honest = afar.m.journal.commit

    async def slow(cause: str, decide: Any) -> Any:
        answer = await honest(cause, decide)
        if isinstance(answer, Opened):
            afar.m.clock.advance(1_001)
        return answer

    afar.m.journal.commit = slow  # type: ignore[method-assign]
    assert await afar.take(afar.order(agreed_ms=afar.m.clock.wall_ms() - 119_000)) is Taken.ACCEPTED
    assert afar.m.hands.pulses == []
    assert [e.why for e in afar.m.journal.events(ActFailed)] == ["not_sent"]


@pytest.mark.rule("LKR-45")
async def test_without_a_trusted_clock_nobody_knows_how_old_it_is() -> None:
    afar = await Afar.start()
    for quality in ("unset", "restored"):
        afar.m.clock.time_quality = quality
        assert await afar.take(afar.order()) is Taken.REFUSED
        assert afar.why() == Why.CLOCK_UNSET
    afar.m.clock.time_quality = "centre"
    assert await afar.take(afar.order(agreed_ms=afar.m.clock.wall_ms() + 10_001)) is Taken.REFUSED
    assert afar.why() == Why.CLOCK_DIFFERS
    assert afar.m.hands.pulses == []


@pytest.mark.rule("LKR-46")
async def test_three_an_hour_and_ten_a_day_whatever_the_clock_on_the_wall_says() -> None:
    afar = await Afar.start()
    clock, taken = afar.m.clock, list[Taken]()
    for hour in range(5):
        for door in range(1, 5):
            clock.wall_offset_ms += 86_400_000 * (1 if hour % 2 else -1)  # the centre sets it as it likes
            taken.append(await afar.take(afar.order(door)))
            await afar.m.shut(door)
            clock.advance(10)
        await afar.m.later(HOUR_MS - 1_000 if hour == 0 else HOUR_MS)
    # The first hour is not quite over at the fifth try; in the last one ten are used up.
    done = [t is Taken.ACCEPTED for t in taken]
    assert [sum(done[at : at + 4]) for at in range(0, 20, 4)] == [3, 0, 3, 3, 1]
    assert len(afar.m.hands.pulses) == 10
    assert afar.why() == Why.CAP_REACHED


@pytest.mark.rule("LKR-46")
async def test_a_restart_begins_no_new_hour() -> None:
    afar = await Afar.start()
    for door in (1, 2, 3):
        assert await afar.take(afar.order(door)) is Taken.ACCEPTED
        await afar.m.shut(door)
    await afar.m.later(HOUR_MS // 2)
    await afar.told(CompartmentBlocked(CompartmentNumber(9), "for the record", StaffId("t-1")))
    afar.m.clock.now_ms = 50  # the machine was off, nobody knows how long
    await afar.restart()
    assert await afar.take(afar.order(4)) is Taken.REFUSED
    await afar.m.later(HOUR_MS // 2 - 1_000)
    assert await afar.take(afar.order(4)) is Taken.REFUSED
    await afar.m.later(2_000)
    assert await afar.take(afar.order(4)) is Taken.ACCEPTED


@pytest.mark.rule("LKR-47")
async def test_what_is_not_known_is_refused_and_what_is_doubted() -> None:
    afar = await Afar.start()
    refused = [
        (afar.order(act=ActId("r"), kind="reboot"), False, Why.UNKNOWN_KIND),
        (afar.order(act=ActId("l"), kind="log_upload"), False, Why.UNKNOWN_KIND),
        (afar.order(99), False, Why.NO_SUCH_DOOR),
        (afar.order(0), False, Why.NO_SUCH_DOOR),
        (afar.order(), True, Why.HISTORY_DOUBTED),
    ]
    for order, doubted, why in refused:
        assert await afar.take(order, doubted=doubted) is Taken.REFUSED
        assert (afar.why(), afar.m.journal.state.acts.aseq) == (why, order.aseq)
    assert afar.m.hands.pulses == []


@pytest.mark.rule("LKR-47")
async def test_a_card_that_staff_have_not_confirmed_does_nothing() -> None:
    afar = await Afar.start()
    epoch = afar.m.journal.state.epoch
    await afar.told(EpochStarted(Epoch("cd" * 16), afar.m.world.locker, epoch, 5, "ef" * 32, "forked"))
    assert await afar.take(afar.order()) is Taken.REFUSED
    assert afar.m.hands.pulses == []


@pytest.mark.rule("LKR-48")
async def test_a_door_that_is_busy_open_faulty_blocked_or_unseen_is_left_alone() -> None:
    afar = await Afar.start()
    hands = afar.m.hands
    await afar.take(afar.order(1))
    assert (await afar.take(afar.order(1)), afar.why()) == (Taken.REFUSED, Reason.DOOR_OPEN)
    hands.readings[CompartmentNumber(2)] = DoorReading(Position.UNKNOWN)
    afar.m.report_all()
    await afar.settle()
    assert (await afar.take(afar.order(2)), afar.why()) == (Taken.REFUSED, Reason.BOARD_LOST)
    await afar.told(CompartmentFaulted(CompartmentNumber(3), "did not open"))
    assert (await afar.take(afar.order(3)), afar.why()) == (Taken.REFUSED, Why.DOOR_FAULTY)
    await afar.told(CompartmentBlocked(CompartmentNumber(4), "dirty", StaffId("t-1")))
    assert (await afar.take(afar.order(4)), afar.why()) == (Taken.REFUSED, Why.OUT_OF_SERVICE)
    await afar.told(MainsLost())
    assert (await afar.take(afar.order(5)), afar.why()) == (Taken.REFUSED, Reason.POWER_FAILING)
    assert [door for door, _ in hands.pulses] == [1]


@pytest.mark.rule("LKR-48")
async def test_whoever_stands_there_is_not_mixed_up_with_it() -> None:
    afar = await Afar.start()
    offer = await present_typed(afar.m.world, await afar.m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(afar.m.world, offer)
    assert isinstance(opened, Opened)
    await afar.settle()
    await afar.m.shut(opened.door)  # and found empty: they look for their papers
    assert (await afar.take(afar.order(opened.door)), afar.why()) == (Taken.REFUSED, Reason.DOOR_BUSY)
    assert len(afar.m.hands.pulses) == 1


async def test_what_lay_there_is_to_be_looked_at_and_its_code_stays_good() -> None:
    afar = await Afar.start()
    loaded = await load(afar.m)
    await afar.m.later(130_000)
    assert await afar.take(afar.order(loaded.door)) is Taken.ACCEPTED
    done = afar.m.journal.events(ActDone)[-1]
    assert done.deposit == loaded.deposit
    assert afar.status(loaded.door) is Status.TO_CHECK
    await afar.m.shut(loaded.door)
    assert afar.m.journal.state.deposits[loaded.deposit].phase == "awaiting_pickup"
    offer = await present_scanned(afar.m.world, afar.m.pickup_codes(loaded.deposit)["scan"])
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(afar.m.world, offer), Opened)


@pytest.mark.parametrize(
    ("sensors", "puts", "after"),
    [
        (True, False, Status.VACANT),
        (True, True, Status.TO_CHECK),
        (False, False, Status.TO_CHECK),
    ],
)
async def test_an_empty_compartment_stays_so_only_for_a_sensor(
    sensors: bool, puts: bool, after: Status
) -> None:
    afar = await Afar.start(item_sensors=sensors)
    await afar.take(afar.order())
    if puts:
        afar.m.hands.put(DOOR)
    await afar.m.shut(DOOR)
    assert afar.status() is after


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (PulseResult(PulseOutcome.REFUSED, "exception_2"), "refused"),
        (PulseResult(PulseOutcome.NOT_SENT, "cool_down"), "not_sent"),
    ],
)
async def test_a_door_that_does_not_open_is_told_and_not_tried_again(outcome: PulseResult, why: str) -> None:
    afar = await Afar.start()
    afar.m.hands.next_result = outcome
    await afar.take(afar.order())
    assert [e.why for e in afar.m.journal.events(ActFailed)] == [why]
    afar.m.hands.jammed.add(3)
    await afar.take(afar.order(3))
    await afar.m.later(6_000)
    await afar.settle()
    assert [e.why for e in afar.m.journal.events(ActFailed)] == [why, "stuck"]
    assert [door for door, _ in afar.m.hands.pulses].count(3) == 1


@pytest.mark.rule("LKR-49")
async def test_after_a_crash_it_is_unknown_and_never_done_again() -> None:
    """Cut between the grant and the pulse: the door stays shut, whatever comes again."""
    afar = await Afar.start()
    order = afar.order()

    async def cut(*_: object) -> PulseResult:
        raise JournalFailing

    afar.m.hands.pulse = cut  # type: ignore[method-assign,assignment]
    with suppress(JournalFailing):
        await afar.acts.take(order, afar.m.clock.mono_ms(), doubted=False)
    del afar.m.hands.pulse
    for _ in range(2):
        await afar.restart()
        await afar.settle()
        assert await afar.take(order) is Taken.STALE
    assert afar.m.hands.pulses == []
    assert [type(fact) for fact in afar.results()] == [ActAccepted, ActUnknown]
    assert afar.m.journal.events(CompartmentDoubted)


@pytest.mark.rule("LKR-49")
async def test_a_door_found_open_after_a_crash_tells_what_came_of_it() -> None:
    afar = await Afar.start()
    afar.m.journal._subscribers.clear()
    honest = afar.m.hands.report
    afar.m.hands.report = lambda _moved: None  # nobody hears of it any more
    await afar.acts.take(afar.order(), afar.m.clock.mono_ms(), doubted=False)
    afar.m.hands.report = honest
    await afar.restart()
    await afar.settle()
    assert [type(fact) for fact in afar.results()] == [ActAccepted, ActUnknown, ActDone]
    act = afar.m.journal.state.acts.recent[0]
    assert act.phase is Phase.DONE
    assert len(afar.m.journal.events(DoorOpened)) == 1


async def test_what_its_door_had_told_before_the_crash_is_not_forgotten() -> None:
    afar = await Afar.start()
    await afar.acts.take(afar.order(), afar.m.clock.mono_ms(), doubted=False)
    await afar.m.settle()
    await afar.restart()
    assert [type(fact) for fact in afar.results()] == [ActAccepted, ActDone]


async def test_nothing_is_done_that_cannot_be_written_down() -> None:
    afar = await Afar.start()
    afar.m.journal.failing = True
    with pytest.raises(JournalFailing):
        await afar.acts.take(afar.order(), afar.m.clock.mono_ms(), doubted=False)
    assert afar.m.hands.pulses == []
