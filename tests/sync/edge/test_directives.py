"""The down-log: one after the other, and nothing that was not announced."""

import asyncio

import pytest

from locker.domain.events import StaffRevoked
from locker.domain.ids import StaffId
from sync import wire
from tests.sync.edges import (
    DN_EPOCH,
    DownLog,
    FakeLink,
    Inline,
    MemoryJournal,
    Told,
    VirtualClock,
    edge_of,
    hello,
    settle,
)
from tests.sync.worlds import World


@pytest.mark.rule("LKR-25")
@pytest.mark.rule("LKR-26")
async def test_entries_are_applied_one_after_the_other_and_then_acknowledged(
    world: World, down: DownLog
) -> None:
    await world.greet()
    world.link.from_centre(wire.Name.LOG, down.batch(1, 3))
    await settle()
    assert [d.seq for d in world.journal.applied] == [1, 2, 3]
    assert world.up_acks == [(DN_EPOCH, 3)]
    assert world.journal.state.down.hash == down.hashes[3].hex()
    # Swapped: the later one asks for what is missing, nothing is applied.
    world.link.from_centre(wire.Name.LOG, down.batch(6, 6))
    await settle()
    assert world.up_acks[-1] == (DN_EPOCH, 3)
    world.link.from_centre(wire.Name.LOG, down.batch(4, 5))
    world.link.from_centre(wire.Name.LOG, down.batch(4, 5))  # twice
    world.link.from_centre(wire.Name.LOG, down.batch(3, 6))  # overlapping
    await settle()
    assert [d.seq for d in world.journal.applied] == [1, 2, 3, 4, 5, 6]
    assert world.up_acks[-3:] == [(DN_EPOCH, 5), (DN_EPOCH, 5), (DN_EPOCH, 6)]
    assert world.edge.repeated == {"log": 1}
    assert len(world.link.acknowledged) == 7


@pytest.mark.rule("LKR-27")
async def test_a_numbering_must_be_announced(world: World, down: DownLog) -> None:
    await world.greet()
    world.link.from_centre(wire.Name.LOG, down.batch(1, 6))
    foreign = DownLog("ee" * 16)
    foreign.add(StaffRevoked(StaffId("x")))
    world.link.from_centre(wire.Name.LOG, foreign.batch(1, 1))
    await settle()
    assert len(world.journal.applied) == 6
    assert world.edge.dropped == {"log:foreign": 1}
    world.link.lose()
    await world.greet(dn_epoch="ee" * 16)
    world.link.from_centre(wire.Name.LOG, down.batch(1, 6))  # the old one has had its time
    world.link.from_centre(wire.Name.LOG, foreign.batch(1, 1))
    await settle()
    assert len(world.journal.applied) == 7
    assert world.journal.state.down.epoch == "ee" * 16
    assert world.up_acks[-1] == ("ee" * 16, 1)


@pytest.mark.rule("LKR-27")
async def test_a_numbering_that_nobody_announced_is_asked_about(world: World) -> None:
    await world.greet()
    births = len(world.births)
    foreign = DownLog("ee" * 16)
    foreign.add(StaffRevoked(StaffId("x")))
    world.link.from_centre(wire.Name.LOG, foreign.batch(1, 1))
    await world.clock.advance(15_000)
    assert len(world.births) == births + 1
    answer = hello(world.journal, world.births[-1].nonce, dn_epoch="ee" * 16)
    world.link.from_centre(wire.Name.HELLO, answer)
    world.link.from_centre(wire.Name.LOG, foreign.batch(1, 1))
    await settle()
    assert world.up_acks[-1] == ("ee" * 16, 1)


@pytest.mark.rule("LKR-28")
async def test_a_forked_down_log_is_refused_and_asked_about(world: World, down: DownLog) -> None:
    await world.greet()
    world.link.from_centre(wire.Name.LOG, down.batch(1, 3))
    await settle()
    births = len(world.births)
    other = DownLog()
    for number in range(6):
        other.add(StaffRevoked(StaffId(f"t{number}")))
    for batch in (other.batch(4, 6), other.batch(2, 6), other.batch(1, 3)):
        world.link.from_centre(wire.Name.LOG, batch)
    await settle()
    assert len(world.journal.applied) == 3
    assert world.edge.dropped == {"log:forked": 3}
    await world.clock.advance(15_000)
    assert len(world.births) > births


@pytest.mark.rule("LKR-29")
@pytest.mark.parametrize(
    "text",
    ['{"v":2,"seq":2}', "not JSON", '{"v":1,"seq":7,"type":"StaffRevoked","data":{"staff":"x"}}'],
)
async def test_what_cannot_be_numbered_is_not_acknowledged(world: World, text: str) -> None:
    log = DownLog()
    log.add(StaffRevoked(StaffId("a")))
    log.add_text(text)
    log.add(StaffRevoked(StaffId("b")))
    await world.greet()
    world.link.from_centre(wire.Name.LOG, log.batch(1, 3))
    await settle()
    assert [d.seq for d in world.journal.applied] == [1]
    assert world.up_acks == [(DN_EPOCH, 1)]
    assert world.edge.dropped.total() == 1


@pytest.mark.rule("LKR-29")
async def test_an_unknown_kind_is_applied_as_unread(world: World) -> None:
    log = DownLog()
    log.add_text('{"v":1,"seq":1,"type":"LiftMoved","data":{}}')
    await world.greet()
    world.link.from_centre(wire.Name.LOG, log.batch(1, 1))
    await settle()
    assert [d.says for d in world.journal.applied] == [None]
    assert world.up_acks == [(DN_EPOCH, 1)]


async def test_a_journal_that_fails_is_a_fault_and_not_an_outage(
    down: DownLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, journal, clock = FakeLink(), MemoryJournal().begin(), VirtualClock()

    async def failing(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(journal, "apply", failing)
    edge = edge_of(link, journal, clock, Told(), Inline())
    world = World(link, journal, clock, Told(), edge)
    serving = asyncio.create_task(edge.run())
    await settle()
    await world.greet()
    link.from_centre(wire.Name.LOG, down.batch(1, 1))
    with pytest.raises(ExceptionGroup) as raised:
        await serving
    assert raised.group_contains(ZeroDivisionError)
    assert len(link.acknowledged) == 2  # the batch stays the broker's
