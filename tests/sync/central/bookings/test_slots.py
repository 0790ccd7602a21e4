"""A slot from the booking to its end: by use, by the clock, by a word, or because there was no room."""

import json
from dataclasses import replace
from typing import Final

import httpx
import pytest

from locker.domain import events as ev
from locker.domain.compartment import Size
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.ids import AuthorisationId, BookingId, CaseNumber, CompartmentNumber, DepositId, ItemId
from sync.central import directives, notices
from sync.central import tables as t
from sync.central.access.actor import Role
from sync.central.access.tables import AUDIT
from sync.central.bookings import desk, slots
from sync.central.bookings.slots import HOUR_MS, Wanted
from sync.central.bookings.tables import BOOKING
from sync.central.desk import Refusal, Refused
from sync.central.office import Repeatable
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import CLERK, ELSEWHERE, SMALL, Told
from tests.sync.central.fake_locker import WALL_MS
from tests.sync.central.test_cases import PASSED, authorise

FROM_MS, UNTIL_MS = WALL_MS + HOUR_MS, WALL_MS + 2 * HOUR_MS
LAPSES_MS: Final = UNTIL_MS + HOUR_MS + slots.LATE_MS


@pytest.fixture
def told(parts: Parts) -> Told:
    return Told(parts)


def right(told: Told, case: str = "GS-1", size: Size = Size.S) -> str:
    made = authorise(told.parts, replace(PASSED, case=case, size=size))
    told.hears()
    return made


async def book(told: Told, authorisation: str, from_ms: int = FROM_MS, until_ms: int = UNTIL_MS) -> str:
    return await desk.book(told.office, CLERK, Wanted(authorisation, from_ms, until_ms), Repeatable())


def states(told: Told) -> list[tuple[str, str]]:
    return sorted((row.state, row.why) for row in told.parts.rows(BOOKING))


def kinds(told: Told) -> list[str]:
    return [row.kind for row in sorted(told.parts.rows(t.DESK_FACT), key=lambda row: row.number)]


def reserved(door: int, authorisation: str, case: str = "GS-1") -> ev.CompartmentReserved:
    return ev.CompartmentReserved(
        DepositId(f"stay-{door}"),
        CompartmentNumber(door),
        Kind.SUBMISSION,
        CaseNumber(case),
        AuthorisationId(authorisation),
        ItemId(""),
    )


async def refusal(
    told: Told, authorisation: str, from_ms: int = FROM_MS, until_ms: int = UNTIL_MS
) -> Refusal:
    before = len(told.parts.rows(BOOKING))
    with pytest.raises(Refused) as refused:
        await book(told, authorisation, from_ms, until_ms)
    assert len(told.parts.rows(BOOKING)) == before
    return refused.value.reason


@pytest.mark.rule("CEN-33")
async def test_a_slot_is_set_aside_when_its_locker_says_so_and_used_by_a_hand_in(told: Told) -> None:
    authorisation = right(told)
    booking = await book(told, authorisation)
    assert states(told) == [("waiting", "")]
    assert told.hears() == [
        ev.SlotBooked(BookingId(booking), AuthorisationId(authorisation), Size.S, FROM_MS, UNTIL_MS)
    ]
    assert states(told) == [("set_aside", "")]
    stay = reserved(1, authorisation)
    handed_in = ev.SubmissionDeposited(stay.deposit, stay.door, Presence.PRESENT, 2)
    told.goes_on(stay, handed_in)
    assert states(told) == [("used", "")]
    told.parts.clock.now_ms = LAPSES_MS + 1
    assert told.parts.store.write_now(lambda c: slots.lapse(c, told.parts.clock.now_ms)) == []


@pytest.mark.rule("CEN-34")
async def test_nobody_comes(told: Told) -> None:
    """By the locker's word, or by ours where it says none; what the locker tells later counts."""
    first, second = right(told, "GS-1"), right(told, "GS-2")
    booking, other = await book(told, first), await book(told, second)
    told.hears()
    told.goes_on(ev.SlotLapsed(BookingId(booking), AuthorisationId(first)))
    assert states(told) == [("lapsed", ""), ("set_aside", "")]
    for now_ms, expected in ((LAPSES_MS, []), (LAPSES_MS + 1, ["hall-1"])):
        assert told.parts.store.write_now(lambda c, n=now_ms: slots.lapse(c, n)) == expected  # type: ignore[misc]  # bound now
    assert told.hears() == [ev.SlotReleased(BookingId(other), AuthorisationId(second), "lapsed")]
    assert kinds(told)[-1] == "slot_lapsed"
    stay = reserved(1, second, "GS-2")
    told.goes_on(stay, ev.SubmissionDeposited(stay.deposit, stay.door, Presence.PRESENT, 2))
    assert states(told) == [("lapsed", ""), ("used", "")]


@pytest.mark.rule("CEN-34")
async def test_a_slot_is_cancelled_once(told: Told) -> None:
    authorisation = right(told)
    booking = await book(told, authorisation)
    await desk.cancel(told.office, CLERK, booking)
    assert told.hears()[-1] == ev.SlotReleased(
        BookingId(booking), AuthorisationId(authorisation), "cancelled"
    )
    assert states(told) == [("cancelled", "")], "the locker heard of both, in this order"
    with pytest.raises(Refused, match="cancelled already"):
        await desk.cancel(told.office, CLERK, booking)
    assert [row.action for row in told.parts.rows(AUDIT)] == ["book_slot", "book_slot"]
    assert kinds(told) == ["pre_review_passed", "slot_booked", "slot_cancelled"]


@pytest.mark.rule("CEN-33")
async def test_a_slot_ends_with_its_right_and_where_the_locker_has_no_room(told: Told) -> None:
    authorisation = right(told)
    await book(told, authorisation)
    told.hears(refused="no_room")
    assert states(told) == [("refused", "no_room")]
    await book(told, authorisation)
    told.hears()
    told.goes_on(ev.AuthorisationRevoked(AuthorisationId(authorisation), "withdrawn"))
    assert states(told) == [("refused", "no_room"), ("revoked", "")]
    assert await refusal(told, authorisation) is Refusal.RIGHT_OVER


@pytest.mark.rule("CEN-33")
async def test_no_more_is_booked_than_the_lockers_last_word_leaves(told: Told) -> None:
    """Seven doors: one is loading's share; small papers fit into large ones too."""
    rights = [right(told, f"GS-{n}") for n in range(8)]
    large = right(told, "GS-L", Size.L)
    told.goes_on(*(reserved(n, "elsewhere", f"X-{n}") for n in SMALL[:3]))
    await book(told, large)
    for authorisation in rights[:2]:
        await book(told, authorisation)
    assert await refusal(told, rights[2]) is Refusal.NO_ROOM, "the last one is kept for loading"
    told.goes_on(ev.DepositCancelled(DepositId("stay-1"), Proof.SENSED))
    await book(told, rights[2])
    assert await refusal(told, rights[3]) is Refusal.NO_ROOM


async def test_what_cannot_be_booked(told: Told) -> None:
    authorisation, used = right(told, "GS-1"), right(told, "GS-2")
    told.goes_on(reserved(1, used, "GS-2"))
    assert await refusal(told, used) is Refusal.RIGHT_OVER
    for from_ms, until_ms in (
        (WALL_MS - slots.LATE_MS - 1, UNTIL_MS),
        (WALL_MS + slots.AHEAD_MAX_MS + 1, WALL_MS + slots.AHEAD_MAX_MS + 2),
        (FROM_MS, FROM_MS),
        (FROM_MS, FROM_MS + slots.LENGTH_MAX_MS + 1),
    ):
        assert await refusal(told, authorisation, from_ms, until_ms) is Refusal.BAD_SLOT
    told.is_there(online=False)
    assert await refusal(told, authorisation) is Refusal.LOCKER_AWAY
    told.is_there()
    await book(told, authorisation)
    assert await refusal(told, authorisation) is Refusal.BOOKED_ALREADY
    with pytest.raises(Refused) as refused:
        await desk.book(told.office, ELSEWHERE, Wanted(authorisation, FROM_MS, UNTIL_MS), Repeatable())
    assert refused.value.reason is Refusal.UNKNOWN_AUTHORISATION


@pytest.mark.rule("CEN-31")
async def test_what_stands_is_said_again_by_a_new_numbering_and_known_again_after_a_restore(
    told: Told,
) -> None:
    authorisation = right(told)
    booking = await book(told, authorisation)
    (booked,) = told.hears()
    assert isinstance(booked, ev.SlotBooked)
    told.parts.store.write_now(lambda c: directives.snapshot(c, "hall-1", told.parts.desk.chance, WALL_MS))
    told.numbered_anew()
    assert booked in told.hears()
    told.parts.store.write_now(lambda c: c.execute(BOOKING.delete()))
    told.goes_on(booked)
    (row,) = told.parts.rows(BOOKING)
    assert (row.booking, row.state, row.case_number) == (booking, "set_aside", "GS-1")


async def test_by_the_api(told: Told) -> None:
    authorisation = right(told)
    people.add(told.parts, "wang", [Role.WINDOW_CLERK])
    people.add(told.parts, "far", [Role.WINDOW_CLERK], ["south"])
    app = people.whole(told.parts, people.entrance(told.parts))
    body = {"authorisation": authorisation, "from_ms": FROM_MS, "until_ms": UNTIL_MS}
    async with people.browser(app) as clerk, people.browser(app) as other:
        await people.sign_in(clerk, "wang")
        await people.sign_in(other, "far")
        for client in (clerk, other):
            client.base_url = httpx.URL("http://hub/api/v1")
        once = {"Idempotency-Key": "one"}
        made = [(await clerk.post("/bookings", json=body, headers=once)).json() for _ in range(2)]
        assert made[0] == made[1]
        booking = made[0]["booking"]
        assert (made[0]["state"], made[0]["locker"]) == ("waiting", "hall-1")
        listed = (await clerk.get("/bookings", params={"locker": "hall-1", "state": "waiting"})).json()
        assert [row["booking"] for row in listed["rows"]] == [booking]
        assert (await other.get("/bookings")).json()["rows"] == []
        assert (await other.get(f"/bookings/{booking}")).status_code == 404
        assert (await other.delete(f"/bookings/{booking}")).status_code == 404
        assert (await clerk.delete(f"/bookings/{booking}")).status_code == 204
        assert (await clerk.delete(f"/bookings/{booking}")).status_code == 409
        assert (await clerk.get(f"/bookings/{booking}")).json()["state"] == "cancelled"


def messages(told: Told) -> list[str]:
    found = [row for row in told.parts.rows(t.NOTICE) if row.template.startswith("slot_")]
    assert all(row.contact_sealed and row.subject.count("/") == 1 for row in found)
    return sorted(row.template for row in found)


async def test_people_hear_of_their_slot_when_it_is_theirs_and_when_it_is_over(told: Told) -> None:
    authorisation = right(told)
    booking = await book(told, authorisation)
    assert messages(told) == [], "its locker has not said that there is room"
    told.hears()
    (notice,) = [row for row in told.parts.rows(t.NOTICE) if row.template == "slot_booked"]
    assert json.loads(notice.variables)["begins_ms"] == FROM_MS
    over = told.parts.store.read_now
    assert not over(lambda c: notices.superseded(c, notice, WALL_MS))
    told.parts.store.write_now(lambda c: directives.snapshot(c, "hall-1", told.parts.desk.chance, 1))
    told.numbered_anew()
    told.hears()
    assert messages(told) == ["slot_booked"], "what is said again to a locker is no news to people"
    told.goes_on(ev.SlotLapsed(BookingId(booking), AuthorisationId(authorisation)))
    assert messages(told) == ["slot_booked", "slot_lapsed"]
    assert over(lambda c: notices.superseded(c, notice, WALL_MS))


async def test_a_cancelled_slot_is_told_to_whoever_was_promised_it(told: Told) -> None:
    first, second = right(told, "GS-1"), right(told, "GS-2")
    promised = await book(told, first)
    told.hears()
    await desk.cancel(told.office, CLERK, promised)
    await desk.cancel(told.office, CLERK, await book(told, second))
    assert messages(told) == ["slot_booked", "slot_cancelled"]
