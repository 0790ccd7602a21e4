"""Heartbeats that tell nothing new: kept and written together, and nobody is ever taken for silent by it."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from locker.domain.events import Stopped
from sync import wire
from sync.central import hearing, lockers
from sync.central import tables as t
from sync.central.hearing import FromLocker
from sync.central.ingest import Ingest
from sync.central.presence import FRESH_MS, GONE_MS, Presence, presence
from sync.central.pump import Pump
from sync.central.workers import LOOK_EVERY_MS
from sync.edge.presence import HEARTBEAT_JITTER_MS, HEARTBEAT_MS
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_ledger import BIRTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LATEST_MS = HEARTBEAT_MS + HEARTBEAT_JITTER_MS
TAKEOVER_MS = 3 * LOOK_EVERY_MS
LOOKED_EVERY_MS = 5_000


@dataclass
class Process:
    """One that hears lockers, and how many transactions that took."""

    parts: Parts
    held_ms: int = hearing.ALONE_MS
    writes: Counter[str] = field(default_factory=Counter)
    ingest: Ingest = field(init=False)

    def __post_init__(self) -> None:
        store, real = self.parts.store, self.parts.store.write

        async def write(work: Any, *, alone: bool = True) -> Any:
            self.writes["all"] += 1
            return await real(work, alone=alone)

        store.write = write  # type: ignore[method-assign]  # counts
        pump = Pump(store, self.parts.desk, lambda *_: None)
        self.ingest = Ingest(
            store, self.parts.desk, lambda *_: None, pump, lambda: None, held_ms=self.held_ms
        )

    async def hears(self, *words: FromLocker) -> None:
        names: dict[type[FromLocker], wire.Name] = {
            wire.Link: wire.Name.LINK, wire.Tele: wire.Name.TELE, wire.UpBatch: wire.Name.LOG
        }  # fmt: skip
        sign = self.parts.locker.frame
        messages = [(wire.up(each.locker, names[type(each)]).topic, sign(each)) for each in words]
        await self.ingest.take_all(messages)

    def row(self) -> Any:
        return self.parts.store.read_now(lambda c: c.execute(select(t.LOCKER)).first())

    def presence(self) -> Presence:
        return presence(self.row(), self.parts.clock.now_ms)

    async def until(self, now_ms: int, expected: Presence = Presence.ONLINE) -> None:
        while self.parts.clock.now_ms < now_ms:
            self.parts.clock.now_ms += LOOKED_EVERY_MS
            await self.ingest.quiet.step()
            assert self.presence() == expected


def beat(locker: FakeLocker, head: int | None = None) -> wire.Tele:
    told = locker.head if head is None else head
    return wire.Tele(locker.locker, locker.epoch, 1, 1, 5, 5, "ntp", told, 0, 1, {}, 0)


async def born(parts: Parts, held_ms: int = hearing.ALONE_MS) -> Process:
    process = Process(parts, held_ms)
    await process.hears(parts.locker.link())
    await process.hears(beat(parts.locker))
    process.writes.clear()
    return process


async def test_of_two_heartbeats_that_tell_nothing_new_one_is_written(parts: Parts) -> None:
    hub, begun_ms = await born(parts), parts.clock.now_ms
    for n in range(1, 11):
        await hub.until(begun_ms + n * HEARTBEAT_MS)
        await hub.hears(beat(parts.locker))
    assert hub.writes["all"] == 4, "and the last two wait"
    last_ms = parts.clock.now_ms
    await hub.until(last_ms + FRESH_MS)
    assert hub.row().last_heard_ms == last_ms, "known exactly before it counts"
    await hub.until(last_ms + GONE_MS, Presence.STALE)
    await hub.until(last_ms + GONE_MS + 5_000, Presence.OFFLINE)
    await hub.hears(beat(parts.locker))
    assert hub.presence() is Presence.ONLINE, "who was silent is heard at once"


@pytest.mark.parametrize("news", ["head", "epoch", "entries", "birth", "dropped"])
async def test_what_is_new_is_written_at_once(parts: Parts, news: str) -> None:
    hub = await born(parts)
    parts.clock.now_ms += 1_000
    said: dict[str, Callable[[], Sequence[FromLocker]]] = {
        "head": lambda: [beat(parts.locker, 9)],
        "epoch": lambda: [beat(FakeLocker(epoch="e" * 32))],
        "entries": lambda: [parts.locker.add(BIRTH, Stopped("a")).batch(), beat(parts.locker)],
        "birth": lambda: [parts.locker.link(), beat(parts.locker)],
        "dropped": lambda: [replace(beat(parts.locker), dropped={"topic": 2}) for _ in range(2)],
    }
    await hub.hears(*said[news]())
    assert hub.writes["all"] == (2 if news == "birth" else 1)
    assert hub.row().last_heard_ms == parts.clock.now_ms
    assert hub.row().head == {"head": 9, "entries": 2}.get(news, 0)
    assert hub.row().dropped == ('{"topic":2}' if news == "dropped" else "{}")


async def test_a_heartbeat_after_entries_that_are_stored_tells_nothing_new(parts: Parts) -> None:
    hub = await born(parts)
    await hub.hears(parts.locker.add(BIRTH, Stopped("a")).batch())
    hub.writes.clear()
    await hub.hears(beat(parts.locker))
    assert hub.writes["all"] == 0
    await hub.hears(beat(parts.locker, parts.locker.head + 1))
    assert hub.writes["all"] == 1, "but what is not stored yet does"
    assert hub.row().head == parts.locker.head + 1


async def test_a_heartbeat_that_was_kept_takes_nothing_back(parts: Parts) -> None:
    hub = await born(parts)
    parts.locker.add(BIRTH)
    parts.clock.now_ms += 1_000
    await hub.hears(beat(parts.locker, 0))
    parts.clock.now_ms += 1_000
    await hub.hears(parts.locker.batch())
    heard_ms = parts.clock.now_ms
    parts.clock.now_ms += hearing.ALONE_MS
    await hub.ingest.quiet.step()
    assert (hub.row().last_heard_ms, hub.writes["all"]) == (heard_ms, 1)


async def test_a_fleets_heartbeats_share_a_transaction(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "KEPT_MAX", 5)
    fleet = [FakeLocker(f"hall-{n}") for n in range(2, 7)]
    for each in fleet:
        parts.store.write_now(lambda c, of=each: lockers.enrol(c, parts.desk, of.locker, "north", of.public))  # type: ignore[misc]  # bound here
    hub = Process(parts)
    await hub.hears(*(beat(each) for each in fleet))
    assert hub.writes["all"] == 1
    for each in fleet:
        assert await hub.ingest.quiet.step() > 0
        parts.clock.now_ms += 1_000
        await hub.hears(beat(each))
    await hub.ingest.quiet.step()
    assert hub.writes["all"] == 2
    now_ms = parts.clock.now_ms
    heard = {row.locker: row.last_heard_ms for row in parts.rows(t.LOCKER) if row.locker != "hall-1"}
    assert heard == {each.locker: now_ms - (4 - n) * 1_000 for n, each in enumerate(fleet)}


async def test_what_is_kept_is_written_at_the_end(parts: Parts) -> None:
    hub = await born(parts)
    running = asyncio.create_task(hub.ingest.run())
    parts.clock.gate = asyncio.Event()
    await parts.store.read(lambda _: None)  # and meanwhile it begins
    parts.clock.now_ms += 1_000
    await hub.hears(beat(parts.locker))
    assert hub.row().last_heard_ms == parts.clock.now_ms - 1_000
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert hub.row().last_heard_ms == parts.clock.now_ms


async def test_who_takes_over_from_a_killed_worker_takes_nobody_for_silent(parts: Parts) -> None:
    """All that it had kept is lost, and then a heartbeat."""
    killed = await born(parts, hearing.SHARED_MS)
    begun_ms = parts.clock.now_ms
    lost_ms = begun_ms + hearing.SHARED_MS - LOOKED_EVERY_MS
    while parts.clock.now_ms < lost_ms:
        parts.clock.now_ms += LOOKED_EVERY_MS
        await killed.ingest.quiet.step()
        await killed.hears(beat(parts.locker))
    assert killed.row().last_heard_ms == begun_ms
    other = Process(parts, hearing.SHARED_MS)
    await other.until(lost_ms + TAKEOVER_MS + 2 * LATEST_MS)
    await other.hears(beat(parts.locker))
    assert other.row().last_heard_ms == parts.clock.now_ms
