"""What is counted, once each, and how long visits took."""

from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from locker.domain.deposit import Proof
from locker.domain.door import Presence
from locker.domain.events import CodeAccepted, DoorClosed, Event, ReceiptIssued, SubmissionTaken
from locker.domain.ids import StaffId
from sync.central import lockers
from sync.central.access.actor import HUB, Role, person
from sync.central.figures import tally
from sync.central.figures.count import HOUR_MS, Calendar, count, sample
from sync.central.figures.summary import Visits, lines, occupancy, whole
from sync.central.figures.tables import FIGURE, OCCUPANCY, TALLY
from sync.central.figures.tally import UNKNOWN, By, Days
from sync.central.migrations.versions import figures_3
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


@given(st.lists(st.integers(UNKNOWN, 200)))
def test_a_median_is_a_duration_that_was_and_half_are_below(took: list[int]) -> None:
    visits, known = Visits.of(Counter(took)), sorted(1000 * each for each in took if each != UNKNOWN)
    assert visits.known == len(known)
    if known:
        assert visits.median_ms in known
        assert sum(each < visits.median_ms for each in known) <= len(known) / 2
        assert sum(each > visits.median_ms for each in known) <= len(known) / 2
        assert visits.median_ms <= visits.ninetieth_ms <= known[-1]
        assert visits.within_a_minute == pytest.approx(sum(each < 60_000 for each in known) / len(known))


def figures_of(parts: Parts) -> list[dict[str, Any]]:
    """Of two lockers in two areas, in three months; every day has its own number of visits and durations."""
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "hall-2", "south", parts.locker.public))
    rows: list[dict[str, Any]] = []
    for day in (20260731, 20260801, 20260815, 20260831, 20260901):
        for number in range(day % 7 + 2):
            rows.append(
                {
                    "locker": f"hall-{number % 2 + 1}",
                    "epoch": "e",
                    "seq": len(rows) + 1,
                    "what": ("drop_off", "pick_up", "overdue")[number % 3],
                    "day": day,
                    "hour": 8 + number,
                    "service_item": f"item-{number % 4}",
                    "took_ms": 0 if number % 3 == 2 else 999 + 20_500 * number,
                    "late": number == 1,
                }
            )
    return rows


SPANS = (
    (20260801, 20260831),
    (20260815, 20260901),
    (20260731, 20260831),
    (20260802, 20260830),
    (0, 99_999_999),
)


def test_sums_are_those_of_the_figures_whatever_the_days(parts: Parts) -> None:
    rows = figures_of(parts)

    def counted_in(connection: Connection) -> None:
        for some in (rows[:5], rows[5:]):
            connection.execute(FIGURE.insert(), some)
            tally.add(connection, some)

    parts.store.write_now(counted_in)
    names: dict[By, Callable[[dict[str, Any]], str]] = {
        By.LOCKER: lambda row: str(row["locker"]),
        By.SERVICE_ITEM: lambda row: str(row["service_item"]),
        By.HOUR: lambda row: f"{row['hour']:02}",
        By.AREA: lambda row: "north" if row["locker"] == "hall-1" else "south",
        By.MONTH: lambda row: f"{row['day'] // 100 // 100}-{row['day'] // 100 % 100:02}",
    }
    for (first, last), (by, name), actor in product(SPANS, names.items(), (AUDITOR, HUB)):
        seen = [r for r in rows if first <= r["day"] <= last and (actor is HUB or r["locker"] == "hall-1")]
        found = parts.store.read_now(lambda c: lines(c, actor, Days(first, last), by))  # noqa: B023  # at once
        for line in found:
            mine = [row for row in seen if name(row) == line.name]
            took = Counter(row["took_ms"] // 1000 for row in mine if row["what"] == "drop_off")
            assert line.drop_off == Visits.of(took)
            assert line.counts == Counter(row["what"] for row in mine)
            assert line.late == sum(row["late"] for row in mine)
        assert [line.name for line in found] == sorted({name(row) for row in seen})


def test_what_was_counted_before_is_summed_by_the_step(parts: Parts) -> None:
    rows = figures_of(parts)

    def sums(connection: Connection) -> list[tuple[Any, ...]]:
        connection.execute(FIGURE.insert(), rows)
        for axis, period, name in figures_3.AXES:
            connection.execute(text(figures_3.SUMMING.format(axis=axis, period=period, name=name)))
        stepped = sorted(map(tuple, connection.execute(select(TALLY)).all()))
        connection.execute(TALLY.delete())
        tally.add(connection, rows)
        assert stepped == sorted(map(tuple, connection.execute(select(TALLY)).all()))
        return stepped

    assert parts.store.write_now(sums)
