"""An old card image, or a second card: found at the next hello, and told on both sides."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from locker.domain.events import Stopped
from sync import seal, wire
from sync.central import queries
from sync.central import tables as t
from sync.central.desk import Desk, Keys
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from sync.central.store import Store
from sync.edge import Edge
from sync.link.settings import PublishResult
from tests.sync.edges import (
    CENTRE_KEY,
    LOCKER,
    FakeLink,
    Inline,
    MemoryJournal,
    Told,
    VirtualClock,
    edge_of,
    settle,
)
from tests.sync.joined import enrolled


@dataclass
class Centre:
    """The hub's real store and ingest."""

    store: Store
    desk: Desk
    say: list[Callable[[str, wire.Payload], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        pump = Pump(self.store, self.desk, self._said)
        self.ingest = Ingest(self.store, self.desk, self._said, pump, lambda: None)

    def _said(self, locker: str, words: wire.Hello | wire.DownBatch | wire.DownAck) -> None:
        self.say[-1](locker, words)

    @property
    def alarms(self) -> dict[str, int]:
        rows = self.store.read_now(lambda c: queries.alarms(c, LOCKER))
        return {row.kind: int(row._mapping["count"]) for row in rows}

    @property
    def mark(self) -> str:
        return str(self.store.read_now(lambda c: c.execute(select(t.STREAM.c.mark)).scalar_one()))

    @property
    def stored_to(self) -> int:
        return int(self.store.read_now(lambda c: c.execute(select(t.STREAM.c.stored_to)).scalar_one()))


class Wired(FakeLink):
    """Everything that is said goes to the hub at once, and its answers come back."""

    def __init__(self, centre: Centre) -> None:
        super().__init__()
        self._centre = centre

    def _answer(self, _locker: str, words: wire.Payload) -> None:
        names = {wire.Hello: wire.Name.HELLO, wire.DownAck: wire.Name.ACK, wire.DownBatch: wire.Name.LOG}
        self.from_centre(names[type(words)], words)

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        result = await super().publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)
        self._centre.say.append(self._answer)
        await self._centre.ingest.take(topic, payload)
        return result


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    keys = Keys(CENTRE_KEY, seal.SealKey.from_private(b"p" * 32))
    desk = Desk(keys, VirtualClock())  # type: ignore[arg-type]  # nothing waits here
    with enrolled(tmp_path, desk) as store:
        yield Centre(store, desk)


def card(entries: int) -> MemoryJournal:
    """The card as it was after so many entries."""
    journal = MemoryJournal().begin()
    journal.grow(entries - 1)
    return journal


async def served(centre: Centre, journal: MemoryJournal, boot: int) -> tuple[Edge, Told]:
    """One boot of a locker with this card, long enough for everything to go up."""
    journal.boot = boot
    link, told, clock = Wired(centre), Told(), VirtualClock()
    edge = edge_of(link, journal, clock, told, Inline())
    serving = asyncio.create_task(edge.run())
    await settle()
    link.connect()
    link.centre_is(online=True)
    await clock.advance(60_000)
    await edge.stop()
    await serving
    return edge, told


@pytest.mark.rule("LKR-16")
@pytest.mark.rule("CEN-12")
@pytest.mark.parametrize(
    ("went_on", "outcome", "alarm"),
    [
        (0, "lost_rows", "lost_rows"),
        (4, "lost_rows", "lost_rows"),
        (5, "forked", "fork"),
        (9, "forked", "fork"),
    ],
)
@pytest.mark.parametrize("boots", [(3, 4), (8, 9)], ids=["it counts boots anew", "it has started more often"])
async def test_an_old_image_of_the_card_is_found_however_far_it_went_on(
    centre: Centre, went_on: int, outcome: str, alarm: str, boots: tuple[int, int]
) -> None:
    """It went on without the centre: with fewer entries than are stored there, as many, or more."""
    edge, told = await served(centre, card(15), 7)
    assert (centre.stored_to, edge.status.fork, told.forks, centre.alarms) == (15, "", [], {})
    old = card(10)
    old.write(*(Stopped(f"other {n}") for n in range(went_on)))
    for boot in boots:
        edge, told = await served(centre, old, boot)
        assert {str(fork.outcome) for fork in told.forks} == {outcome}
        assert edge.status.fork == outcome
        assert list(centre.alarms) == [alarm]
    assert centre.mark == alarm
    assert centre.stored_to == 15
    assert centre.alarms[alarm] >= 2


@pytest.mark.rule("CEN-5")
async def test_a_birth_that_comes_late_or_twice_is_no_old_card(centre: Centre) -> None:
    true = card(5)
    link = Wired(centre)
    clock = VirtualClock()
    edge = edge_of(link, true, clock, Told(), Inline())
    serving = asyncio.create_task(edge.run())
    await settle()
    link.connect()
    link.centre_is(online=True)
    await clock.advance(5_000)
    (birth,) = [said for said in link.said if said.topic.endswith("link")]
    true.grow(10)
    link.lose()
    link.connect()
    link.centre_is(online=True)
    await clock.advance(5_000)
    await link.publish(birth.topic, birth.payload, qos=1)
    await clock.advance(5_000)
    assert (centre.alarms, centre.mark, centre.stored_to) == ({}, "", 15)
    assert (edge.status.fork, edge.status.unsynced, dict(edge.dropped)) == ("", 0, {"hello:stale": 1})
    await edge.stop()
    await serving


async def test_a_cloned_card_is_found_whichever_of_the_two_comes_second(centre: Centre) -> None:
    one, other = card(5), card(5)
    await served(centre, one, 1)
    one.grow(20)
    other.write(*(Stopped(f"other {n}") for n in range(30)))
    assert (await served(centre, other, 2))[0].status.fork == ""  # the first to tell is believed
    assert centre.stored_to == 35
    one.grow(40)
    assert (await served(centre, one, 3))[0].status.fork == "forked"
    assert list(centre.alarms) == ["fork"]
    assert (await served(centre, other, 4))[0].status.fork == ""
    assert centre.stored_to == 35


async def test_the_right_card_put_back_is_believed_again(centre: Centre) -> None:
    true = card(15)
    await served(centre, true, 1)
    await served(centre, card(10), 2)
    true.grow(3)
    edge, _ = await served(centre, true, 3)
    assert (edge.status.fork, centre.stored_to) == ("", 18)
    assert list(centre.alarms) == ["lost_rows"], "a person has seen it, or has yet to"


async def test_what_a_copy_claims_holds_nothing_of_the_true_locker_back(centre: Centre) -> None:
    true, copy = card(15), card(10)
    await served(centre, true, 1)
    copy.write(*(Stopped(f"other {n}") for n in range(50)))
    assert (await served(centre, copy, 9))[0].status.fork == "forked"
    row = centre.store.read_now(lambda c: c.execute(select(t.LOCKER)).one())
    assert (row.head, row.boot, row.conn) == (15, 0, 0)
    true.grow(1)
    await served(centre, true, 2)
    row = centre.store.read_now(lambda c: c.execute(select(t.LOCKER)).one())
    assert (row.head, row.boot, centre.stored_to) == (16, 2, 16)
