"""A new controller under a name that another one had opens nothing before it has heard what lies there."""

import pytest

from locker.domain import events as ev
from locker.domain.deposit import Phase
from locker.domain.errors import Reason, Refusal
from locker.domain.history import DOUBT, Break
from locker.domain.tokens import TokenPurpose
from locker.operations import drop_off
from locker.operations.open_door import Opened
from locker.operations.present_code import DropOffOffer, present_scanned
from locker.operations.recover import recover
from tests.locker.operations.test_new_epoch import restored
from tests.locker.operations.world import MemoryWorld


async def replaced(*, item_sensors: bool = True) -> MemoryWorld:
    m = MemoryWorld(1, item_sensors=item_sensors)
    await recover(m.world, "test", m.journal.boot, m.cabinet, known=True)
    m.report_all()
    await m.settle()
    return m


async def drops_off(m: MemoryWorld, name: str) -> object:
    offer = await present_scanned(m.world, m.token(name, TokenPurpose.DROP_OFF))
    assert isinstance(offer, DropOffOffer)
    return await drop_off.open_compartment(m.world, offer)


@pytest.mark.rule("LKR-112")
async def test_it_opens_nothing_before_it_has_heard_what_lies_there() -> None:
    m = await replaced()
    born = m.journal.entries[0].event
    assert isinstance(born, ev.EpochStarted)
    assert (born.parent_epoch, born.why) == ("", Break.REPLACED)
    assert await drops_off(m, "a-1") == Refusal(Reason.HISTORY_AWAITED)
    await m.restart()
    assert await drops_off(m, "a-2") == Refusal(Reason.HISTORY_AWAITED)
    assert m.hands.pulses == []
    await m.say(restored("d-1", 1, Phase.AWAITING_PICKUP))
    await m.say(ev.HistoryRestored(m.journal.state.epoch))
    assert m.journal.state.compartments[1].holding  # type: ignore[index]  # a door
    opened = await drops_off(m, "a-3")
    assert isinstance(opened, Opened)
    assert m.hands.pulses


@pytest.mark.rule("LKR-112", "LKR-52")
async def test_without_sensors_every_other_door_is_to_be_looked_into() -> None:
    m = await replaced(item_sensors=False)
    await m.say(restored("d-1", 1, Phase.AWAITING_PICKUP))
    await m.say(ev.HistoryRestored(m.journal.state.epoch))
    assert {each.doubt for each in m.journal.state.compartments.values()} == {DOUBT}
    assert isinstance(await drops_off(m, "a-1"), Refusal)


async def test_a_locker_that_nobody_knew_begins_as_ever() -> None:
    m = await MemoryWorld.start()
    assert isinstance(await drops_off(m, "a-1"), Opened)
