"""Whom a locker believes while the centre's signing key changes, and after."""

import pytest

from locker.domain.centre_keys import CentreKeys
from locker.domain.events import CentreKeysTold
from sync import seal, wire
from sync.central.desk import Keys
from sync.central.rotation import keyfile
from sync.trust import Trust
from tests.sync import asyncapi
from tests.sync.edges import CENTRE_KEY, LOCKER, OWN_KEY, DownLog, ack, settle
from tests.sync.worlds import World

NEXT = seal.SigningKey.from_seed(bytes(range(64, 96)))
AFTER = seal.SigningKey.from_seed(bytes(range(96, 128)))
KEYS_TOPIC = wire.down(LOCKER, wire.Name.KEYS).topic


def introduction(of: seal.SigningKey, by: seal.SigningKey) -> bytes:
    """As the hub makes it."""
    keys = keyfile.announced(Keys(by, seal.SealKey.from_private(b"p" * 32)), of)
    return keyfile.switched(keys, 0).former[-1].introduction


async def says(world: World, payload: wire.Payload, key: seal.SigningKey) -> bool:
    """Whether it counted."""
    before = world.edge.dropped["seal:UnknownKey"]
    name = {wire.DownBatch: wire.Name.LOG, wire.DownAck: wire.Name.ACK}[type(payload)]
    world.link.deliver(wire.down(LOCKER, name).topic, seal.frame(key, wire.encode(payload)))
    await settle()
    return world.edge.dropped["seal:UnknownKey"] == before


async def introduces(world: World, *frames: bytes) -> None:
    for frame in frames:
        world.link.deliver(KEYS_TOPIC, frame)
    await settle()


@pytest.mark.rule("LKR-110", "LKR-33")
async def test_what_was_told_counts_from_its_entry_on(world: World, down: DownLog) -> None:
    await world.greet()
    assert not await says(world, down.batch(1, 1), NEXT)
    world.journal.write(CentreKeysTold((CENTRE_KEY.public.hex(), NEXT.public.hex()), ()))
    assert await says(world, down.batch(1, 1), NEXT)
    assert await says(world, down.batch(2, 2), CENTRE_KEY)
    world.journal.write(CentreKeysTold((NEXT.public.hex(),), (CENTRE_KEY.public.hex(),)))
    # Retired, though the locker was provisioned with it.
    assert not await says(world, down.batch(3, 3), CENTRE_KEY)
    assert await says(world, down.batch(3, 3), NEXT)
    assert [each.seq for each in world.journal.applied] == [1, 2, 3]


@pytest.mark.rule("LKR-111", "CEN-61")
async def test_who_was_away_believes_whom_its_own_centre_introduces(world: World, down: DownLog) -> None:
    await world.greet()
    first, second = introduction(NEXT, CENTRE_KEY), introduction(AFTER, NEXT)
    await introduces(world, second)  # by somebody who is not known yet
    assert not await says(world, down.batch(1, 1), AFTER)
    await introduces(world, first, second)
    assert await says(world, down.batch(1, 1), AFTER)
    assert await says(world, ack(world.journal, 1), NEXT)
    # Until the connection ends: what is to last, the down-log says.
    world.link.lose()
    await world.greet()
    assert not await says(world, down.batch(2, 2), AFTER)


@pytest.mark.rule("LKR-111", "LKR-13")
async def test_what_it_said_of_being_there_before_counts_from_the_introduction_on(world: World) -> None:
    world.link.connect()
    there = seal.frame(NEXT, wire.encode(wire.CentralLink(online=True, instance="one", started_at=1)))
    world.link.deliver(wire.CENTRAL_LINK, there, retain=True)
    await settle()
    seen, births = [world.edge.status.centre_online], len(world.births)
    for by in (OWN_KEY, CENTRE_KEY):
        await introduces(world, introduction(NEXT, by))
        seen.append(world.edge.status.centre_online)
    assert seen == [False, False, True]
    assert len(world.births) == births  # it was kept by the broker: no news


@pytest.mark.rule("LKR-111")
@pytest.mark.parametrize("by", [OWN_KEY, NEXT, AFTER])
async def test_nobody_introduces_themselves(world: World, down: DownLog, by: seal.SigningKey) -> None:
    await world.greet()
    await introduces(world, introduction(NEXT, by))
    assert not await says(world, down.batch(1, 1), NEXT)
    assert not await says(world, down.batch(1, 1), by)
    good = introduction(NEXT, CENTRE_KEY)
    await introduces(world, good[:-2] + b'"}', good[:-70] + b"00" + good[-68:])
    world.link.deliver(KEYS_TOPIC, good, retain=True)
    await settle()
    assert not await says(world, down.batch(1, 1), NEXT)
    assert world.journal.applied == []


@pytest.mark.rule("LKR-111")
async def test_what_was_retired_is_not_brought_back_by_an_old_introduction(
    world: World, down: DownLog
) -> None:
    world.journal.write(CentreKeysTold((AFTER.public.hex(), CENTRE_KEY.public.hex()), (NEXT.public.hex(),)))
    await world.greet()
    await introduces(world, introduction(NEXT, CENTRE_KEY))
    assert world.edge.dropped["keys:retired"] == 1
    assert not await says(world, down.batch(1, 1), NEXT)
    assert await says(world, down.batch(1, 1), AFTER)


def test_the_published_introduction() -> None:
    assert introduction(CENTRE_KEY, OWN_KEY).hex() in asyncapi.WIRE.read_text()


def test_an_introduction_takes_nothing_from_what_is_durable() -> None:
    told = CentreKeys((NEXT.public.hex(),))
    trust = Trust(seal.keyring(CENTRE_KEY.public), lambda: told)
    assert set(trust.keys()) == {CENTRE_KEY.id, NEXT.id}
    assert trust.introduce(AFTER.public)
    assert set(trust.keys()) == {CENTRE_KEY.id, NEXT.id, AFTER.id}
    trust.part()
    assert set(trust.keys()) == {CENTRE_KEY.id, NEXT.id}
