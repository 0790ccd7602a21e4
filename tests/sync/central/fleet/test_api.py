"""The fleet as programs see it: page by page, filtered, and never another's areas."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central import lockers
from sync.central.access.actor import Role, Scope
from sync.central.access.tables import AUDIT
from sync.central.alarms import Trouble, raise_alarm
from sync.central.fleet.tables import SITE
from sync.central.tables import LOCKER
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH, CABINET

HERE = {"name": "市民中心", "address": "解放路 1 号", "latitude": 30.25, "longitude": 120.16}
FRESH_MS = 1_000


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    for n, area in ((2, "north"), (3, "north"), (9, "south")):
        parts.store.write_now(
            lambda c, n=n, area=area: lockers.enrol(c, parts.desk, f"hall-{n}", area, f"{n:064x}")  # type: ignore[misc]  # bound now
        )
    people.add(parts, "zhao", [Role.FLEET_OPERATOR], ["north"])
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        await people.sign_in(client, "zhao")
        client.base_url = httpx.URL("http://hub/api/v1")
        yield client


def heard(parts: Parts, *names: str) -> None:
    parts.clock.now_ms += FRESH_MS
    values = {"last_heard_ms": parts.clock.now_ms, "online": True}
    parts.store.write_now(
        lambda c: c.execute(LOCKER.update().where(LOCKER.c.locker.in_(names)).values(values))
    )


def raised(parts: Parts, locker: str, kind: str) -> None:
    parts.clock.now_ms += 1
    parts.store.write_now(lambda c: raise_alarm(c, locker, Trouble(kind, "", ""), parts.clock.now_ms))


async def test_lockers_come_page_by_page_and_as_asked(client: httpx.AsyncClient, parts: Parts) -> None:
    heard(parts, "hall-3", "hall-9")
    first = (await client.get("/lockers", params={"limit": 2})).json()
    assert [row["locker"] for row in first["rows"]] == ["hall-1", "hall-2"]
    rest = (await client.get("/lockers", params={"limit": 2, "cursor": first["next"]})).json()
    assert [(row["locker"], row["presence"]) for row in rest["rows"]] == [("hall-3", "online")]
    assert rest["next"] is None
    for asked, names in (
        ({"state": "online"}, ["hall-3"]),
        ({"area": "south"}, []),
        ({"area": "north", "state": "offline"}, ["hall-1", "hall-2"]),
    ):
        rows = (await client.get("/lockers", params=asked)).json()["rows"]
        assert [row["locker"] for row in rows] == names
    assert (await client.get("/lockers", params={"state": "asleep"})).status_code == 422


async def test_alarms_are_listed_and_taken_note_of(client: httpx.AsyncClient, parts: Parts) -> None:
    for locker, kind in (("hall-1", "door_forced"), ("hall-9", "tamper"), ("hall-2", "power_lost")):
        raised(parts, locker, kind)
    first = (await client.get("/alarms", params={"limit": 1})).json()
    assert [row["kind"] for row in first["rows"]] == ["power_lost"]
    raised(parts, "hall-1", "clock")
    rest = (await client.get("/alarms", params={"limit": 5, "cursor": first["next"]})).json()
    assert [row["kind"] for row in rest["rows"]] == ["door_forced"]
    number = rest["rows"][0]["number"]
    noted = await client.post(f"/alarms/{number}/acknowledgement", json={"note": "a child"})
    assert noted.status_code == 204
    assert parts.rows(AUDIT)[-1].action == "acknowledge_alarm"
    opened = (await client.get("/alarms", params={"locker": "hall-1"})).json()["rows"]
    assert [row["kind"] for row in opened] == ["clock"]
    (row,) = (await client.get("/alarms", params={"locker": "hall-1", "seen": "true"})).json()["rows"][1:]
    assert (row["kind"], row["open"], row["seen_by"], row["note"]) == (
        "door_forced",
        False,
        "person:zhao",
        "a child",
    )
    for nobody in (number + 1, number + 99, 2**63 - 1):
        missed = await client.post(f"/alarms/{nobody}/acknowledgement", json={})
        assert missed.status_code == (204 if nobody == opened[0]["number"] else 404)


async def test_who_is_near_and_has_room(client: httpx.AsyncClient, parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET)
    parts.ingest()
    heard(parts, "hall-1", "hall-2")
    assert (await client.get("/near", params={"lat": 30.3, "lon": 120.1})).json() == []
    for name in ("hall-1", "hall-2"):
        assert (await client.put(f"/sites/{name}", json=HERE)).status_code == 204
    (found,) = (await client.get("/near", params={"lat": 30.3, "lon": 120.1})).json()
    # The other has no doors yet.
    assert found["site"] == {**HERE, "locker": "hall-1"}
    parts.store.write_now(lambda c: c.execute(SITE.update().values(name="")))
    parts.clock.now_ms += 60_000
    assert (await client.get("/near", params={"lat": 30.3, "lon": 120.1})).json()[0]["site"]["name"] == ""
    assert (found["metres"], found["free"]) == (8_007, 1)
    assert (await client.get("/near", params={"lat": 30.3, "lon": 120.1, "size": "L"})).json() == []
    assert (await client.get("/near", params={"lat": 91, "lon": 0})).status_code == 422
    listed = (await client.get("/sites", params={"limit": 1})).json()
    assert [row["locker"] for row in listed["rows"]] == ["hall-1"]
    assert listed["next"]


async def test_a_site_is_set_by_whoever_configures_that_locker(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    assert (await client.put("/sites/hall-9", json=HERE)).status_code == 404
    assert (await client.put("/sites/none", json=HERE)).status_code == 404
    assert (await client.put("/sites/hall-1", json={**HERE, "latitude": 99})).status_code == 422
    reader = {"Authorization": f"Bearer {people.key(parts, 'map', [Scope.FLEET_READ], ['north'])}"}
    assert (await client.put("/sites/hall-1", json=HERE, headers=reader)).status_code == 403
    assert (await client.get("/sites", headers=reader)).json() == {"rows": [], "next": None}
