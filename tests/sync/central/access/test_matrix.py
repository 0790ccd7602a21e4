"""Who may do what, tried cell by cell through the API and the console; no route is without an action."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from sync.central.access import gate
from sync.central.access.actor import HUB, Role, Scope, person, program
from sync.central.access.matrix import MATRIX, Action, may
from sync.central.access.tables import AUDIT
from tests.sync.central.access import people
from tests.sync.central.access.people import CONFIGURED_KEY
from tests.sync.central.conftest import Parts

PEOPLE: Final = [role for role in Role if role is not Role.INTEGRATOR]
GUESSES: Final[Mapping[str, str]] = {"door": "1", "number": "1"}
FORBIDDEN: Final = 403


@pytest.fixture
def app(parts: Parts) -> Starlette:
    return people.whole(parts, people.entrance(parts))


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with people.browser(app, follow=False) as client:
        yield client


def asked(app: Starlette) -> list[tuple[str, str, Action]]:
    """Every guarded route: method, a path with made-up references, action."""
    found = []
    for path, methods, action in gate.actions(app.routes):
        if action is not None:
            parts = [GUESSES.get(part[1:-1], "x-1") if part[:1] == "{" else part for part in path.split("/")]
            found += [(method, "/".join(parts), action) for method in methods.split()]
    return found


def test_every_action_has_its_rule_and_nobody_has_all_of_them() -> None:
    assert set(MATRIX) == set(Action)
    for role in Role:
        held = {action for action, rule in MATRIX.items() if role in rule.roles}
        assert held != set(Action)
        assert held
    assert not any(may(HUB, action) for action in Action)


def test_a_key_may_what_its_scope_says_and_a_person_what_their_role_says() -> None:
    for action, rule in MATRIX.items():
        assert (Role.INTEGRATOR in rule.roles) is (rule.scope is not None), action
        for scope in Scope:
            assert may(program("p", [scope], ["*"]), action) is (rule.scope is scope)
        for role in PEOPLE:
            assert may(person("p", [role], ["*"]), action) is (role in rule.roles)


def test_who_decides_about_people_and_who_reads_what_was_done_decide_nothing_else() -> None:
    acts = {action for action in Action if not action.value.startswith(("see_", "export_", "own_"))}
    auditor = {action for action in acts if Role.AUDITOR in MATRIX[action].roles}
    assert auditor == set()
    approver = {action for action in acts if Role.APPROVER in MATRIX[action].roles}
    assert approver == {Action.APPROVE_REMOTE_OPEN}
    cases = {Action.SEE_CASE, Action.SEE_CASES, Action.SEE_AUTHORISATION, Action.SEE_ITEM}
    assert not any(Role.ADMINISTRATOR in MATRIX[action].roles for action in cases)


def test_no_route_is_without_an_action(app: Starlette) -> None:
    assert gate.unguarded(app.routes) == []
    assert len(asked(app)) >= 20


def test_a_route_without_one_is_found(app: Starlette) -> None:
    async def bare() -> str:
        return ""

    async def page(_request: Any) -> PlainTextResponse:
        return PlainTextResponse()

    app.routes.append(APIRoute("/api/v1/bare", bare))
    app.add_route("/console/bare", page)
    app.mount("/somewhere", Starlette())
    assert gate.unguarded(app.routes) == ["/api/v1/bare", "/console/bare", "/somewhere"]


async def test_strangers_are_asked_to_sign_in(client: httpx.AsyncClient, app: Starlette) -> None:
    for method, path, _ in asked(app):
        answer = await client.request(method, path)
        if not path.startswith("/console"):
            assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorised"), path
        else:
            assert answer.headers["location"].startswith("/console/login"), path


@pytest.mark.parametrize("role", PEOPLE)
async def test_each_person_may_what_the_matrix_says_and_nothing_else(
    parts: Parts, client: httpx.AsyncClient, app: Starlette, role: Role
) -> None:
    people.add(parts, "li", [role])
    await people.sign_in(client, "li")
    for method, path, action in asked(app):
        answer = await client.request(method, path)
        refused = answer.status_code == FORBIDDEN
        assert refused is (role not in MATRIX[action].roles), (method, path, answer.status_code)
    refusals = [row.object for row in parts.rows(AUDIT) if row.action == "refused"]
    assert len(refusals) == sum(role not in MATRIX[action].roles for _, _, action in asked(app))


@pytest.mark.parametrize("scope", Scope)
async def test_each_key_may_what_its_scope_says_and_nothing_else(
    parts: Parts, client: httpx.AsyncClient, app: Starlette, scope: Scope
) -> None:
    headers = {"Authorization": f"Bearer {people.key(parts, 'city', [scope])}"}
    for method, path, action in asked(app):
        if path.startswith("/api/"):
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code == FORBIDDEN) is (MATRIX[action].scope is not scope), (method, path)


async def test_looks_are_written_down_before_they_are_shown(parts: Parts, client: httpx.AsyncClient) -> None:
    people.add(parts, "li", [Role.WINDOW_CLERK])
    await people.sign_in(client, "li")
    await client.get("/console/cases/GS-1")
    await client.get("/console")
    seen = [(row.actor, row.roles, row.action, row.object) for row in parts.rows(AUDIT)][-2:]
    assert seen == [
        ("person:li", "window_clerk", "signed_in", "li"),
        ("person:li", "window_clerk", "see_case", "GS-1"),
    ]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
async def test_what_another_page_made_a_browser_send_does_nothing(
    parts: Parts, client: httpx.AsyncClient, origin: str
) -> None:
    people.add(parts, "li", [Role.HELPER_LEAD])
    await people.sign_in(client, "li")
    body = {"staff": "h-1", "name": "Li", "roles": ["helper"], "pin": "123456", "lockers": ["hall-1"]}
    answer = await client.post("/api/v1/staff", json=body, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["reason"]) == (403, "foreign_page")
    assert (await client.post("/api/v1/staff", json=body)).status_code == 201


async def test_the_key_of_the_configuration_goes_on_working(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {CONFIGURED_KEY}"}
    assert (await client.get("/api/v1/lockers", headers=headers)).status_code == 200
    for wrong in ("x" * 32, "", "k" * 5000, "dl_é"):
        told = [(b"Authorization", f"Bearer {wrong}".encode())]
        answer = await client.get("/api/v1/lockers", headers=told)
        assert answer.status_code == 401
