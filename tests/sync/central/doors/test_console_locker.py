"""A locker's pages: a door barred and freed, one opened by the word of three people, what it was told."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from locker.domain import events as ev
from locker.domain.ids import CompartmentNumber
from sync.central.access.actor import Role
from sync.central.acts.sending import Acts
from sync.central.acts.tables import ACT
from sync.central.bookings.tables import BOOKING
from sync.central.doors.tables import DOOR_BAR
from sync.central.tables import DIRECTIVE
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import Told
from tests.sync.central.test_cases import authorise

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
HALL = "/console/lockers/hall-1"


class Desk:
    def __init__(self, parts: Parts) -> None:
        self.told = Told(parts)
        self.said: list[Any] = []
        acts = Acts(parts.store, parts.desk, lambda _locker, act: self.said.append(act))
        self.app = people.whole(parts, people.entrance(parts), acts)
        self.clients: list[httpx.AsyncClient] = []

    async def person(self, name: str, *roles: Role) -> httpx.AsyncClient:
        people.add(self.told.parts, name, roles)
        client = people.browser(self.app)
        self.clients.append(client)
        await people.sign_in(client, name)
        return client


@pytest.fixture
async def desk(parts: Parts) -> AsyncIterator[Desk]:
    made = Desk(parts)
    yield made
    for client in made.clients:
        await client.aclose()


async def send(client: httpx.AsyncClient, page: str, action: str, **fields: str) -> httpx.Response:
    """Fill in the form of ``page`` that goes to ``action``."""
    shown = (await client.get(page)).text
    form = next(each for each in shown.split("<form")[1:] if f'action="{action}"' in each)
    hidden = dict(HIDDEN.findall(form.split("</form>")[0]))
    return await client.post(action, data={**hidden, **fields})


async def test_a_door_is_barred_and_freed_on_its_page(desk: Desk) -> None:
    operator = await desk.person("op", Role.FLEET_OPERATOR)
    door, bar = f"{HALL}/doors/3", f"{HALL}/doors/3/bar"
    assert (await send(operator, door, bar, reason="拨 13812345678")).status_code == 422
    assert desk.told.parts.rows(DIRECTIVE) == []
    page = (await send(operator, door, bar, reason="柜前积水")).text
    assert "等待柜机执行" in page, "not shown as done before its locker says so"
    desk.told.hears()
    assert "中心停用：柜前积水" in (await operator.get(HALL)).text
    page = (await operator.get(f"{HALL}/directives")).text
    assert "停用箱格" in page
    assert "已执行" in page
    page = (await send(operator, door, bar)).text
    assert "等待柜机恢复" in page
    desk.told.hears()
    assert "中心停用" not in (await operator.get(HALL)).text
    assert desk.told.parts.rows(DOOR_BAR) == []


async def test_one_asks_and_two_others_approve_what_they_saw(desk: Desk) -> None:
    lead = await desk.person("lead", Role.HELPER_LEAD, Role.APPROVER)
    one, other = await desk.person("li", Role.APPROVER), await desk.person("zhao", Role.APPROVER)
    shown = await send(lead, f"{HALL}/doors/2", f"{HALL}/acts", reason="热线 4711")
    assert "还剩 15 分钟" in shown.text
    assert "须由另外两人批准" in shown.text
    assert "我看过，批准" not in shown.text
    (row,) = desk.told.parts.rows(ACT)
    action = f"/console/acts/{row.act}"
    desk.told.parts.clock.now_ms += 60_000
    assert "还剩 14 分钟" in (await send(one, "/console/acts", action)).text
    assert (await one.post(action, data={})).status_code == 422
    assert desk.said == []
    assert "已发出" in (await send(other, "/console/acts", action)).text
    (said,) = desk.said
    assert (said.door, said.reason, said.approvers) == (2, "热线 4711", ("person:li", "person:zhao"))
    assert "已发出" in (await one.get(f"{HALL}/acts")).text
    # What was not seen so is not approved.
    await send(lead, f"{HALL}/acts", f"{HALL}/acts", reason="换过锁控板")
    (test,) = [row for row in desk.told.parts.rows(ACT) if row.kind == "self_test"]
    refused = await send(one, "/console/acts", f"/console/acts/{test.act}", reason="another")
    assert refused.status_code == 409
    assert "不能批准" in refused.text


async def test_a_doubted_history_is_confirmed_and_a_known_one_is_read(desk: Desk) -> None:
    operator = await desk.person("op", Role.FLEET_OPERATOR)
    assert "/confirm" not in (await operator.get(HALL)).text
    desk.told.is_there(link_reason="forked")
    page = await send(operator, HALL, f"{HALL}/confirm")
    assert page.status_code == 200
    (confirmed,) = desk.told.hears()
    assert confirmed == ev.HistoryConfirmed(desk.told.parts.locker.epoch, "person:op")  # type: ignore[arg-type]  # a name
    assert "/confirm" not in (await (await desk.person("li", Role.APPROVER)).get(HALL)).text
    # Its history, in words, a page at a time.
    desk.told.goes_on(*(ev.DoorForced(CompartmentNumber(1)) for _ in range(60)))
    newest = (await operator.get(f"{HALL}/history")).text
    assert "日志开始" not in newest
    older = re.search(r'href="(\?before=\d+)"', newest)
    assert older is not None
    assert "日志开始" in (await operator.get(f"{HALL}/history{older[1]}")).text
    assert (await operator.get(f"{HALL}/history?before=x")).status_code == 200


async def test_a_slot_is_booked_for_a_right_and_cancelled(desk: Desk) -> None:
    clerk = await desk.person("wang", Role.WINDOW_CLERK)
    right = authorise(desk.told.parts)
    desk.told.hears()
    page = (await clerk.get(f"/console/authorisations/{right}/slot")).text
    start = re.findall(r'<option value="(\d{13})">', page)[1]
    fields = {**dict(HIDDEN.findall(page.split("<form")[-1])), "start": start, "hours": "2"}
    for _ in range(2):
        shown = await clerk.post(f"/console/authorisations/{right}/slot", data=fields)
        assert "等待柜机确认" in shown.text
    (row,) = desk.told.parts.rows(BOOKING)
    assert row.until_ms - row.from_ms == 2 * 3_600_000
    cancelled = await send(clerk, f"{HALL}/slots", f"/console/bookings/{row.booking}/cancel")
    assert "已取消" in cancelled.text
    bad = await clerk.post(f"/console/authorisations/{right}/slot", data={**fields, "start": "soon"})
    assert bad.status_code == 422
