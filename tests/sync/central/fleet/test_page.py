"""The fleet's page and its alarms, as a browser sees them."""

import httpx
import pytest

from sync.central.alarms import Trouble, raise_alarm
from tests.sync.central.conftest import Parts
from tests.sync.central.test_console import browser, sign_in  # noqa: F401  # a fixture
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

FRESH_MS = 1_000


@pytest.fixture
async def operator(browser: httpx.AsyncClient, parts: Parts) -> httpx.AsyncClient:  # noqa: F811
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    await sign_in(browser)
    return browser


async def changes(operator: httpx.AsyncClient, since: str) -> dict[str, object]:
    answer = await operator.get("/console/fleet/changes", params={"since": since, "live": "1"})
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


async def test_only_what_changed_is_sent_again(operator: httpx.AsyncClient, parts: Parts) -> None:
    page = (await operator.get("/console")).text
    assert 'data-locker="hall-1"' in page
    assert 'data-number="1"' in page
    assert await changes(operator, "1") == {"number": 1, "rows": {}}
    trouble = Trouble("door_forced", "2", "door 2")
    parts.store.write_now(lambda c: raise_alarm(c, "hall-1", trouble, parts.clock.now_ms))
    assert await changes(operator, "1") == {"number": 1, "rows": {}}, "asked once a second at most"
    parts.clock.now_ms += FRESH_MS
    told = await changes(operator, "1")
    assert told["number"] == 2
    assert 'data-alarms="1"' in told["rows"]["hall-1"]  # type: ignore[index]
    assert "hall-1" in str(told["beside"])


@pytest.mark.parametrize("since", ["", "99", "-1", "x", "9" * 400])
async def test_a_number_of_another_hub_s_life_is_told_everything(
    operator: httpx.AsyncClient, since: str
) -> None:
    told = await changes(operator, since)
    assert list(told["rows"]) == ["hall-1"]  # type: ignore[call-overload]


async def test_an_alarm_is_taken_note_of_once_by_name(operator: httpx.AsyncClient, parts: Parts) -> None:
    trouble = Trouble("door_forced", "2", "door 2")
    parts.store.write_now(lambda c: raise_alarm(c, "hall-1", trouble, parts.clock.now_ms))
    page = (await operator.get("/console/alarms")).text
    form_key = page.split('name="form_key" value="')[1].split('"')[0]
    path = page.split('class="line" method="post" action="')[1].split('"')[0]
    noted = {"form_key": form_key, "note": "children, 139 0000 0000"}
    answer = await operator.post(path, data=noted, headers={"Origin": "http://hub"})
    assert answer.url.path == "/console/alarms"
    assert "2号箱" not in answer.text
    seen = (await operator.get("/console/alarms", params={"seen": "1"})).text
    assert "2号箱" in seen
    assert "children" in seen
