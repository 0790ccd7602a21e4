"""The pages and routes of settings: people type seconds and days, programs the wire's units."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from locker.domain.policy import SETTINGS
from sync.central.access.actor import Role
from sync.central.console.settings import GROUPS, UNITS
from sync.central.console.texts import load
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.settings.test_settings import HALL, Locker

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@pytest.fixture
async def pages(parts: Parts) -> AsyncIterator[tuple[Locker, httpx.AsyncClient]]:
    locker = Locker(parts)
    people.add(parts, "op", (Role.FLEET_OPERATOR,))
    client = people.browser(people.whole(parts, people.entrance(parts)))
    await people.sign_in(client, "op")
    yield locker, client
    await client.aclose()


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    shown = (await client.get(path)).text
    form = shown.split(f'action="{path}"')[1].split("</form>")[0]
    return await client.post(path, data={**dict(HIDDEN.findall(form)), **fields})


def test_no_setting_is_without_its_place_unit_and_words() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(SETTINGS)
    assert set(SETTINGS) - set(UNITS) == {"help_line"}
    for text in load().values():
        for section in ("setting", "setting_hint"):
            assert set(text.words[section]) == set(SETTINGS)
        assert set(text.words["setting_group"]) == set(GROUPS)
        assert {unit for unit, _ in UNITS.values()} == set(text.words["unit"])


async def test_a_locker_s_page_says_what_is_wished_and_what_is_in_force(
    pages: tuple[Locker, httpx.AsyncClient],
) -> None:
    locker, client = pages
    path = "/console/lockers/hall-1/settings"
    page = await send(client, path, left_open_warning_ms="30", hold_days="14", help_line="0571 1234")
    assert "等待柜机执行" in page.text
    (says,) = locker.obeys()
    assert {each.name: each.value for each in says.settings} == {
        "left_open_warning_ms": 30_000,
        "hold_days": 14,
        "help_line": "0571 1234",
    }
    page = await client.get(path)
    assert "已生效" in page.text
    assert "等待柜机执行" not in page.text
    page = await send(client, path, hold_days="61")
    assert page.status_code == 422
    assert "“待取件保管期”不在允许范围内" in page.text
    assert 'value="61"' in page.text, "what was typed stays"
    assert (await send(client, path, hold_days="seven")).status_code == 422
    assert locker.obeys() == []


async def test_the_fleet_s_page_leads_to_areas_and_to_lockers_that_differ(
    pages: tuple[Locker, httpx.AsyncClient],
) -> None:
    locker, client = pages
    await send(client, "/console/settings", hold_days="10")
    area = f"/console/settings/areas/{locker.area.place}"
    assert area in (await client.get("/console/settings")).text
    shown = (await client.get(area)).text
    assert "来自全部柜机的设定" in shown
    assert "/console/lockers/hall-1/settings" in (await client.get("/console/settings")).text
    locker.obeys()
    assert "/console/lockers/hall-1/settings" not in (await client.get("/console/settings")).text
    assert (await client.get("/console/settings/areas/nowhere")).status_code == 404


async def test_programs_look_and_people_s_sessions_set(pages: tuple[Locker, httpx.AsyncClient]) -> None:
    locker, client = pages
    route = "/api/v1/lockers/hall-1/settings"
    seen = (await client.get(route)).json()
    assert (seen["version"], len(seen["settings"])) == (0, len(SETTINGS))
    body = {"revision": seen["revision"], "settings": {"hold_days": 14, "help_line": "12345"}}
    answer = await client.put(route, json=body)
    assert answer.json() == {"lockers": 1}
    assert (await client.put(route, json=body)).status_code == 409
    locker.obeys()
    told = (await client.get(route)).json()
    assert told["version"] == told["in_force_version"] > 0
    (hold,) = [each for each in told["settings"] if each["name"] == "hold_days"]
    assert (hold["in_force"], hold["standing"], hold["high"]) == (14, "in_force", 60)
    bad = {"revision": told["revision"], "settings": {"pulse_deadline_ms": 4_000}}
    assert (await client.put(route, json=bad)).status_code == 422
    assert (await client.get("/api/v1/areas/nowhere/settings")).status_code == 404
    assert (await client.get("/api/v1/fleet/settings")).json()["version"] == 0
    assert locker.sheet(HALL).told is not None
