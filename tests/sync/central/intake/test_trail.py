"""The times of a trail where a clock was not set, and what it says of its own gaps."""

from sqlalchemy import Connection, delete

from locker.domain.events import Booted
from sync.central import tables as t
from sync.central.access.actor import HUB
from sync.central.intake.trail import Doubt, Told, trail
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import WALL_MS
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT


def told(parts: Parts) -> tuple[tuple[Told, ...], tuple[Doubt, ...]]:
    found = parts.store.read_now(lambda c: trail(c, HUB, "GS-1"))
    return found.steps, found.doubts


def visit_without_a_clock(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET)
    parts.locker.quality, parts.locker.boot = "unset", 2
    parts.locker.add(*VISIT, wall_ms=1_000)


def test_a_clock_that_is_set_later_in_the_same_start_tells_all_its_times(parts: Parts) -> None:
    visit_without_a_clock(parts)
    parts.locker.quality = "ntp"
    parts.locker.add(Booted("0.1.0", 2))
    parts.ingest()
    steps, doubts = told(parts)
    # The counter runs a second an entry, and the last one was at a known time.
    last = len(parts.locker.entries)
    assert [(step.moment.at_ms, step.moment.clock) for step in steps] == [
        (WALL_MS + last - 1_000 * (last - step.step.seq), "reckoned") for step in steps
    ]
    assert doubts == ()


def test_a_clock_that_was_never_set_leaves_a_time_between(parts: Parts) -> None:
    visit_without_a_clock(parts)
    parts.clock.now_ms = WALL_MS + 90_000
    parts.ingest()
    steps, _ = told(parts)
    assert {step.moment.clock for step in steps} == {"unset"}
    assert {(step.moment.not_before_ms, step.moment.not_after_ms) for step in steps} == {
        (WALL_MS + 2, WALL_MS + 90_000)
    }
    parts.locker.quality, parts.locker.boot = "ntp", 3
    parts.locker.add(Booted("0.1.0", 3), wall_ms=WALL_MS + 60_000)
    parts.ingest()
    steps, _ = told(parts)
    assert {step.moment.not_after_ms for step in steps} == {WALL_MS + 60_000 + len(parts.locker.entries)}


def test_gaps_marks_and_what_has_not_come_are_told(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    steps, doubts = told(parts)
    assert ([step.lacking_before for step in steps], doubts) == ([0] * len(steps), ())
    epoch = parts.locker.epoch

    def spoil(connection: Connection) -> None:
        connection.execute(delete(t.LEDGER).where(t.LEDGER.c.seq.in_([4, 5])))
        connection.execute(t.STREAM.update().values(mark="hole"))
        connection.execute(t.LOCKER.update().values(epoch=epoch, head=9))

    parts.store.write_now(spoil)
    steps, doubts = told(parts)
    assert [(step.step.seq, step.lacking_before) for step in steps] == [(3, 0), (6, 2), (7, 0)]
    assert doubts == (Doubt("hall-1", "hole"), Doubt("hall-1", "behind", 2))


def test_what_is_raw_is_counted(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    parts.store.write_now(
        lambda c: c.execute(t.LEDGER.update().where(t.LEDGER.c.seq == 5).values(problem="unknown type"))
    )
    _, doubts = told(parts)
    assert doubts == (Doubt("hall-1", "raw", 1),)
