"""Acts as they come by the broker: what is handed on, once, and what is dropped and counted."""

from dataclasses import replace
from typing import Any

import pytest

from locker.domain.acts import ActOrder
from locker.domain.ids import ActId, CompartmentNumber
from sync import seal, wire
from tests.sync.edges import CENTRE_KEY, LOCKER, OWN_KEY, hello, settle
from tests.sync.worlds import World

TOPIC = wire.down(LOCKER, wire.Name.ACT).topic
ACT = wire.Act(
    LOCKER, 1, "a" * 16, "open", 7, "help line", ("person:li", "person:zhao"), "ab" * 16, 1_700, 120_000
)


async def linked(world: World) -> World:
    """Connected, and told by the centre that it knows the same history."""
    world.link.connect()
    await settle()
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, world.births[-1].nonce))
    await settle()
    return world


def say(world: World, act: wire.Act = ACT, *, key: Any = CENTRE_KEY, **how: Any) -> None:
    world.link.deliver(TOPIC, seal.frame(key, wire.encode(act)), **how)


@pytest.mark.rule("LKR-42")
async def test_an_act_is_handed_on_with_the_moment_at_which_it_came(world: World) -> None:
    await linked(world)
    arrived_ms = world.clock.mono_ms()
    say(world)
    await settle()
    order = ActOrder(
        1,
        ActId("a" * 16),
        "open",
        CompartmentNumber(7),
        "help line",
        ACT.approvers,
        ACT.nonce,
        1_700,
        120_000,
    )
    assert world.journal.taken == [(order, arrived_ms, False)]
    assert world.link.acknowledged[-1].topic == TOPIC


@pytest.mark.rule("LKR-43", "LKR-42")
async def test_what_comes_again_is_only_counted(world: World) -> None:
    await linked(world)
    for _ in range(3):
        say(world)
    say(world, replace(ACT, cmd_id="b" * 16))
    await settle()
    assert len(world.journal.taken) == 1
    assert world.edge.dropped["act:stale"] == 3
    assert world.edge.repeated["act"] == 3


@pytest.mark.rule("LKR-42")
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("retained", {"retain": True}),
        ("seal:UnknownKey", {"key": OWN_KEY}),
        ("foreign", {"act": replace(ACT, locker="loc-2")}),
        ("topic", {"topic": wire.down("loc-2", wire.Name.ACT).topic}),
    ],
)
async def test_what_is_not_meant_for_us_or_not_said_by_the_centre_is_dropped(
    world: World, kind: str, how: dict[str, Any]
) -> None:
    await linked(world)
    act, key = how.get("act", ACT), how.get("key", CENTRE_KEY)
    frame = seal.frame(key, wire.encode(act))
    world.link.deliver(how.get("topic", TOPIC), frame, retain=how.get("retain", False))
    await settle()
    assert world.journal.taken == []
    assert world.edge.dropped == {kind: 1}


@pytest.mark.rule("LKR-42")
async def test_a_frame_that_was_altered_is_dropped(world: World) -> None:
    await linked(world)
    frame = bytearray(seal.frame(CENTRE_KEY, wire.encode(ACT)))
    frame[-3] ^= 1
    world.link.deliver(TOPIC, bytes(frame))
    await settle()
    assert world.journal.taken == []
    assert world.edge.dropped.total() == 1


@pytest.mark.rule("LKR-47")
async def test_what_a_broker_kept_for_us_is_not_vouched_for(world: World) -> None:
    """It comes before the hello of this connection; and none counts that tells of another history."""
    world.link.connect()
    await settle()
    say(world)
    await settle()
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, world.births[-1].nonce, hash="cd" * 32))
    await settle()
    say(world, replace(ACT, aseq=2))
    await settle()
    assert [doubted for _, _, doubted in world.journal.taken] == [True, True]
    assert world.edge.dropped["act:refused"] == 2


@pytest.mark.rule("LKR-47")
async def test_a_new_connection_is_vouched_for_anew(world: World) -> None:
    await linked(world)
    world.link.lose()
    world.link.connect()
    await settle()
    say(world)
    await settle()
    world.link.from_centre(wire.Name.HELLO, hello(world.journal, world.births[-1].nonce))
    await settle()
    say(world, replace(ACT, aseq=2))
    await settle()
    assert [doubted for _, _, doubted in world.journal.taken] == [True, False]


def test_what_an_act_may_say() -> None:
    for bad in (
        {"aseq": 0},
        {"cmd_id": "A" * 16},
        {"cmd_id": "a"},
        {"ttl": 120_001},
        {"ttl": 0},
        {"door": -1},
        {"approvers": ("x",) * 9},
        {"nonce": ""},
        {"reason": "x" * 257},
    ):
        with pytest.raises(wire.WrongField):
            wire.encode(replace(ACT, **bad))
    assert wire.decode(wire.Act, wire.encode(ACT)) == ACT
    assert wire.DELIVERIES[wire.Way.DOWN, wire.Name.ACT] == wire.Delivery(1, retain=False, expiry_s=120)
