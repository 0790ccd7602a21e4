"""Custody's pages, as two people in two browsers use them."""

import re
from collections.abc import AsyncIterator
from itertools import product

import httpx
import pytest
from starlette.applications import Starlette

from locker.domain import events as ev
from locker.domain.ids import CompartmentNumber, StaffId
from locker.journal import verify_evidence
from sync.central.access.actor import Role
from sync.central.console import texts
from sync.central.console.custody import ticked
from sync.central.custody.tables import DIFFERENCE, LINE, SLIP
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import differences, held, lived, papers, taken, tell, thing
from tests.sync.central.test_cases import announce


@pytest.fixture
def app(parts: Parts) -> Starlette:
    people.add(parts, "giver", [Role.HELPER_LEAD, Role.FLEET_OPERATOR, Role.CASE_OFFICER])
    people.add(parts, "taker", [Role.WINDOW_CLERK])
    return people.whole(parts, people.entrance(parts))


@pytest.fixture
async def giver(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with people.browser(app) as client:
        await people.sign_in(client, "giver")
        yield client


@pytest.fixture
async def taker(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with people.browser(app) as client:
        await people.sign_in(client, "taker")
        yield client


async def send(browser: httpx.AsyncClient, page: str, to: str, **fields: str | list[str]) -> httpx.Response:
    """Fill in a form of a page; what it hides is sent with it."""
    shown = (await browser.get(f"/console{page}")).text
    hidden = dict(re.findall(r'name="(form_key|once)" value="([^"]*)"', shown))
    return await browser.post(f"/console{to}", data={**hidden, **fields})


async def proposed(giver: httpx.AsyncClient, *things: str) -> str:
    answer = await send(
        giver, "/custody/new?kind=helper&name=h-1", "/custody/new", kind="helper", name="h-1",
        things=list(things), to_kind="window", to_name="3 号窗口",
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return answer.url.path.rpartition("/")[2]


async def test_a_slip_is_made_printed_and_received_by_somebody_else(
    parts: Parts, giver: httpx.AsyncClient, taker: httpx.AsyncClient
) -> None:
    lived(parts, *papers(1), *papers(2), taken(1), taken(2))
    slip = await proposed(giver, thing(1), thing(2))
    page = (await giver.get(f"/console/custody/slips/{slip}")).text
    assert "<svg" in page
    assert "001" in page
    assert f"/console/custody/slips/{slip}/withdrawal" in page
    assert "确认接收" not in page
    assert (await taker.get("/console/custody", params={"slip": slip})).url.path.endswith(slip)
    where = f"/custody/slips/{slip}"
    told = {"received": thing(1), "scanned": "GS-2\r\nGS-77", "missing_note": ""}
    answer = await send(taker, where, f"{where}/receipt", **told)
    assert "单上有，未收到" not in answer.text
    assert [row.state for row in parts.rows(LINE)] == ["received", "received"]
    assert [(row.kind, row.said) for row in parts.rows(DIFFERENCE)] == [("too_many", "GS-77")]
    (row,) = parts.rows(DIFFERENCE)
    end = f"/custody/differences/{row.number}"
    await send(taker, "/custody", end, outcome="explained", note="of the next round")
    assert differences(parts) == [("too_many", "explained")]


async def test_what_does_not_fit_is_told_and_changes_nothing(
    parts: Parts, giver: httpx.AsyncClient, taker: httpx.AsyncClient
) -> None:
    lived(parts, *papers(1), taken(1))
    new = "/custody/new?kind=helper&name=h-1"
    fields = {"kind": "helper", "name": "h-1", "to_kind": "window", "to_name": "3"}
    assert (await send(giver, new, "/custody/new", **fields)).status_code == 422
    assert (await giver.post("/console/custody/new", data=fields)).status_code == 422
    away = await send(giver, new, "/custody/new", **fields, things="papers/hall-1/none")
    assert (away.status_code, "不在交出方手里" in away.text) == (409, True)
    slip = await proposed(giver, thing(1))
    where = f"/custody/slips/{slip}"
    assert (await send(giver, where, f"{where}/receipt", received=thing(1))).status_code == 409
    assert (await giver.get("/console/custody/slips/1")).status_code == 404
    assert (await send(giver, where, f"{where}/withdrawal")).status_code == 200
    assert [row.state for row in parts.rows(SLIP)] == ["taken_back"]
    assert (
        await send(taker, "/custody", "/custody/differences/x", outcome="lost", note="x")
    ).status_code == 404


async def test_every_page_shows_in_both_languages(
    parts: Parts, giver: httpx.AsyncClient, taker: httpx.AsyncClient
) -> None:
    announce(parts)
    lived(parts, *papers(1), *papers(2), *papers(3), taken(1), taken(2))
    tell(parts, ev.CompartmentChecked(CompartmentNumber(3), "missing", StaffId("h-1"), StaffId("h-2")))
    slip = await proposed(giver, thing(1), thing(2))
    where = f"/custody/slips/{slip}"
    await send(taker, where, f"{where}/receipt", received=thing(1))
    for language, path in product(
        texts.LANGUAGES,
        (
            "/custody",
            "/custody?kind=window&name=3+号窗口",
            "/custody/new",
            "/custody/new?kind=window&name=3+号窗口",
            "/custody/new?kind=helper&name=nobody",
            where,
            "/custody/stocktakes",
            "/lockers/hall-1/holdings",
            "/lockers/hall-1",
            "/cases/GS-1",
        ),
    ):
        answer = await giver.get("/console/language", params={"to": language, "next": f"/console{path}"})
        assert answer.status_code == 200, path
        assert "<script>" not in answer.text
        assert "style=" not in answer.text
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text


async def test_a_dead_locker_is_emptied_by_its_page_and_gives_evidence_to_who_may(
    parts: Parts, giver: httpx.AsyncClient, taker: httpx.AsyncClient
) -> None:
    lived(parts, *papers(1))
    page = "/lockers/hall-1/holdings"
    fields = {"deposit": "d1", "outcome": "to_window", "whereto": "3", "taken_by": "h-1", "note": ""}
    answer = await send(giver, page, page, **fields)
    assert answer.status_code == 200
    assert "送窗口" in answer.text
    assert held(parts) == {thing(1): "helper/h-1"}
    where = "/console/cases/GS-1"
    assert f'href="{where}/evidence"' in (await giver.get(where)).text
    assert "evidence" not in (await taker.get(where)).text
    assert (await taker.get(f"{where}/evidence")).status_code == 403
    one = await giver.get("/api/v1/cases/GS-1/evidence")
    assert one.headers["content-disposition"] == 'attachment; filename="evidence-GS-1.html"'
    assert verify_evidence.check(one.content).wrong == ""
    said = (await giver.get("/api/v1/openapi.json")).json()["paths"]["/api/v1/cases/{case}/evidence"]
    assert one.headers["content-type"].partition(";")[0] in said["get"]["responses"]["200"]["content"]
    assert (await giver.get(f"{where}/evidence")).status_code == 200
    assert (await giver.get("/api/v1/cases/GS-9/evidence")).status_code == 404


def test_what_is_scanned_twice_is_two_of_a_case_or_one() -> None:
    line = type("Line", (), {})
    lines = []
    for name in ("papers/a/d1", "papers/a/d2", "result/i1"):
        each = line()
        each.thing, each.case_number = name, "GS-1"
        lines.append(each)
    assert ticked(lines, ["result/none"], ["GS-1", "GS-1"]) == ({"papers/a/d1", "papers/a/d2"}, [])
    assert ticked(lines, [], ["i1", "i1", "X"]) == ({"result/i1"}, ["X"])
