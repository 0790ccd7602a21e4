"""What the hub says to the broker, when, and by whose key."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from locker.domain.events import EpochStarted, Stopped
from locker.domain.ids import Epoch, LockerId
from sync import seal, wire
from sync.central import tables as t
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from sync.central.switchboard import TOGETHER_MAX, Switchboard, _Lane, _Waiting, link_settings
from sync.link.settings import Message, PublishResult, Words
from tests.sync.central.conftest import Parts
from tests.sync.edges import FakeLink

if TYPE_CHECKING:
    from sync.link.link import Link

BIRTH = EpochStarted(Epoch("e"), LockerId("hall-1"))


class OrderedLink(FakeLink):
    """Also remembers what came before what, and how many entries were durable then."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self.order: list[tuple[str, int]] = []
        self._news = asyncio.Event()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        self._happened(topic.rpartition("/")[2])
        return await super().publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)

    def acknowledge(self, message: Message) -> None:
        self._happened("puback")
        super().acknowledge(message)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.order) < count:
                self._news.clear()
                await self._news.wait()

    def _happened(self, what: str) -> None:
        self.order.append((what, len(self._parts.rows(t.LEDGER))))
        self._news.set()


@dataclass
class Speaking:
    link: OrderedLink
    board: Switchboard
    parts: Parts
    centre: Mapping[bytes, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.centre = seal.keyring(bytes.fromhex(self.parts.centre["centre_sign"][0]["public"]))

    def of_itself(self, words: Words) -> wire.CentralLink:
        """What it says of itself, retained, by the centre's key."""
        assert (words.topic, words.qos, words.retain) == (wire.CENTRAL_LINK, 1, True)
        return wire.decode(wire.CentralLink, seal.open_frame(words.payload, self.centre))

    def deliver(self, name: wire.Name, words: wire.Payload, *, retain: bool = False) -> None:
        address = wire.up("hall-1", name)
        self.link.deliver(address.topic, self.parts.locker.frame(words), retain=retain)


@pytest.fixture
async def hub(parts: Parts) -> AsyncIterator[Speaking]:
    """Connected to a broker in memory."""
    link = OrderedLink(parts)
    board = Switchboard(cast("Link", link), parts.desk)
    pump = Pump(parts.store, parts.desk, board.say)
    ingest = Ingest(parts.store, parts.desk, board.say, pump, lambda: None)
    await link.start(board)
    receiving = asyncio.create_task(board.run(ingest))
    link.connect()
    await link.until(1)
    yield Speaking(link, board, parts)
    await board.close()
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving


@pytest.mark.rule("CEN-1")
def test_how_it_connects() -> None:
    settings = link_settings("broker", 1883, "central", "pw", None)
    assert (settings.client_id, settings.user) == ("central", "central")
    assert (settings.session_expiry_s, settings.receive_maximum) == (3600, 200)
    assert {each.filter for each in settings.subscriptions} == {
        f"doclocker/v1/+/up/{name}" for name in ("link", "log", "state", "ack", "tele")
    }


@pytest.mark.rule("CEN-2", "CEN-14")
async def test_it_says_that_it_is_there_and_that_it_goes(hub: Speaking) -> None:
    (first,) = hub.link.said
    there = hub.of_itself(Words(first.topic, first.payload, first.qos, first.retain))
    assert (there.online, there.started_at) == (True, hub.parts.clock.now_ms)
    will = hub.board.will()
    assert will is not None
    assert not hub.of_itself(will).online
    await hub.board.close()
    assert hub.link.last_words is not None
    gone = hub.of_itself(hub.link.last_words)
    assert (gone.online, gone.instance) == (False, there.instance)


@pytest.mark.rule("CEN-7", "CEN-14")
async def test_durable_then_our_word_then_the_brokers(hub: Speaking) -> None:
    hub.parts.locker.add(BIRTH, Stopped("a"))
    hub.deliver(wire.Name.LOG, hub.parts.locker.batch())
    await hub.link.until(3)
    assert hub.link.order[1:] == [("ack", 2), ("puback", 2)]
    answer = wire.decode(wire.DownAck, seal.open_frame(hub.link.said[1].payload, hub.centre))
    assert answer.stored_to == 2


@pytest.mark.rule("CEN-4", "CEN-14")
@pytest.mark.parametrize("retain", [False, True])
async def test_every_birth_is_answered_also_one_the_broker_kept(hub: Speaking, *, retain: bool) -> None:
    hub.deliver(wire.Name.LINK, hub.parts.locker.link(), retain=retain)
    await hub.link.until(3)
    assert [what for what, _ in hub.link.order[1:]] == ["hello", "puback"]
    answer = wire.decode(wire.Hello, seal.open_frame(hub.link.said[1].payload, hub.centre))
    assert answer.nonce == hub.parts.locker.link().nonce


def waiting(locker: str, name: wire.Name, number: int = 0) -> _Waiting:
    return _Waiting(
        Message(wire.up(locker, name).topic, b"%d" % number, 1, retain=False, mid=1, connection=1)
    )


def told(taken: list[_Waiting]) -> list[tuple[str, bytes]]:
    return [(each.message.topic.split("/", 2)[2], each.message.payload) for each in taken]


async def test_a_birth_waits_for_nobodys_backlog() -> None:
    lane = _Lane()
    for n in range(TOGETHER_MAX):
        lane.put(waiting("full", wire.Name.LOG, n))
    for who, name in (("late", wire.Name.LINK), ("late", wire.Name.LOG), ("mad", wire.Name.LINK)):
        lane.put(waiting(who, name))
    for n in range(1, 4):
        lane.put(waiting("mad", wire.Name.LINK, n))
    lane.put(waiting("full", wire.Name.LINK, TOGETHER_MAX))
    first = told(await lane.take())
    assert first[:3] == [("late/up/link", b"0"), ("mad/up/link", b"0"), ("full/up/log", b"0")]
    assert len(first) == TOGETHER_MAX
    second = told(await lane.take())
    assert second[0] == ("mad/up/link", b"1"), "one of a locker goes first in a round, not all"
    of_full = [payload for topic, payload in first + second if topic.startswith("full")]
    assert of_full == [b"%d" % n for n in range(TOGETHER_MAX + 1)], "its own order"
    assert len(first + second) == TOGETHER_MAX + 7


async def test_a_lane_waits_until_something_comes() -> None:
    lane = _Lane()
    taking = asyncio.create_task(lane.take())
    asyncio.get_running_loop().call_soon(lane.put, waiting("a", wire.Name.LOG))
    assert told(await taking) == [("a/up/log", b"0")]
