"""The panel's JSON: what it tells, what it does, and that nothing changes when it refuses."""

import httpx
import pytest


async def doors(panel: httpx.AsyncClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await panel.get("/state")).json()["doors"]
    return found


async def test_the_state_is_all_doors_shut(panel: httpx.AsyncClient) -> None:
    state = (await panel.get("/state")).json()
    assert [door["number"] for door in state["doors"]] == list(range(1, 17))
    for door in state["doors"]:
        assert not any(door[flag] for flag in ("open", "item", "jammed", "held"))
        assert door["opened_count"] == 0
    (line,) = state["lines"]
    assert (line["name"], line["baud"]) == ("A", 9600)
    assert [board["profile"] for board in line["boards"]] == ["waveshare-32", "inputs-32"]


async def test_a_visit_by_hand(panel: httpx.AsyncClient) -> None:
    for act, expected in (("pry", (True, False)), ("put", (True, True)), ("shut", (False, True))):
        reply = await panel.post(f"/doors/4/{act}")
        assert reply.status_code == 200
        assert (reply.json()["open"], reply.json()["item"]) == expected
    moves = (await panel.get("/moves")).json()
    assert [move["what"] for move in moves] == ["door_opened", "item_put", "door_shut"]
    assert (await panel.get("/moves?after=2")).json() == moves[2:]
    assert (await panel.get("/pulses")).json() == []


async def test_pushing_a_shut_door_changes_nothing(panel: httpx.AsyncClient) -> None:
    assert (await panel.post("/doors/4/shut")).status_code == 200
    assert (await panel.get("/moves")).json() == []


async def test_faults_are_set_and_mended(panel: httpx.AsyncClient) -> None:
    assert (await panel.post("/faults", json={"dead": [2], "loss": 0.01})).json()["A"]["dead"] == [2]
    assert (await panel.post("/faults", json={"line": "A", "echo": True})).json()["A"]["loss"] == 0.01
    assert (await panel.request("DELETE", "/faults")).json()["A"]["dead"] == []
    assert (await panel.get("/faults")).json()["A"]["echo"] is False


async def test_a_sensor_is_broken_and_mended(panel: httpx.AsyncClient) -> None:
    assert (await panel.post("/doors/2/sensors", json={"door": "stuck_1"})).json()["door_sensor"] == "stuck_1"
    assert (await panel.post("/doors/2/sensors", json={"door": "true"})).json()["door_sensor"] == "true"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/doors/17/shut", None, 404),
        ("/doors/0/shut", None, 404),
        ("/doors/x/shut", None, 404),
        ("/doors/99999999999999999999/shut", None, 404),
        ("/doors/1/explode", None, 404),
        ("/doors/1/put", None, 409),
        ("/doors/1/take", None, 409),
        ("/doors/1/sensors", b"{}x", 400),
        ("/doors/1/sensors", b'{"door": "maybe"}', 400),
        ("/doors/1/sensors", b'{"door": []}', 400),
        ("/doors/1/sensors", b'{"nose": "true"}', 400),
        ("/doors/17/sensors", b"{}", 404),
        ("/faults", b"", 400),
        ("/faults", b"[]", 400),
        ("/faults", b"\xff\xfe", 400),
        ("/faults", b'{"loss": 2}', 400),
        ("/faults", b'{"tornado": 1}', 400),
        ("/faults", b'{"line": "B"}', 404),
        ("/faults", b'{"line": 1}', 400),
        ("/faults", b'{"loss": 0.5, "late_ms": -1}', 400),
        ("/faults", b" " * 20_000, 413),
        ("/state", b"{}", 405),
    ],
)
async def test_what_does_not_fit_is_refused_with_a_reason(
    panel: httpx.AsyncClient, path: str, body: bytes | None, status: int
) -> None:
    before = await doors(panel), (await panel.get("/faults")).json()
    reply = await panel.post(path, content=body)
    assert reply.status_code == status
    assert reply.json()["error"]
    assert (await doors(panel), (await panel.get("/faults")).json()) == before


async def test_rows_after_something_that_is_no_number(panel: httpx.AsyncClient) -> None:
    assert (await panel.get("/pulses?after=-1")).status_code == 400


async def test_the_page_is_served(panel: httpx.AsyncClient) -> None:
    page = await panel.get("/")
    assert "虚拟文件柜" in page.text
    for name in ("panel.js", "panel.css", "icon.svg"):
        assert (await panel.get(f"/{name}")).status_code == 200
    assert "://" not in page.text  # nothing is fetched from elsewhere
