"""What contacts around the doors say, and what follows for people: no new opening on a failing supply."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locker.domain import events as ev
from locker.domain.errors import Reason, Refusal
from locker.domain.fold import surroundings as folds
from locker.domain.surroundings import Sensed, SupplyLost, Surroundings, Watched
from locker.operations import drop_off
from locker.operations.follow_surroundings import SurroundingsFollower, conclude
from locker.operations.present_code import DropOffOffer, present_typed
from tests.locker.operations.world import MemoryWorld

AROUND = tuple(folds.APPLY)


async def offered(m: MemoryWorld) -> DropOffOffer:
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    return offer


@pytest.mark.parametrize("what", list(Watched))
async def test_each_change_is_journaled_once(what: Watched) -> None:
    m = await MemoryWorld.start()
    follower = SurroundingsFollower(m.world)
    for on in (False, True, True, False, False, True):
        await follower.settle(Sensed(what, on, "open"))
    facts = m.journal.events(*AROUND)
    assert len(facts) == 3
    assert all(one != other for one, other in pairwise(facts))
    assert facts[0] == facts[2]


async def test_what_is_on_at_a_start_is_said_at_every_start() -> None:
    m = await MemoryWorld.start()
    await SurroundingsFollower(m.world).settle(Sensed(Watched.TAMPER, True, "open"))
    await m.restart()
    assert m.journal.state.surroundings == Surroundings()
    await SurroundingsFollower(m.world).settle(Sensed(Watched.TAMPER, True, "unreadable"))
    assert m.journal.events(*AROUND) == [ev.TamperOpened("open"), ev.TamperOpened("unreadable")]


async def test_without_mains_nothing_new_is_opened_and_no_right_is_used_up() -> None:
    m = await MemoryWorld.start()
    follower, offer = SurroundingsFollower(m.world), await offered(m)
    await follower.settle(Sensed(Watched.MAINS, True))
    refusal = await drop_off.open_compartment(m.world, offer)
    assert refusal == Refusal(Reason.POWER_FAILING)
    assert m.journal.events(ev.OpeningRequested) == []
    assert m.hands.pulses == []
    await follower.settle(Sensed(Watched.MAINS, False))
    assert not isinstance(await drop_off.open_compartment(m.world, offer), Refusal)
    assert len(m.hands.pulses) == 1


async def test_a_visit_under_way_ends_as_it_would_with_mains() -> None:
    m = await MemoryWorld.start()
    opened = await drop_off.open_compartment(m.world, await offered(m))
    assert not isinstance(opened, Refusal)
    await m.settle()
    await SurroundingsFollower(m.world).settle(Sensed(Watched.MAINS, True))
    m.hands.put(opened.door)
    await m.shut(opened.door)
    assert len(m.journal.events(ev.ReceiptIssued)) == 1


async def test_a_cut_supply_is_said_once_and_opens_nothing_until_the_next_start() -> None:
    m = await MemoryWorld.start()
    follower, offer = SurroundingsFollower(m.world), await offered(m)
    for reason in ("relay stuck on A/3", "again"):
        await follower.settle(SupplyLost(reason))
    assert m.journal.events(ev.LockSupplyCut) == [ev.LockSupplyCut("relay stuck on A/3")]
    assert await drop_off.open_compartment(m.world, offer) == Refusal(Reason.BOARD_LOST)
    assert m.hands.pulses == []
    await m.restart()
    assert not isinstance(await drop_off.open_compartment(m.world, offer), Refusal)


async def test_battery_tamper_and_key_stop_nobody() -> None:
    m = await MemoryWorld.start()
    for what in set(Watched) - {Watched.MAINS}:
        await SurroundingsFollower(m.world).settle(Sensed(what, True))
    assert not isinstance(await drop_off.open_compartment(m.world, await offered(m)), Refusal)


@given(reports=st.lists(st.builds(Sensed, st.sampled_from(Watched), st.booleans()), max_size=20))
async def test_the_state_says_what_was_reported_last(reports: list[Sensed]) -> None:
    m = await MemoryWorld.start()
    follower = SurroundingsFollower(m.world)
    for report in reports:
        await follower.settle(report)
        assert conclude(m.journal.state, report) == ()
    last = {report.what: report.on for report in reports}
    known = m.journal.state.surroundings
    assert known == Surroundings(
        last.get(Watched.TAMPER, False),
        last.get(Watched.MAINS, False),
        last.get(Watched.BATTERY, False),
        last.get(Watched.SERVICE_KEY, False),
    )
