"""What people say at a kiosk, as the hub hears it: help, grades, lost codes. On both databases."""

import json
from functools import partial

import pytest

from locker.domain.asked import HelpCategory
from locker.domain.deposit import Kind
from locker.domain.encoding import canonical
from locker.domain.events import CodeAskedFor, CompartmentReserved, Event, HelpAsked, ItemLoaded, VisitRated
from locker.domain.ids import AuthorisationId, CaseNumber, CompartmentNumber, DepositId, ItemId
from sync.central import ledger, notices
from sync.central.access.actor import Role, person
from sync.central.cases import Person
from sync.central.complaints import heard, listing
from sync.central.complaints.listing import Wanted, Which
from sync.central.complaints.policy import Category
from sync.central.complaints.tables import COMPLAINT, COMPLAINT_STEP, RATING
from sync.central.ledger import Applied
from sync.central.personal import lost
from sync.central.personal.tables import LOST_CODE
from sync.central.pickups import agents
from sync.central.pickups.tables import REISSUE
from tests.sync.central.conftest import Parts
from tests.sync.central.test_cases import PHONE, authorise
from tests.sync.central.test_ledger import BIRTH, CABINET, DOOR
from tests.sync.central.test_notify import loaded

CLERK = person("sun", [Role.HELPER_LEAD], ["north"])
STAY = DepositId("d7")


def take_in(parts: Parts, *events: Event) -> None:
    first = parts.locker.head + 1
    parts.locker.add(*events)

    def follow(applied: Applied) -> None:
        notices.follow(applied)
        heard.follow(applied, parts.desk)
        lost.follow(applied)

    batch = parts.locker.batch(first)
    parts.store.write_now(
        partial(ledger.ingest, batch=batch, now_ms=parts.clock.now_ms, follow=lambda _: (follow,))
    )


def sealed(parts: Parts, **said: str) -> str:
    return parts.seal_for_centre(canonical(said))


def used(parts: Parts) -> str:
    """A right, and a visit under it."""
    right = authorise(parts)
    reserved = CompartmentReserved(
        STAY, DOOR, Kind.SUBMISSION, CaseNumber("GS-1"), AuthorisationId(right), ItemId("")
    )
    take_in(parts, BIRTH, CABINET, reserved)
    return right


def found(parts: Parts, reference: str) -> int:
    query = listing.asked(CLERK, Wanted(Which.ALL, reference=reference), parts.clock.now_ms)
    return len(parts.store.read_now(lambda c: c.execute(query).all()))


def test_each_category_of_a_kiosk_is_one_of_the_hall() -> None:
    assert {category.value for category in HelpCategory} <= {category.value for category in Category}


@pytest.mark.rule("CEN-41")
def test_help_becomes_a_complaint_that_its_reference_finds(parts: Parts) -> None:
    right = used(parts)
    number = sealed(parts, phone="13900000042")
    where = ("place", "", CompartmentNumber(DOOR), STAY, AuthorisationId(right))
    take_in(parts, HelpAsked(HelpCategory.DOOR, *where, number))
    (row,) = parts.rows(COMPLAINT)
    assert (row.category, row.origin, row.locker, row.area) == ("door", "locker", "hall-1", "north")
    assert (row.case_number, row.phone, row.name) == ("GS-1", "139******42", "张*")
    assert parts.desk.opened(row.contact_sealed) == {"phone": "13900000042"}
    context = json.loads(row.context)
    assert context["reference"] == f"hall-1 · {parts.locker.head}"
    assert (context["screen"], context["door"]) == ("place", str(DOOR))
    asked = {
        context["reference"]: 1,
        context["entry"]: 1,
        f"HALL-1 {context['entry']}": 1,
        "hall-1 8": 0,
        "x": 0,
    }
    assert {text: found(parts, text) for text in asked} == asked
    (step,) = parts.rows(COMPLAINT_STEP)
    assert (step.move, step.who) == ("register", "locker:hall-1")


@pytest.mark.rule("CEN-41")
def test_help_without_a_number_or_a_visit_is_heard_as_well(parts: Parts) -> None:
    nowhere = (CompartmentNumber(0), DepositId(""), AuthorisationId(""))
    take_in(parts, BIRTH, HelpAsked(HelpCategory.CODE, "problem", "code_not_accepted", *nowhere))
    # A seal that is none of ours: nobody can be called, but somebody stood there.
    take_in(parts, HelpAsked(HelpCategory.OTHER, "home", "", *nowhere, "rubbish"))
    first, second = sorted(parts.rows(COMPLAINT), key=lambda row: row.category)
    assert (first.category, first.phone, first.contact_sealed) == ("code", "", "")
    assert (second.category, second.phone, second.contact_sealed) == ("other", "", "")


@pytest.mark.rule("CEN-42")
def test_a_grade_is_a_rating_once_and_a_low_one_is_called_back(parts: Parts) -> None:
    right = used(parts)
    take_in(parts, VisitRated(STAY, 2))
    take_in(parts, VisitRated(STAY, 5))
    (row,) = parts.rows(RATING)
    (complaint,) = parts.rows(COMPLAINT)
    assert (row.kind, row.reference, row.grade, row.complaint) == (
        "authorisation",
        right,
        2,
        complaint.complaint,
    )
    assert (complaint.category, complaint.phone) == ("low_rating", "138******78")
    assert complaint.due_ms > parts.clock.now_ms


@pytest.mark.rule("CEN-42")
def test_a_good_grade_opens_nothing_and_one_of_an_unknown_visit_is_passed_over(parts: Parts) -> None:
    item = loaded(parts)
    (stay,) = (e.event for e in parts.locker.entries if isinstance(e.event, ItemLoaded))
    parts.ingest()
    take_in(
        parts, VisitRated(stay.deposit, 5), VisitRated(DepositId("nobody"), 1), VisitRated(stay.deposit, 9)
    )
    assert [(row.kind, row.reference, row.grade) for row in parts.rows(RATING)] == [("item", item, 5)]
    assert parts.rows(COMPLAINT) == []


@pytest.mark.rule("CEN-40")
async def test_a_lost_code_is_looked_at_with_all_its_case_may_be(parts: Parts) -> None:
    item = loaded(parts)
    parts.ingest()
    asked = sealed(parts, case="1", like="GS-1\nGS-77", phone=PHONE)
    take_in(
        parts, CodeAskedFor(asked), CodeAskedFor(sealed(parts, case="1", like="GS-1", phone="13900000000"))
    )
    assert await lost.look(parts.store, parts.desk) == {"hall-1"}
    assert [(row.item, row.entrustment) for row in parts.rows(REISSUE)] == [(item, "")]
    assert {row.asked_sealed for row in parts.rows(LOST_CODE)} == {""}


@pytest.mark.rule("CEN-40")
async def test_three_an_hour_for_a_case_and_phone_whichever_way_it_is_asked(parts: Parts) -> None:
    loaded(parts)
    parts.ingest()
    parts.store.write_now(lambda c: lost.ask(c, parts.desk, "GS-1", f"+86 {PHONE}"))
    for _ in range(4):
        take_in(parts, CodeAskedFor(sealed(parts, case="1", like="GS-1", phone=PHONE)))
        await lost.look(parts.store, parts.desk)
    assert len(parts.rows(REISSUE)) == 3


@pytest.mark.rule("CEN-40")
async def test_an_agent_gets_their_own_code_and_the_recipient_none(parts: Parts) -> None:
    item = loaded(parts)
    parts.ingest()
    wanted = agents.Entrusting(item, Person("李雷", "13911112222"), 24)
    name = parts.store.write_now(lambda c: agents.entrust(c, parts.desk, wanted, "test"))
    take_in(parts, CodeAskedFor(sealed(parts, case="1", like="GS-1", phone="13911112222")))
    await lost.look(parts.store, parts.desk)
    assert [(row.item, row.entrustment) for row in parts.rows(REISSUE)] == [(item, name)]


@pytest.mark.rule("CEN-40")
async def test_what_is_old_or_gone_or_unreadable_sends_nothing(parts: Parts) -> None:
    loaded(parts)
    parts.ingest()
    late = CodeAskedFor(sealed(parts, case="1", like="GS-1", phone=PHONE))
    take_in(parts, CodeAskedFor(""), CodeAskedFor("rubbish"), CodeAskedFor(sealed(parts, nothing="")))
    assert await lost.look(parts.store, parts.desk) == frozenset()
    parts.clock.now_ms += lost.HOUR_MS + 10_000_000
    take_in(parts, late)
    assert await lost.look(parts.store, parts.desk) == frozenset()
    assert parts.rows(REISSUE) == []
