"""The page of messages: what is on it, for whom, and that one may be sent again."""

import re

import httpx
import pytest

from sync.central import tables as t
from sync.central.access.actor import Role
from sync.central.access.tables import AUDIT
from sync.central.messages import board
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.messages.test_channels import say
from tests.sync.central.test_cases import PHONE
from tests.sync.central.test_notify import SCAN, TYPED, arrive, loaded


def settle(parts: Parts, **values: str | int) -> None:
    parts.store.write_now(lambda c: c.execute(t.NOTICE.update().values(values)))


async def signed_in(parts: Parts, *areas: str) -> httpx.AsyncClient:
    people.add(parts, "operator", set(Role) - {Role.INTEGRATOR}, areas or ("*",))
    client = people.browser(people.whole(parts, people.entrance(parts)))
    await people.sign_in(client, "operator")
    return client


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_each_state_has_its_list_and_none_tells_a_code(parts: Parts, language: str) -> None:
    loaded(parts)
    arrive(parts)
    say(parts, "case_decided")
    client = await signed_in(parts)
    await client.get(f"/console/language?to={language}&next=/console")
    settle(parts, state="clerk", detail="no phone is known", attempts=3)
    for state in board.STATES:
        page = await client.get(f"/console/messages?state={state}")
        assert page.status_code == 200
        assert ("GS-1" in page.text) == (state == "clerk")
        assert [secret for secret in (TYPED, SCAN, PHONE, PHONE[-4:]) if secret in page.text] == []
    await client.aclose()


async def test_a_message_is_sent_again_and_that_is_journaled(parts: Parts) -> None:
    say(parts, "case_decided")
    settle(parts, state="clerk", attempts=9)
    client = await signed_in(parts)
    page = await client.get("/console/messages")
    form = dict(re.findall(r'name="(form_key|key|state)" value="([^"]+)"', page.text))
    parts.clock.now_ms += 1000
    assert (await client.post("/console/messages", data=form)).status_code == 200
    (notice,) = parts.rows(t.NOTICE)
    assert (notice.state, notice.next_ms, notice.urgent) == ("due", parts.clock.now_ms, True)
    assert [row.object for row in parts.rows(AUDIT) if row.action == "replay_message"] == ["GS-1"]
    settle(parts, state="superseded")
    assert (await client.post("/console/messages", data=form)).status_code == 409
    await client.aclose()


async def test_messages_of_another_area_do_not_exist(parts: Parts) -> None:
    say(parts, "case_decided")
    settle(parts, state="clerk")
    (notice,) = parts.rows(t.NOTICE)
    client = await signed_in(parts, "south")
    page = await client.get("/console/messages")
    assert "GS-1" not in page.text
    key = re.findall(r'name="form_key" value="([^"]+)"', page.text)[0]
    form = {"form_key": key, "key": notice.key, "state": "clerk"}
    assert (await client.post("/console/messages", data=form)).status_code == 404
    await client.aclose()
