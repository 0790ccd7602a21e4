"""The pages of what waits for its recipient, and of a right: what may be done there, and that it is done."""

import re

import pytest

from locker.domain import events as ev
from sync.central import tables as t
from sync.central.access.actor import Role
from sync.central.console import texts
from sync.central.pickups.tables import ENTRUSTMENT, RECALL, REISSUE
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.pickups.test_pickups import AGENT, Desk
from tests.sync.central.test_cases import authorise, said


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_a_clerk_does_it_all_by_hand(parts: Parts, language: str) -> None:
    desk, right = Desk(parts), authorise(parts)
    desk.lies()
    people.add(parts, "wang", {Role.WINDOW_CLERK})
    item, change = f"/console/items/{desk.item}", f"/console/authorisations/{right}/change"
    async with people.browser(people.whole(parts, people.entrance(parts))) as browser:
        await people.sign_in(browser, "wang")
        await browser.get(f"/console/language?to={language}&next=/console")
        for path, leads in ((item, f"{item}/pickup"), (f"/console/authorisations/{right}", change)):
            assert f'href="{leads}"' in (await browser.get(path)).text
        page = (await browser.get(f"{item}/pickup")).text
        key = re.findall(r'name="form_key" value="([^"]*)"', page)[0]

        async def send(path: str, **fields: str) -> str:
            answer = await browser.post(path, data={"form_key": key, **fields})
            assert answer.status_code == 200, answer.text
            return answer.text

        for _ in range(2):
            await send(
                f"{item}/pickup/agents", once="a1", name=AGENT.name, phone=AGENT.phone, valid_hours="24"
            )
            await send(f"{item}/pickup/reissue", once="r1", reason="phone lost", stolen="yes")
        (agent,) = parts.rows(ENTRUSTMENT)
        (order,) = parts.rows(REISSUE)
        assert (agent.name, order.stolen, order.reason) == ("李*", True, "phone lost")
        shown = await send(f"{item}/pickup/hold", hold_days="20")
        assert all(text in shown for text in ("李*", "139******21", "phone lost", 'value="27"'))
        assert "stopped by the recipient" in await send(
            f"{item}/pickup/agents/{agent.entrustment}/end", reason="stopped by the recipient"
        )
        assert "wrong seal" in await send(f"{item}/pickup/recall", reason="wrong seal")
        assert f'action="{item}/pickup/recall"' not in await send(f"{item}/pickup/hold", hold_days="21")
        await send(f"{change}/extension", valid_hours="200")
        assert f'action="{change}/extension"' not in await send(f"{change}/revocation", reason="withdrawn")
        late = await browser.post(f"{change}/extension", data={"form_key": key, "valid_hours": "300"})
        assert late.status_code == 409
        trail = (await browser.get("/console/cases/GS-1")).text
    assert all(text in trail for text in ("wrong seal", "phone lost", "李*"))
    assert [len(parts.rows(table)) for table in (RECALL, t.AUTHORISATION)] == [1, 1]
    kinds = [type(says) for says in said(parts)]
    assert kinds.count(ev.HoldExtended) == 2
    assert kinds[-1] is ev.AuthorisationRevoked


async def test_who_may_not_is_shown_no_button(parts: Parts) -> None:
    desk = Desk(parts)
    desk.lies()
    people.add(parts, "lead", {Role.HELPER_LEAD})
    async with people.browser(people.whole(parts, people.entrance(parts))) as browser:
        await people.sign_in(browser, "lead")
        page = (await browser.get(f"/console/items/{desk.item}/pickup")).text
        assert page.count('method="post" action="/console/items/') == 1
        assert "/pickup/reissue" in page
        key = re.findall(r'name="form_key" value="([^"]*)"', page)[0]
        fields = {"form_key": key, "hold_days": "20"}
        answer = await browser.post(f"/console/items/{desk.item}/pickup/hold", data=fields)
    assert answer.status_code == 403
