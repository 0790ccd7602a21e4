"""Supplement requests, deferred papers and decisions, through the API; what time and lockers make of them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from locker.domain.deposit import Kind as Stay
from locker.domain.deposit import Proof
from locker.domain.door import Presence
from locker.domain.events import (
    CompartmentReserved,
    Event,
    PapersDue,
    SubmissionDeposited,
    SubmissionTaken,
    SubmissionTakenBack,
)
from locker.domain.ids import AuthorisationId, CaseNumber, DepositId, ItemId, StaffId
from sync.central import api, lockers
from sync.central import tables as t
from sync.central.access.actor import Scope
from sync.central.access.tables import AUDIT
from sync.central.console.texts import load
from sync.central.directives import snapshot
from sync.central.intake import api as intake_api
from sync.central.intake import keep, lists
from sync.central.intake.counter import Counter
from sync.central.intake.tables import OWED
from sync.central.onward import api as onward_api
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_api import PRE_REVIEW
from tests.sync.central.test_cases import said
from tests.sync.central.test_ledger import BIRTH, CABINET, DOOR

DAY_MS = 86_400_000
ASKED: dict[str, Any] = {
    "papers": [{"name": "章程", "why": "缺第二页"}, {"name": "租赁合同"}],
    "until": "2026-09-30",
    "consequence": "逾期未补正的，退回申请。",
}
PROMISED: dict[str, Any] = {
    "papers": [{"name": "章程", "until": "2026-09-28"}],
    "consequence": "逾期未补交的，撤销受理。",
    "commitment": {"by": "张伟", "how": "signed", "where": "承诺书 12 号"},
}
UNTIL_MS = 1_790_783_999_999
"""The end of 30 September 2026 in the hub's own time."""


class Hall:
    """The API as somebody with every scope in one area uses it."""

    def __init__(self, parts: Parts, http: httpx.AsyncClient, area: str = "north") -> None:
        self.parts, self.http = parts, http
        self.headers = {"Authorization": f"Bearer {people.key(parts, area, Scope, [area])}"}

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(f"/api/v1{path}", headers=self.headers, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, refused: str = "", **headers: str) -> Any:
        answer = await self.http.post(f"/api/v1{path}", json=body, headers=self.headers | headers)
        if refused:
            assert answer.json().get("reason") == refused, answer.text
        else:
            assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def pass_time(self, days: float) -> None:
        self.parts.clock.now_ms += int(days * DAY_MS)
        await keep.settle(self.parts.store, self.parts.desk)

    async def hand_in(self, authorisation: str, stay: str = "d1") -> None:
        await self.happen(*_handed_in(authorisation, stay))

    async def happen(self, *events: Event) -> None:
        if not self.parts.locker.entries:
            self.parts.locker.add(BIRTH, CABINET)
        self.parts.locker.add(*events)
        self.parts.ingest()
        await keep.settle(self.parts.store, self.parts.desk)

    async def trail(self) -> list[str]:
        return [step["kind"] for step in (await self.get("/cases/GS-1/trail"))["steps"]]

    def messages(self) -> list[str]:
        rows = sorted(self.parts.rows(t.NOTICE), key=lambda row: row.made_ms)
        return [row.template for row in rows if row.template not in {"drop_off_code", "receipt"}]


def _handed_in(authorisation: str, stay: str) -> tuple[Event, ...]:
    case, right = CaseNumber("GS-1"), AuthorisationId(authorisation)
    return (
        CompartmentReserved(DepositId(stay), DOOR, Stay.SUBMISSION, case, right, ItemId("")),
        SubmissionDeposited(DepositId(stay), DOOR, Presence.PRESENT, 2),
    )


@pytest.fixture
async def http(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    """Only these rooms: an application with every page takes longer to build than most tests run."""
    office, gate = people.office_of(parts), people.entrance(parts).gate
    app = api.build(office, gate, people.HUB_URL, lambda: (True, {}))
    intake_api.add(app, Counter(office), gate)
    onward_api.add(app, office, gate)
    async with people.browser(app) as client:
        yield client


@pytest.fixture
async def hall(parts: Parts, http: httpx.AsyncClient) -> Hall:
    hall = Hall(parts, http)
    await hall.post("/pre-reviews", PRE_REVIEW)
    return hall


async def test_everything_missing_is_asked_for_once_topped_up_and_checked(hall: Hall) -> None:
    made = await hall.post("/cases/GS-1/supplements", ASKED)
    assert (made["state"], made["deadline"]) == ("requested", "2026-09-30T15:59:59.999+00:00")
    assert [paper["name"] for paper in made["papers"]] == ["章程", "租赁合同"]
    await hall.post("/cases/GS-1/supplements", ASKED, "asked_already")
    path = f"/owed/{made['owed']}"
    top_up = await hall.post(f"{path}/top-ups", {"locker": "hall-1"})
    # After it comes by when it is to be used.
    grant = said(hall.parts)[-2]
    assert (grant.papers, grant.name, grant.phone) == (("章程", "租赁合同"), "张*", "138******78")  # type: ignore[union-attr]  # a grant
    await hall.hand_in(top_up["authorisation"])
    (waiting,) = (await hall.get("/awaiting-intake"))["rows"]
    assert (waiting["case"], waiting["owed"], waiting["door"]) == ("GS-1", made["owed"], 1)
    assert (await hall.get(path))["state"] == "topped_up"
    assert (await hall.post(f"{path}/checks", {"in_order": [2]}))["state"] == "topped_up"
    assert (await hall.get("/cases/GS-1"))["standings"][0]["standing"] == "missing"
    assert (await hall.post(f"{path}/checks", {"in_order": [1]}))["state"] == "checked"
    assert (await hall.get("/cases/GS-1"))["standings"][0]["standing"] == "complete"
    await hall.post(f"{path}/top-ups", {"locker": "hall-1"}, "not_now")
    assert [kind for kind in await hall.trail() if kind[0].islower()] == [
        "pre_review_passed",
        "supplement_requested",
        "top_up_authorised",
        "topped_up",
        "owed_checked",
        "owed_checked",
    ]
    assert hall.messages() == ["supplement_requested"]
    (notice,) = [row for row in hall.parts.rows(t.NOTICE) if row.template == "supplement_requested"]
    told = json.loads(notice.variables)
    assert (told["papers"], told["deadline_ms"], told["consequence"]) == (
        "章程；租赁合同",
        UNTIL_MS,
        ASKED["consequence"],
    )
    again = {**ASKED, "again": "营业场所后来变更"}
    await hall.post("/cases/GS-1/supplements", ASKED, "asked_already")
    assert (await hall.post("/cases/GS-1/supplements", again))["state"] == "requested"


async def test_reminded_overdue_extended_and_returned_only_after_the_day(hall: Hall) -> None:
    path = f"/owed/{(await hall.post('/cases/GS-1/supplements', ASKED))['owed']}"
    left = (UNTIL_MS - hall.parts.clock.now_ms) / DAY_MS
    await hall.pass_time(left - 3.01)
    assert hall.messages() == ["supplement_requested"]
    for after in (0.02, 0.5, 1.6):
        await hall.pass_time(after)
    assert hall.messages() == ["supplement_requested", "owed_reminder", "owed_reminder"]
    returned = {"decision": "return", "reason": "未补正"}
    await hall.post("/cases/GS-1/decisions", returned, "not_now")
    await hall.pass_time(1)
    assert (await hall.get(path))["state"] == "overdue"
    assert [row["state"] for row in (await hall.get("/supplements"))["rows"]] == ["overdue"]
    longer = {"until": "2026-10-08", "reason": "申请人来电说明"}
    await hall.post(f"{path}/extensions", {**longer, "until": "2026-09-29"}, "bad_day")
    assert (await hall.post(f"{path}/extensions", longer))["state"] == "extended"
    await hall.pass_time(9)
    assert hall.messages()[3:] == ["owed_overdue", "owed_extended", "owed_overdue"]
    await hall.post("/cases/GS-1/decisions", {"decision": "return"}, "no_reason")
    await hall.post("/cases/GS-1/decisions", returned)
    assert (await hall.get(path))["state"] == "returned"
    assert (await hall.get("/supplements"))["rows"] == []
    assert len((await hall.get("/supplements", state="returned"))["rows"]) == 1
    assert hall.messages()[-1] == "case_decided"
    assert (await hall.trail())[-3:] == ["owed_extended", "owed_overdue", "case_returned"]


async def test_what_was_taken_back_has_not_come_and_may_come_again(hall: Hall) -> None:
    path = f"/owed/{(await hall.post('/cases/GS-1/supplements', ASKED))['owed']}"
    right = (await hall.post(f"{path}/top-ups", {"locker": "hall-1"}))["authorisation"]
    await hall.hand_in(right)
    await hall.happen(SubmissionTakenBack(DepositId("d1"), Proof.SENSED))
    assert (await hall.get(path))["state"] == "requested"
    await hall.hand_in(right, "d2")
    await keep.settle(hall.parts.store, hall.parts.desk)
    assert (await hall.get(path))["state"] == "topped_up"
    await hall.happen(SubmissionTaken(DepositId("d2"), StaffId("h"), Proof.SENSED, "complete"))
    await hall.pass_time(20)
    assert (await hall.get(path))["state"] == "topped_up"
    assert await keep.settle(hall.parts.store, hall.parts.desk) == 0


async def test_nobody_is_called_late_while_a_silent_locker_may_hold_the_papers(hall: Hall) -> None:
    path = f"/owed/{(await hall.post('/cases/GS-1/supplements', ASKED))['owed']}"
    right = (await hall.post(f"{path}/top-ups", {"locker": "hall-1"}))["authorisation"]
    hall.parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(epoch="e", online=False)))
    hall.parts.clock.now_ms = UNTIL_MS
    await hall.pass_time(2)
    assert (await hall.get(path))["state"] == "requested"
    await hall.hand_in(right)
    assert (await hall.get(path))["state"] == "topped_up"
    assert "owed_overdue" not in hall.messages()


@pytest.mark.rule("CEN-44")
async def test_a_locker_is_told_by_when_the_rest_is_to_come(hall: Hall) -> None:
    (right,) = hall.parts.rows(t.AUTHORISATION)

    def told() -> list[int]:
        dues = [each for each in said(hall.parts) if isinstance(each, PapersDue)]
        assert {each.authorisation for each in dues} <= {right.authorisation}
        return [each.until_ms for each in dues]

    made = await hall.post("/cases/GS-1/deferrals", PROMISED)
    assert told() == [UNTIL_MS - 2 * DAY_MS]
    await hall.post(f"/owed/{made['owed']}/extensions", {"until": "2026-09-30", "reason": "asked"})
    assert told() == [UNTIL_MS - 2 * DAY_MS, UNTIL_MS]
    parts = hall.parts
    parts.store.write_now(lambda c: snapshot(c, "hall-1", parts.desk.chance, parts.clock.now_ms))
    assert told() == [UNTIL_MS - 2 * DAY_MS, UNTIL_MS, UNTIL_MS]


async def test_a_promise_comes_before_acceptance(hall: Hall) -> None:
    await hall.post("/pre-reviews", {**PRE_REVIEW, "deferred": ["章程", "验资报告"]})
    accept: dict[str, Any] = {"decision": "accept"}
    await hall.post("/cases/GS-1/decisions", accept, "not_now")
    await hall.post("/cases/GS-1/checks", {"finding": "complete"})
    await hall.post("/cases/GS-1/decisions", accept, "no_commitment")
    made = await hall.post("/cases/GS-1/deferrals", PROMISED)
    assert (made["kind"], made["promised_by"], made["state"]) == ("deferred", "张*", "requested")
    await hall.post("/cases/GS-1/decisions", accept, "no_commitment")
    await hall.post("/cases/GS-1/decisions", {**accept, "came": ["验资报告"]})
    await hall.post("/cases/GS-1/deferrals", {**PROMISED, "again": "x"}, "not_now")
    # Accepted, and what was promised never came.
    hall.parts.clock.now_ms = UNTIL_MS
    await hall.pass_time(0)
    assert [row["state"] for row in (await hall.get("/deferrals"))["rows"]] == ["overdue"]
    await hall.post("/cases/GS-1/decisions", {"decision": "reject", "reason": "承诺未履行"})
    assert (await hall.get("/cases/GS-1"))["standings"][0]["standing"] == "rejected"
    await hall.post("/cases/GS-1/checks", {"finding": "complete"}, "not_now")
    assert hall.messages() == ["deferred_promised", "case_decided", "owed_overdue", "case_decided"]


async def test_it_is_done_once_and_journaled_and_names_nobody(hall: Hall) -> None:
    first = await hall.post("/cases/GS-1/supplements", ASKED, **{"Idempotency-Key": "s-1"})
    assert await hall.post("/cases/GS-1/supplements", ASKED, **{"Idempotency-Key": "s-1"}) == first
    assert len(hall.parts.rows(OWED)) == 1
    act = [row for row in hall.parts.rows(AUDIT) if row.action == "check_case"]
    assert [(row.actor, row.object) for row in act] == [("key:north", first["owed"])]
    everything = " ".join(str(value) for row in hall.parts.rows(AUDIT) for value in row)
    assert "张" not in everything


async def test_another_area_learns_nothing_and_touches_nothing(hall: Hall) -> None:
    parts = hall.parts
    other = FakeLocker(locker="park-1")
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "park-1", "south", other.public[:-2] + "00"))
    made = await hall.post("/cases/GS-1/supplements", ASKED)
    await hall.hand_in("a1")
    south = Hall(parts, hall.http, "south")
    for path in (f"/owed/{made['owed']}", "/cases/GS-1"):
        answer = await hall.http.get(f"/api/v1{path}", headers=south.headers)
        assert answer.status_code == 404
    await south.post(f"/owed/{made['owed']}/checks", {"in_order": [1]}, "unknown_owed")
    await south.post("/cases/GS-1/checks", {"finding": "wrong"}, "unknown_case")
    # Even under a guessed number of their own.
    await south.post("/pre-reviews", {**PRE_REVIEW, "locker": "park-1"})
    await south.post("/cases/GS-1/checks", {"finding": "complete"})
    await south.post("/cases/GS-1/decisions", {"decision": "reject", "reason": "x"})
    assert (await hall.get("/cases/GS-1"))["standings"][0]["standing"] == "missing"
    for path in ("/supplements", "/deferrals", "/awaiting-intake"):
        assert (await south.get(path))["rows"] == []


UNFIT: list[dict[str, Any]] = [
    {"papers": []},
    {"until": "2026-02-30"},
    {"until": "soon"},
    {"consequence": ""},
    {"consequence": "call 13812345678"},
    {"papers": [{"name": "x" * 81}]},
    {"surprise": 1},
]


async def test_what_does_not_fit_asks_for_nothing(hall: Hall) -> None:
    for part in UNFIT:
        await hall.post("/cases/GS-1/supplements", {**ASKED, **part}, "invalid")
    for day in ("2026-09-01", "2027-12-31"):
        await hall.post("/cases/GS-1/supplements", {**ASKED, "until": day}, "bad_day")
    assert hall.parts.rows(OWED) == []


async def test_lists_come_a_page_at_a_time_and_by_what_is_looked_for(hall: Hall) -> None:
    for number in range(2, 5):
        body = {**PRE_REVIEW, "case": f"GS-{number}", "service_item": "变更" if number == 3 else "设立"}
        await hall.post("/pre-reviews", body)
        await hall.post(f"/cases/GS-{number}/supplements", {**ASKED, "until": f"2026-10-0{number}"})
    first = await hall.get("/supplements", limit=2)
    second = await hall.get("/supplements", limit=2, cursor=first["next"])
    found = [row["case"] for row in (*first["rows"], *second["rows"])]
    assert (found, second["next"]) == (["GS-2", "GS-3", "GS-4"], None)
    for params in ({"text": "变"}, {"text": "gs-3"}):
        assert [row["case"] for row in (await hall.get("/supplements", **params))["rows"]] == ["GS-3"]
    assert (await hall.get("/supplements", locker="hall-9"))["rows"] == []
    assert (await hall.get("/supplements", text="%"))["rows"] == []
    right = hall.parts.rows(t.AUTHORISATION)[-1]
    (owed,) = hall.parts.store.read_now(lambda c: lists.owed_of(c, right.authorisation))
    assert owed.row.case_number == right.case_number


def test_every_step_of_the_room_has_its_word() -> None:
    words = load()["zh"].words
    for kind in (*keep._KINDS.values(), "owed_checked", "owed_extended", "case_checked", "top_up_authorised"):
        assert kind in words["kind"]
