"""What is counted, once each, and how long visits took."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locker.domain.deposit import Proof
from locker.domain.door import Presence
from locker.domain.events import CodeAccepted, DoorClosed, Event, ReceiptIssued, SubmissionTaken
from locker.domain.ids import StaffId
from sync.central.access.actor import Role, person
from sync.central.figures.count import HOUR_MS, Calendar, count, sample
from sync.central.figures.summary import By, Days, Visits, lines, occupancy, whole
from sync.central.figures.tables import FIGURE, OCCUPANCY
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import WALL_MS
from tests.sync.central.test_cases import authorise
from tests.sync.central.test_ledger import BIRTH, CABINET, DOOR, GRANT, STAY, VISIT

CALENDAR = Calendar(480)
AUDITOR = person("Sun", [Role.AUDITOR], ["north"])
STRANGER = person("Li", [Role.AUDITOR], ["south"])
EVER = Days(0, 99_999_999)
RECEIPT = ReceiptIssued(STAY, "R-1", "{}", "k", "s")


def visit(code: Event) -> tuple[Event, ...]:
    """A second lies between one entry and the next: `FakeLocker`."""
    return (VISIT[0], code, *VISIT[1:], RECEIPT)


def counted(parts: Parts) -> int:
    return parts.store.write_now(lambda c: count(c, CALENDAR))


def lived(parts: Parts, *more: Event) -> None:
    right = authorise(parts)
    reserved, *_ = VISIT
    assert reserved.case == "GS-1"
    parts.locker.add(BIRTH, CABINET, *visit(CodeAccepted(f"authorisation/{right}", "typed")), *more)
    parts.ingest()


def test_a_visit_takes_from_the_code_to_the_shut_door(parts: Parts) -> None:
    lived(parts)
    assert counted(parts) == parts.locker.head
    (line,) = parts.store.read_now(lambda c: lines(c, AUDITOR, EVER, By.LOCKER))
    assert (line.name, dict(line.counts)) == ("hall-1", {"drop_off": 1})
    # Accepted, requested, opened, closed: three seconds.
    assert line.drop_off == Visits(1, 3_000, 3_000, 1.0)
    assert line.pick_up.known == 0


def test_each_entry_counts_once_however_often_it_is_asked(parts: Parts) -> None:
    lived(parts)
    counted(parts)
    assert counted(parts) == 0
    parts.locker.add(SubmissionTaken(STAY, StaffId("h"), Proof.SENSED, "complete"))
    parts.ingest(parts.locker.head)
    assert counted(parts) == 1
    assert sorted(row.what for row in parts.rows(FIGURE)) == ["drop_off", "intake"]


def test_a_door_that_was_shut_in_another_life_tells_no_duration(parts: Parts) -> None:
    right = authorise(parts)
    reserved, requested, opened, closed, deposited = VISIT
    assert closed == DoorClosed(DOOR, GRANT, Presence.PRESENT)
    accepted = CodeAccepted(f"authorisation/{right}", "typed")
    parts.locker.add(BIRTH, CABINET, reserved, accepted, requested, opened)
    parts.locker.boot = 2
    parts.locker.add(closed, deposited, RECEIPT)
    parts.ingest()
    counted(parts)
    (figure,) = parts.rows(FIGURE)
    assert (figure.what, figure.took_ms) == ("drop_off", 0)


@pytest.mark.parametrize("quality", ["ntp", "unset"])
def test_days_are_those_of_the_hub_and_an_unset_clock_is_not_believed(parts: Parts, quality: str) -> None:
    parts.locker.quality = quality
    # The fake locker's own time; the hub's is the same but for an unset clock.
    parts.clock.now_ms = WALL_MS + 86_400_000
    lived(parts)
    counted(parts)
    (line,) = parts.store.read_now(lambda c: lines(c, AUDITOR, EVER, By.DAY))
    assert line.name == ("2026-09-21" if quality == "ntp" else "2026-09-22")


@pytest.mark.parametrize("by", By)
def test_figures_of_another_area_do_not_exist(parts: Parts, by: By) -> None:
    lived(parts)
    counted(parts)
    assert parts.store.read_now(lambda c: lines(c, AUDITOR, EVER, by))
    assert not parts.store.read_now(lambda c: lines(c, STRANGER, EVER, by))
    assert not parts.store.read_now(lambda c: whole(c, STRANGER, EVER)).counts


def test_how_full_it_was_is_written_once_an_hour(parts: Parts) -> None:
    lived(parts)

    def at(now_ms: int) -> Callable[..., None]:
        return lambda c: sample(c, now_ms)

    for minutes in (0, 30, 61):
        parts.store.write_now(at(WALL_MS + minutes * 60_000))
    assert len(parts.rows(OCCUPANCY)) == 2
    hours = parts.store.read_now(lambda c: occupancy(c, AUDITOR, 0, WALL_MS + 2 * HOUR_MS))
    assert [percent for _, percent in hours] == [100, 100]
    assert not parts.store.read_now(lambda c: occupancy(c, STRANGER, 0, WALL_MS + 2 * HOUR_MS))


@given(st.lists(st.integers(0, 200_000)))
def test_a_median_is_a_duration_that_was_and_half_are_below(took: list[int]) -> None:
    visits, known = Visits.of(took), sorted(each for each in took if each)
    assert visits.known == len(known)
    if known:
        assert visits.median_ms in known
        assert sum(each < visits.median_ms for each in known) <= len(known) / 2
        assert sum(each > visits.median_ms for each in known) <= len(known) / 2
        assert visits.median_ms <= visits.ninetieth_ms <= known[-1]
        assert visits.within_a_minute == pytest.approx(sum(each < 60_000 for each in known) / len(known))
