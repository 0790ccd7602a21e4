"""The down-log on its way: a window at a time, again until it is there, only to lockers that listen."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from sync import wire
from sync.central import tables as t
from sync.central.directives import batch_after
from sync.central.hello import WINDOW
from sync.central.pump import FIRST_WAIT_MS, LONGEST_WAIT_MS, Pump
from tests.sync.central.conftest import Parts
from tests.sync.central.test_cases import PASSED, authorise
from tests.sync.central.test_hello import meet


class Wire:
    def __init__(self) -> None:
        self.said: list[wire.DownBatch] = []

    def say(self, _locker: str, words: Any) -> None:
        self.said.append(words)

    def ranges(self) -> list[tuple[int, int]]:
        said, self.said = self.said, []
        return [(batch.from_seq, batch.to_seq) for batch in said]


@pytest.fixture
def line() -> Wire:
    return Wire()


@pytest.fixture
def pump(parts: Parts, line: Wire) -> Pump:
    return Pump(parts.store, parts.desk, line.say)


def fill(parts: Parts, count: int) -> None:
    """So many entries, each of about 4 kB: sixteen to a batch."""
    papers = tuple("材" * 70 + str(number) for number in range(20))
    for number in range(count):
        authorise(parts, replace(PASSED, case=f"GS-{number}", papers=papers))


def acknowledge(parts: Parts, pump: Pump, to: int) -> None:
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(dn_stored_to=to)))
    pump.wake(["hall-1"])


async def test_nothing_goes_to_a_locker_that_is_not_there(parts: Parts, pump: Pump, line: Wire) -> None:
    fill(parts, 1)
    pump.wake(["hall-1"])
    await pump.step()
    assert line.ranges() == []
    meet(parts, parts.locker.link())
    pump.restart("hall-1")
    await pump.step()
    assert line.ranges() == [(1, 1)]


@pytest.mark.rule("CEN-11")
async def test_a_window_and_no_more(parts: Parts, pump: Pump, line: Wire) -> None:
    fill(parts, 60)
    meet(parts, parts.locker.link())
    pump.restart("hall-1")
    await pump.step()
    first = line.ranges()
    assert len(first) == WINDOW
    await pump.step()
    assert line.ranges() == []
    acknowledge(parts, pump, first[0][1])
    await pump.step()
    (third,) = line.ranges()
    assert third[0] == first[1][1] + 1


@pytest.mark.rule("CEN-11")
async def test_batches_follow_one_another_and_fit(parts: Parts) -> None:
    fill(parts, 60)
    row = parts.rows(t.LOCKER)[0]
    after = 0
    previous = wire.ZERO
    while (batch := parts.store.read_now(partial(batch_after, locker=row, after=after))) is not None:
        assert (batch.from_seq, batch.prev) == (after + 1, previous)
        assert wire.down_hashes(batch)[-1].hex() == batch.hash
        assert sum(len(text.encode()) for text in batch.entries) <= wire.BATCH_BYTES_MAX
        wire.encode(batch)
        after, previous = batch.to_seq, batch.hash
    assert (after, previous) == (row.dn_head, row.dn_hash)


@pytest.mark.rule("CEN-11")
async def test_without_an_acknowledgement_it_is_said_again_and_again_less_often(
    parts: Parts, pump: Pump, line: Wire
) -> None:
    fill(parts, 1)
    meet(parts, parts.locker.link())
    pump.restart("hall-1")
    waits = [await pump.step()]
    for _ in range(8):
        parts.clock.now_ms += waits[-1]
        waits.append(await pump.step())
    assert line.ranges() == [(1, 1)] * 9
    assert FIRST_WAIT_MS <= waits[0] <= FIRST_WAIT_MS * 1.25
    assert LONGEST_WAIT_MS <= waits[-1] <= LONGEST_WAIT_MS * 1.25
    acknowledge(parts, pump, 1)
    await pump.step()
    parts.clock.now_ms += LONGEST_WAIT_MS * 2
    await pump.step()
    assert line.ranges() == []


@pytest.mark.rule("CEN-11")
async def test_a_new_connection_starts_from_what_it_has(parts: Parts, pump: Pump, line: Wire) -> None:
    fill(parts, 2)
    meet(parts, parts.locker.link())
    pump.restart("hall-1")
    await pump.step()
    line.ranges()
    first = parts.rows(t.DIRECTIVE)[0]
    parts.locker.conn = 2
    meet(parts, parts.locker.link(dn_epoch=first.dn_epoch, dn_applied=1, dn_hash=first.hash))
    pump.restart("hall-1")
    await pump.step()
    assert line.ranges() == [(2, 2)]


async def test_an_entry_made_later_does_not_repeat_what_is_under_way(
    parts: Parts, pump: Pump, line: Wire
) -> None:
    meet(parts, parts.locker.link())
    fill(parts, 1)
    pump.wake(["hall-1"])
    await pump.step()
    authorise(parts)
    pump.wake(["hall-1"])
    await pump.step()
    assert line.ranges() == [(1, 1), (2, 2)]
