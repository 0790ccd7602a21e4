"""Many lockers are born at once, before several workers: each is answered, nobody stands in another's way."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from sync import wire
from sync.central import hearing, lockers, store
from sync.central import tables as t
from sync.central.ingest import Ingest, _rounds
from sync.central.platform import WRITERS, Threads
from sync.central.pump import Pump
from sync.central.store import Store
from sync.central.switchboard import TOGETHER_MAX
from tests.sync.central.conftest import HandClock, OnPostgres, Parts, new_desk
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_hearing import beat
from tests.sync.central.test_ledger import BIRTH

WORKERS = 2
LANES = 2
BORN = 24


class Spoiled(Exception):
    """As the driver says it."""

    sqlstate = "40001"


@pytest.fixture
def workers(on_postgres: OnPostgres) -> Iterator[list[Store]]:
    """Each with connections of its own, as in a process of its own."""
    first = on_postgres.emptied()
    assert first.url is not None
    others = [Store(first.url, Threads.real(WRITERS)) for _ in range(WORKERS)]
    with closing(others[0]), closing(others[1]):
        yield others


@pytest.mark.postgresql
async def test_births_before_two_workers_never_spoil_each_other(
    workers: list[Store], caplog: pytest.LogCaptureFixture
) -> None:
    """A thousand of them made one lose ten times in a row: every birth had read the page of an index on
    which others' rows were to come."""
    desk, said = new_desk(HandClock()), Counter[str]()
    fleet = [FakeLocker(f"hall-{n}").add(BIRTH) for n in range(BORN)]

    def enrol(connection: Any) -> None:
        for each in fleet:
            lockers.enrol(connection, desk, each.locker, "north", each.public)

    workers[0].write_now(enrol)

    def heard_by(own: Store) -> Ingest:
        say = lambda who, _: said.update([who])  # noqa: E731  # three words
        return Ingest(own, desk, say, Pump(own, desk, say), lambda: None)

    async def lane(ingest: Ingest, mine: list[FakeLocker]) -> None:
        for each in mine:
            await ingest.take(wire.up(each.locker, wire.Name.LINK).topic, each.frame(each.link()))

    hearing_them = [heard_by(own) for own in workers for _ in range(LANES)]
    with caplog.at_level(logging.INFO, "sync.central.store"):
        async with asyncio.TaskGroup() as group:
            for n, ingest in enumerate(hearing_them):
                group.create_task(lane(ingest, fleet[n :: len(hearing_them)]))
    assert said == {each.locker: 1 for each in fleet}
    assert "done again" not in caplog.text


def test_every_locker_keeps_the_order_of_its_words() -> None:
    a, b = FakeLocker("a"), FakeLocker("b").add(BIRTH)
    gone = a.link(online=False)
    rounds = _rounds([beat(a), a.link(), b.link(), gone, beat(a), b.batch(), a.link()])
    assert rounds == [
        ([b.link()], [beat(a), b.batch()]),
        ([a.link(), gone], [beat(a)]),
        ([a.link()], []),
    ]


async def told(parts: Parts, fleet: list[FakeLocker]) -> tuple[Ingest, list[str]]:
    said: list[str] = []
    say = lambda who, _: said.append(who)  # noqa: E731  # three words
    ingest = Ingest(parts.store, parts.desk, say, Pump(parts.store, parts.desk, say), lambda: None)
    assert len(fleet) <= TOGETHER_MAX
    await ingest.take_all(
        [(wire.up(each.locker, wire.Name.LINK).topic, each.frame(each.link())) for each in fleet]
    )
    return ingest, said


async def test_births_that_wait_together_share_a_transaction(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = FakeLocker("hall-2")
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "hall-2", "north", neighbour.public))
    transactions, real = [], parts.store._write_once

    def once(work: Any, *, alone: bool) -> Any:
        transactions.append(alone)
        return real(work, alone=alone)

    monkeypatch.setattr(parts.store, "_write_once", once)
    _, said = await told(parts, [neighbour, parts.locker])
    assert said == ["hall-2", "hall-1"]
    assert transactions == [False]
    assert {row.locker: row.online for row in parts.rows(t.LOCKER)} == {"hall-1": True, "hall-2": True}


async def test_one_birth_that_cannot_be_taken_down_costs_no_other_its_hello(parts: Parts) -> None:
    """Its locker was taken out since its key was read."""
    gone = FakeLocker("hall-2")
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "hall-2", "north", gone.public))
    ingest, _ = await told(parts, [gone])
    parts.store.write_now(lambda c: c.execute(t.LOCKER.delete().where(t.LOCKER.c.locker == "hall-2")))
    for each in (gone, parts.locker):
        each.conn = 2
    links = [
        (wire.up(each.locker, wire.Name.LINK).topic, each.frame(each.link())) for each in (gone, parts.locker)
    ]
    await ingest.take_all(links)
    assert ingest.dropped == {"Refused": 1}
    (row,) = parts.rows(t.LOCKER)
    assert (row.locker, row.conn) == ("hall-1", 2)


async def test_who_always_loses_is_dropped_and_the_next_is_heard(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker must not end by it: lockers say again what nobody answers."""
    tried, real = Counter[str](), parts.store._write_once

    def once(work: Any, *, alone: bool) -> Any:
        if tried["all"] < 4 * store.TRIES:
            tried["all"] += 1
            raise OperationalError("COMMIT", None, Spoiled())
        return real(work, alone=alone)

    ingest, said = await told(parts, [parts.locker])
    assert said == ["hall-1"]
    monkeypatch.setattr(parts.store, "_write_once", once)
    monkeypatch.setattr(type(parts.store._threads), "pause", staticmethod(lambda _: None))
    parts.locker.add(BIRTH)
    parts.locker.conn = 2
    words: list[tuple[wire.Name, wire.Payload]] = [
        (wire.Name.LINK, parts.locker.link()),
        (wire.Name.LOG, parts.locker.batch()),
        (wire.Name.TELE, beat(parts.locker)),
    ]
    for name, each in words:
        await ingest.take(wire.up("hall-1", name).topic, parts.locker.frame(each))
    parts.clock.now_ms += hearing.ALONE_MS
    await ingest.take(
        wire.up("hall-1", wire.Name.LINK).topic, b"\x02" + parts.locker.frame(parts.locker.link())[1:]
    )
    assert ingest.dropped == {"Spoiled": 4, "UnknownAlgorithm": 1}
    for name, each in words:
        await ingest.take(wire.up("hall-1", name).topic, parts.locker.frame(each))
    assert said == ["hall-1"] * 3
    assert parts.rows(t.STREAM)[0].stored_to == 1
