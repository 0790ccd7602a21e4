"""An act from the request to its end, at the centre: sent once, at the second approval, or not at all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from locker.domain import events as ev
from locker.domain.acts import ActKind
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.deposit import Kind
from locker.domain.ids import (
    ActId,
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    GrantId,
    ItemId,
    LockerId,
)
from sync import seal, wire
from sync.central import cases, store
from sync.central import tables as t
from sync.central.access.actor import Role, person
from sync.central.access.tables import AUDIT
from sync.central.acts.approvals import State, Thing
from sync.central.acts.sending import Acts, Wish
from sync.central.acts.tables import ACT, APPROVAL
from sync.central.desk import Refusal, Refused
from sync.central.switchboard import Switchboard
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

OPERATOR = person("op", [Role.FLEET_OPERATOR], ["*"])
ONE, OTHER = person("li", [Role.APPROVER], ["*"]), person("zhao", [Role.APPROVER], ["*"])
ELSEWHERE = person("far", [Role.APPROVER], ["south"])
WISH = Wish("hall-1", ActKind.OPEN, 7, "help line 4711")


@dataclass
class Office:
    parts: Parts
    acts: Acts
    said: list[wire.Act]

    async def asked(self, wish: Wish = WISH) -> tuple[str, Thing]:
        act = await self.acts.request(wish, OPERATOR)
        row = (await self.acts.one(act, OPERATOR)).row
        return act, Thing(row.locker, row.door, row.reason, row.nonce)

    async def sent(self, wish: Wish = WISH) -> wire.Act:
        act, thing = await self.asked(wish)
        await self.acts.approve(act, thing, ONE)
        await self.acts.approve(act, thing, OTHER)
        return self.said[-1]

    def state(self, act: str) -> tuple[str, str]:
        (row,) = [row for row in self.parts.rows(ACT) if row.act == act]
        return row.state, row.why

    def locker(self, **values: Any) -> None:
        self.parts.store.write_now(lambda c: store.change(c, t.LOCKER, {"locker": "hall-1"}, values))

    def tell(self, *facts: ev.Event) -> None:
        """The locker's journal goes on, and is taken in."""
        first = self.parts.locker.head + 1
        self.parts.locker.add(*facts)
        self.parts.ingest(first)


@pytest.fixture
def office(parts: Parts) -> Office:
    said: list[wire.Act] = []

    def say(locker: str, act: wire.Act) -> None:
        assert locker == act.locker
        said.append(act)

    made = Office(parts, Acts(parts.store, parts.desk, say), said)
    specs = tuple(
        CompartmentSpec(CompartmentNumber(n), "A", Size.S, Reach.MIDDLE, 0, n, item_sensor=True)
        for n in range(1, 9)
    )
    made.tell(
        ev.EpochStarted(Epoch(parts.locker.epoch), LockerId("hall-1")), ev.CompartmentsConfigured(specs)
    )
    made.locker(online=True, last_heard_ms=parts.clock.now_ms)
    return made


def accepted(act: wire.Act, deposit: str = "") -> ev.ActAccepted:
    return ev.ActAccepted(
        ActId(act.cmd_id),
        act.aseq,
        ActKind(act.act),
        CompartmentNumber(act.door),
        GrantId("g" * 16),
        DepositId(deposit),
        act.approvers,
        act.nonce,
        act.agreed,
    )


@pytest.mark.rule("CEN-16", "CEN-17")
async def test_the_second_of_two_others_sends_it(office: Office) -> None:
    act, thing = await office.asked()
    assert (await office.acts.approve(act, thing, ONE)).row.state == State.QUEUED
    assert office.said == []
    office.parts.clock.now_ms += 60_000
    view = await office.acts.approve(act, thing, OTHER)
    assert (view.row.state, view.approvers) == (State.SENT, ("person:li", "person:zhao"))
    (said,) = office.said
    now_ms = office.parts.clock.now_ms
    assert (said.cmd_id, said.act, said.door, said.reason) == (act, "open", 7, WISH.reason)
    assert (said.agreed, said.ttl, said.nonce) == (now_ms, 120_000, thing.nonce)
    assert said.approvers == ("person:li", "person:zhao")
    assert said.aseq > now_ms
    wire.encode(said)
    journal = [(row.actor, row.action) for row in office.parts.rows(AUDIT)]
    assert journal == [
        ("person:op", "ask_remote_open"),
        ("person:li", "approve_remote_open"),
        ("person:zhao", "approve_remote_open"),
    ]


@pytest.mark.rule("CEN-16")
async def test_whose_word_does_not_count_changes_nothing(office: Office) -> None:
    act, thing = await office.asked()
    await office.acts.approve(act, thing, ONE)
    for who, what in ((OPERATOR, thing), (ONE, thing), (OTHER, replace(thing, door=6))):
        with pytest.raises(Refused) as refused:
            await office.acts.approve(act, what, who)
        assert refused.value.reason is Refusal.NOT_APPROVABLE
    with pytest.raises(Refused) as unknown:
        await office.acts.approve(act, thing, ELSEWHERE)
    assert unknown.value.reason is Refusal.UNKNOWN_ACT
    office.parts.clock.now_ms += 15 * 60_000 + 1
    with pytest.raises(Refused):
        await office.acts.approve(act, thing, OTHER)
    assert len(office.parts.rows(APPROVAL)) == 1
    assert office.said == []
    await office.acts.step()
    assert office.state(act) == (State.EXPIRED, "time_over")


@pytest.mark.rule("CEN-17")
@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"online": False}, "locker_offline"),
        ({"last_heard_ms": 1}, "locker_offline"),
        ({"link_reason": "forked"}, "history_doubted"),
    ],
)
async def test_a_locker_that_cannot_be_told_now_is_not_told_later(
    office: Office, values: dict[str, Any], why: str
) -> None:
    office.locker(**values)
    act, thing = await office.asked()
    await office.acts.approve(act, thing, ONE)
    await office.acts.approve(act, thing, OTHER)
    assert office.state(act) == (State.REFUSED, why)
    office.locker(online=True, last_heard_ms=office.parts.clock.now_ms, link_reason="")
    await office.acts.step()
    with pytest.raises(Refused):
        await office.acts.approve(act, thing, person("third", [Role.APPROVER], ["*"]))
    assert office.said == []


@pytest.mark.rule("CEN-17")
async def test_no_number_is_used_twice_not_even_by_a_restored_centre(office: Office) -> None:
    first, second = await office.sent(), await office.sent()
    assert second.aseq > first.aseq
    office.parts.store.write_now(lambda c: c.execute(ACT.delete()))  # yesterday's copy
    office.tell(replace(accepted(first), act=ActId("b" * 16), aseq=first.aseq + 10**9))
    assert (await office.sent()).aseq > first.aseq + 10**9
    office.parts.store.write_now(lambda c: c.execute(ACT.delete()))
    office.parts.clock.now_ms += 1
    assert (await office.sent()).aseq > office.parts.clock.now_ms


@pytest.mark.rule("CEN-18")
async def test_silence_is_unknown_and_a_late_result_counts(office: Office) -> None:
    act = await office.sent()
    office.parts.clock.now_ms += 150_000
    await office.acts.step()
    assert office.state(act.cmd_id) == (State.UNKNOWN, "time_over")
    assert len(office.said) == 1
    office.tell(accepted(act))
    assert office.state(act.cmd_id)[0] == State.ACCEPTED
    office.parts.clock.now_ms += 10 * 60_000
    await office.acts.step()
    assert office.state(act.cmd_id)[0] == State.UNKNOWN
    office.tell(ev.ActDone(ActId(act.cmd_id), CompartmentNumber(7), DepositId("")))
    assert office.state(act.cmd_id) == (State.DONE, "")


@pytest.mark.rule("CEN-18")
@pytest.mark.parametrize(
    ("facts", "state", "why"),
    [
        (lambda a: (ev.ActRefused(a, 1, "open", CompartmentNumber(7), "door_open"),), "refused", "door_open"),
        (lambda a: (ev.ActExpired(a, 1, "open", CompartmentNumber(7)),), "expired", ""),
        (lambda a: (ev.ActFailed(a, CompartmentNumber(7), DepositId(""), "stuck"),), "failed", "stuck"),
        (lambda a: (ev.ActUnknown(a, CompartmentNumber(7), DepositId("")),), "unknown", ""),
    ],
)
async def test_what_the_locker_tells_is_shown(office: Office, facts: Any, state: str, why: str) -> None:
    act = await office.sent()
    office.tell(*facts(ActId(act.cmd_id)))
    assert office.state(act.cmd_id) == (state, why)


@pytest.mark.rule("CEN-19")
async def test_whoever_has_something_there_is_told_and_the_case_shows_it(office: Office) -> None:
    parts = office.parts
    passed = cases.PreReview(
        "GS-1", "licence", ("form",), (), Size.S, cases.Person("王小明", "13812345678"), "hall-1", 72
    )
    key = parts.store.write_now(lambda c: cases.authorise(c, parts.desk, passed, "person:clerk"))
    office.tell(
        ev.CompartmentReserved(
            DepositId("d1"),
            CompartmentNumber(7),
            Kind.SUBMISSION,
            CaseNumber("GS-1"),
            AuthorisationId(key),
            ItemId(""),
        )
    )
    act = await office.sent()
    office.tell(accepted(act, "d1"), ev.ActDone(ActId(act.cmd_id), CompartmentNumber(7), DepositId("d1")))
    (notice,) = [row for row in parts.rows(t.NOTICE) if row.template == "opened_from_afar"]
    assert parts.desk.opened(notice.contact_sealed)["phone"] == "13812345678"
    assert '"door":7' in notice.variables
    kinds = [row.kind for row in parts.rows(t.DESK_FACT) if row.case_number == "GS-1"]
    assert kinds[-3:] == ["act_requested", "act_approved", "act_approved"]
    told = [row.kind for row in parts.rows(t.LEDGER) if row.case_number == "GS-1"]
    assert told[-2:] == ["ActAccepted", "ActDone"]


async def test_what_cannot_be_asked_for(office: Office) -> None:
    for wish in (
        replace(WISH, door=99),
        replace(WISH, reason="call 13812345678"),
        replace(WISH, kind=ActKind.SELF_TEST),
    ):
        with pytest.raises(Refused) as refused:
            await office.acts.request(wish, OPERATOR)
        assert refused.value.reason is Refusal.UNFIT
    with pytest.raises(Refused):
        await office.acts.request(replace(WISH, locker="nowhere"), OPERATOR)
    assert office.parts.rows(ACT) == []


async def test_an_act_says_what_it_is_on_its_own_topic_and_for_two_minutes(parts: Parts) -> None:
    published: list[tuple[Any, ...]] = []

    class Link:
        async def publish(self, topic: str, payload: bytes, **how: Any) -> None:
            published.append((topic, payload, how))

    board = Switchboard(Link(), parts.desk)  # type: ignore[arg-type]  # it only speaks here
    act = wire.Act("hall-1", 5, "a" * 16, "open", 7, "why", ("x", "y"), "ab" * 16, 1, 120_000)
    board.say("hall-1", act)
    for task in tuple(board._speaking):
        await task
    ((topic, payload, how),) = published
    assert topic == "doclocker/v1/hall-1/dn/act"
    assert how == {"qos": 1, "retain": False, "expiry_s": 120}
    body = seal.open_frame(payload, seal.keyring(parts.desk.keys.sign.public))
    assert wire.decode(wire.Act, body) == act


# --- through the API ----------------------------------------------------------------------------------------


@pytest.fixture
async def pages(office: Office) -> AsyncIterator[Any]:
    app = people.whole(office.parts, people.entrance(office.parts), office.acts)
    for name, role in (("op", Role.FLEET_OPERATOR), ("li", Role.APPROVER), ("zhao", Role.APPROVER)):
        people.add(office.parts, name, [role])
    clients = {}
    for name in ("op", "li", "zhao"):
        clients[name] = people.browser(app)
        await people.sign_in(clients[name], name)
    yield clients
    for client in clients.values():
        await client.aclose()


async def test_people_do_it_through_the_api(pages: dict[str, httpx.AsyncClient], office: Office) -> None:
    wish = {"locker": "hall-1", "kind": "open", "door": 7, "reason": "help line 4711"}
    asked = await pages["op"].post("/api/v1/acts", json=wish)
    assert asked.status_code == 201, asked.text
    act = asked.json()
    word = {name: act[name] for name in ("locker", "door", "reason", "nonce")}
    where = f"/api/v1/acts/{act['act']}/approvals"
    assert (await pages["li"].post("/api/v1/acts", json=wish)).status_code == 403
    assert (await pages["op"].post(where, json=word)).status_code == 403
    assert (await pages["li"].post(where, json=word)).status_code == 201
    again = await pages["li"].post(where, json=word)
    assert (again.status_code, again.json()["reason"]) == (409, "not_approvable")
    sent = await pages["zhao"].post(where, json=word)
    assert sent.json()["state"] == "sent"
    assert len(office.said) == 1
    listed = await pages["op"].get("/api/v1/acts?locker=hall-1")
    assert [row["approvers"] for row in listed.json()] == [["person:li", "person:zhao"]]
    assert (await pages["op"].get("/api/v1/acts/" + "a" * 16)).status_code == 404
    assert (await pages["op"].get(f"/api/v1/acts/{act['act']}")).json()["state"] == "sent"
    assert (await pages["op"].post("/api/v1/acts", json=wish | {"kind": "reboot"})).status_code == 422
