"""The window of batches beyond what the centre has stored."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from locker.domain.events import StaffRevoked
from locker.domain.ids import StaffId
from sync import seal, wire
from sync.edge import Outcome
from sync.edge.publisher import GATHER_MS
from sync.link.settings import PublishResult
from tests.sync.edges import (
    CENTRE_KEY,
    ack,
    hello,
    settle,
)
from tests.sync.worlds import World


@pytest.mark.rule("LKR-18")
@pytest.mark.rule("LKR-20")
async def test_two_batches_beyond_what_is_stored(world: World) -> None:
    world.journal.grow(449)
    await world.greet()
    assert world.batches == [(1, 100), (101, 200)]
    assert world.link.said[-1].expiry_s == 600
    await world.acknowledge(100)
    assert world.batches[2:] == [(201, 300)]
    await world.acknowledge(300)
    assert world.batches[3:] == [(301, 400), (401, 450)]
    await world.acknowledge(450)
    world.journal.grow(1)
    await world.clock.advance(GATHER_MS)
    assert world.batches[5:] == [(451, 451)]
    assert world.edge.status.unsynced == 1


@pytest.mark.rule("LKR-19")
async def test_a_puback_is_no_acknowledgement(world: World) -> None:
    await world.greet()
    assert world.link.answer.heard
    assert world.edge.status.stored_to == 0
    world.link.lose()
    await world.greet()
    assert world.batches == [(1, 1), (1, 1)]


@pytest.mark.rule("LKR-21")
async def test_no_answer_is_asked_again_for_ever_doubling(world: World) -> None:
    await world.greet()
    moments = [world.clock.now_ms]
    for _ in range(9):
        seen = len(world.batches)
        while len(world.batches) == seen:
            await world.clock.advance(2_000)
        moments.append(world.clock.now_ms)
    gaps = [round((later - earlier) / 10_000) for earlier, later in pairwise(moments)]
    assert gaps == [1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert set(world.batches) == {(1, 1)}


@pytest.mark.rule("LKR-22")
async def test_a_gap_goes_back_once(world: World) -> None:
    world.journal.grow(299)
    await world.greet()
    await world.acknowledge(0, gap=True)
    assert world.batches == [(1, 100), (101, 200)] * 2
    await world.acknowledge(0, gap=True)  # the second batch behind the same hole
    assert len(world.batches) == 4
    await world.clock.advance(2_000)
    await world.acknowledge(0, gap=True)
    assert len(world.batches) == 6


@pytest.mark.rule("LKR-14")
async def test_nobody_subscribed_waits_for_a_hello(world: World) -> None:
    world.link.answer = PublishResult(0x10)
    await world.greet()
    assert world.batches == [(1, 1)]
    await world.clock.advance(9_000)
    assert world.batches == [(1, 1)]
    births = len(world.births)
    await world.clock.advance(5_000)
    assert len(world.births) > births
    world.link.answer = PublishResult(0)
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, world.births[-1].nonce))
    await settle()
    assert world.batches == [(1, 1), (1, 1)]


@pytest.mark.rule("LKR-23")
@pytest.mark.parametrize(
    "claims",
    [{"up_epoch": "ef" * 16}, {"stored_to": 99}, {"hash": "11" * 32}, {"locker": "loc-2"}],
)
async def test_a_false_acknowledgement_moves_nothing(world: World, claims: dict[str, Any]) -> None:
    world.journal.grow(1)
    await world.greet()
    world.link.from_centre(wire.Name.ACK, replace(ack(world.journal, 2), **claims))
    await settle()
    assert world.edge.status.stored_to == 0
    assert world.edge.dropped.total() == 1
    await world.acknowledge(2)
    await world.acknowledge(1)  # late, true, and no news
    assert world.edge.status.stored_to == 2
    assert world.edge.repeated == {"ack": 1}


@pytest.mark.rule("LKR-23")
async def test_an_acknowledgement_of_what_is_purged_moves_nothing_and_ends_nothing(world: World) -> None:
    world.journal.grow(4)
    await world.greet()
    await world.acknowledge(5)
    late = ack(world.journal, 2)
    world.journal.purged = 3
    births = len(world.births)
    world.link.from_centre(wire.Name.ACK, late)
    await world.clock.advance(30_000)
    assert world.edge.dropped == {"ack:purged": 1}
    assert (world.edge.status.stored_to, len(world.births)) == (5, births)
    # One that misses what is gone can only be settled by a hello.
    world.link.from_centre(wire.Name.ACK, replace(late, gap=True))
    await world.clock.advance(30_000)
    assert len(world.births) > births
    world.journal.grow(1)
    await world.clock.advance(GATHER_MS)
    assert world.batches[-1] == (6, 6)


@pytest.mark.rule("LKR-18")
async def test_what_follows_within_a_second_goes_up_together(world: World) -> None:
    await world.greet(stored_to=1)
    world.journal.grow(1)
    await world.clock.advance(GATHER_MS - 1)
    assert world.batches == []
    world.journal.grow(2)
    await world.clock.advance(1)
    assert world.batches == [(2, 4)]
    # What comes later waits for its own second, and a whole batch for nobody.
    world.journal.grow(1)
    await settle()
    assert world.batches[1:] == []
    world.journal.grow(99)
    await settle()
    assert world.batches[1:] == [(5, 104)]


@pytest.mark.rule("LKR-16")
async def test_a_centre_that_fell_back_behind_what_is_purged_is_met_by_a_hello(world: World) -> None:
    world.journal.grow(399)
    await world.greet()
    births, stored = len(world.births), ack(world.journal, 200)
    world.journal.purged = 300  # while the batches up to 200 are under way
    world.link.from_centre(wire.Name.ACK, stored)
    await world.clock.advance(30_000)
    assert world.edge.dropped == {"batch:purged": 1}
    assert world.batches == [(1, 100), (101, 200)]
    assert len(world.births) > births
    answer = hello(world.journal, world.births[-1].nonce, 400)
    world.link.from_centre(wire.Name.HELLO, replace(answer, stored_to=200, hash=stored.hash))
    await settle()
    assert [fork.outcome for fork in world.told.forks] == [Outcome.HOLE]


@pytest.mark.rule("LKR-40")
async def test_the_centres_signed_word_is_kept_as_it_came(world: World) -> None:
    world.journal.grow(2)
    assert world.edge.countersigned == b""
    await world.greet(1)
    assert said(world) == (wire.Hello, 1)
    await world.acknowledge(3)
    kept = world.edge.countersigned
    assert said(world) == (wire.DownAck, 3)
    world.link.from_centre(wire.Name.ACK, replace(ack(world.journal, 3), hash="11" * 32))
    await world.acknowledge(2)  # true, and less than was said before
    assert world.edge.countersigned == kept


def said(world: World) -> tuple[type[wire.Hello | wire.DownAck], int]:
    body = seal.open_frame(world.edge.countersigned, seal.keyring(CENTRE_KEY.public))
    kind: type[wire.Hello | wire.DownAck] = wire.DownAck if b'"kind":"dn_ack"' in body else wire.Hello
    return kind, wire.decode(kind, body).stored_to


@pytest.mark.rule("LKR-24")
async def test_a_full_batch_stays_below_the_limits(world: World) -> None:
    rude = '\\"\u0001' * 1_500
    world.journal.write(*(StaffRevoked(StaffId(rude)) for _ in range(8)))
    await world.greet()
    for said in world.link.heard(wire.Name.LOG, wire.UpBatch):
        wire.up_hashes(said)
    assert max(len(said.payload) for said in world.link.said) <= wire.PACKET_BYTES_MAX
    for _ in range(9):
        await world.acknowledge(world.batches[-1][1])
    assert world.edge.status.unsynced == 0
