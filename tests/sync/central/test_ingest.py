"""Messages as they come from the broker: what fits is answered, what does not is counted and dropped."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from locker.domain.deposit import Kind
from locker.domain.door import Presence
from locker.domain.events import (
    AuthorisationRevoked,
    CompartmentReserved,
    EpochStarted,
    Stopped,
    SubmissionDeposited,
)
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    ItemId,
    LockerId,
)
from sync import seal, wire
from sync.central import lockers, queries
from sync.central import tables as t
from sync.central.ingest import Ingest
from sync.central.pump import Pump
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.test_cases import authorise, said

BIRTH = EpochStarted(Epoch("e"), LockerId("hall-1"))


class Hub:
    """Ingest with its answers in a list."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.said: list[Any] = []
        say = lambda _locker, words: self.said.append(words)  # noqa: E731  # three words
        self.ingest = Ingest(parts.store, parts.desk, say, Pump(parts.store, parts.desk, say), lambda: None)

    async def take(self, name: wire.Name, words: wire.Payload, locker: FakeLocker | None = None) -> None:
        sender = locker or self.parts.locker
        await self.ingest.take(wire.up("hall-1", name).topic, sender.frame(words))


@pytest.fixture
def hub(parts: Parts) -> Hub:
    return Hub(parts)


@pytest.mark.rule("CEN-7")
async def test_a_batch_is_answered_with_what_is_durable(hub: Hub, parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    await hub.take(wire.Name.LOG, parts.locker.batch())
    assert hub.said == [
        wire.DownAck("hall-1", parts.locker.epoch, 2, parts.locker.hash_at(2), False, 2, parts.clock.now_ms)
    ]


@pytest.mark.rule("CEN-8")
async def test_a_gap_is_told_after_a_moment_and_once(hub: Hub, parts: Parts) -> None:
    parts.clock.gate = asyncio.Event()
    parts.locker.add(BIRTH, Stopped("a"), Stopped("b"))
    await hub.take(wire.Name.LOG, parts.locker.batch(2, 2))
    await hub.take(wire.Name.LOG, parts.locker.batch(3, 3))
    assert hub.said == []
    parts.clock.gate.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*hub.ingest._gaps.values())
    (ack,) = hub.said
    assert (ack.gap, ack.stored_to, ack.hash) == (True, 0, wire.ZERO)


@pytest.mark.rule("CEN-6")
async def test_a_fork_is_answered_with_the_history_that_is_kept(hub: Hub, parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    await hub.take(wire.Name.LOG, parts.locker.batch())
    clone = FakeLocker().add(BIRTH, Stopped("b"))
    await hub.take(wire.Name.LOG, clone.batch())
    assert hub.said[1] == hub.said[0]


@pytest.mark.rule("CEN-11")
async def test_an_acknowledgement_moves_the_down_log_and_never_beyond_its_head(
    hub: Hub, parts: Parts
) -> None:
    authorise(parts)
    dn_epoch = parts.rows(t.LOCKER)[0].dn_epoch
    for epoch, to, expected in (("f" * 32, 1, 0), (dn_epoch, 2, 0), (dn_epoch, 1, 1), (dn_epoch, 0, 1)):
        await hub.take(wire.Name.ACK, wire.UpAck("hall-1", epoch, to))
        assert parts.rows(t.LOCKER)[0].dn_stored_to == expected


async def test_a_heartbeat_is_heard(hub: Hub, parts: Parts) -> None:
    await hub.take(wire.Name.LINK, parts.locker.link())
    parts.clock.now_ms += 60_000
    tele = wire.Tele("hall-1", parts.locker.epoch, 1, 1, 5, 5, "ntp", 9, 0, 1, {}, 0)
    await hub.take(wire.Name.TELE, tele)
    row = parts.rows(t.LOCKER)[0]
    assert (row.last_heard_ms, row.head) == (parts.clock.now_ms, 9)


@pytest.mark.rule("CEN-3")
async def test_what_does_not_fit_is_dropped_and_the_stream_goes_on(hub: Hub, parts: Parts) -> None:
    parts.locker.add(BIRTH)
    good = parts.locker.frame(parts.locker.batch())
    topic = wire.up("hall-1", wire.Name.LOG).topic
    stranger = FakeLocker(key=seal.SigningKey.from_seed(b"x" * 32)).add(BIRTH)
    sign = parts.locker.key
    for bad_topic, frame in (
        ("doclocker/v1/hall-1/dn/log", good),
        ("doclocker/v1/hall-9/up/log", good),
        ("doclocker/v2/hall-1/up/log", good),
        ("nonsense", good),
        (topic, b""),
        (topic, good[:80]),
        (topic, good[:-1] + b"x"),
        (topic, b"\x02" + good[1:]),
        (topic, stranger.frame(stranger.batch())),
        (topic, seal.frame(sign, b"\xff")),
        (topic, seal.frame(sign, b"[" * 10_000)),
        (topic, seal.frame(sign, b'{"v":2,"kind":"up_log"}')),
        (topic, parts.locker.frame(parts.locker.link())),
        (topic, parts.locker.frame(replace(parts.locker.batch(), locker="hall-2"))),
    ):
        await hub.ingest.take(bad_topic, frame)
    assert hub.said == []
    assert hub.ingest.dropped.total() == 14
    assert parts.rows(t.LEDGER) == []
    await hub.ingest.take(topic, good)
    assert hub.said[0].stored_to == 1
    kinds = {row.kind for row in parts.rows(t.ALARM)}
    assert kinds == {"BadFrame", "BadSignature", "UnknownAlgorithm", "UnknownKey", "UnknownVersion"}


async def test_a_right_used_at_a_neighbour_dies_at_home(hub: Hub, parts: Parts) -> None:
    name = AuthorisationId(authorise(parts))
    neighbour = FakeLocker("hall-2", name_of("neighbour"), key=seal.SigningKey.from_seed(b"n" * 32))
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "hall-2", "north", neighbour.public))
    door = CompartmentNumber(1)
    stay = DepositId("d1")
    neighbour.add(
        CompartmentReserved(stay, door, Kind.SUBMISSION, CaseNumber("GS-1"), name, ItemId("")),
        SubmissionDeposited(stay, door, Presence.PRESENT, 1),
    )
    await hub.ingest.take(wire.up("hall-2", wire.Name.LOG).topic, neighbour.frame(neighbour.batch()))
    *_, last = said(parts)
    assert last == AuthorisationRevoked(name, "handed in at hall-2")
    assert [(row.locker, row.seq) for row in parts.rows(t.DIRECTIVE)] == [("hall-1", 1), ("hall-1", 2)]
    assert [row.ended for row in parts.rows(t.AUTHORISATION)] == ["moved"]
    await hub.ingest.take(wire.up("hall-2", wire.Name.LOG).topic, neighbour.frame(neighbour.batch()))
    assert len(said(parts)) == 2


async def test_the_lockers_own_snapshot_is_shown_as_it_said_it(hub: Hub, parts: Parts) -> None:
    snapshot = wire.State("hall-1", parts.locker.epoch, 0, (), (), 5, "ntp", 12, "0.1.0")
    await hub.take(wire.Name.STATE, snapshot)
    view = parts.store.read_now(lambda c: queries.overview(c, "hall-1", parts.clock.now_ms))
    assert (view.snapshot["tq"], view.snapshot["disk_used_percent"]) == ("ntp", 12)
