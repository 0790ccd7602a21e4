"""A locker and the hub while the hub's signing key changes: told in time, away, put back, deceived."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from locker.domain.centre_keys import CentreKeys
from locker.operations import directives
from sync import seal
from sync.central.desk import Desk, Keys
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from sync.central.rotation import keyfile, telling
from sync.central.store import Store
from sync.central.switchboard import Switchboard
from sync.edge import Edge, EdgeStatus, Identity, Reports
from sync.link.settings import PublishResult
from tests.locker.operations.world import MemoryWorld
from tests.sync.edges import CENTRE_KEY, LOCKER, OWN_KEY, FakeLink, Inline, VirtualClock, settle
from tests.sync.joined import HubLine, Pages, enrolled, image, no_act, put_back

NEXT, AFTER = (seal.SigningKey.from_seed(bytes([n]) * 32) for n in (7, 8))
FIRST = Keys(CENTRE_KEY, seal.SealKey.from_private(b"p" * 32))


class Hub:
    """The hub's real parts around one store, signing by these keys."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys
        self.desk = Desk(keys, VirtualClock())  # type: ignore[arg-type]  # nothing waits here
        self.line: FakeLink = FakeLink()
        self.board = Switchboard(_ToLocker(self), self.desk)
        self.pump = Pump(store, self.desk, self.board.say)
        self.ingest = Ingest(store, self.desk, self.board.say, self.pump, lambda: None)

    async def with_keys(self, keys: Keys) -> "Hub":
        """Stopped, its file changed, started again."""
        hub = Hub(self.store, keys)
        await telling.tell_all(self.store, hub.desk, hub.pump.wake)
        return hub

    @property
    def has(self) -> bool:
        found = self.store.read_now(lambda c: telling.holding(c, self.keys.sign.public))
        return found.have == (LOCKER,)


class _ToLocker(FakeLink):
    """What the hub says comes out at the locker."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        del qos, retain, expiry_s  # a broker hands on what it has just heard without the flag
        if self._hub.line.connected:
            self._hub.line.deliver(topic, payload)
        return PublishResult(0)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    desk = Desk(FIRST, VirtualClock())  # type: ignore[arg-type]  # nothing waits here
    with enrolled(tmp_path, desk) as store:
        yield Hub(store, FIRST)


async def met(hub: Hub, m: MemoryWorld) -> EdgeStatus:
    """The locker is on the link for a while, as it was provisioned by the first key."""
    line, clock = HubLine(hub), VirtualClock()
    numbers = iter(range(1, 1_000_000))
    edge = Edge(
        line,
        m.journal,
        Pages(m.journal),
        clock,
        Inline(),
        Identity(LOCKER, OWN_KEY, dict(seal.keyring(CENTRE_KEY.public)), "1.0"),
        lambda says, epoch, link: directives.apply(m.world, says, epoch, link),
        Reports(lambda _now, _off: None, lambda _fork: None),
        draw=lambda _below: 0,
        random_bytes=lambda size: next(numbers).to_bytes(size),
        disk_used_percent=lambda: 42,
        take=no_act,
    )
    serving = asyncio.create_task(edge.run())
    await settle()
    line.connect()
    hub.board.on_connected(session_present=False)
    await clock.advance(90_000)
    status = edge.status
    await edge.stop()
    await serving
    return status


def switched(keys: Keys, to: seal.SigningKey) -> Keys:
    return keyfile.switched(keyfile.announced(keys, to), 0)


def told(m: MemoryWorld) -> CentreKeys:
    return m.journal.state.centre_keys


@pytest.mark.rule("CEN-60", "LKR-110")
async def test_who_is_there_has_it_before_it_signs(hub: Hub) -> None:
    m = await MemoryWorld.start()
    assert (await met(hub, m)).unsynced == 0
    assert told(m) == CentreKeys()
    announced = keyfile.announced(FIRST, NEXT)
    hub = await hub.with_keys(announced)
    assert (await met(hub, m)).unsynced == 0
    hub = await hub.with_keys(keyfile.switched(announced, 0))
    assert hub.has
    assert (await met(hub, m)).unsynced == 0
    hub = await hub.with_keys(keyfile.retired(hub.keys))
    assert (await met(hub, m)).unsynced == 0
    assert told(m) == CentreKeys((NEXT.public.hex(),), (CENTRE_KEY.public.hex(),))
    # Whoever has the old secret says nothing to this locker any more.
    status = await met(Hub(hub.store, FIRST), m)
    assert (status.centre_online, status.last_hello_wall_ms) == (False, None)


@pytest.mark.rule("CEN-61", "LKR-111")
async def test_who_was_away_or_put_back_comes_back_by_itself(hub: Hub) -> None:
    m = await MemoryWorld.start()
    assert (await met(hub, m)).unsynced == 0
    card = image(m)
    # Two keys later, the first of them retired, and nobody told this locker.
    keys = switched(keyfile.retired(switched(FIRST, NEXT)), AFTER)
    hub = await hub.with_keys(keys)
    status = await met(hub, m)
    assert (status.centre_online, status.unsynced, hub.has) == (True, 0, True)
    wanted = CentreKeys(
        (AFTER.public.hex(), NEXT.public.hex()),
        (CENTRE_KEY.public.hex(),),
    )
    assert told(m) == wanted
    await put_back(m, card)
    assert told(m) == CentreKeys()
    await met(hub, m)
    assert told(m) == wanted


@pytest.mark.rule("LKR-111", "CEN-14")
async def test_who_introduces_a_key_of_their_own_is_not_heard(hub: Hub) -> None:
    m = await MemoryWorld.start()
    await met(hub, m)
    other = seal.SigningKey.from_seed(b"x" * 32)
    forged = switched(replace(FIRST, sign=other), NEXT)
    status = await met(Hub(hub.store, forged), m)
    assert (status.centre_online, status.last_hello_wall_ms) == (False, None)
    assert told(m) == CentreKeys()
