"""A case and its letters are with a department of the register: of the case's area, and with no other."""

import httpx
import pytest

from sync.central.access.actor import Role, Scope, person
from sync.central.custody.parties import Kind
from sync.central.intake.tables import OWED
from sync.central.windows import register
from sync.central.windows.tables import CASE_DEPARTMENT
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.intake.test_intake import ASKED
from tests.sync.central.test_api import PRE_REVIEW

ADMIN = person("boss", [Role.ADMINISTRATOR], ["north", "south"])


@pytest.fixture
def licences(parts: Parts) -> str:
    """The id of 审批科 in the north; the south has one of the same name, and another."""
    add(parts, "south", "审批科")
    add(parts, "south", "登记科")
    return add(parts, "north", "审批科")


def add(parts: Parts, area: str, name: str) -> str:
    return parts.store.write_now(lambda c: register.add(c, parts.desk, ADMIN, Kind.DEPARTMENT, area, name))


async def test_a_case_is_with_a_department_of_its_area_and_so_are_its_letters(
    parts: Parts, licences: str
) -> None:
    people.add(parts, "clerk", {Role.WINDOW_CLERK})
    bearer = {"Authorization": f"Bearer {people.key(parts, 'city', Scope, ['north', 'south'])}"}
    async with people.browser(people.whole(parts, people.entrance(parts))) as browser:

        async def post(path: str, **body: object) -> httpx.Response:
            return await browser.post(f"/api/v1{path}", json=body, headers=bearer)

        answer = await post("/pre-reviews", **PRE_REVIEW, department="审批科")
        assert answer.status_code == 201
        for unknown in ("登记科", "无此科", "aaaaaaaaaaaaaaaa"):
            answer = await post("/pre-reviews", **{**PRE_REVIEW, "case": "GS-2"}, department=unknown)
            assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_place")
            answer = await post("/cases/GS-1/supplements", **ASKED, department=unknown)
            assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_place")
        assert [(row.case_number, row.place) for row in parts.rows(CASE_DEPARTMENT)] == [("GS-1", licences)]
        assert (await post("/cases/GS-1/supplements", **ASKED)).status_code == 201
        (owed,) = parts.rows(OWED)
        assert owed.department == licences
        told = (await browser.get("/api/v1/supplements", headers=bearer)).json()
        assert [row["department"] for row in told["rows"]] == [licences]
        await people.sign_in(browser, "clerk")
        for page in ("/cases/GS-1", f"/owed/{owed.owed}", f"/owed/{owed.owed}/notice"):
            assert "审批科" in (await browser.get(f"/console{page}")).text
        form = (await browser.get("/console/cases/GS-1/supplement")).text
        assert f'<option value="{licences}" selected>审批科</option>' in form
        assert "登记科" not in form
        assert "登记科 · south" in (await browser.get("/console/pre-reviews/new")).text


async def test_letters_of_before_and_cases_of_which_nobody_said_stay_readable(
    parts: Parts, licences: str
) -> None:
    people.add(parts, "clerk", {Role.WINDOW_CLERK})
    bearer = {"Authorization": f"Bearer {people.key(parts, 'city', Scope, ['north'])}"}
    async with people.browser(people.whole(parts, people.entrance(parts))) as browser:
        await browser.post("/api/v1/pre-reviews", json=PRE_REVIEW, headers=bearer)
        await browser.post("/api/v1/cases/GS-1/supplements", json=ASKED, headers=bearer)
        (owed,) = parts.rows(OWED)
        assert owed.department == ""
        parts.store.write_now(lambda c: register.end(c, parts.desk, ADMIN, licences))
        asked = {**ASKED, "department": licences}
        answer = await browser.post("/api/v1/cases/GS-1/supplements", json=asked, headers=bearer)
        assert answer.json()["reason"] == "asked_already"
        await people.sign_in(browser, "clerk")
        for page in ("/cases/GS-1", f"/owed/{owed.owed}", f"/owed/{owed.owed}/notice"):
            answer = await browser.get(f"/console{page}")
            assert answer.status_code == 200
            assert "审批科" not in answer.text
