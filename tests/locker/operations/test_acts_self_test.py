"""The self-test as an act: over what is vacant, once, and its verdict told."""

import asyncio

from locker.domain.acceptance import Verdict
from locker.domain.acts import Why
from locker.domain.door import Position
from locker.domain.events import (
    ActAccepted,
    ActDone,
    ActRefused,
    ActUnknown,
    CompartmentBlocked,
    OpeningRequested,
    SelfTestEnded,
)
from locker.domain.ids import CompartmentNumber, StaffId
from locker.domain.opening import Purpose
from locker.operations.acts import Taken
from tests.locker.operations.afar import Afar
from tests.locker.operations.test_visits import load
from tests.sync.edges import settle as turns


async def _passes(afar: Afar, ms: int) -> None:
    """Time, a person who pushes doors shut, and the tasks."""
    for _ in range(ms // 500):
        afar.m.clock.advance(500)
        for door, reading in afar.m.hands.readings.items():
            if reading.position is Position.OPEN:
                afar.m.hands.shut(door)
        for _ in range(2):
            await turns()
            await afar.m.settle()


async def test_a_self_test_runs_once_over_what_is_vacant_and_its_verdict_is_told() -> None:
    afar = await Afar.start()
    loaded = await load(afar.m)
    pulses = len(afar.m.hands.pulses)
    tasks = [asyncio.create_task(work) for work in (afar.tester.run(), afar.acts.run())]
    order = afar.order(0, kind="self_test")
    assert await afar.take(order) is Taken.ACCEPTED
    await _passes(afar, 5_000)
    assert (await afar.take(afar.order(0, kind="self_test")), afar.why()) == (Taken.REFUSED, Why.TEST_RUNS)
    await _passes(afar, 300_000)
    ended = afar.m.journal.events(SelfTestEnded)
    for task in tasks:
        task.cancel()
    assert [e.verdict for e in ended] == [Verdict.PASSED]
    opened = [door for door, _ in afar.m.hands.pulses[pulses:]]
    assert len(opened) == len(set(opened)) == len(afar.m.cabinet) - 1
    assert loaded.door not in opened
    assert [type(fact) for fact in afar.results()] == [ActAccepted, ActRefused, ActDone]
    by = {e.staff for e in afar.m.journal.events(OpeningRequested) if e.purpose is Purpose.SERVICE}
    assert by == {StaffId(f"centre/{order.act}")}


async def test_a_self_test_that_was_cut_off_is_not_begun_again() -> None:
    afar = await Afar.start()
    await afar.take(afar.order(0, kind="self_test"))
    await afar.restart()
    tasks = [asyncio.create_task(work) for work in (afar.tester.run(), afar.acts.run())]
    await afar.told(CompartmentBlocked(CompartmentNumber(9), "for the record", StaffId("t-1")))
    await _passes(afar, 5_000)
    for task in tasks:
        task.cancel()
    assert [type(fact) for fact in afar.results()] == [ActAccepted, ActUnknown]
    assert afar.m.hands.pulses == []
