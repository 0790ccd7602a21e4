"""Cards that come back and disks that are new: a locker with doors and the hub settle what is true."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from locker.domain.compartment import Status
from locker.domain.deposit import Phase
from locker.domain.directives import StateEntry
from locker.domain.errors import Reason, Refusal
from locker.domain.events import EpochStarted
from locker.domain.history import DOUBT, Break
from locker.domain.state import LockerState
from locker.operations import directives, pick_up
from locker.operations.new_epoch import Beginnings
from locker.operations.open_door import Opened
from locker.operations.ports import Decided
from locker.operations.present_code import PickupOffer, present_scanned
from sync import seal, wire
from sync.central import queries
from sync.central import tables as t
from sync.central.desk import Desk, Keys
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from sync.central.store import Store
from sync.edge import Edge, ForkFound, Identity, Reports
from tests.locker.operations.test_visits import load
from tests.locker.operations.world import MemoryWorld
from tests.sync.edges import CENTRE_KEY, LOCKER, OWN_KEY, Inline, VirtualClock, settle
from tests.sync.joined import HubLine, Image, Pages, enrolled, image, no_act, put_back
from tests.world.ledgers import unequal


class Hall(MemoryWorld):
    """A locker whose rights were there before; its down-log is the hub's alone."""

    async def say(self, says: StateEntry) -> None:
        await self.journal.commit("centre", lambda _: Decided(None, (says,)))


class Centre:
    """The hub's real store, ingest and pump."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self.store = store
        self.line: HubLine | None = None
        self.pump = Pump(store, desk, self._said)
        self.ingest = Ingest(store, desk, self._said, self.pump, lambda: None)

    def _said(self, _locker: str, words: Any) -> None:
        assert self.line is not None
        names = {wire.Hello: wire.Name.HELLO, wire.DownAck: wire.Name.ACK, wire.DownBatch: wire.Name.LOG}
        self.line.from_centre(names[type(words)], words)

    def all(self, table: Any) -> list[Any]:
        return list(self.store.read_now(lambda c: c.execute(select(table)).all()))

    @property
    def alarms(self) -> set[str]:
        """Without those of rights that this office never gave."""
        found = {row.kind for row in self.store.read_now(lambda c: queries.alarms(c, LOCKER))}
        return found - {"right_extra"}

    def differences(self, state: LockerState) -> list[str]:
        return self.store.read_now(lambda c: list(unequal(c, LOCKER, state, [])))


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    keys = Keys(CENTRE_KEY, seal.SealKey.from_private(b"p" * 32))
    desk = Desk(keys, VirtualClock())  # type: ignore[arg-type]  # nothing waits here
    with enrolled(tmp_path, desk) as store:
        yield Centre(store, desk)


async def connected(centre: Centre, m: MemoryWorld) -> list[str]:
    """The locker is on the link for a while; what it found of its history."""
    line, clock, found = HubLine(centre), VirtualClock(), list[str]()
    beginnings, tasks = Beginnings(m.world, m.journal), set[asyncio.Task[None]]()

    def on_fork(fork: ForkFound) -> None:
        found.append(fork.outcome.value)
        tasks.add(asyncio.ensure_future(beginnings.found(Break(fork.outcome.value), fork.epoch)))

    pages = Pages(m.journal)
    numbers = iter(range(1, 1_000_000))
    edge = Edge(
        line,
        m.journal,
        pages,
        clock,
        Inline(),
        Identity(LOCKER, OWN_KEY, dict(seal.keyring(CENTRE_KEY.public)), "1.0"),
        lambda says, epoch, link: directives.apply(m.world, says, epoch, link),
        Reports(lambda _now, _off: None, on_fork),
        draw=lambda _below: 0,
        random_bytes=lambda size: next(numbers).to_bytes(size),
        disk_used_percent=lambda: 42,
        take=no_act,
    )
    serving = asyncio.create_task(edge.run())
    await settle()
    line.connect()
    line.centre_is(online=True)
    await clock.advance(90_000)
    assert edge.status.unsynced == 0
    assert edge.status.fork == ""
    await edge.stop()
    await serving
    return found


async def collect(m: MemoryWorld, opened: Opened) -> None:
    offer = await present_scanned(m.world, m.pickup_codes(opened.deposit)["scan"])
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)
    await m.settle()
    m.hands.take(opened.door)
    await m.shut(opened.door)
    if m.journal.state.deposits[opened.deposit].phase is Phase.AWAITING_PICKUP:
        assert await pick_up.confirm_taken(m.world, opened.deposit) is None


@dataclass
class Story:
    """An image is taken; then one item is collected and another laid in; then the image is put back."""

    m: MemoryWorld
    old: Image
    true: Image
    collected: Opened
    loaded: Opened
    codes: tuple[str, str]


async def story(centre: Centre) -> Story:
    m = await Hall.start(item_sensors=False)
    collected = await load(m, "I-1", "C-1")
    assert await connected(centre, m) == []
    old = image(m)
    first = m.pickup_codes(collected.deposit)["scan"]
    await collect(m, collected)
    loaded = await load(m, "I-2", "C-2")
    second = m.pickup_codes(loaded.deposit)["scan"]
    await m.restart()
    await m.restart()
    assert await connected(centre, m) == []
    assert centre.differences(m.journal.state) == []
    return Story(m, old, image(m), collected, loaded, (first, second))


@pytest.mark.rule("LKR-16")
@pytest.mark.rule("LKR-50")
@pytest.mark.rule("CEN-20")
async def test_an_old_card_learns_what_it_forgot(centre: Centre) -> None:
    told = await story(centre)
    m, (over, living) = told.m, told.codes
    await put_back(m, told.old)
    assert await connected(centre, m) == ["lost_rows"]
    state = m.journal.state
    (born,) = m.journal.events(EpochStarted)
    assert (born.parent_epoch, born.why) == (told.old[1].epoch, "lost_rows")
    assert not state.history.awaited
    assert state.deposits[told.collected.deposit].phase is Phase.COLLECTED
    assert await present_scanned(m.world, over) == Refusal(Reason.CODE_NOT_ACCEPTED)
    offer = await present_scanned(m.world, living)
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)
    assert {c.status for c in state.compartments.values()} == {Status.TO_CHECK}
    assert centre.differences(state) == []
    streams = {row.epoch: row for row in centre.all(t.STREAM)}
    assert streams[born.parent_epoch].mark == "lost_rows"
    assert streams[born.parent_epoch].stored_to == told.true[1].seq, "the longer history is kept"
    assert (streams[born.epoch].parent_head, streams[born.epoch].ordinal) == (born.parent_head, 2)
    assert centre.alarms == {"lost_rows"}


@pytest.mark.rule("LKR-51")
@pytest.mark.rule("CEN-21")
async def test_the_card_that_was_away_learns_what_the_other_one_did(centre: Centre) -> None:
    told = await story(centre)
    m = told.m
    await put_back(m, told.old)
    assert await connected(centre, m) == ["lost_rows"]
    offer = await present_scanned(m.world, told.codes[1])
    assert isinstance(offer, PickupOffer)
    assert isinstance(await pick_up.open_compartment(m.world, offer), Opened)
    await m.settle()
    m.hands.take(told.loaded.door)
    await m.shut(told.loaded.door)
    assert await pick_up.confirm_taken(m.world, told.loaded.deposit) is None
    assert await connected(centre, m) == []
    second = m.journal.state.epoch
    await put_back(m, told.true)
    assert await connected(centre, m) == ["superseded"]
    state = m.journal.state
    assert state.history.unconfirmed, "two cards may be about: no act before staff say so"
    assert state.deposits[told.loaded.deposit].phase is Phase.COLLECTED
    assert await present_scanned(m.world, told.codes[1]) == Refusal(Reason.CODE_NOT_ACCEPTED)
    assert centre.differences(state) == []
    parents = {row.epoch: row.parent_epoch for row in centre.all(t.STREAM)}
    assert parents == {told.true[1].epoch: "", second: told.true[1].epoch, state.epoch: told.true[1].epoch}
    assert centre.alarms == {"lost_rows", "fork"}


@pytest.mark.rule("LKR-50")
@pytest.mark.rule("CEN-20")
async def test_what_an_old_card_did_by_itself_is_not_lost(centre: Centre) -> None:
    """It went on without the centre: the same number, another entry; it gave a door away that was taken."""
    told = await story(centre)
    m = told.m
    await put_back(m, told.old)
    m.hands.take(told.loaded.door)  # there it lies; here nobody knows
    other = await load(m, "I-9", "C-9")
    while m.journal.state.seq <= told.true[1].seq:
        await m.later(1_000)
        await m.restart()
    assert await connected(centre, m) == ["forked"]
    state = m.journal.state
    assert state.deposits[other.deposit].phase is Phase.AWAITING_PICKUP
    rows = {row.deposit: row.phase for row in centre.all(t.DEPOSIT)}
    assert rows[other.deposit] == "awaiting_pickup"
    assert state.history.unconfirmed
    assert state.deposits[told.collected.deposit].phase is Phase.COLLECTED
    assert other.door == told.loaded.door
    (lost,) = centre.differences(state)
    assert told.loaded.deposit in lost, "nobody closes over it: a person must look for it"
    tickets = {(row.kind, row.door, row.deposit) for row in centre.all(t.TICKET)}
    assert ("history_conflict", other.door, told.loaded.deposit) in tickets
    assert state.compartments[other.door].status is Status.TO_CHECK


@pytest.mark.rule("LKR-52")
@pytest.mark.rule("CEN-22")
async def test_a_new_disk_is_told_what_lies_where(centre: Centre) -> None:
    told = await story(centre)
    m = await Hall.start(2, item_sensors=False)
    assert await connected(centre, m) == []
    state = m.journal.state
    assert state.deposits[told.loaded.deposit].phase is Phase.AWAITING_PICKUP
    assert set(state.deposits) == {told.loaded.deposit}
    assert {c.doubt for c in state.compartments.values()} == {DOUBT}
    assert isinstance(await present_scanned(m.world, told.codes[1]), PickupOffer)
    assert await present_scanned(m.world, told.codes[0]) == Refusal(Reason.CODE_NOT_ACCEPTED)
    assert centre.differences(state) == []
