"""HTTP: what does not fit is told why and changes nothing; only this machine's own page is answered."""

import json
from typing import Any

import httpx
import pytest

from kiosk_ui.guard import BODY_MAX
from locker.domain.events import CodeFailed
from tests.kiosk_ui.page import Page

JSON = {"content-type": "application/json"}


async def post(
    page: Page, path: str, content: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    return await page.http.post(path, content=content, headers=headers or JSON)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/api/act", b"", "not_json"),
        ("/api/act", b"[]", "not_json"),
        ("/api/act", b"nonsense", "not_json"),
        ("/api/act", b"\xff\xfe", "not_json"),
        ("/api/act", b"[" * 4_000, "not_json"),
        ("/api/act", b"{}", "unknown_act"),
        ("/api/act", b'{"act": 7}', "unknown_act"),
        ("/api/act", b'{"act": "open_all"}', "unknown_act"),
        ("/api/act", b'{"act": "leave", "door": 3}', "unknown_field"),
        ("/api/act", b'{"act": "language"}', "missing_field"),
        ("/api/act", b'{"act": "language", "lang": "fr"}', "wrong_value"),
        ("/api/act", b'{"act": "language", "lang": 1}', "wrong_type"),
        ("/api/act", b'{"act": "open", "lower": "yes"}', "wrong_type"),
        ("/api/act", b'{"act": "check_open", "door": true}', "wrong_type"),
        ("/api/act", b'{"act": "check_open", "door": 1.5}', "wrong_type"),
        ("/api/act", json.dumps({"act": "pin", "digits": "1" * 65}).encode(), "too_long"),
        ("/api/act", b'{"act": "leave", "visit": 5}', "wrong_type"),
        ("/api/alive", b"", "not_json"),
        ("/api/alive", b"[1]", "not_json"),
        ("/api/alive", b'{"screen": "home"}', "unknown_field"),
        ("/api/code", b"{}", "wrong_code"),
        ("/api/code", b'{"typed": "1", "scanned": "1"}', "wrong_code"),
        ("/api/code", b'{"typed": 12345678901}', "wrong_type"),
        ("/api/code", b'{"code": "1"}', "unknown_field"),
        ("/api/code", json.dumps({"scanned": "1" * 2_001}).encode(), "too_long"),
    ],
)
async def test_what_does_not_fit_is_told_why(page: Page, path: str, body: bytes, reason: str) -> None:
    seq, before = page.world.journal.state.seq, await page.view()
    answer = await post(page, path, body)
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    after = await page.view()
    assert after | {"rev": 0} == before | {"rev": 0}
    assert page.world.journal.state.seq == seq
    assert page.signs_of_life == 0


async def test_a_page_of_this_start_says_that_it_lives(page: Page) -> None:
    """Nothing else happens by it: it is no sign of life of whoever stands there."""
    seq, before = page.world.journal.state.seq, await page.view()
    answer = await post(page, "/api/alive", b"{}")
    assert (answer.status_code, answer.content, page.signs_of_life) == (204, b"", 1)
    assert (await post(page, "/api/alive", b"{}", JSON | {"x-kiosk-boot": "older"})).status_code == 409
    assert (await post(page, "/api/alive", b"{}", {"content-type": "text/plain"})).status_code == 415
    assert (await page.http.get("/api/alive")).status_code == 405
    assert page.signs_of_life == 1
    assert await page.view() | {"rev": 0} == before | {"rev": 0}
    assert page.world.journal.state.seq == seq


async def test_a_large_body_is_cut_off(page: Page) -> None:
    answer = await post(page, "/api/code", b'{"typed": "' + b"1" * BODY_MAX + b'"}')
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_a_form_of_another_site_cannot_post(page: Page, kind: str) -> None:
    answer = await post(page, "/api/act", b'{"act": "stay"}', {"content-type": kind})
    assert (answer.status_code, answer.json()["reason"]) == (415, "content_type")


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1", "http://127.0.0.1:1", "null"])
async def test_another_origin_is_turned_away(page: Page, origin: str) -> None:
    answer = await post(page, "/api/act", b'{"act": "stay"}', JSON | {"origin": origin})
    assert (answer.status_code, answer.json()["reason"]) == (403, "foreign_origin")
    own = await post(page, "/api/act", b'{"act": "stay"}', JSON | {"origin": "http://127.0.0.1"})
    assert own.status_code == 200


@pytest.mark.parametrize("host", ["kiosk.example", "127.0.0.1.evil.example", "10.0.0.7", ""])
async def test_a_rebound_name_is_turned_away(page: Page, host: str) -> None:
    for path in ("/", "/api/view", "/static/kiosk.js"):
        answer = await page.http.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["reason"]) == (421, "foreign_host")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
async def test_loopback_has_three_names(page: Page, host: str) -> None:
    assert (await page.http.get("/", headers={"host": host})).status_code == 200


async def test_every_answer_carries_the_strict_headers(page: Page) -> None:
    for path in ("/", "/api/view", "/static/kiosk.js", "/healthz", "/api/qr", "/nothing"):
        headers = (await page.http.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_the_page_needs_no_script_for_its_first_words(page: Page) -> None:
    answer = await page.http.get("/")
    assert page.kiosk.view()["title"] in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text


async def test_an_act_of_another_screen_is_refused(page: Page) -> None:
    for act in (
        {"act": "open"},
        {"act": "confirm_in"},
        {"act": "intake_open", "deposit": "x"},
        {"act": "sign_out"},
    ):
        answer = await page.http.post("/api/act", json=act)
        assert (answer.status_code, answer.json()["reason"]) == (409, "not_here")
    assert page.world.hands.pulses == []


async def test_a_press_meant_for_a_visit_that_has_ended_does_nothing(page: Page) -> None:
    view = await page.code(typed=await page.world.grant())
    answer = await page.http.post("/api/act", json={"act": "open", "visit": "another"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "other_visit")
    assert page.world.hands.pulses == []
    assert (await page.act("open", visit=view["visit"]))["screen"] == "place"


async def test_another_code_cannot_tear_a_visit_apart(page: Page) -> None:
    other = await page.world.grant("C-2")
    await page.code(typed=await page.world.grant("C-1"))
    await page.act("open")
    answer = await page.http.post("/api/code", json={"typed": other})
    assert (answer.status_code, answer.json()["reason"]) == (409, "not_here")
    assert (await page.view())["screen"] == "place"


@pytest.mark.parametrize(
    "body",
    [
        {"typed": "123"},
        {"typed": "1234567890x"},
        {"typed": "\uff11\uff12" * 5 + "\uff13"},
        {"typed": "9" * 1_000},
        {"scanned": "1" * 41},
        {"scanned": "http://example.org"},
        {"scanned": "2" + "9" * 300},
        {"scanned": "7" * 2_000},
    ],
)
async def test_a_code_of_any_form_is_refused_alike_and_never_listed(page: Page, body: dict[str, str]) -> None:
    view = await page.code(**body)
    assert view["refused"]["reason"] in {"code_slip", "code_not_accepted"}
    assert page.world.hands.pulses == []
    assert page.world.journal.events(CodeFailed) == []


async def test_a_label_is_no_code_to_an_applicant(page: Page) -> None:
    await page.world.announce()
    label = await page.code(scanned=page.world.token("I-1"))
    elsewhere = await page.code(scanned=page.world.token("I-1", where="other-park"))
    assert label["refused"] == elsewhere["refused"] == {"reason": "code_not_accepted", "wait_s": 0}


async def test_the_receipt_s_code_is_for_this_visit_only(page: Page) -> None:
    view = await page.hand_in()
    answer = await page.http.get("/api/qr", params={"visit": view["visit"]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.text.startswith("<svg")
    assert (await page.http.get("/api/qr", params={"visit": "other"})).status_code == 404
    await page.act("leave")
    assert (await page.http.get("/api/qr", params={"visit": ""})).status_code == 404


async def test_health_says_whether_anything_can_be_recorded(page: Page) -> None:
    assert (await page.http.get("/healthz")).json() == {"ok": True, "seq": page.world.journal.state.seq}
    page.world.journal.failing = True
    assert (await page.http.get("/healthz")).status_code == 503


async def test_no_code_and_no_pin_comes_back_in_a_view(page: Page) -> None:
    code = await page.world.grant()
    view: dict[str, Any] = await page.code(typed=code)
    badge = await page.world.enrol()
    texts = [json.dumps(view), repr(page.kiosk.visit), json.dumps(await page.code(scanned=badge))]
    texts += [json.dumps(await page.act("pin", digits="135790")), repr(page.kiosk.visit)]
    for text in texts:
        assert code not in text
        assert badge not in text
        assert "135790" not in text


async def test_events_bring_the_view_at_once_and_after_each_change(page: Page) -> None:
    views = page.kiosk.views()
    assert (await anext(views))["screen"] == "home"
    await page.code(typed=await page.world.grant())
    assert (await anext(views))["screen"] == "offer"
    page.kiosk.close()
    with pytest.raises(StopAsyncIteration):
        await anext(views)
