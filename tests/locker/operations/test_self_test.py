"""The self-test under virtual time: every verdict, and that no door opens before nobody."""

import asyncio
from dataclasses import replace

import pytest

from locker.domain.acceptance import (
    Began,
    BoardResult,
    Doing,
    DoorResult,
    Ended,
    Finding,
    LineResult,
    Outcome,
    Step,
    Verdict,
    judged_line,
)
from locker.domain.door import BoardLost, DoorReading, Position, Presence, PulseOutcome, PulseResult
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CompartmentFaulted,
    DoorForced,
    OpeningRequested,
    SelfTestBegan,
    SelfTestEnded,
)
from locker.domain.ids import BoardId, CompartmentNumber, StaffId
from locker.domain.opening import Purpose
from locker.operations import drop_off
from locker.operations.ports import Decided
from locker.operations.present_code import DropOffOffer, present_typed
from locker.operations.self_test import FOLLOWED_MS, Wish
from locker.operations.service import Technician
from tests.locker.operations.tested import DOORS, LINE, ROOT, SHORT, SOUND, STEP_MS, Site


async def test_a_sound_cabinet_passes_and_the_journal_says_so() -> None:
    site = await Site.start()
    ended = await site.play()
    assert (ended.verdict, ended.passed, ended.failed, ended.skipped) == (Verdict.PASSED, DOORS, (), ())
    began, *_, end = site.m.journal.events(SelfTestBegan, SelfTestEnded)
    assert (began, end) == (
        SelfTestBegan(ROOT.staff, DOORS),
        SelfTestEnded(Verdict.PASSED, DOORS, (), ()),
    )
    requested = site.m.journal.events(OpeningRequested)
    assert [(e.door, e.purpose, e.staff) for e in requested] == [
        (n, Purpose.SERVICE, ROOT.staff) for n in DOORS
    ]
    assert [door for door, _ in site.m.hands.pulses] == list(DOORS)
    door = site.door(1)
    assert (door.item_before, door.item_after) == (Presence.ABSENT, Presence.ABSENT)
    assert door.acknowledged_ms is not None
    assert door.shut_ms is not None


async def test_it_tells_what_it_does_in_order() -> None:
    site = await Site.start()
    await site.play()
    assert isinstance(site.facts[0], Began)
    steps = [fact for fact in site.facts if isinstance(fact, Step)]
    assert [(s.doing, s.door) for s in steps[:4]] == [
        (Doing.IDENTIFYING, 0),
        (Doing.OPENING, 1),
        (Doing.AWAITING_SHUT, 1),
        (Doing.OPENING, 2),
    ]
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert 0 <= done[0] < done[-1] < steps[0].of
    assert [type(f) for f in site.facts if not isinstance(f, Step)] == [
        Began,
        BoardResult,
        *[DoorResult] * 3,
        LineResult,
        Ended,
    ]
    assert site.line_result().asked > 0


async def test_all_doors_are_tried_where_none_are_named() -> None:
    site = await Site.start()
    assert (await site.play(Wish(poll_s=1))).passed == tuple(site.m.journal.state.compartments)


async def test_only_vacant_doors_are_opened() -> None:
    site = await Site.start()
    offer = await present_typed(site.m.world, await site.m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(site.m.world, offer)
    assert not isinstance(opened, Refusal)
    await site.m.settle()
    site.m.hands.put(opened.door)
    await site.m.shut(opened.door)
    faulty = next(n for n in DOORS if n != opened.door)
    await site.m.journal.commit("test", lambda _s: Decided(None, (CompartmentFaulted(faulty, "bent"),)))
    pulses = len(site.m.hands.pulses)
    ended = await site.play(Wish((opened.door, faulty), poll_s=1))
    assert (ended.verdict, ended.finding) == (Verdict.INCOMPLETE, Finding.NO_DOOR)
    assert ended.skipped == (opened.door, faulty)
    assert site.found(faulty) == (Outcome.SKIPPED, Finding.NOT_VACANT, "faulty")
    assert site.found(opened.door)[1] is Finding.NOT_VACANT
    assert len(site.m.hands.pulses) == pulses


async def test_a_jammed_door_fails_and_the_others_are_tried() -> None:
    site = await Site.start()
    site.m.hands.jammed.add(2)
    ended = await site.play()
    assert (ended.verdict, ended.passed, ended.failed) == (Verdict.FAILED, (1, 3), (2,))
    assert site.found(2) == (Outcome.FAILED, Finding.STUCK, "")
    assert site.door(2).opened_ms is None


async def test_a_door_that_is_not_shut_ends_it_unless_told_to_go_on() -> None:
    site = await Site.start()
    site.pushes = False
    ended = await site.play()
    assert (ended.verdict, ended.finding, ended.about) == (Verdict.FAILED, Finding.NOT_SHUT, "1")
    assert site.found(1) == (Outcome.FAILED, Finding.NOT_SHUT, "")
    assert site.found(2) == (Outcome.SKIPPED, Finding.NOT_REACHED, "")
    assert len(site.m.hands.pulses) == 1

    site = await Site.start()
    site.pushes = False
    ended = await site.play(replace(SHORT, go_on=True))
    assert (ended.failed, ended.finding) == (DOORS, Finding.NONE)


async def test_a_door_that_reads_open_is_not_pulsed() -> None:
    site = await Site.start()
    site.pushes = False
    site.m.hands.readings[DOORS[0]] = DoorReading(Position.OPEN, Presence.ABSENT)
    await site.m.restart()
    site.m.journal.subscribe(site.tester.entries_committed)
    await site.play(Wish(DOORS[:1], poll_s=1))
    assert site.found(1) == (Outcome.FAILED, Finding.READS_OPEN, "")
    assert site.m.hands.pulses == []


async def test_an_unseen_door_is_not_pulsed() -> None:
    site = await Site.start()
    site.m.follower.report(BoardLost(BoardId("A/1"), (DOORS[0],), 0))
    await site.m.settle()
    assert (await site.play(Wish(DOORS[:1], poll_s=1))).failed == (1,)
    assert site.found(1) == (Outcome.FAILED, Finding.NOT_SEEN, "")
    assert site.m.hands.pulses == []


async def test_swapped_doors_are_found() -> None:
    """Lock 1 is pulsed, and the sensor of door 3 moves."""
    site = await Site.start()
    site.m.hands.jammed.add(1)

    async def crossed() -> None:
        if len(site.m.hands.pulses) == 1 and not site.m.journal.events(DoorForced):
            site.m.hands.move(3, Position.OPEN)
            await site.m.settle()

    site.on_step = crossed
    ended = await site.play()
    assert (ended.verdict, ended.failed, ended.passed) == (Verdict.FAILED, (1,), (2,))
    assert site.found(1) == (Outcome.FAILED, Finding.OTHER_MOVED, "3")
    assert site.found(3) == (Outcome.SKIPPED, Finding.NOT_VACANT, "to_check")


async def test_a_door_that_opens_alone_fails_the_test() -> None:
    site = await Site.start()

    async def burst() -> None:
        polling = any(isinstance(f, Step) and f.doing is Doing.POLLING for f in site.tester._facts)
        if polling and not site.m.journal.events(DoorForced):
            site.m.hands.move(7, Position.OPEN)
            await site.m.settle()

    site.on_step = burst
    ended = await site.play()
    assert (ended.verdict, ended.finding, ended.about) == (Verdict.FAILED, Finding.OPENED_ALONE, "7")


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (
            PulseResult(PulseOutcome.REFUSED, "exception_2"),
            (Outcome.FAILED, Finding.REFUSED, "exception_2"),
        ),
        (PulseResult(PulseOutcome.NOT_SENT, "late"), (Outcome.FAILED, Finding.NOT_SENT, "late")),
        (
            PulseResult(PulseOutcome.NOT_SENT, "hourly_limit"),
            (Outcome.SKIPPED, Finding.RESTING, "hourly_limit"),
        ),
        (PulseResult(PulseOutcome.UNCERTAIN), (Outcome.FAILED, Finding.NOT_ACKNOWLEDGED, "")),
    ],
    ids=str,
)
async def test_what_the_wire_says_is_kept(result: PulseResult, found: tuple[Outcome, Finding, str]) -> None:
    site = await Site.start()
    site.m.hands.next_result = result
    await site.play()
    assert site.found(1) == found
    assert site.found(2) == (Outcome.PASSED, Finding.NONE, "")


async def test_a_board_that_never_replies_need_not() -> None:
    site = await Site.start(mute=frozenset(DOORS[:1]))
    site.m.hands.next_result = PulseResult(PulseOutcome.UNCERTAIN)
    assert (await site.play()).verdict is Verdict.PASSED
    assert site.door(1).acknowledged_ms is None
    assert site.door(1).seen_ms == site.door(1).opened_ms


async def test_item_sensors_are_judged() -> None:
    site = await Site.start()
    reading = DoorReading(Position.CLOSED, Presence.PRESENT)
    site.m.hands.readings[DOORS[0]] = reading
    site.m.hands.put(1)
    await site.m.restart()
    site.m.journal.subscribe(site.tester.entries_committed)

    async def drop() -> None:
        if len(site.m.hands.pulses) == 1:
            site.m.hands.put(2)

    site.on_step = drop
    await site.play()
    assert site.found(1) == (Outcome.FAILED, Finding.ITEM_SEEN, "before")
    assert site.found(2) == (Outcome.FAILED, Finding.ITEM_SEEN, "after")
    assert [door for door, _ in site.m.hands.pulses] == [2, 3]


async def test_without_item_sensors_none_is_asked_for() -> None:
    site = await Site.start(item_sensors=False)
    assert (await site.play()).verdict is Verdict.PASSED


async def test_a_dead_board_fails_the_test() -> None:
    site = await Site.start()
    site.line = replace(LINE, boards=(replace(SOUND, standing="lost", why="no answer"),))
    assert (await site.play()).verdict is Verdict.FAILED
    assert site.of(BoardResult) == [
        BoardResult(
            SOUND.board,
            SOUND.profile,
            "silver",
            "lost",
            Outcome.FAILED,
            Finding.BOARD_DOWN,
            "no answer",
        )
    ]
    assert site.line_result().problems == ()


async def test_a_board_that_starts_is_waited_for() -> None:
    site = await Site.start()
    site.line = replace(LINE, boards=(replace(SOUND, standing="starting"),))

    async def up() -> None:
        if site.m.clock.mono_ms() > 2_000:
            site.line = replace(site.line, boards=(replace(site.line.boards[0], standing="serving"),))

    site.on_step = up
    assert (await site.play()).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("rates", "every", "problems", "remarks"),
    [
        ({"missed": 1}, 5, (Finding.LOSSES,), ()),
        ({"missed": 1}, 40, (), ()),
        ({"noise_bytes": 3}, 20, (), (Finding.NOISE,)),
        ({"refused": 1}, 20, (), (Finding.REFUSALS,)),
    ],
    ids=str,
)
async def test_a_line_is_judged_by_what_happened_meanwhile(
    rates: dict[str, int], every: int, problems: tuple[Finding, ...], remarks: tuple[Finding, ...]
) -> None:
    site = await Site.start()
    site.line = replace(LINE, boards=(replace(SOUND, asked=900, missed=500, refused=7, noise_bytes=9),))
    turns = 0

    async def spoil() -> None:
        nonlocal turns
        turns += 1
        if turns % every == 1 and turns > 1:
            site.ask(**rates)

    site.on_step = spoil
    ended = await site.play()
    result = site.line_result()
    assert (result.problems, result.remarks) == (problems, remarks)
    assert ended.verdict is (Verdict.FAILED if problems else Verdict.PASSED)


def test_a_line_that_broke_its_silence_or_lost_a_board_fails() -> None:
    after = replace(LINE, boards=(replace(SOUND, asked=90, latencies_ms=(9.0,) * 256),))
    assert judged_line(LINE, after, ()).problems == ()
    assert judged_line(LINE, after, ()).boards[0].latencies_ms == (9.0,) * 90
    short = replace(after, shortest_silence_ms=3.5)
    assert judged_line(LINE, short, ()).problems == (Finding.SILENCE_BROKEN,)
    lost = replace(LINE, boards=(replace(SOUND, asked=90, standing="lost"),))
    assert judged_line(LINE, lost, ()).problems == (Finding.BOARD_DOWN,)
    assert judged_line(LINE, LINE, ()).problems == (Finding.NOT_ASKED,)
    doors = [
        DoorResult(number, Outcome.PASSED, opened_ms=opened_ms, acknowledged_ms=20)
        for number, opened_ms in zip(DOORS, (320, 720, None), strict=True)
    ]
    judged = judged_line(LINE, after, doors)
    assert (judged.slowest_ms, judged.doors) == (700, DOORS)


async def test_a_door_seen_too_late_fails() -> None:
    site = await Site.start()
    site.line = replace(LINE, detection_s=0.3)
    site.m.hands.jammed.add(1)
    pulsed_ms = 0

    async def slowly() -> None:
        nonlocal pulsed_ms
        if site.m.hands.pulses and not pulsed_ms:
            pulsed_ms = site.m.clock.mono_ms()
        if pulsed_ms and pulsed_ms + 900 < site.m.clock.mono_ms() and 1 in site.m.hands.jammed:
            site.m.hands.jammed.discard(1)
            site.m.hands.move(1, Position.OPEN)
            await site.m.settle()

    site.on_step = slowly
    await site.play()
    assert site.found(1) == (Outcome.FAILED, Finding.SEEN_LATE, "800 ms")
    assert site.found(2)[0] is Outcome.PASSED
    assert (site.line_result().slowest_ms or 0) > 800


async def test_nobody_follows_and_no_further_door_opens() -> None:
    site = await Site.start()
    site.asks_s = 0
    waited_ms = 0

    async def slowly() -> None:
        nonlocal waited_ms
        waited_ms += STEP_MS
        site.pushes = waited_ms > FOLLOWED_MS + STEP_MS

    site.on_step = slowly
    ended = await site.play(replace(SHORT, close_s=60))
    assert (ended.verdict, ended.finding) == (Verdict.INCOMPLETE, Finding.NOBODY_FOLLOWS)
    assert (ended.passed, ended.skipped) == ((1,), (2, 3))
    assert len(site.m.hands.pulses) == 1


async def test_it_stops_in_order() -> None:
    site = await Site.start()

    async def stop() -> None:
        if len(site.m.hands.pulses) == 2:
            site.pushes = False
            site.tester.stop()

    site.on_step = stop
    ended = await site.play()
    assert (ended.verdict, ended.finding) == (Verdict.INCOMPLETE, Finding.STOPPED)
    assert (ended.passed, ended.skipped) == ((1,), (2, 3))
    assert site.found(2) == (Outcome.SKIPPED, Finding.STOPPED, "")
    assert site.m.journal.events(SelfTestEnded) == [
        SelfTestEnded(Verdict.INCOMPLETE, DOORS[:1], (), DOORS[1:])
    ]


async def test_a_journal_that_fails_ends_it_and_nothing_is_pulsed() -> None:
    site = await Site.start()
    site.m.journal.failing = True
    ended = await site.play()
    assert (ended.verdict, ended.finding) == (Verdict.INCOMPLETE, Finding.JOURNAL_FAILING)
    assert site.m.hands.pulses == []


async def test_one_at_a_time_and_for_technicians_only() -> None:
    site = await Site.start()
    start = site.tester.start
    await site.m.enrol("h-1")
    await site.m.enrol("t-1", roles=frozenset({"technician"}))
    for stranger in ("h-1", "nobody", "console/0"):
        assert start(Technician(StaffId(stranger)), SHORT) == Refusal(Reason.NOT_ALLOWED)
    assert start(ROOT, Wish((CompartmentNumber(99),))) == Refusal(Reason.NOT_NOW)
    assert start(Technician(StaffId("t-1")), SHORT) is None
    assert start(ROOT, SHORT) == Refusal(Reason.NOT_NOW)
    assert site.tester.number == 1


async def test_a_technician_who_is_revoked_meanwhile_opens_nothing_more() -> None:
    site = await Site.start()
    await site.m.enrol("t-1", roles=frozenset({"technician"}))

    async def revoke() -> None:
        if len(site.m.hands.pulses) == 1 and "t-1" in site.m.journal.state.staff:
            await site.m.enrol("t-1", roles=frozenset({"helper"}))

    site.on_step = revoke
    ended = await site.play(who=Technician(StaffId("t-1")))
    assert site.found(2) == (Outcome.FAILED, Finding.REFUSED, "not_allowed")
    assert (ended.passed, len(site.m.hands.pulses)) == ((1,), 1)


async def test_progress_waits_for_news_and_then_says_all() -> None:
    site = await Site.start()
    assert await site.tester.progress(0, 0) == ()
    assert site.tester.start(ROOT, SHORT) is None
    asking = asyncio.ensure_future(site.tester.progress(0, 1_000))
    await asyncio.wait({asking}, timeout=0)
    assert not asking.done()
    runner = asyncio.ensure_future(site.tester.run())
    await asyncio.wait({asking}, timeout=5)
    facts = asking.result()
    assert isinstance(facts[0], Began)
    later = asyncio.ensure_future(site.tester.progress(1_000, 500))
    await asyncio.wait({later}, timeout=0)
    await site.m.later(500)
    assert await later == ()
    closing = asyncio.ensure_future(site.tester.close(60_000))
    for _ in range(10):
        await asyncio.wait({closing}, timeout=0)
        await site.m.settle()
    await closing
    assert not site.tester.running
    runner.cancel()
