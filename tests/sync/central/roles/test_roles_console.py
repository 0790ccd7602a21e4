"""What people stumbled over at their desks."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central import queries
from sync.central.access.actor import Role
from sync.central.desk import note
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import Told
from tests.sync.central.served import NAME
from tests.sync.central.test_cases import authorise

HALL = "/console/lockers/hall-1"
DAY_MS = 86_400_000


@pytest.fixture
def told(parts: Parts) -> Told:
    told = Told(parts)
    authorise(parts)
    told.hears()
    return told


@pytest.fixture
async def browser(told: Told) -> AsyncIterator[httpx.AsyncClient]:
    people.add(told.parts, NAME, set(Role) - {Role.INTEGRATOR})
    async with people.browser(people.whole(told.parts, people.entrance(told.parts))) as client:
        await people.sign_in(client, NAME)
        yield client


def test_a_right_that_is_named_again_was_granted_when_it_was_granted(told: Told) -> None:
    parts = told.parts
    steps = parts.store.read_now(lambda c: queries.trail(c, "GS-1"))
    right = next(step.detail["reference"] for step in steps if step.source == "centre")
    later_ms = parts.clock.now_ms + DAY_MS
    parts.store.write_now(lambda c: note(c, "GS-1", "case_checked", right, "person:wang", later_ms))
    again = parts.store.read_now(lambda c: queries.trail(c, "GS-1"))
    assert [step.kind for step in again] == [*(step.kind for step in steps), "case_checked"]


async def test_a_locker_of_older_software_has_its_page(told: Told, browser: httpx.AsyncClient) -> None:
    told.is_there(state_text='{"tq":"ntp","disk_used_percent":20}')
    page = await browser.get(HALL)
    assert page.status_code == 200
    assert "网络校时" in page.text


async def test_sizes_and_outcomes_are_told_in_words(told: Told, browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"{HALL}/directives")).text
    assert "尺寸 S" in page
    authorise(told.parts)
    told.hears(refused="no_room")
    assert "柜机拒绝 · 没有空位" in (await browser.get(f"{HALL}/history")).text
