"""Results that lie together, the list of outgoing items, and the ways after a locker."""

import json
from typing import Any

import httpx
import pytest

from locker.domain.deposit import Kind, Proof
from locker.domain.events import (
    CompartmentReserved,
    Event,
    ItemAnnounced,
    ItemLoaded,
    ItemOverdue,
    ItemRefused,
    ItemWithdrawn,
)
from locker.domain.ids import AuthorisationId, CaseNumber, DepositId, StaffId
from locker.domain.ids import ItemId as Item
from sync.central import lockers
from sync.central import tables as t
from sync.central.console.texts import load
from sync.central.onward import ways
from sync.central.onward.tables import ONWARD
from sync.central.onward.ways import Signal, State
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.intake.test_intake import Hall, http  # noqa: F401  # a fixture
from tests.sync.central.test_api import OUTGOING
from tests.sync.central.test_cases import said
from tests.sync.central.test_ledger import DOOR

STAY, HELPER = DepositId("d1"), StaffId("h")
POSTED = {"step": "post", "carrier": "邮政特快", "tracking": "EA123456789CN"}


def loaded(item: str) -> tuple[Event, ...]:
    case, nobody = CaseNumber("GS-1"), AuthorisationId("")
    return (
        CompartmentReserved(STAY, DOOR, Kind.OUTGOING, case, nobody, Item(item)),
        ItemLoaded(STAY, Item(item), HELPER, Proof.SENSED, announced=True),
    )


@pytest.fixture
async def hall(parts: Parts, http: httpx.AsyncClient) -> Hall:  # noqa: F811  # a fixture
    return Hall(parts, http)


def test_every_way_ends_with_somebody_or_with_a_loss_and_every_state_can_be_left_or_is_an_end() -> None:
    ends = {state for state in State if not ways.signals(state)}
    assert ends == {State.HANDED_OUT, State.DELIVERED}
    for state in State:
        reachable = {state}
        for _ in State:
            reachable |= {after for (before, _), after in ways.NEXT.items() if before in reachable}
        assert reachable & ends
    words = load()["zh"].words
    for state in State:
        assert state in words["onward"]
        assert state is State.NOWHERE or f"item_{state}" in words["kind"]
    assert set(words["onward_step"]) == set(Signal)


async def test_several_results_of_one_matter_lie_together_under_one_code(hall: Hall) -> None:
    results = ["营业执照", "公章", "税控设备"]
    matter = {**OUTGOING, "service_item": "企业开办一件事", "results": results}
    made = await hall.post("/outgoing-items", matter)
    assert made["results"] == results
    (says,) = said(hall.parts)
    assert isinstance(says, ItemAnnounced)
    assert says.service_item == "企业开办一件事"
    (step,) = (await hall.get("/cases/GS-1/trail"))["steps"]
    assert step["detail"]["results"] == "营业执照；公章；税控设备"
    assert (await hall.get("/outgoing-items", text="公章"))["rows"][0]["item"] == made["item"]
    for wrong in (["a", "a"], [""], ["x"] * 31):
        await hall.post("/outgoing-items", {**matter, "results": wrong}, "invalid")
    assert (await hall.post("/outgoing-items", OUTGOING))["results"] == []


async def test_the_list_follows_an_item_through_its_locker(hall: Hall) -> None:
    item = (await hall.post("/outgoing-items", OUTGOING))["item"]

    async def states(**asked: str) -> list[tuple[str, int, bool]]:
        rows = (await hall.get("/outgoing-items", **asked))["rows"]
        return [(row["state"], row["door"], row["overdue"]) for row in rows]

    assert await states() == await states(state="announced") == [("announced", 0, False)]
    await hall.happen(*loaded(item))
    assert await states(state="awaiting_pickup") == [("awaiting_pickup", 1, False)]
    assert await states(state="overdue") == []
    await hall.happen(ItemOverdue(STAY))
    assert await states(state="overdue") == [("awaiting_pickup", 1, True)]
    await hall.happen(ItemWithdrawn(STAY, HELPER, Proof.SENSED))
    assert await states() == await states(state="withdrawn") == [("withdrawn", 0, False)]
    assert await states(state="collected") == await states(locker="hall-9") == []


async def test_what_was_refused_is_posted_once_a_helper_has_taken_it_out(hall: Hall) -> None:
    item = (await hall.post("/outgoing-items", OUTGOING))["item"]
    path = f"/outgoing-items/{item}/onward"
    await hall.happen(*loaded(item))
    await hall.post(path, {"step": "choose_post"}, "not_now")
    await hall.happen(ItemRefused(STAY, "damaged"))
    assert (await hall.get(path))["steps"] == ["choose_window", "choose_post"]
    assert (await hall.post(path, {"step": "choose_post", "remark": "来电要求邮寄"}))["state"] == "to_post"
    await hall.post(path, POSTED, "still_inside")
    await hall.happen(ItemWithdrawn(STAY, HELPER, Proof.SENSED))
    await hall.post(path, {"step": "post"}, "no_tracking")
    await hall.post(path, {**POSTED, "tracking": "a b"}, "invalid")
    await hall.post(path, {"step": "deliver"}, "not_now")
    posted = await hall.post(path, POSTED)
    assert (posted["state"], posted["tracking"], posted["who"]) == ("posted", POSTED["tracking"], "key:north")
    (notice,) = [row for row in hall.parts.rows(t.NOTICE) if row.template == "item_posted"]
    assert json.loads(notice.variables)["tracking"] == POSTED["tracking"]
    assert hall.parts.desk.opened(notice.contact_sealed)["phone"] == "13812345678"
    assert (await hall.post(path, {"step": "come_back"}))["state"] == "came_back"
    for step, state in (
        ("choose_window", "to_window"),
        ("receive", "at_window"),
        ("hand_out", "handed_out"),
    ):
        assert (await hall.post(path, {"step": step}))["state"] == state
    kinds = [kind for kind in await hall.trail() if kind.startswith("item_")]
    assert kinds == [
        f"item_{state}"
        for state in ("to_post", "posted", "came_back", "to_window", "at_window", "handed_out")
    ]
    (row,) = (await hall.get("/outgoing-items", state="withdrawn"))["rows"]
    assert (row["onward"], row["carrier"]) == ("handed_out", POSTED["carrier"])


async def test_another_area_moves_nothing(hall: Hall) -> None:
    parts = hall.parts
    other = FakeLocker(locker="park-1")
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "park-1", "south", other.public[:-2] + "00"))
    item = (await hall.post("/outgoing-items", OUTGOING))["item"]
    await hall.happen(*loaded(item), ItemRefused(STAY, "damaged"))
    south = Hall(parts, hall.http, "south")
    await south.post(f"/outgoing-items/{item}/onward", {"step": "choose_post"}, "unknown_item")
    rows: list[Any] = (await south.get("/outgoing-items"))["rows"]
    assert (rows, parts.rows(ONWARD)) == ([], [])
