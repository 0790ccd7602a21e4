"""Fifty catch up at a time, the others in turn: the line itself, and what the hub says of it."""

from collections import deque
from dataclasses import dataclass, replace
from random import Random  # noqa: TID251  # seeded

import pytest

from locker.domain.events import EpochStarted, Stopped
from locker.domain.ids import Epoch, LockerId
from sync import wire
from sync.central import lockers
from sync.central.hello import WINDOW
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from sync.central.slots import AT_ONCE, BEHIND, SILENT_MS, Slots
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker

STEP_MS = 100
BATCH = 100


@dataclass
class Scripted:
    """A locker with a backlog; ``dies`` while it has its turn and says nothing any more."""

    name: str
    head: int
    dies: bool
    stored: int = 0
    asked_ms: int = 0
    open: bool = False


@pytest.mark.rule("CEN-23")
@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_lockers_that_come_back_at_once_all_get_their_turn(seed: int) -> None:
    chance, slots = Random(seed), Slots()
    fleet = {
        f"l-{n}": Scripted(f"l-{n}", chance.randrange(2_000), dies=chance.random() < 0.05) for n in range(200)
    }
    now_ms, most, order = 0, 0, deque[str]()
    for each in fleet.values():
        each.open = slots.ask(each.name, 0, each.head, now_ms)
        if not each.open:
            order.append(each.name)
    done = {name for name, each in fleet.items() if each.head <= BEHIND and each.open}
    while len(done) < sum(not each.dies or each.head <= BEHIND for each in fleet.values()):
        now_ms += STEP_MS
        assert now_ms < 3_600_000, "nobody starves"
        for each in fleet.values():
            if each.name in done or (each.open and each.dies):
                continue
            if not each.open:
                if now_ms % 10_000 == 0 and slots.ask(each.name, each.stored, each.head, now_ms):
                    each.open = True
                    order.remove(each.name)
                continue
            each.stored = min(each.head, each.stored + BATCH)
            for name in slots.stored(each.name, each.stored, now_ms):
                fleet[name].open = True
                assert order.popleft() == name, "in turn"
            if each.stored == each.head:
                done.add(each.name)
        most = max(most, slots.holding)
        assert slots.holding <= AT_ONCE
    assert most == AT_ONCE


def test_asking_again_costs_no_place_and_no_second_turn() -> None:
    slots = Slots(1)
    assert slots.ask("a", 0, 1_000, 0)
    assert not slots.ask("b", 0, 1_000, 1)
    assert not slots.ask("c", 0, 1_000, 2)
    assert not slots.ask("b", 0, 1_000, 3)
    assert slots.ask("a", 0, 1_000, 4)
    slots.leave("a")
    assert slots.grant(5) == ["b"]
    assert slots.stored("b", 1_000 - BEHIND - 1, 6) == []
    assert slots.stored("b", 1_000 - BEHIND, 7) == ["c"]


def test_who_waited_comes_before_who_asks_now() -> None:
    slots = Slots(1)
    assert slots.ask("a", 0, 1_000, 0)
    assert not slots.ask("b", 0, 1_000, 1)
    slots.ask("a", 900, 1_000, 2)
    assert not slots.ask("c", 0, 1_000, 3)
    assert slots.ask("b", 0, 1_000, 4)


def test_a_turn_that_nobody_uses_is_lost() -> None:
    slots = Slots(1)
    assert slots.ask("a", 0, 1_000, 0)
    assert not slots.ask("b", 0, 1_000, 1)
    assert slots.grant(SILENT_MS - 1) == []
    assert slots.grant(SILENT_MS) == ["b"]


# --- the hub -----------------------------------------------------------------------------------------------


@dataclass
class Herd:
    """Three lockers at a hub that lets one catch up at a time."""

    parts: Parts
    ingest: Ingest
    said: list[tuple[str, wire.Payload]]

    async def says(self, locker: FakeLocker, name: wire.Name, words: wire.Payload) -> list[wire.Payload]:
        """What each of the lockers is answered."""
        self.said.clear()
        await self.ingest.take(wire.up(locker.locker, name).topic, locker.frame(words))
        return [words for _, words in self.said]


@pytest.fixture
def herd(parts: Parts) -> Herd:
    said: list[tuple[str, wire.Payload]] = []
    pump = Pump(parts.store, parts.desk, lambda who, words: said.append((who, words)))
    ingest = Ingest(parts.store, parts.desk, lambda who, words: said.append((who, words)), pump, lambda: None)
    ingest.slots = Slots(1)
    return Herd(parts, ingest, said)


def member(herd: Herd, name: str, entries: int) -> FakeLocker:
    locker = FakeLocker(locker=name)
    herd.parts.store.write_now(lambda c: lockers.enrol(c, herd.parts.desk, name, "north", locker.public))
    locker.add(EpochStarted(Epoch(locker.epoch), LockerId(name)))
    return locker.add(*(Stopped(str(n)) for n in range(entries - 1)))


@pytest.mark.rule("CEN-23")
@pytest.mark.rule("LKR-17")
async def test_a_locker_with_a_backlog_waits_and_is_called_by_an_acknowledgement(herd: Herd) -> None:
    first, second, small = (member(herd, f"l-{n}", count) for n, count in enumerate((202, 203, 3)))
    windows = [
        (await herd.says(each, wire.Name.LINK, each.link()))[0].window  # type: ignore[union-attr]  # a hello
        for each in (first, second, small)
    ]
    assert windows == [WINDOW, 0, WINDOW], "who lacks little needs no turn"
    (still,) = await herd.says(second, wire.Name.LINK, second.link())
    assert isinstance(still, wire.Hello)
    assert still.window == 0
    await herd.says(first, wire.Name.LOG, first.batch(1, 1))
    assert [who for who, _ in herd.said] == ["l-0"]
    await herd.says(first, wire.Name.LOG, first.batch(2, 100))
    (own, called) = herd.said
    assert own[0] == "l-0"
    assert called[0] == "l-1"
    assert isinstance(called[1], wire.DownAck)
    ack = called[1]
    assert (ack.up_epoch, ack.stored_to, ack.hash, ack.window) == (second.epoch, 0, wire.ZERO, WINDOW)


async def test_a_turn_ends_with_its_connection(herd: Herd) -> None:
    first, second = member(herd, "l-0", 202), member(herd, "l-1", 202)
    for each in (first, second):
        await herd.says(each, wire.Name.LINK, each.link())
    (called,) = await herd.says(first, wire.Name.LINK, replace(first.link(), online=False, nonce=""))
    assert isinstance(called, wire.DownAck)
    assert (called.locker, called.window) == ("l-1", WINDOW)
