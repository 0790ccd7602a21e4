"""An administrator at work: accounts and keys by the API, within their own areas."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central.access.actor import Role
from sync.central.access.tables import API_KEY, AUDIT
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

CLERK = {"roles": ["window_clerk"], "areas": ["north"]}


@pytest.fixture
async def admin(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    people.add(parts, "wu", [Role.ADMINISTRATOR], ["north", "west"])
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        await people.sign_in(client, "wu")
        yield client


async def test_an_account_is_made_and_its_password_shown_once(parts: Parts, admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/v1/accounts", json={"account": "li", **CLERK})
    assert answer.status_code == 201
    secret = answer.json()["secret"]
    listed = await admin.get("/api/v1/accounts")
    assert [(row["account"], row["roles"]) for row in listed.json()] == [
        ("li", ["window_clerk"]),
        ("wu", ["administrator"]),
    ]
    assert secret not in listed.text + str(parts.rows(AUDIT))
    page = await people.sign_in(admin, "li", secret)
    assert page.url.path == "/console/login/password"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"account": "wu", **CLERK}, 409),
        ({"account": "li", "roles": ["window_clerk"], "areas": ["south"]}, 422),
        ({"account": "li", "roles": ["window_clerk"], "areas": ["*"]}, 422),
        ({"account": "li", "roles": ["integrator"], "areas": ["north"]}, 422),
        ({"account": "li", "roles": [], "areas": ["north"]}, 422),
        ({"account": "li", "roles": ["king"], "areas": ["north"]}, 422),
        ({"account": "..li", **CLERK}, 422),
    ],
)
async def test_nobody_gives_away_what_is_not_theirs(
    admin: httpx.AsyncClient, body: dict[str, object], status: int
) -> None:
    assert (await admin.post("/api/v1/accounts", json=body)).status_code == status


async def test_accounts_of_other_areas_are_not_there(parts: Parts, admin: httpx.AsyncClient) -> None:
    people.add(parts, "far", [Role.WINDOW_CLERK], ["south"])
    for method, path in (("DELETE", "far"), ("DELETE", "nobody"), ("POST", "far/password")):
        answer = await admin.request(method, f"/api/v1/accounts/{path}")
        assert (answer.status_code, answer.json()["detail"]) == (404, "no such account")
    assert "far" not in (await admin.get("/api/v1/accounts")).text


async def test_ones_own_account_is_another_administrators_matter(admin: httpx.AsyncClient) -> None:
    rights = {"roles": ["administrator", "approver"], "areas": ["north"]}
    answer = await admin.put("/api/v1/accounts/wu/rights", json=rights)
    assert (answer.status_code, answer.json()["reason"]) == (409, "oneself")


async def test_an_account_is_changed_and_ended(parts: Parts, admin: httpx.AsyncClient) -> None:
    people.add(parts, "li", [Role.WINDOW_CLERK], ["north"])
    rights = {"roles": ["auditor"], "areas": ["west"]}
    assert (await admin.put("/api/v1/accounts/li/rights", json=rights)).status_code == 204
    assert (await admin.delete("/api/v1/accounts/li/second-factor")).status_code == 204
    assert (await admin.delete("/api/v1/accounts/li")).status_code == 204
    (li, _) = (await admin.get("/api/v1/accounts")).json()
    assert (li["roles"], li["areas"], li["ended"]) == (["auditor"], ["west"], True)


async def test_a_key_through_its_life(parts: Parts, admin: httpx.AsyncClient) -> None:
    body = {"name": "city", "scopes": ["fleet.read"], "areas": ["north"], "lasts_days": 2}
    secret = (await admin.post("/api/v1/keys", json=body)).json()["secret"]
    assert (await admin.post("/api/v1/keys", json=body)).status_code == 409
    (row,) = parts.rows(API_KEY)
    assert secret not in str(row)
    assert secret.startswith(row.prefix)
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await admin.get("/api/v1/lockers", headers=headers)).status_code == 200
    (told,) = (await admin.get("/api/v1/keys")).json()
    assert (told["made_by"], told["used_ms"]) == ("person:wu", parts.clock.now_ms)
    assert (await admin.delete("/api/v1/keys/city")).status_code == 204
    assert (await admin.get("/api/v1/lockers", headers=headers)).status_code == 401
    assert (await admin.delete("/api/v1/keys/other")).status_code == 404


async def test_a_key_ends_by_itself(parts: Parts, admin: httpx.AsyncClient) -> None:
    body = {"name": "city", "scopes": ["fleet.read"], "areas": ["north"], "lasts_days": 2}
    secret = (await admin.post("/api/v1/keys", json=body)).json()["secret"]
    parts.clock.now_ms += 2 * 86_400_000
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await admin.get("/api/v1/lockers", headers=headers)).status_code == 401


async def test_an_auditor_reads_what_was_done_and_the_matrix(parts: Parts, admin: httpx.AsyncClient) -> None:
    people.add(parts, "zhou", [Role.AUDITOR])
    assert (await admin.get("/api/v1/audit")).status_code == 403
    await people.sign_in(admin, "zhou")
    acts = (await admin.get("/api/v1/audit", params={"limit": 3})).json()
    assert [act["seq"] for act in acts] == [1, 2, 3]
    more = (await admin.get("/api/v1/audit", params={"after": 3})).json()
    assert more[-1]["action"] == "see_audit"
    rules = (await admin.get("/api/v1/access")).json()
    assert {rule["action"]: rule["roles"] for rule in rules}["see_audit"] == ["auditor"]
