"""A disk that is nearly full: nothing is taken in, and what lies there is given out."""

from dataclasses import replace

import pytest

from locker.domain.errors import Reason, Refusal
from locker.domain.events import ItemPickedUp, OpeningRequested
from locker.operations import drop_off, load_outgoing, pick_up
from locker.operations.open_door import Opened
from locker.operations.present_code import (
    DropOffOffer,
    LoadOffer,
    PickupOffer,
    present_scanned,
    present_typed,
)
from tests.locker.operations.test_visits import HELPER, hand_in, load
from tests.locker.operations.world import MemoryWorld

FULL = Refusal(Reason.DISK_FULL)


@pytest.fixture
async def m() -> MemoryWorld:
    """Papers of one and an item of another lie there; then the disk fills."""
    m = await MemoryWorld.start()
    await m.announce()
    await hand_in(m, "C-7")
    m.loaded = await load(m)  # type: ignore[attr-defined]  # carried to the tests
    m.world = replace(m.world, takes_in=lambda: False)
    return m


async def test_nothing_is_dropped_off(m: MemoryWorld) -> None:
    offer = await present_typed(m.world, await m.grant("C-8"))
    assert isinstance(offer, DropOffOffer)
    before = len(m.journal.events(OpeningRequested))
    assert await drop_off.open_compartment(m.world, offer) == FULL
    assert len(m.journal.events(OpeningRequested)) == before


async def test_nothing_is_loaded(m: MemoryWorld) -> None:
    label = await present_scanned(m.world, m.token("I-2", case="C-2"))
    assert isinstance(label, LoadOffer)
    assert await load_outgoing.open_compartment(m.world, HELPER, label) == FULL


async def test_what_lies_there_is_collected(m: MemoryWorld) -> None:
    opened: Opened = m.loaded  # type: ignore[attr-defined]  # of the fixture
    offer = await present_typed(m.world, m.pickup_codes(opened.deposit)["typed"])
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)
    await m.settle()
    m.hands.take(opened.door)
    await m.shut(opened.door)
    assert len(m.journal.events(ItemPickedUp)) == 1
