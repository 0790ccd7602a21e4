"""The routes of complaints, ratings, solutions and figures, on both databases."""

import csv
import io
from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central.access.actor import Role, Scope
from sync.central.access.tables import AUDIT
from sync.central.complaints.ratings import SETTLED_MS
from sync.central.figures.count import sample
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.figures.test_figures import counted, lived
from tests.sync.central.test_cases import announce

COMPLAINT = {"category": "door", "text": "七号门不开", "locker": "hall-1", "phone": "13812345678"}
DAYS = {"first": "2026-09-01", "last": "2026-09-30"}


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        yield client


def key(parts: Parts, name: str, *areas: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {people.key(parts, name, Scope, areas)}"}


async def test_a_program_registers_once_and_people_work_on_it(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    north, south = key(parts, "north", "north"), key(parts, "south", "south")
    once = north | {"Idempotency-Key": "a"}
    answers = [await client.post("/api/v1/complaints", json=COMPLAINT, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    (reference,) = {answer.json()["complaint"] for answer in answers}
    assert (await client.post("/api/v1/complaints", json=COMPLAINT, headers=south)).status_code == 404
    path = f"/api/v1/complaints/{reference}"
    told = (await client.get(path, headers=north)).json()
    assert (told["phone"], told["state"], told["steps"][0]["who"]) == (
        "138******78",
        "registered",
        "key:north",
    )
    assert (await client.get(path, headers=south)).json()["reason"] == "unknown_complaint"
    assert (await client.get("/api/v1/complaints", headers=south)).json() == {"rows": [], "next": None}
    people.add(parts, "sun", [Role.HELPER_LEAD])
    await people.sign_in(client, "sun")
    for move, state in (("assign", "assigned"), ("resolve", "resolved"), ("satisfy", "satisfied")):
        answer = await client.post(f"{path}/moves", json={"move": move, "note": "弹簧已更换"})
        assert answer.json() == {"complaint": reference, "state": state}
    assert (await client.post(f"{path}/moves", json={"move": "give_up"})).status_code == 422
    answer = await client.post(f"{path}/giving-up", json={"reason": "x"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "not_movable")
    published = {"complaint": reference, "title": "门不开", "text": "推一下"}
    assert (await client.post("/api/v1/solutions", json=published)).status_code == 201
    found = (await client.get("/api/v1/solutions", params={"words": "门"}, headers=south)).json()
    assert [each["title"] for each in found] == ["门不开"]
    assert (await client.delete(f"/api/v1/solutions/{found[0]['solution']}")).status_code == 204
    done = [row.action for row in parts.rows(AUDIT) if row.object == reference]
    assert [action for action in done if not action.startswith("see_")] == [
        "open_ticket",
        "work_ticket",
        "work_ticket",
        "work_ticket",
    ]
    assert "13812345678" not in str(parts.rows(AUDIT))


async def test_ratings_are_handed_in_once_and_taken_away_in_order(
    parts: Parts, client: httpx.AsyncClient
) -> None:
    north, south = key(parts, "north", "north"), key(parts, "south", "south")
    bodies = [
        {"kind": "item", "reference": announce(parts), "grade": grade, "text": "=1+1"} for grade in (5, 1)
    ]
    for body in bodies:
        assert (await client.post("/api/v1/ratings", json=body, headers=south)).status_code == 404
        assert (await client.post("/api/v1/ratings", json=body, headers=north)).status_code == 201
        again = await client.post("/api/v1/ratings", json=body, headers=north)
        assert (again.status_code, again.json()["reason"]) == (409, "already_rated")
    assert (await client.get("/api/v1/ratings", headers=north)).json()["rows"] == []
    parts.clock.now_ms += SETTLED_MS
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get(f"/api/v1/ratings?limit=1&cursor={cursor}", headers=north)).json()
        seen += [row["grade"] for row in page["rows"]]
        cursor = page["next"]
    assert seen == [5, 1]
    assert (await client.get("/api/v1/ratings", headers=south)).json()["rows"] == []
    text = (await client.get("/api/v1/ratings.csv", params=DAYS, headers=north)).text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["grade"], row["text"]) for row in rows] == [("5", "'=1+1"), ("1", "'=1+1")]


async def test_figures_are_told_by_area(parts: Parts, client: httpx.AsyncClient) -> None:
    north, south = key(parts, "north", "north"), key(parts, "south", "south")
    lived(parts)
    counted(parts)
    parts.store.write_now(lambda c: sample(c, parts.clock.now_ms))
    await client.post("/api/v1/complaints", json=COMPLAINT, headers=north)
    rating = {"kind": "item", "reference": announce(parts), "grade": 4}
    await client.post("/api/v1/ratings", json=rating, headers=north)
    for by in ("day", "month", "hour", "locker", "area", "service_item"):
        told = (await client.get("/api/v1/figures", params=DAYS | {"by": by}, headers=north)).json()
        assert sum(line["counts"].get("drop_off", 0) for line in told["lines"]) == 1
        assert sum(line["complaints"]["registered"] for line in told["lines"]) == 1
        assert sum(line["ratings"].get("4", 0) for line in told["lines"]) == 1
    assert told["whole"]["complaints"]["ages"] == {"day": 1, "three_days": 0, "week": 0, "older": 0}
    assert (told["whole"]["satisfied"], told["whole"]["drop_off"]["median_s"]) == (1.0, 3.0)
    # The fake locker never said that it is there.
    assert told["whole"]["available"] == 0.0
    (hours,) = told["occupancy"].values()
    assert sorted(hours)[-2:] == [0, 100]
    nothing = (await client.get("/api/v1/figures", params=DAYS, headers=south)).json()
    assert (nothing["lines"], nothing["whole"]["satisfied"], nothing["causes"]) == ([], None, {})
    for bad in ({"first": "0001-01-01", "last": "0001-01-02"}, {"first": "x", "last": "2026-09-01"}, {}):
        assert (await client.get("/api/v1/figures", params=bad, headers=north)).status_code == 422
