"""The JSON API: what it does, and that what does not fit changes nothing and says why."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from locker.domain import codes
from locker.domain.events import AuthorisationGranted, EpochStarted, Stopped
from locker.domain.ids import Epoch, LockerId
from sync.central import api
from sync.central import tables as t
from sync.central.fleet import api as fleet_api
from sync.central.fleet.watch import Watch
from tests.sync.central.access.people import entrance, office_of
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_cases import said

KEY = "k" * 32
PRE_REVIEW: dict[str, Any] = {
    "case": "GS-1",
    "service_item": "营业执照变更",
    "papers": ["申请书", "身份证"],
    "deferred": [],
    "size": "S",
    "applicant": {"name": "张伟", "phone": "13812345678"},
    "locker": "hall-1",
    "valid_hours": 72,
}
OUTGOING: dict[str, Any] = {
    "case": "GS-1",
    "service_item": "营业执照",
    "size": "M",
    "recipient": {"name": "张伟", "phone": "13812345678"},
    "locker": "hall-1",
    "second_factor": True,
}
STAFF: dict[str, Any] = {
    "staff": "helper-1",
    "name": "李强",
    "roles": ["helper"],
    "pin": "246810",
    "lockers": ["hall-1"],
}
BODIES = {"/pre-reviews": PRE_REVIEW, "/outgoing-items": OUTGOING, "/staff": STAFF}


@pytest.fixture
async def http(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    gate = entrance(parts, keys=(KEY, "another-key")).gate
    app = api.build(office_of(parts), gate, "http://hub", lambda: (True, {}))
    fleet_api.add(app, office_of(parts), Watch(parts.store, parts.clock), gate)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub/api/v1", headers=headers
    ) as client:
        yield client


def untouched(parts: Parts) -> bool:
    tables = (t.DIRECTIVE, t.AUTHORISATION, t.OUTGOING_ITEM, t.STAFF, t.STAFF_GRANT, t.DESK_FACT, t.REPEAT)
    return all(parts.rows(table) == [] for table in tables)


async def test_a_pre_review_makes_a_right_and_returns_no_typed_code(
    http: httpx.AsyncClient, parts: Parts
) -> None:
    answer = await http.post("/pre-reviews", json=PRE_REVIEW)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"authorisation", "case", "locker", "state", "valid_from", "valid_until", "token"}
    assert body["state"] == "waiting"
    assert codes.parse_scanned(body["token"]) is not None
    (row,) = parts.rows(t.AUTHORISATION)
    typed = parts.desk.opened(row.sealed)["typed"]
    seen = await http.get(f"/authorisations/{body['authorisation']}")
    assert seen.json()["phone"] == "138******78"
    trail = await http.get("/cases/GS-1/trail")
    assert [step["kind"] for step in trail.json()["steps"]] == ["pre_review_passed"]
    for text in (answer.text, seen.text, trail.text):
        assert typed not in text
        assert "13812345678" not in text


async def test_an_outgoing_item_gets_a_label(http: httpx.AsyncClient) -> None:
    answer = await http.post("/outgoing-items", json={**OUTGOING, "item": "lic-7"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["item"], body["state"]) == ("lic-7", "announced")
    assert body["label_url"] == "http://hub/console/items/lic-7/label"
    assert codes.parse_scanned(body["label_token"]) is not None
    assert (await http.get("/outgoing-items/lic-7")).json()["name"] == "张*"
    again = await http.post("/outgoing-items", json={**OUTGOING, "item": "lic-7"})
    assert (again.status_code, again.json()["reason"]) == (409, "item_exists")


async def test_staff_get_a_badge_once(http: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "badge-1"}
    answer = await http.post("/staff", json=STAFF, headers=headers)
    assert answer.status_code == 201
    scanned = codes.parse_scanned(answer.json()["badge"])
    assert scanned is not None
    assert scanned.kind is codes.ScanKind.BADGE
    again = await http.post("/staff", json=STAFF, headers=headers)
    assert (again.status_code, again.json()["reason"]) == (409, "shown_once")


async def test_the_same_request_by_its_key_is_done_once(http: httpx.AsyncClient, parts: Parts) -> None:
    headers = {"Idempotency-Key": "a-1"}
    first = await http.post("/pre-reviews", json=PRE_REVIEW, headers=headers)
    second = await http.post("/pre-reviews", json=PRE_REVIEW, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len(said(parts)) == 1
    other = await http.post("/pre-reviews", json={**PRE_REVIEW, "case": "GS-2"}, headers=headers)
    assert (other.status_code, other.json()["reason"]) == (409, "key_reused")
    assert len(said(parts)) == 1
    assert (await http.post("/pre-reviews", json=PRE_REVIEW)).json()["case"] == "GS-1"
    assert len(said(parts)) == 2


async def test_the_ledger_is_paged(http: httpx.AsyncClient, parts: Parts) -> None:
    parts.locker.add(EpochStarted(Epoch("e"), LockerId("hall-1")), *(Stopped(str(n)) for n in range(5)))
    parts.ingest()
    page = (await http.get("/lockers/hall-1/ledger", params={"after": 2, "limit": 3})).json()
    assert [row["seq"] for row in page["rows"]] == [3, 4, 5]
    assert page["rows"][0]["public"] == parts.locker.entries[2].public
    assert page["rows"][0]["hash"] == parts.locker.hash_at(3)
    assert (page["stored_to"], page["hash"]) == (6, parts.locker.hash_at(6))
    assert (await http.get("/lockers/hall-1/ledger", params={"epoch": "0" * 32})).json()["rows"] == []
    onward = {"cursor": page["next"]}
    rest = (await http.get("/lockers/hall-1/ledger", params=onward)).json()
    assert ([row["seq"] for row in rest["rows"]], rest["next"]) == ([6], None)
    parts.locker = FakeLocker(epoch="9" * 32).add(EpochStarted(Epoch("9" * 32), LockerId("hall-1")))
    parts.ingest()
    assert (await http.get("/lockers/hall-1/ledger")).json()["epoch"] == "9" * 32
    assert (await http.get("/lockers/hall-1/ledger", params=onward)).json() == rest
    wrong = await http.get("/lockers/hall-1/ledger", params={"cursor": "x" + page["next"]})
    assert (wrong.status_code, wrong.json()["reason"]) == (422, "bad_cursor")


async def test_lockers_are_listed_with_presence_and_depth(http: httpx.AsyncClient) -> None:
    (entry,) = (await http.get("/lockers")).json()["rows"]
    assert (entry["locker"], entry["presence"], entry["unsynced"]) == ("hall-1", "offline", 0)
    detail = (await http.get("/lockers/hall-1")).json()
    assert (detail["compartments"], detail["tickets"], detail["troubles"]) == ([], [], [])


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer \u00ff"]
)
async def test_without_a_key_nothing_is_told(
    http: httpx.AsyncClient, authorization: str, parts: Parts
) -> None:
    for path, body in BODIES.items():
        answer = await http.post(
            path,
            json=body,
            headers={b"Authorization": authorization.encode("latin-1")},
        )
        assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorised")
    answer = await http.get("/lockers", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert untouched(parts)


WIDE_PHONE = "".join(chr(0xFF10 + int(digit)) for digit in "13812345678")
"""Digits of another script: `str.isdigit` would take them."""
NO_PAPERS: tuple[Any, ...] = ("one", [1], [""], ["x" * 81], ["p"] * 31, {}, None)
BAD: list[tuple[str, str, Any]] = [
    *[("/pre-reviews", "case", value) for value in ("", "x" * 25, "a b", "案号", "a/b", 7, None, ["GS-1"])],
    *[
        ("/pre-reviews", "service_item", value)
        for value in ("", " ", "x" * 81, "a\nb", "a\x00b", "\ud800", 1)
    ],
    *[("/pre-reviews", "papers", value) for value in NO_PAPERS],
    *[("/pre-reviews", "size", value) for value in ("XL", "s", 1, None)],
    *[("/pre-reviews", "valid_hours", value) for value in (0, 721, -1, 1.5, "72", True, 10**30)],
    *[("/pre-reviews", "locker", value) for value in ("", "HALL", "x" * 33, "../x", 1)],
    ("/pre-reviews", "applicant", {"name": "", "phone": "13812345678"}),
    ("/pre-reviews", "applicant", {"name": "张伟"}),
    ("/pre-reviews", "applicant", {"name": "张伟", "phone": "138"}),
    ("/pre-reviews", "applicant", {"name": "张伟", "phone": WIDE_PHONE}),
    ("/pre-reviews", "applicant", {"name": "张伟", "phone": "13812345678", "id_number": "1"}),
    ("/pre-reviews", "applicant", "张伟"),
    ("/pre-reviews", "surprise", 1),
    *[("/outgoing-items", "item", value) for value in ("", "a/b", "x" * 25, 5)],
    *[("/outgoing-items", "second_factor", value) for value in ("yes", 1, None)],
    *[("/staff", "pin", value) for value in ("12345", "1234567", "abcdef", WIDE_PHONE[:6], 246810)],
    *[("/staff", "roles", value) for value in ([], ["king"], "helper", ["helper"] * 4)],
    *[("/staff", "lockers", value) for value in ([], ["hall-1", "hall-1"], ["x"] * 201, "hall-1")],
    *[("/staff", "staff", value) for value in ("", "Helper", "a b", "x" * 33)],
]


@pytest.mark.parametrize(("path", "field", "value"), BAD)
async def test_a_field_that_does_not_fit_is_refused_with_its_name(
    http: httpx.AsyncClient, parts: Parts, path: str, field: str, value: Any
) -> None:
    content = json.dumps({**BODIES[path], field: value}).encode()
    answer = await http.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    problem = answer.json()
    assert any(field in error["where"] for error in problem["errors"])
    assert untouched(parts)


@pytest.mark.parametrize("field", list(PRE_REVIEW))
async def test_a_missing_field_is_named(http: httpx.AsyncClient, parts: Parts, field: str) -> None:
    body = {name: value for name, value in PRE_REVIEW.items() if name != field}
    answer = await http.post("/pre-reviews", json=body)
    if field in {"deferred", "size", "valid_hours"}:
        assert answer.status_code == 201
    else:
        assert (answer.status_code, untouched(parts)) == (422, True)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"\xff\xfe", 422),
        (b"[" * 30_000, 400),
        (b" " * 70_000, 413),
        (json.dumps({**PRE_REVIEW, "more": "x" * 70_000}).encode(), 413),
    ],
)
async def test_a_body_that_is_no_body_is_refused(
    http: httpx.AsyncClient, parts: Parts, content: bytes, status: int
) -> None:
    answer = await http.post("/pre-reviews", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert untouched(parts)


async def test_a_body_without_a_length_is_cut_off_too(http: httpx.AsyncClient, parts: Parts) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    assert (await http.post("/pre-reviews", content=endless())).status_code == 413
    assert untouched(parts)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/authorisations/none", 404),
        ("/outgoing-items/none", 404),
        ("/lockers/none", 404),
        ("/lockers/none/ledger", 404),
        ("/cases/none/trail", 404),
        ("/nowhere", 404),
        ("/cases/%00/trail", 422),
        ("/lockers/hall-1/ledger?after=-1", 422),
        ("/lockers/hall-1/ledger?after=9223372036854775808", 422),
        ("/lockers/hall-1/ledger?limit=0", 422),
        ("/lockers/hall-1/ledger?limit=1001", 422),
        ("/lockers/hall-1/ledger?epoch=x", 422),
    ],
)
async def test_what_is_not_there_is_said_so(http: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await http.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_locker_is_no_place_to_hand_in(http: httpx.AsyncClient, parts: Parts) -> None:
    for path, field in (("/pre-reviews", "locker"), ("/outgoing-items", "locker")):
        answer = await http.post(path, json={**BODIES[path], field: "hall-9"})
        assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_locker")
    answer = await http.post("/staff", json={**STAFF, "lockers": ["hall-1", "hall-9"]})
    assert answer.status_code == 404
    assert untouched(parts)


async def test_a_key_that_is_too_long_is_refused(http: httpx.AsyncClient, parts: Parts) -> None:
    answer = await http.post("/pre-reviews", json=PRE_REVIEW, headers={"Idempotency-Key": "x" * 129})
    assert (answer.status_code, untouched(parts)) == (422, True)


async def test_a_wrong_method_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.delete("/lockers")).status_code == 405


async def test_refusals_never_repeat_what_was_sent(http: httpx.AsyncClient) -> None:
    body = {**PRE_REVIEW, "applicant": {"name": "张伟", "phone": "13812345678x"}}
    answer = await http.post("/pre-reviews", json=body)
    assert answer.status_code == 422
    assert "13812345678" not in answer.text


async def test_the_openapi_document_names_every_path(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert {path.removeprefix("/api/v1") for path in paths} == {
        "/healthz",
        "/pre-reviews",
        "/authorisations/{authorisation}",
        "/cases/{case}/trail",
        "/outgoing-items",
        "/outgoing-items/{item}",
        "/staff",
        "/staff/{staff}",
        "/lockers",
        "/lockers/{locker}",
        "/lockers/{locker}/ledger",
        "/lockers/{locker}/epochs/{epoch}/confirmation",
        "/near",
        "/alarms",
        "/alarms/{number}/acknowledgement",
        "/sites",
        "/sites/{locker}",
    }


async def test_every_answer_forbids_scripts_and_caching(http: httpx.AsyncClient) -> None:
    answer = await http.get("/lockers")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_grant_says_what_was_asked(http: httpx.AsyncClient, parts: Parts) -> None:
    await http.post("/pre-reviews", json=PRE_REVIEW)
    (grant,) = said(parts)
    assert isinstance(grant, AuthorisationGranted)
    assert grant.papers == ("申请书", "身份证")
