"""The pages of accounts, keys, staff, the matrix, the journal of acts and one's own account."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pyotp
import pytest

from locker.domain import directives
from locker.domain.events import StaffRevoked
from locker.domain.ids import StaffId
from sync.central import staff
from sync.central import tables as t
from sync.central.access.actor import Role
from sync.central.access.matrix import MATRIX
from sync.central.access.tables import ACCOUNT, API_KEY
from sync.central.console import texts
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

ADMIN = "admin"
PERSON = staff.Enrolment("h-1", "李娜", frozenset({"helper"}), "123456", ("hall-1",))


@pytest.fixture
async def admin(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    people.add(parts, ADMIN, {Role.ADMINISTRATOR, Role.AUDITOR, Role.HELPER_LEAD})
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        await people.sign_in(client, ADMIN)
        await client.get("/console/language?to=en&next=/console")
        yield client


async def post(browser: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    page = (await browser.get("/console/own")).text
    key = re.findall(r'name="form_key" value="([^"]*)"', page)[-1]
    return await browser.post(f"/console{path}", data={"form_key": key, **fields})


def shown(answer: httpx.Response) -> str:
    found = re.search(r'id="secret">([^<]+)<', answer.text)
    assert found
    return found[1]


async def test_a_person_is_added_and_signs_in_with_what_the_page_showed_once(
    admin: httpx.AsyncClient, parts: Parts
) -> None:
    fields = {
        "account": "wang",
        "shown": "王芳",
        "roles": ["window_clerk", "case_officer"],
        "areas": "north, south",
    }
    password = shown(await post(admin, "/accounts", **fields))
    page = (await admin.get("/console/accounts/wang")).text
    assert password not in page
    assert "north, south" in page
    async with people.browser(people.whole(parts, people.entrance(parts))) as hers:
        answer = await people.sign_in(hers, "wang", password)
        assert answer.url.path == "/console/login/password"


async def test_rights_change_and_an_account_ends_and_lives_again(
    admin: httpx.AsyncClient, parts: Parts
) -> None:
    people.add(parts, "wang", {Role.WINDOW_CLERK})
    assert (await post(admin, "/accounts/wang/rights", roles=["auditor"], areas="*")).status_code == 200
    assert [row.roles for row in parts.rows(ACCOUNT) if row.account == "wang"] == ['["auditor"]']
    assert "ended" in (await post(admin, "/accounts/wang/end")).text
    assert shown(await post(admin, "/accounts/wang/password"))
    assert [row.ended_ms for row in parts.rows(ACCOUNT) if row.account == "wang"] == [0]
    assert (await post(admin, "/accounts/wang/factor")).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/accounts", {"account": "Wang!", "roles": "auditor", "areas": "*"}, 422),
        ("/accounts", {"account": "wang", "roles": "emperor", "areas": "*"}, 422),
        ("/accounts", {"account": "wang", "areas": "*"}, 422),
        ("/accounts", {"account": ADMIN, "roles": "auditor", "areas": "*"}, 409),
        (f"/accounts/{ADMIN}/rights", {"roles": "auditor", "areas": "*"}, 409),
        (f"/accounts/{ADMIN}/end", {}, 409),
        ("/accounts/nobody/end", {}, 404),
        ("/keys", {"name": "gov", "scopes": "everything", "areas": "*", "lasts_days": "30"}, 422),
        ("/keys", {"name": "gov", "scopes": "cases.read", "areas": "*", "lasts_days": "9999"}, 422),
        ("/keys/nothing/revoke", {}, 404),
        ("/staff/nobody/revoke", {}, 404),
    ],
)
async def test_what_is_not_allowed_changes_nothing_and_says_why(
    admin: httpx.AsyncClient, parts: Parts, path: str, fields: dict[str, str], status: int
) -> None:
    before = parts.rows(ACCOUNT), parts.rows(API_KEY)
    answer = await post(admin, path, **fields)
    assert answer.status_code == status
    assert "_" not in re.search(r"<main[^>]*>(.*)</main>", answer.text, re.DOTALL)[1]  # type: ignore[index]  # the reason in words
    assert (parts.rows(ACCOUNT), parts.rows(API_KEY)) == before


async def test_a_key_is_shown_once_asks_and_is_revoked(admin: httpx.AsyncClient) -> None:
    fields = {"name": "gov", "scopes": ["fleet.read"], "areas": "*", "lasts_days": "30"}
    bearer = {"Authorization": f"Bearer {shown(await post(admin, '/keys', **fields))}"}
    assert (await admin.get("/api/v1/lockers", headers=bearer)).status_code == 200
    page = (await admin.get("/console/keys")).text
    assert "gov" in page
    assert bearer["Authorization"].split()[1] not in page
    assert "revoked" in (await post(admin, "/keys/gov/revoke")).text
    async with httpx.AsyncClient(transport=admin._transport, base_url=people.HUB_URL) as program:
        assert (await program.get("/api/v1/lockers", headers=bearer)).status_code == 401


async def test_a_badge_that_is_revoked_is_told_to_its_lockers_and_not_renewed(
    admin: httpx.AsyncClient, parts: Parts
) -> None:
    parts.store.write_now(lambda c: staff.enrol(c, parts.desk, PERSON))
    assert "李娜" in (await admin.get("/console/staff")).text
    assert "revoked" in (await post(admin, "/staff/h-1/revoke")).text
    last = parts.rows(t.DIRECTIVE)[-1]
    assert directives.read(last.text).says == StaffRevoked(StaffId("h-1"))
    parts.clock.now_ms += 7 * staff.DAY_MS
    assert parts.store.write_now(lambda c: staff.renew(c, parts.clock.wall_ms())) == []


async def test_a_lead_of_one_area_takes_a_badge_away_there_and_nowhere_else(parts: Parts) -> None:
    parts.store.write_now(lambda c: staff.enrol(c, parts.desk, PERSON))
    people.add(parts, "south", {Role.HELPER_LEAD}, ["south"])
    async with people.browser(people.whole(parts, people.entrance(parts))) as lead:
        await people.sign_in(lead, "south")
        assert "李娜" not in (await lead.get("/console/staff")).text
        assert (await post(lead, "/staff/h-1/revoke")).status_code == 404
    assert len(parts.rows(t.STAFF_GRANT)) == 1


async def test_the_journal_shows_the_newest_first_and_is_sieved(
    admin: httpx.AsyncClient, parts: Parts
) -> None:
    people.add(parts, "wang", {Role.WINDOW_CLERK})
    await post(admin, "/accounts/wang/end")
    page = (await admin.get("/console/audit")).text.partition("<tbody>")[2]
    assert page.index("see the journal") < page.index("manage accounts")
    page = (await admin.get("/console/audit?action=manage_accounts&object=wang&actor=person:admin")).text
    assert '<td class="broken">ended</td>' in page
    assert "Nothing fits" in (await admin.get("/console/audit?object=nobody%00")).text
    assert "Nothing fits" in (await admin.get("/console/audit?before=1")).text


async def test_the_matrix_is_a_page_with_every_action_in_words(admin: httpx.AsyncClient) -> None:
    page = (await admin.get("/console/access")).text
    for language in texts.LANGUAGES:
        words = texts.load()[language].words
        assert set(MATRIX) <= words["action"].keys()
        assert set(Role) <= words["hub_role"].keys()
    assert page.count("<tr>") == len(MATRIX) + 1


async def test_ones_own_password_asks_for_the_old_and_ends_other_sessions(
    admin: httpx.AsyncClient, parts: Parts
) -> None:
    new = "a quite different sentence"
    wrong = await post(admin, "/own/password", old="not it", new=new, again=new)
    assert wrong.status_code == 403
    assert (await post(admin, "/own/password", old=people.PASSWORD, new=new, again="x")).status_code == 422
    answer = await post(admin, "/own/password", old=people.PASSWORD, new=new, again=new)
    assert "every other session has ended" in answer.text
    async with people.browser(people.whole(parts, people.entrance(parts))) as again:
        assert (await people.sign_in(again, ADMIN, new)).url.path == "/console"
    assert (await post(admin, "/own/sign-out")).url.path == "/console/login"


async def test_a_second_factor_is_enrolled_from_ones_own_page(admin: httpx.AsyncClient, parts: Parts) -> None:
    secret = shown(await admin.get("/console/own/factor"))
    assert (await post(admin, "/own/factor", code="000000")).status_code == 403
    answer = await post(admin, "/own/factor", code=pyotp.TOTP(secret).at(parts.clock.wall_ms() // 1000))
    assert "recovery" in answer.text.lower()
    assert (await admin.get("/console/own/factor")).url.path == "/console/own"
