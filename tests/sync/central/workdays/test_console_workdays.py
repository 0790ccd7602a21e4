"""The calendar of the hall: kept by the year, pasted as lines, counted by whatever has a deadline."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sync.central.access.actor import HUB, Role
from sync.central.access.tables import AUDIT
from sync.central.complaints import policy
from sync.central.intake.counter import Counter
from sync.central.workdays import book
from sync.central.workdays.calendar import COUNTED_MAX, WorkDays
from sync.central.workdays.reading import Day, NotRead, read
from sync.central.workdays.tables import WORK_DAY
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.test_console_locker import send

LINES = "日期,类型,名称\n2027-02-06,上班,春节\n2027-02-08,放假,春节\n2027-02-09,off,春节\n"
SATURDAY, SUNDAY, MONDAY = date(2027, 2, 6), date(2027, 2, 7), date(2027, 2, 8)
CHINA = timedelta(hours=8)


def test_lines_are_read_as_offices_write_them() -> None:
    assert read("\ufeff" + LINES)[:2] == (Day(SATURDAY, True, "春节"), Day(MONDAY, False, "春节"))
    assert read("2027/02/06,调休上班\n\n") == (Day(SATURDAY, True, ""),)
    for text, line in (
        ("2027-02-06,maybe,x", 1),
        (LINES + "2027-02-30,放假,x", 5),
        (LINES + "2027-02-09,放假,x", 5),
        ("2027-02-06", 1),
    ):
        with pytest.raises(NotRead) as refused:
            read(text)
        assert refused.value.line == line


def test_feast_days_and_the_weekends_worked_for_them() -> None:
    days = WorkDays({each.day: each.works for each in read(LINES)})
    assert [days.works(SATURDAY + timedelta(n)) for n in range(5)] == [True, False, False, False, True]
    friday = SATURDAY - timedelta(1)
    assert days.after(friday, 1) == SATURDAY
    assert days.after(friday, 2) == date(2027, 2, 10)
    assert WorkDays().after(friday, 2) == date(2027, 2, 9)
    never = WorkDays({friday + timedelta(n): False for n in range(COUNTED_MAX * 8)})
    assert never.after(friday, 1) > friday, "the search ends"


def test_hours_of_complaints_are_counted_on_working_days() -> None:
    days = WorkDays({each.day: each.works for each in read(LINES)})
    friday = datetime(2027, 2, 5, 16, tzinfo=UTC) - CHINA
    begins = round(friday.timestamp() * 1000)
    ends = [policy.after(begins, hours, 480, days) for hours in (1, 2, 10)]
    told = [datetime.fromtimestamp(each / 1000, UTC) + CHINA for each in ends]
    assert [(each.day, each.hour) for each in told] == [(5, 17), (6, 10), (10, 10)]


async def test_an_administrator_keeps_it_and_deadlines_follow_at_once(parts: Parts) -> None:
    people.add(parts, "admin", (Role.ADMINISTRATOR,))
    people.add(parts, "wang", (Role.WINDOW_CLERK,))
    app = people.whole(parts, people.entrance(parts))
    office = people.office_of(parts)
    async with people.browser(app) as admin, people.browser(app) as clerk:
        await people.sign_in(admin, "admin")
        await people.sign_in(clerk, "wang")
        path = "/console/workdays"
        today = datetime.fromtimestamp(parts.clock.now_ms / 1000, UTC) + CHINA
        year = str(today.year)
        counter = Counter(office)
        first = date.fromisoformat(counter.workday_in(1))
        page = await send(admin, path, path, year=year, days=f"{first},放假,节日")
        assert page.status_code == 200
        assert "节日" in page.text
        assert date.fromisoformat(counter.workday_in(1)) > first
        assert (await send(admin, path, path, year=year, days="tomorrow,放假")).status_code == 422
        assert "第 1 行" in (await send(admin, path, path, year=year, days="tomorrow,放假")).text
        assert (await send(admin, path, path, year=year, days="1999-01-01,放假")).status_code == 422
        assert "<textarea" not in (await clerk.get(path)).text
        route = f"/api/v1/workdays/{year}"
        (day,) = (await clerk.get(route)).json()["days"]
        assert day == {"day": first.isoformat(), "works": False, "called": "节日"}
        assert (await clerk.put(route, json={"days": []})).status_code == 403
        other = {"days": [{"day": "1999-01-01", "works": False, "called": "x"}]}
        assert (await admin.put(route, json=other)).status_code == 422
        assert (await admin.put(route, json={"days": []})).status_code == 204
    assert parts.rows(WORK_DAY) == []
    assert date.fromisoformat(Counter(office).workday_in(1)) == first
    acts = [row.object for row in parts.rows(AUDIT) if row.action == "manage_calendar"]
    assert acts == [year, year]


async def test_another_process_learns_of_it(parts: Parts) -> None:
    office, other = people.office_of(parts), WorkDays()
    await book.put_year(office, HUB, 2027, read(LINES))
    parts.desk.workdays.differing = {}
    parts.store.read_now(lambda connection: book.load(connection, parts.desk))
    assert not parts.desk.workdays.works(MONDAY)
    assert other.works(MONDAY)
