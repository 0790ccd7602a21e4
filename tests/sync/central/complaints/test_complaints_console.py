"""The pages of complaints and of the month, as a browser without scripts uses them."""

import re

import httpx
import pytest

from sync.central.access.actor import Role
from sync.central.access.tables import AUDIT
from sync.central.complaints.tables import COMPLAINT, SOLUTION
from sync.central.console import texts
from tests.sync.central.access import people
from tests.sync.central.complaints.test_complaints import PHONE, answered, registered
from tests.sync.central.conftest import Parts
from tests.sync.central.figures.test_figures import counted, lived
from tests.sync.central.test_cases import announce
from tests.sync.central.test_console import browser, hidden, sign_in  # noqa: F401  # a fixture

FORM = {
    "category": "door",
    "locker": "hall-1",
    "text": "七号门\r\n不开",
    "name": "张伟",
    "phone": PHONE,
    "case": "",
}


async def press(browser: httpx.AsyncClient, reference: str, move: str, **more: str) -> httpx.Response:  # noqa: F811
    page = (await browser.get(f"/console/complaints/{reference}")).text
    key = re.findall(r'name="form_key" value="([^"]*)"', page)[-1]
    part = "giving-up" if move == "give_up" else "moves"
    return await browser.post(
        f"/console/complaints/{reference}/{part}", data={"form_key": key, "move": move, **more}
    )


def offered(page: str) -> set[str]:
    return set(re.findall(r'name="move" value="([a-z_]+)"', page))


async def test_from_the_form_to_the_library(browser: httpx.AsyncClient, parts: Parts) -> None:  # noqa: F811
    await sign_in(browser)
    keys = await hidden(browser, "/console/complaints/new")
    answer = await browser.post("/console/complaints/new", data=FORM | keys)
    reference = answer.url.path.rpartition("/")[2]
    assert "七号门 不开" in answer.text
    assert PHONE not in answer.text
    assert offered(answer.text) == {"assign", "remark"}
    # Sent twice by a nervous finger it is one.
    await browser.post("/console/complaints/new", data=FORM | keys)
    assert len(parts.rows(COMPLAINT)) == 1
    assert PHONE in (await browser.get(f"/console/complaints/{reference}/number")).text
    (look,) = [row for row in parts.rows(AUDIT) if row.action == "work_ticket"]
    assert look.object == reference
    page = await press(browser, reference, "assign", assignee="person:operator")
    assert offered(page.text) == {"assign", "resolve", "remark"}
    refused = await press(browser, reference, "resolve")
    assert (refused.status_code, 'role="alert"' in refused.text) == (409, True)
    page = await press(browser, reference, "resolve", note="弹簧已更换")
    assert offered(page.text) == {"satisfy", "object", "miss", "remark"}
    assert (await press(browser, reference, "give_up", note="x")).status_code == 409
    page = await press(browser, reference, "satisfy")
    assert offered(page.text) == {"reopen", "remark"}
    key = re.findall(r'name="form_key" value="([^"]*)"', page.text)[-1]
    lesson = {"form_key": key, "title": "门不开", "text": f"打 {PHONE}"}
    path = f"/console/complaints/{reference}/solution"
    assert (await browser.post(path, data=lesson)).status_code == 422
    await browser.post(path, data=lesson | {"text": "推一下 <b>门</b>"})
    found = (await browser.get("/console/solutions", params={"words": "推"})).text
    assert "推一下 &lt;b&gt;门" in found
    (row,) = parts.rows(SOLUTION)
    await browser.post(f"/console/solutions/{row.solution}/withdrawal", data={"form_key": key})
    assert "推一下" not in (await browser.get("/console/solutions")).text


async def test_a_clerk_is_not_offered_what_the_lead_may(browser: httpx.AsyncClient, parts: Parts) -> None:  # noqa: F811
    reference = registered(parts)
    people.add(parts, "li", [Role.WINDOW_CLERK])
    people.add(parts, "wu", [Role.AUDITOR])
    await people.sign_in(browser, "li")
    await press(browser, reference, "assign", assignee="person:li")
    await press(browser, reference, "resolve", note="done")
    for _ in range(3):
        page = await press(browser, reference, "miss")
        parts.clock.now_ms += 86_400_000
        await people.sign_in(browser, "li")
    assert "give_up" not in offered(page.text)
    assert (await press(browser, reference, "give_up", note="x")).status_code == 403
    await people.sign_in(browser, "wu")
    page = await browser.get(f"/console/complaints/{reference}")
    assert (page.status_code, offered(page.text)) == (200, set())
    assert (await browser.get(f"/console/complaints/{reference}/number")).status_code == 403


async def test_a_form_that_does_not_fit_is_shown_again(browser: httpx.AsyncClient, parts: Parts) -> None:  # noqa: F811
    await sign_in(browser)
    keys = await hidden(browser, "/console/complaints/new")
    for field, wrong in (("category", "X"), ("locker", "X"), ("text", " "), ("phone", "X")):
        answer = await browser.post("/console/complaints/new", data=FORM | keys | {field: wrong})
        assert (answer.status_code, 'role="alert"' in answer.text) == (422, True), field
    assert parts.rows(COMPLAINT) == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_every_page_shows_in_both_languages(
    browser: httpx.AsyncClient,  # noqa: F811
    parts: Parts,
    language: str,
) -> None:
    lived(parts)
    counted(parts)
    reference = registered(parts)
    await sign_in(browser)
    await press(browser, reference, "assign", assignee="person:operator")
    await press(browser, reference, "resolve", note="done")
    answered(parts, reference, satisfied=True)
    announce(parts)
    await browser.get("/console/language", params={"to": language, "next": "/console"})
    for path in (
        "/complaints",
        "/complaints?which=closed&category=door",
        "/complaints?which=x&category=%00",
        "/complaints/new",
        f"/complaints/{reference}",
        "/solutions",
        "/figures?first=2026-09-01&last=2026-09-30",
        "/figures/month?month=2026-09",
        "/figures/month?month=0001-01",
        "/figures/month?month=2026-13",
    ):
        page = await browser.get(f"/console{path}")
        assert page.status_code == 200, path
        assert "style=" not in page.text
        assert (f'lang="{"zh-CN" if language == "zh" else "en"}"') in page.text


async def test_a_month_stands_beside_the_one_before(browser: httpx.AsyncClient, parts: Parts) -> None:  # noqa: F811
    lived(parts)
    counted(parts)
    registered(parts)
    await sign_in(browser)
    await browser.get("/console/language", params={"to": "en", "next": "/console"})

    async def heads(month: str) -> dict[str, tuple[str, str]]:
        page = (await browser.get("/console/figures/month", params={"month": month})).text
        cells = re.findall(
            r"<td>([^<]+)</td><td class=.number.><strong>([^<]*)</strong></td>\s*<td class=.number.>([^<]+)",
            page,
        )
        return {name: (now, was) for name, now, was in cells}

    september, october = await heads("2026-09"), await heads("2026-10")
    assert len(september) == 18
    assert (september["drop-offs"], october["drop-offs"]) == (("1", "0"), ("0", "1"))
    assert (september["drop-off, median"], october["drop-off, median"]) == (("3 s", "—"), ("—", "3 s"))
    assert (september["complaints"], october["complaints"]) == (("1", "0"), ("0", "1"))
