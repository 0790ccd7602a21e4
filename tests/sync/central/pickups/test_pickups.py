"""New codes, agents, longer holds, recalls, rights: asked at the hub, said to the locker, heard back."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from locker.domain import events as ev
from locker.domain.codes import keyed_digest
from locker.domain.deposit import Kind, Proof
from locker.domain.encoding import canonical
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    EntrustmentId,
    ItemId,
    OrderId,
    Seq,
    StaffId,
)
from sync.central import directives, histories, lockers, notices
from sync.central import tables as t
from sync.central.access.tables import AUDIT
from sync.central.cases import Person
from sync.central.desk import Refusal, Refused
from sync.central.office import Repeatable
from sync.central.pickups.agents import Entrusting
from sync.central.pickups.codes import HOUR_MS, Lost
from sync.central.pickups.desk import Pickups
from sync.central.pickups.tables import ENTRUSTMENT, REISSUE
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import CLERK, ELSEWHERE, Told
from tests.sync.central.test_cases import READY, announce, authorise, said

STAY = DepositId("stay")
AGENT = Person("李娜", "13900004321")


class Desk:
    """An item that lies in a locker, and a clerk who is asked about it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.told = Told(parts)
        self.pickups = Pickups(self.told.office)
        self.item = announce(parts)
        self.told.hears()

    def lies(self) -> None:
        case, item = CaseNumber("GS-1"), ItemId(self.item)
        self.told.goes_on(
            ev.CompartmentReserved(
                STAY, CompartmentNumber(6), Kind.OUTGOING, case, AuthorisationId(""), item
            ),
            self.made("c1"),
            ev.ItemLoaded(STAY, item, StaffId("h"), Proof.SENSED, announced=True),
        )

    def made(self, code: str, holder: str = "", order: str = "") -> ev.PickupCodeMade:
        sealed = self.parts.seal_for_centre(canonical({"typed": "70012345678", "scan": code}))
        return ev.PickupCodeMade(
            CodeId(code), STAY, "700", "d", "d", sealed, EntrustmentId(holder), OrderId(order)
        )

    async def reissue(self, holder: str = "", *, stolen: bool = False) -> str:
        return await self.pickups.reissue(Lost(self.item, "lost", stolen, holder), CLERK, Repeatable())

    async def entrust(self) -> str:
        return await self.pickups.entrust(Entrusting(self.item, AGENT, 24), CLERK, Repeatable())

    def outcome(self, outcome: str) -> None:
        """The latest state entry was not applied."""
        row = max(self.parts.rows(t.DIRECTIVE), key=lambda each: each.seq)
        self.told.goes_on(ev.DirectiveApplied(row.dn_epoch, Seq(row.seq), row.hash, outcome))

    def orders(self) -> list[str]:
        return [row.state for row in sorted(self.parts.rows(REISSUE), key=lambda row: row.asked_ms)]

    def release(self) -> None:
        head = {"head": self.parts.locker.head, "epoch": self.parts.locker.epoch}
        self.parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(**head)))
        self.parts.store.write_now(lambda c: notices.release(c, "hall-1"))

    def due(self) -> list[tuple[str, str, str]]:
        """Messages that may go: template, code, phone."""
        rows = [row for row in self.parts.rows(t.NOTICE) if row.state == "due" and row.subject[0] == "c"]
        over = self.parts.store.read_now(
            lambda c: [notices.superseded(c, row, self.parts.clock.now_ms) for row in rows]
        )
        return [
            (row.template, row.subject, self.parts.desk.opened(row.contact_sealed)["phone"])
            for row, is_over in zip(rows, over, strict=True)
            if not is_over
        ]


@pytest.fixture
def desk(parts: Parts) -> Desk:
    return Desk(parts)


async def refusal(asked: Any) -> Refusal:
    with pytest.raises(Refused) as refused:
        await asked
    return refused.value.reason


@pytest.mark.rule("CEN-25", "CEN-26")
async def test_a_lost_code_is_ordered_anew_at_most_three_times_an_hour(desk: Desk) -> None:
    assert await refusal(desk.reissue()) is Refusal.NOT_NOW
    desk.lies()
    order = await desk.reissue()
    (says,) = desk.told.hears()
    assert says == ev.CodeReissueOrdered(OrderId(order), ItemId(desk.item), EntrustmentId(""), stolen=False)
    assert desk.orders() == ["ordered"]
    desk.told.goes_on(desk.made("c2", order=order), ev.CodeEnded(CodeId("c1"), "reissued"))
    assert desk.orders() == ["made"]
    desk.release()
    assert desk.due() == [("pickup_code", "c2", READY.recipient.phone)]
    for _ in range(2):
        desk.parts.clock.now_ms += 1
        await desk.reissue(stolen=True)
    assert await refusal(desk.reissue()) is Refusal.TOO_OFTEN
    desk.parts.clock.now_ms += HOUR_MS
    await desk.reissue()
    desk.outcome("void: nothing of this waits here")
    assert desk.orders() == ["made", "ordered", "ordered", "void"]
    assert {row.kind for row in desk.parts.rows(t.ALARM)} == set()


@pytest.mark.rule("CEN-25")
async def test_an_order_without_an_answer_is_said_again_in_a_new_numbering(desk: Desk) -> None:
    desk.lies()
    first, second = await desk.reissue(), await desk.reissue()
    desk.told.goes_on(desk.made("c2", order=first))
    again = desk.parts.store.read_now(
        lambda c: [
            says.order
            for says in directives.still_valid(c, "hall-1", desk.parts.clock.now_ms)
            if isinstance(says, ev.CodeReissueOrdered)
        ]
    )
    assert again == [second]


@pytest.mark.rule("CEN-26")
async def test_an_agents_code_goes_to_the_agents_phone(desk: Desk) -> None:
    desk.lies()
    name = await desk.entrust()
    (says,) = desk.told.hears()
    assert isinstance(says, ev.AgentEntrusted)
    assert (says.name, says.phone) == ("李*", "139******21")
    assert says.phone4_digest == keyed_digest(desk.parts.code_key, "phone4", "4321:GS-1")
    (row,) = desk.parts.rows(ENTRUSTMENT)
    assert (row.known_ms, AGENT.phone in str(row)) == (desk.parts.clock.now_ms, False)
    desk.told.goes_on(desk.made("c2", holder=name))
    desk.release()
    assert ("agent_code", "c2", AGENT.phone) in desk.due()
    order = await desk.reissue(name)
    desk.told.goes_on(desk.made("c3", holder=name, order=order), ev.CodeEnded(CodeId("c2"), "reissued"))
    desk.release()
    assert [each[:2] for each in desk.due()] == [("pickup_code", "c1"), ("agent_code", "c3")]
    await desk.pickups.end(desk.item, name, "asked to", CLERK)
    assert await refusal(desk.pickups.end(desk.item, name, "asked to", CLERK)) is Refusal.NOT_NOW
    assert await refusal(desk.reissue(name)) is Refusal.NOT_NOW
    assert await refusal(desk.reissue("a" * 16)) is Refusal.UNKNOWN_ENTRUSTMENT


@pytest.mark.rule("CEN-29")
async def test_what_ended_stays_ended_in_every_numbering(desk: Desk) -> None:
    desk.lies()
    name = EntrustmentId(await desk.entrust())
    await desk.pickups.end(desk.item, name, "asked to", CLERK)
    await desk.pickups.recall(desk.item, "withdrawn", CLERK)
    authorisation = authorise(desk.parts)
    await desk.pickups.revoke(authorisation, "withdrawn", CLERK)
    told = desk.parts.store.read_now(
        lambda c: list(directives.still_valid(c, "hall-1", desk.parts.clock.now_ms))
    )
    for says in (
        ev.EntrustmentEnded(name, "asked to"),
        ev.ItemRecalled(ItemId(desk.item), "withdrawn"),
        ev.AuthorisationRevoked(AuthorisationId(authorisation), "revoked"),
    ):
        assert says in told
    desk.told.hears()
    desk.told.goes_on(ev.ItemPickedUp(STAY, Proof.SENSED))
    told = desk.parts.store.read_now(lambda c: list(directives.still_valid(c, "hall-1", 0)))
    assert not any(isinstance(says, ev.EntrustmentEnded | ev.ItemRecalled) for says in told)


@pytest.mark.rule("CEN-28")
async def test_a_revocation_is_told_to_every_locker_of_the_area(desk: Desk) -> None:
    for name, area in (("hall-2", "north"), ("park-1", "south")):
        desk.parts.store.write_now(
            lambda c, n=name, a=area: lockers.enrol(c, desk.parts.desk, n, a, "00" * 32)  # type: ignore[misc]
        )
    authorisation = authorise(desk.parts)
    before = len(desk.parts.rows(t.DIRECTIVE))
    await desk.pickups.revoke(authorisation, "withdrawn", CLERK)
    fresh = [(row.locker, directives.read_one(row.text)) for row in desk.parts.rows(t.DIRECTIVE)]
    fresh = sorted(fresh, key=lambda each: each[0])
    assert len(fresh) == before + 3
    (granted, revoked) = (says for locker, says in fresh if locker == "hall-2")
    assert isinstance(granted, ev.AuthorisationGranted)
    assert (granted.authorisation, granted.typed_digest, granted.locator) == (authorisation, "", "")
    assert revoked == ev.AuthorisationRevoked(AuthorisationId(authorisation), "withdrawn")
    assert await refusal(desk.pickups.revoke(authorisation, "x", CLERK)) is Refusal.NOT_NOW


async def test_a_right_is_lengthened_with_the_same_typed_code(desk: Desk) -> None:
    authorisation = authorise(desk.parts)
    (before,) = desk.parts.rows(t.AUTHORISATION)
    assert await refusal(desk.pickups.extend(authorisation, 72, CLERK)) is Refusal.BAD_DAY
    await desk.pickups.extend(authorisation, 100, CLERK)
    (row,) = desk.parts.rows(t.AUTHORISATION)
    until_ms = desk.parts.clock.now_ms + 100 * HOUR_MS
    assert said(desk.parts)[-1] == ev.AuthorisationExtended(AuthorisationId(authorisation), until_ms)
    assert row.valid_until_ms == until_ms
    old, new = (desk.parts.desk.opened(each.sealed) for each in (before, row))
    assert (old["typed"], old["phone"]) == (new["typed"], new["phone"])
    assert old["token"] != new["token"]
    first, again = directives.read_one(before.directive), directives.read_one(row.directive)
    assert isinstance(first, ev.AuthorisationGranted)
    assert again == replace(first, valid_until_ms=until_ms)
    (message,) = desk.parts.rows(t.NOTICE)
    assert (message.template, message.subject, message.state) == ("drop_off_code", authorisation, "due")
    desk.parts.clock.now_ms = until_ms + 25 * HOUR_MS
    assert await refusal(desk.pickups.extend(authorisation, 1, CLERK)) is Refusal.NOT_NOW


async def test_a_right_that_only_its_locker_remembered_is_not_lengthened(desk: Desk) -> None:
    """After going back to an older copy nobody knows its code any more, nor whom to tell of another token."""
    authorisation = authorise(desk.parts)
    (before,) = desk.parts.rows(t.AUTHORISATION)
    desk.parts.store.write_now(lambda c: c.execute(t.AUTHORISATION.delete()))
    granted = directives.read_one(before.directive)
    assert isinstance(granted, ev.AuthorisationGranted)
    desk.told.goes_on(granted)
    assert [row.sealed for row in desk.parts.rows(t.AUTHORISATION)] == [""]
    assert await refusal(desk.pickups.extend(authorisation, 100, CLERK)) is Refusal.NOT_NOW


async def test_an_item_is_held_longer_and_overdue_no_more(desk: Desk) -> None:
    desk.lies()
    desk.told.goes_on(ev.ItemOverdue(STAY))
    assert await refusal(desk.pickups.hold(desk.item, 7, CLERK)) is Refusal.BAD_DAY
    await desk.pickups.hold(desk.item, 14, CLERK)
    assert desk.told.hears() == [ev.HoldExtended(ItemId(desk.item), 14)]
    (stay,) = desk.parts.rows(t.DEPOSIT)
    assert not stay.overdue
    (item,) = desk.parts.rows(t.OUTGOING_ITEM)
    announced = directives.read_one(item.directive)
    assert isinstance(announced, ev.ItemAnnounced)
    assert announced.hold_days == 14


@pytest.mark.rule("CEN-27")
async def test_a_locker_with_a_new_history_is_told_which_code_gave_way(desk: Desk) -> None:
    desk.lies()
    order = await desk.reissue()
    desk.told.goes_on(desk.made("c2", order=order), desk.made("c3", holder="agent"))
    restored = desk.parts.store.read_now(lambda c: list(histories._codes(c, "hall-1", {STAY})))
    assert {(each.code, each.ended, each.entrustment) for each in restored} == {
        ("c1", "reissued", ""),
        ("c2", "", ""),
        ("c3", "", "agent"),
    }


async def test_routes_of_the_api(desk: Desk) -> None:
    desk.lies()
    authorisation = authorise(desk.parts)
    for actor in (ELSEWHERE,):
        asked = desk.pickups.reissue(Lost(desk.item, "lost"), actor, Repeatable())
        assert await refusal(asked) is Refusal.UNKNOWN_ITEM
    people.add(desk.parts, "wang", CLERK.roles)
    item = f"/api/v1/outgoing-items/{desk.item}"
    async with people.browser(people.whole(desk.parts, people.entrance(desk.parts))) as client:
        await people.sign_in(client, "wang")
        agent = {"agent": {"name": AGENT.name, "phone": AGENT.phone}, "valid_hours": 24}
        made = (await _ask(client, f"{item}/entrustments", agent, 201)).json()
        assert (made["name"], made["phone"]) == ("李*", "139******21")
        order = (await _ask(client, f"{item}/reissue", {"reason": "lost", "stolen": True}, 202)).json()
        assert order["state"] == "ordered"
        await _ask(client, f"{item}/hold", {"hold_days": 20}, 204)
        await _ask(client, f"{item}/recall", {"reason": "wrong seal"}, 204)
        await _ask(client, f"{item}/entrustments/{made['entrustment']}/end", {"reason": "asked to"}, 204)
        right = f"/api/v1/authorisations/{authorisation}"
        await _ask(client, f"{right}/extension", {"valid_hours": 100}, 204)
        await _ask(client, f"{right}/revocation", {"reason": "asked to"}, 204)
        assert [each["order"] for each in (await client.get(f"{item}/reissues")).json()] == [order["order"]]
        (agent,) = (await client.get(f"{item}/entrustments")).json()
        assert agent["ended"] == "asked to"
    actions = {row.action for row in desk.parts.rows(AUDIT)}
    assert {"reissue_code", "entrust", "change_item", "change_authorisation"} <= actions


async def _ask(client: httpx.AsyncClient, url: str, body: dict[str, Any], status: int) -> httpx.Response:
    answer = await client.post(url, json=body)
    assert answer.status_code == status, answer.text
    return answer
