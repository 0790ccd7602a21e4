"""Births, hellos, heartbeat: the reconnect under virtual time."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.door import Position, Presence
from locker.domain.events import CompartmentsConfigured, DoorRead
from locker.domain.ids import CompartmentNumber
from sync import seal, wire
from sync.edge import Outcome, Reports
from sync.link.settings import PublishResult
from tests.sync.edges import (
    OWN_KEY,
    hello,
    settle,
)
from tests.sync.worlds import World


@pytest.mark.rule("LKR-10")
async def test_a_birth_says_where_we_stand(world: World) -> None:
    world.journal.grow(2)
    world.link.connect()
    await settle()
    (birth,) = world.births
    assert (birth.epoch, birth.boot, birth.conn) == (world.journal.state.epoch, 1, 1)
    assert (birth.head, birth.oldest, birth.head_hash) == (3, 1, world.journal.head.hex())
    assert (birth.dn_epoch, birth.dn_applied, birth.dn_hash) == ("", 0, wire.ZERO)
    said = world.link.said[0]
    assert (said.qos, said.retain, said.expiry_s) == (1, True, None)
    world.link.lose()
    world.link.connect()
    await settle()
    assert world.births[-1].conn == 2
    assert world.births[-1].nonce != birth.nonce


@pytest.mark.rule("LKR-13")
async def test_nothing_goes_up_before_a_hello_or_without_a_centre(world: World) -> None:
    world.link.connect()
    await world.clock.advance(5_000)
    assert world.batches == []
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, world.births[-1].nonce))
    await settle()
    assert world.batches == [(1, 1)]
    world.link.centre_is(online=False, retain=False)
    await settle()
    world.journal.grow(1)
    await world.clock.advance(1_000_000)
    assert world.batches == [(1, 1)]
    # It comes back, has not heard our birth, and is told anew.
    births = len(world.births)
    world.link.centre_is(online=True, retain=False)
    await settle()
    assert len(world.births) == births + 1


@pytest.mark.rule("LKR-11")
async def test_a_lost_hello_is_asked_for_ever_more_slowly(world: World) -> None:
    world.link.connect()
    await world.clock.advance(9_999)
    assert len(world.births) == 1
    moments = []
    for _ in range(8):
        seen = len(world.births)
        while len(world.births) == seen:
            await world.clock.advance(1_000)
        moments.append(world.clock.now_ms)
    gaps = [round((later - earlier) / 10_000) for earlier, later in pairwise(moments)]
    assert gaps == [2, 4, 8, 16, 30, 30, 30]
    assert len({birth.nonce for birth in world.births}) == len(world.births)


@pytest.mark.rule("LKR-12")
async def test_only_the_answer_to_the_latest_birth_counts(world: World) -> None:
    world.link.connect()
    await world.clock.advance(11_000)
    old, new = (birth.nonce for birth in world.births)
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, old))
    await settle()
    assert world.batches == []
    assert world.told.times == []
    assert world.edge.dropped == {"hello:stale": 1}
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, new))
    await settle()
    assert world.batches == [(1, 1)]


@pytest.mark.rule("LKR-12")
async def test_of_two_answers_to_one_birth_the_later_stands(world: World) -> None:
    world.link.connect()
    await settle()
    nonce = world.births[-1].nonce
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, nonce, now=2_000, dn_epoch="ee" * 16))
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, nonce, now=1_000))  # said again by somebody
    await settle()
    assert world.edge.dropped == {"hello:stale": 1}
    assert world.edge._directives.cursor.epoch == "ee" * 16
    await world.clock.advance(15_000)
    assert world.births[-1].nonce != nonce, "a centre whose clock went back is heard at a new birth"


@pytest.mark.rule("LKR-32")
@pytest.mark.parametrize(("late_ms", "counts"), [(10_000, True), (10_001, False)])
async def test_centre_time_counts_only_when_the_answer_was_quick(
    world: World, late_ms: int, counts: bool
) -> None:
    world.link.answer = PublishResult(0)
    world.link.connect()
    await settle()
    nonce = world.births[-1].nonce
    world.edge._presence._birth_due_ms = None  # no second birth in between
    await world.clock.advance(late_ms)
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, nonce, now=77_000))
    await settle()
    assert world.told.times == ([(77_000, late_ms)] if counts else [])
    assert world.batches == [(1, 1)]


@pytest.mark.rule("LKR-41")
async def test_a_journal_that_fails_is_said_at_once_and_at_every_birth(world: World) -> None:
    await world.greet()
    assert [birth.reason for birth in world.births] == [""]
    world.journal.failing = True
    for told in world.journal.subscribers:
        told(world.journal.state, ())
    await settle()
    world.link.lose()
    world.link.connect()
    await settle()
    assert [birth.reason for birth in world.births] == ["", "journal_failing", "journal_failing"]
    assert all(birth.online and birth.nonce for birth in world.births)


@pytest.mark.rule("LKR-15")
async def test_the_centre_came_back_from_a_backup(world: World) -> None:
    world.journal.grow(4)
    await world.greet()
    await world.acknowledge(5)
    assert world.edge.status.unsynced == 0
    world.link.lose()
    world.link.said.clear()
    await world.greet(2)
    assert world.batches == [(3, 5)]
    assert world.edge.status.stored_to == 2


@pytest.mark.rule("LKR-16")
@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"stored_to": 9, "hash": "00" * 32}, Outcome.LOST_ROWS),
        ({"stored_to": 1, "hash": "11" * 32}, Outcome.FORKED),
    ],
)
async def test_a_fork_is_told_and_nothing_is_sent(
    world: World, claims: dict[str, Any], outcome: Outcome
) -> None:
    world.link.connect()
    await settle()
    answer = hello(world.journal, world.births[-1].nonce)
    world.link.from_centre(wire.Name.HELLO, replace(answer, **claims))
    await world.clock.advance(400_000)
    (fork,) = world.told.forks
    assert (fork.outcome, fork.epoch, fork.head) == (outcome, world.journal.state.epoch, 1)
    assert world.batches == []
    # A new history asks anew.
    births = len(world.births)
    world.journal.begin("99" * 16)
    await settle()
    assert len(world.births) == births + 1
    assert world.births[-1].epoch == "99" * 16


@pytest.mark.rule("LKR-17")
async def test_window_zero_means_wait(world: World) -> None:
    await world.greet(window=0)
    assert world.batches == []
    births = len(world.births)
    await world.clock.advance(15_000)
    assert len(world.births) > births
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, world.births[-1].nonce))
    await settle()
    assert world.batches == [(1, 1)]


@pytest.mark.rule("LKR-31")
async def test_heartbeat_and_snapshot(world: World) -> None:
    await world.greet()
    await world.clock.advance(200_000)
    beats = world.link.heard(wire.Name.TELE, wire.Tele)
    assert [beat.mono - beats[0].mono for beat in beats] == [0, 50_000, 100_000, 150_000, 200_000]
    assert (beats[0].disk_used_percent, beats[0].tq) == (42, "ntp")
    (state,) = world.link.heard(wire.Name.STATE, wire.State)
    assert state.as_of_seq == 1
    assert all(
        said.qos == 0 and said.expiry_s == 120 for said in world.link.said if said.topic.endswith("tele")
    )


@pytest.mark.rule("LKR-5")
async def test_goodbye_has_a_reason(world: World) -> None:
    await world.greet()
    await world.edge.stop("service")
    words = world.link.last_words
    assert words is not None
    said = wire.decode(wire.Link, seal.open_frame(words.payload, seal.keyring(OWN_KEY.public)))
    assert (said.online, said.reason, said.nonce, said.conn) == (False, "service", "", 1)


async def test_a_hello_that_puts_the_clock_right_is_dated_by_the_right_clock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = world.clock.wall_ms()

    def learn(now_ms: int, _off_ms: int) -> None:
        monkeypatch.setattr(world.clock, "wall_ms", lambda: now_ms)

    world.edge._reports = Reports(learn, world.told.forks.append)
    await world.greet()
    assert world.edge.status.last_hello_wall_ms == world.clock.wall_ms() != wrong


async def test_the_view_for_the_kiosk(world: World) -> None:
    assert not world.edge.status.connected
    await world.greet()
    status = world.edge.status
    assert (status.connected, status.centre_online, status.unsynced) == (True, True, 1)
    assert status.last_hello_wall_ms == world.clock.wall_ms()
    world.link.lose()
    status = world.edge.status
    assert (status.connected, status.centre_online, status.last_loss) == (False, False, "lost")


@pytest.mark.rule("LKR-31")
async def test_a_snapshot_shows_the_doors_as_they_are(world: World) -> None:
    door = CompartmentNumber(7)
    spec = CompartmentSpec(door, "A", Size.M, Reach.LOW, 1, 2, item_sensor=True)
    world.journal.write(CompartmentsConfigured((spec,)))
    await world.greet()
    for position in (Position.OPEN, Position.CLOSED):
        world.journal.write(DoorRead(door, position, Presence.PRESENT))
        await world.clock.advance(10)
    await world.clock.advance(1_000)
    world.journal.grow(3)  # changes nothing that staff see
    await world.clock.advance(5_000)
    states = world.link.heard(wire.Name.STATE, wire.State)
    assert [(s.as_of_seq, [d.position for d in s.doors]) for s in states] == [
        (2, ["unknown"]),
        (4, ["closed"]),
    ]
    (shown,) = states[-1].doors
    assert (shown.number, shown.size, shown.status, shown.item) == (7, 2, "vacant", "present")
