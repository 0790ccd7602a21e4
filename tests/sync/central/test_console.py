"""The console's pages, as a browser without scripts uses them."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from locker.domain import directives
from locker.domain.events import AuthorisationGranted, CompartmentBlocked
from locker.domain.ids import StaffId
from sync.central import tables as t
from sync.central.access.actor import Role
from sync.central.console import texts
from sync.central.desk import locker_row
from sync.central.hello import meet
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.test_cases import PASSED, announce, authorise, said
from tests.sync.central.test_ledger import BIRTH, CABINET, DOOR, VISIT

NAME = "operator"
CONSOLE = Path(texts.__file__).parent
FORM = {
    "case": "GS-7",
    "service_item": "变更登记",
    "name": "张伟",
    "phone": "13812345678",
    "papers": "申请书\r\n身份证\r\n",
    "deferred": "",
    "size": "S",
    "locker": "hall-1",
    "valid_hours": "72",
}


@pytest.fixture
async def browser(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    people.add(parts, NAME, set(Role) - {Role.INTEGRATOR})
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        yield client


async def sign_in(
    browser: httpx.AsyncClient, password: str = people.PASSWORD, onward: str = "/console"
) -> httpx.Response:
    return await people.sign_in(browser, NAME, password, onward)


async def hidden(browser: httpx.AsyncClient, path: str) -> dict[str, str]:
    page = (await browser.get(path)).text
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[-1] for name in ("form_key", "once")}


async def test_every_page_asks_who_you_are(browser: httpx.AsyncClient, parts: Parts) -> None:
    item = announce(parts)
    for path in ("", "/lockers/hall-1", "/cases", "/cases/GS-1", f"/items/{item}", f"/items/{item}/label"):
        answer = await browser.get(f"/console{path}")
        assert answer.url.path == "/console/login"
        assert "营业执照" not in answer.text
    for path in ("pre-reviews", "outgoing", "staff"):
        answer = await browser.post(f"/console/{path}/new", data=FORM)
        assert answer.url.path == "/console/login"
    assert len(said(parts)) == 1


async def test_the_cookie_is_kept_from_scripts_and_other_sites(browser: httpx.AsyncClient) -> None:
    answer = await sign_in(browser)
    cookie = answer.history[0].headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.url.path == "/console"


async def test_wrong_passwords_are_slowed_down(browser: httpx.AsyncClient, parts: Parts) -> None:
    statuses = [(await sign_in(browser, "guess")).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    assert (await sign_in(browser)).status_code == 429
    parts.clock.now_ms += 1_000
    assert (await sign_in(browser)).status_code == 200


@pytest.mark.parametrize(
    "onward", ["https://evil.example", "//evil.example", "/console/../x", "/other", "\\x", ""]
)
async def test_signing_in_never_leads_away(browser: httpx.AsyncClient, onward: str) -> None:
    answer = await sign_in(browser, onward=onward)
    assert answer.url.host == "hub"
    assert answer.history[0].headers["location"].startswith("/console")


async def test_signing_out_ends_the_session(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    keys = await hidden(browser, "/console/staff/new")
    await browser.post("/console/logout", data={"form_key": "not this"})
    assert (await browser.get("/console")).url.path == "/console"
    await browser.post("/console/logout", data=keys)
    assert (await browser.get("/console")).url.path == "/console/login"


@pytest.mark.parametrize("language", texts.LANGUAGES)
async def test_every_page_shows_in_both_languages(
    browser: httpx.AsyncClient, parts: Parts, language: str
) -> None:
    right, item = authorise(parts), announce(parts)
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    await sign_in(browser)
    await browser.get("/console/language", params={"to": language, "next": "/console"})
    for path in (
        "",
        "/alarms",
        "/lockers/hall-1",
        "/cases",
        "/cases/GS-1",
        "/pre-reviews/new",
        "/outgoing/new",
        "/staff/new",
        f"/authorisations/{right}",
        f"/items/{item}",
        f"/items/{item}/label",
    ):
        answer = await browser.get(f"/console{path}")
        assert answer.status_code == 200, path
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
        assert "<script>" not in answer.text
        assert "style=" not in answer.text
    assert (await browser.get("/console/static/console.css")).status_code == 200


async def test_the_cabinet_shows_what_lies_where(browser: httpx.AsyncClient, parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    counted = t.LOCKER.update().values(dropped='{"log:number":1,"topic":2}')
    parts.store.write_now(lambda c: c.execute(counted))
    await sign_in(browser)
    page = (await browser.get("/console/lockers/hall-1")).text
    assert 'class="door holding closed"' in page
    assert "GS-1" in page
    assert "log:number 1 · 其他主题 2" in page
    trail = (await browser.get("/console/cases/GS-1")).text
    assert trail.index("预留箱格") < trail.index("门已打开") < trail.index("已交件")


async def test_what_a_form_carries_is_shown_as_text(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    keys = await hidden(browser, "/console/pre-reviews/new")
    await browser.post("/console/pre-reviews/new", data={**FORM, **keys, "service_item": "<b onclick=x>"})
    page = (await browser.get("/console/cases")).text
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in page


async def test_a_pre_review_by_hand_makes_one_right_however_often_it_is_sent(
    browser: httpx.AsyncClient, parts: Parts
) -> None:
    await sign_in(browser)
    keys = await hidden(browser, "/console/pre-reviews/new")
    first = await browser.post("/console/pre-reviews/new", data={**FORM, **keys})
    second = await browser.post("/console/pre-reviews/new", data={**FORM, **keys})
    assert first.url == second.url
    assert "/console/authorisations/" in str(first.url)
    assert len(said(parts)) == 1
    (row,) = parts.rows(t.AUTHORISATION)
    assert row.papers == '["申请书","身份证"]'
    assert parts.desk.opened(row.sealed)["typed"] not in first.text


async def test_a_form_from_another_page_does_nothing(browser: httpx.AsyncClient, parts: Parts) -> None:
    await sign_in(browser)
    for keys in ({}, {"form_key": "0" * 64, "once": "x"}):
        answer = await browser.post("/console/pre-reviews/new", data={**FORM, **keys})
        assert answer.status_code == 422
    assert said(parts) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("case", "a b"),
        ("service_item", ""),
        ("phone", "12"),
        ("size", "XL"),
        ("valid_hours", "soon"),
        ("valid_hours", "99999999999999999999"),
        ("papers", "x" * 81),
        ("name", "\x00"),
    ],
)
async def test_a_field_that_does_not_fit_is_named_and_nothing_is_lost(
    browser: httpx.AsyncClient, parts: Parts, field: str, value: str
) -> None:
    await sign_in(browser)
    keys = await hidden(browser, "/console/pre-reviews/new")
    answer = await browser.post("/console/pre-reviews/new", data={**FORM, **keys, field: value})
    assert answer.status_code == 422
    assert texts.load()["zh"].words["why"][field] in answer.text
    assert "hall-1" in answer.text
    assert said(parts) == []


async def test_a_badge_is_shown_once_and_the_pin_never(browser: httpx.AsyncClient, parts: Parts) -> None:
    await sign_in(browser)
    keys = await hidden(browser, "/console/staff/new")
    data = {
        **keys,
        "staff": "helper-1",
        "name": "李强",
        "roles": "helper",
        "pin": "246810",
        "lockers": "hall-1",
    }
    answer = await browser.post("/console/staff/new", data=data)
    assert re.search(r'id="digits">3\d{40}<', answer.text)
    assert "246810" not in answer.text
    again = await browser.post("/console/staff/new", data=data)
    assert again.status_code == 409
    assert "246810" not in again.text
    assert len(said(parts)) == 1


async def test_an_unknown_case_is_told_kindly(browser: httpx.AsyncClient) -> None:
    await sign_in(browser)
    answer = await browser.get("/console/cases", params={"case": "GS-404"})
    assert answer.status_code == 404
    assert "没有这个办件的记录" in answer.text
    assert (await browser.get("/console/cases", params={"case": "../../x"})).status_code == 200


async def test_a_body_that_is_no_form_is_refused(browser: httpx.AsyncClient, parts: Parts) -> None:
    await sign_in(browser)
    for content in (b"\xff", b"a=%ff", b"&".join(b"a=1" for _ in range(400))):
        answer = await browser.post("/console/outgoing/new", content=content)
        assert answer.status_code == 422
    assert said(parts) == []


def test_both_languages_have_the_same_words_and_every_page_finds_its_own() -> None:
    zh, en = (texts.load()[language].words for language in texts.LANGUAGES)
    assert {section: set(words) for section, words in zh.items()} == {
        section: set(words) for section, words in en.items()
    }
    sources = [*CONSOLE.glob("templates/**/*.html"), *CONSOLE.glob("*.py")]
    used = {
        key
        for path in sources
        for key in re.findall(r"\b(?:t|text)\(['\"]([a-z_]+\.[a-z_]+)['\"]", path.read_text())
    }
    assert [key for key in used if key.partition(".")[2] not in zh[key.partition(".")[0]]] == []


def test_masked_names_stay_masked_on_every_page(parts: Parts) -> None:
    authorise(parts, PASSED)
    assert [row.name for row in parts.rows(t.AUTHORISATION)] == ["张*"]


async def test_a_trail_tells_which_papers_a_locker_expects(browser: httpx.AsyncClient, parts: Parts) -> None:
    right = authorise(parts)
    says = directives.read(parts.rows(t.AUTHORISATION)[0].directive).says
    assert isinstance(says, AuthorisationGranted)
    parts.locker.add(BIRTH, replace(says, papers=("申请书", "身份证")))
    parts.ingest()
    await sign_in(browser)
    page = await browser.get(f"/console/cases/{PASSED.case}")
    assert page.status_code == 200, right
    assert "申请书、身份证" in page.text


async def test_a_door_that_is_out_of_service_says_why(browser: httpx.AsyncClient, parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, CompartmentBlocked(DOOR, "leaf", StaffId("t-1")))
    parts.ingest()
    await sign_in(browser)
    page = (await browser.get("/console/lockers/hall-1")).text
    assert "停用" in page
    assert "门板或铰链有问题" in page


@pytest.mark.parametrize(
    ("language", "reason", "called"),
    [
        ("en", "forked", "Ledger fork: cloned card or tampering"),
        ("zh", "forked", "账本分叉"),
        ("en", "lost_rows", "The locker lost entries"),
        ("zh", "hole", "缺少条目"),
    ],
)
async def test_what_a_locker_found_at_a_hello_is_an_alarm_on_its_page(
    browser: httpx.AsyncClient, parts: Parts, language: str, reason: str, called: str
) -> None:
    parts.locker.add(BIRTH, CABINET)
    parts.ingest()
    found = replace(parts.locker.link(), nonce="", reason=reason)
    parts.store.write_now(lambda c: meet(c, parts.desk, locker_row(c, "hall-1"), found, parts.clock.now_ms))
    await sign_in(browser)
    await browser.get("/console/language", params={"to": language, "next": "/console"})
    assert 'data-alarms="1"' in (await browser.get("/console")).text
    page = (await browser.get("/console/lockers/hall-1")).text
    assert called in page
    assert {"zh": "柜机在第2条", "en": "The locker, at entry 2"}[language] in page
