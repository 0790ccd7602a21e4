"""Another's areas are as if they were not there, whoever guesses what."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central import lockers
from sync.central.access.actor import Role, Scope
from sync.central.access.tables import AUDIT
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_api import OUTGOING, PRE_REVIEW, STAFF


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    other = FakeLocker(locker="park-1")
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "park-1", "south", other.public[:-2] + "00"))
    app = people.whole(parts, people.entrance(parts))
    async with people.browser(app) as client:
        yield client


def key(parts: Parts, name: str, *areas: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {people.key(parts, name, Scope, areas)}"}


async def test_what_lies_in_another_area_answers_as_what_never_was(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    north, south = key(parts, "north", "north"), key(parts, "south", "south")
    right = (await client.post("/api/v1/pre-reviews", json=PRE_REVIEW, headers=north)).json()["authorisation"]
    item = (await client.post("/api/v1/outgoing-items", json=OUTGOING, headers=north)).json()["item"]
    for there, nowhere in (
        (f"/authorisations/{right}", f"/authorisations/{right[::-1]}"),
        (f"/outgoing-items/{item}", f"/outgoing-items/{item[::-1]}"),
        ("/cases/GS-1/trail", "/cases/GS-9/trail"),
        ("/lockers/hall-1", "/lockers/hall-9"),
        ("/lockers/hall-1/ledger", "/lockers/hall-9/ledger"),
    ):
        assert (await client.get(f"/api/v1{there}", headers=north)).status_code == 200
        guessed, missed = [await client.get(f"/api/v1{path}", headers=south) for path in (there, nowhere)]
        assert guessed.status_code == missed.status_code == 404
        told = [answer.json() for answer in (guessed, missed)]
        assert told[0]["detail"].replace("hall-1", "hall-9").replace("GS-1", "GS-9") == told[1]["detail"]
        assert told[0] | {"detail": ""} == told[1] | {"detail": ""}
    seen = (await client.get("/api/v1/lockers", headers=south)).json()["rows"]
    assert [locker["locker"] for locker in seen] == ["park-1"]


async def test_nothing_is_done_at_another_areas_lockers(parts: Parts, client: httpx.AsyncClient) -> None:
    south = key(parts, "south", "south")
    for path, body in (("pre-reviews", PRE_REVIEW), ("outgoing-items", OUTGOING), ("staff", STAFF)):
        answer = await client.post(f"/api/v1/{path}", json=body, headers=south)
        assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_locker")


async def test_a_guessed_case_number_tells_nothing_of_the_case(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    north, south = key(parts, "north", "north"), key(parts, "south", "south")
    await client.post("/api/v1/pre-reviews", json=PRE_REVIEW, headers=north)
    mine = {**PRE_REVIEW, "locker": "park-1", "service_item": "guess"}
    await client.post("/api/v1/pre-reviews", json=mine, headers=south)
    told = (await client.get("/api/v1/cases/GS-1/trail", headers=south)).json()["steps"]
    assert [step["detail"]["locker"] for step in told] == ["park-1"]
    whole = await client.get("/api/v1/cases/GS-1/trail", headers=key(parts, "all", "*"))
    assert len(whole.json()["steps"]) == 2
    people.add(parts, "li", [Role.WINDOW_CLERK], ["south"])
    await people.sign_in(client, "li")
    page = (await client.get("/console/cases?case=")).text
    assert "guess" in page
    assert "营业执照变更" not in page


async def test_a_helper_of_another_area_keeps_their_badge(parts: Parts, client: httpx.AsyncClient) -> None:
    north, south = key(parts, "north", "north"), key(parts, "south", "south")
    assert (await client.post("/api/v1/staff", json=STAFF, headers=north)).status_code == 201
    answer = await client.post("/api/v1/staff", json={**STAFF, "lockers": ["park-1"]}, headers=south)
    assert (answer.status_code, answer.json()["reason"]) == (409, "staff_elsewhere")


async def test_one_callers_idempotency_key_says_nothing_to_another(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    once = {"Idempotency-Key": "a-1"}
    first = await client.post("/api/v1/pre-reviews", json=PRE_REVIEW, headers=key(parts, "a", "*") | once)
    second = await client.post("/api/v1/pre-reviews", json=PRE_REVIEW, headers=key(parts, "b", "*") | once)
    assert first.json()["authorisation"] != second.json()["authorisation"]


async def test_an_act_is_journaled_with_it_and_names_nobody(parts: Parts, client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/pre-reviews", json=PRE_REVIEW, headers=key(parts, "city", "north"))
    act = parts.rows(AUDIT)[-1]
    assert (act.actor, act.action, act.object) == ("key:city", "authorise", answer.json()["authorisation"])
    assert json.loads(act.detail) == {"case": "GS-1", "locker": "hall-1"}
    everything = " ".join(str(value) for row in parts.rows(AUDIT) for value in row)
    assert "张" not in everything
    assert "13812345678" not in everything
