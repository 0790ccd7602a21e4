"""Complaints from every side, what becomes of them, ratings and what was learnt: on both databases."""

import asyncio
import json
from dataclasses import replace
from functools import partial

import pytest

from locker.domain.deposit import Proof
from locker.domain.events import ItemPickedUp, TicketOpened
from locker.domain.ids import AuthorisationId, DepositId
from sync import wire
from sync.central import ledger, lockers
from sync.central.access.actor import Role, person
from sync.central.complaints import keep, listing, policy, ratings, register, solutions, work
from sync.central.complaints.listing import Wanted, Which
from sync.central.complaints.policy import Category
from sync.central.complaints.ratings import Rated
from sync.central.complaints.register import Complaint, Origin
from sync.central.complaints.states import Move, State
from sync.central.complaints.tables import COMPLAINT, COMPLAINT_STEP, RATING
from sync.central.complaints.work import Step
from sync.central.desk import Refusal, Refused
from sync.central.tables import DESK_FACT, NOTICE
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_cases import announce, authorise
from tests.sync.central.test_ingest import Hub
from tests.sync.central.test_ledger import BIRTH, CABINET, DOOR, STAY, VISIT

DAY_MS = 86_400_000
PHONE = "13812345678"
SUN = person("sun", [Role.HELPER_LEAD], ["north"])
STRANGER = person("li", [Role.HELPER_LEAD], ["south"])


def registered(parts: Parts) -> str:
    told = Complaint(Category.DOOR, f"门不开，打 {PHONE}", PHONE, "张伟", "hall-1", case="GS-1")
    return parts.store.write_now(lambda c: register.register(c, parts.desk, told, SUN.who, Origin.HALL))


def make(parts: Parts, complaint: str, move: Move, note: str = "said", who: str = SUN.who) -> State:
    def do(c: object) -> State:
        row = listing.one(c, SUN, complaint)  # type: ignore[arg-type]  # a connection
        return work.make(c, parts.desk, row, Step(move, who, note, SUN.who))  # type: ignore[arg-type]  # same

    return parts.store.write_now(do)


def answered(parts: Parts, complaint: str, *, satisfied: bool) -> State:
    return parts.store.write_now(lambda c: work.answer(c, parts.desk, complaint, satisfied=satisfied))


def ingest(parts: Parts, first: int = 1) -> None:
    batch = parts.locker.batch(first)
    follow = partial(register.follow, desk=parts.desk)
    parts.store.write_now(
        partial(ledger.ingest, batch=batch, now_ms=parts.clock.now_ms, follow=lambda _: (follow,))
    )


def test_who_is_to_be_called_lies_sealed(parts: Parts) -> None:
    reference = registered(parts)
    (row,) = parts.rows(COMPLAINT)
    assert PHONE not in str(row)
    assert "张伟" not in str(row)
    assert (row.complaint, row.area, row.name, row.phone) == (reference, "north", "张*", "138******78")
    assert parts.desk.opened(row.contact_sealed) == {"phone": PHONE}
    assert row.due_ms == policy.after(parts.clock.now_ms, 2, 480, parts.desk.workdays)
    (fact,) = [row for row in parts.rows(DESK_FACT) if row.kind == "complaint_registered"]
    assert (fact.case_number, json.loads(fact.detail)) == ("GS-1", {"category": "door", "locker": "hall-1"})


def test_the_whole_way_to_satisfied(parts: Parts) -> None:
    reference = registered(parts)
    assert make(parts, reference, Move.ASSIGN) is State.ASSIGNED
    assert make(parts, reference, Move.RESOLVE, "弹簧已更换") is State.RESOLVED
    (notice,) = [row for row in parts.rows(NOTICE) if row.template == work.RESOLVED_TEMPLATE]
    assert (notice.subject, notice.state) == (reference, "due")
    assert json.loads(notice.variables)["solution"] == "弹簧已更换"
    assert answered(parts, reference, satisfied=False) is State.ASSIGNED
    make(parts, reference, Move.RESOLVE)
    assert answered(parts, reference, satisfied=True) is State.SATISFIED
    (row,) = parts.rows(COMPLAINT)
    assert (row.due_ms, row.next_ms, row.closed_ms) == (0, 0, parts.clock.now_ms)
    assert answered(parts, reference, satisfied=False) is State.REGISTERED
    steps = parts.store.read_now(lambda c: listing.history(c, reference))
    assert [(step.number, step.move) for step in steps] == list(
        enumerate(("register", "assign", "resolve", "object", "resolve", "satisfy", "reopen"), 1)
    )
    assert {step.who for step in steps if step.move in {"object", "satisfy", "reopen"}} == {"applicant"}


def test_giving_up_takes_three_calls_on_three_days(parts: Parts) -> None:
    reference = registered(parts)
    make(parts, reference, Move.ASSIGN)
    make(parts, reference, Move.RESOLVE)
    # What an applicant says on their page is no call, and three calls on one day are one.
    answered(parts, reference, satisfied=False)
    make(parts, reference, Move.RESOLVE)
    for day in range(3):
        for _ in range(3):
            make(parts, reference, Move.MISS, "")
        with pytest.raises(Refused) if day < 2 else _nothing():
            make(parts, reference, Move.GIVE_UP, "nobody answers")
        parts.clock.now_ms += DAY_MS
    (row,) = parts.rows(COMPLAINT)
    assert row.state == State.GIVEN_UP


class _nothing:  # noqa: N801  # reads as pytest's own
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_what_is_late_is_raised_twice_and_no_more(parts: Parts) -> None:
    registered(parts)

    async def looks() -> list[int]:
        levels = []
        for _ in range(5):
            await keep.step(parts.store, parts.desk)
            levels.append(parts.rows(COMPLAINT)[0].level)
            parts.clock.now_ms += DAY_MS
        return levels

    assert asyncio.run(looks()) == [0, 1, 2, 2, 2]
    raised = [step for step in parts.rows(COMPLAINT_STEP) if step.move == work.ESCALATED]
    assert [(step.who, step.note) for step in raised] == [("hub", "1"), ("hub", "2")]


def test_number_and_name_go_a_fortnight_after_the_end(parts: Parts) -> None:
    reference = registered(parts)
    make(parts, reference, Move.ASSIGN)
    make(parts, reference, Move.RESOLVE)
    answered(parts, reference, satisfied=True)
    for more, kept in ((policy.PERSONAL_AFTER_MS, True), (1, False)):
        parts.clock.now_ms += more
        parts.store.write_now(lambda c: work.forget(c, parts.clock.now_ms))
        (row,) = parts.rows(COMPLAINT)
        assert bool(row.contact_sealed) is bool(row.name) is bool(row.phone) is kept


def test_a_ticket_behind_which_a_person_stands_is_one_complaint(parts: Parts) -> None:
    right = authorise(parts)
    reserved, *_ = VISIT
    mine = replace(reserved, authorisation=AuthorisationId(right))
    stuck = TicketOpened("door_stuck", DOOR, STAY)
    parts.locker.add(BIRTH, CABINET, mine, stuck, stuck, TicketOpened("relay_stuck", DOOR, STAY))
    parts.locker.add(TicketOpened("door_stuck", DOOR, DepositId("")))
    ingest(parts)
    (row,) = parts.rows(COMPLAINT)
    assert (row.category, row.origin, row.locker, row.area) == ("door", "locker", "hall-1", "north")
    assert (row.case_number, row.phone) == ("GS-1", "138******78")
    assert json.loads(row.context)["ticket"] == "door_stuck"
    # It was put right; the same again is another complaint.
    make(parts, row.complaint, Move.ASSIGN)
    make(parts, row.complaint, Move.RESOLVE)
    answered(parts, row.complaint, satisfied=True)
    seen = parts.locker.head
    parts.locker.add(stuck)
    ingest(parts, seen + 1)
    assert len(parts.rows(COMPLAINT)) == 2
    assert len(parts.rows(COMPLAINT_STEP)) == 5


def test_what_stands_in_another_area_is_not_there(parts: Parts) -> None:
    reference, now_ms = registered(parts), parts.clock.now_ms
    assert parts.store.read_now(lambda c: listing.listed(c, SUN, Wanted(), now_ms))
    assert not parts.store.read_now(lambda c: listing.listed(c, STRANGER, Wanted(), now_ms))
    assert parts.store.read_now(lambda c: listing.counts(c, STRANGER, now_ms))[Which.OPEN] == 0
    with pytest.raises(Refused, match="no such complaint"):
        parts.store.read_now(lambda c: listing.one(c, STRANGER, reference))
    people.add(parts, "sun", [Role.HELPER_LEAD], ["north"])
    people.add(parts, "li", [Role.HELPER_LEAD], ["south"])
    people.add(parts, "wu", [Role.AUDITOR])
    assert parts.store.read_now(lambda c: listing.assignable(c, "north")) == {"person:sun": "Sun"}


def test_lists_hold_what_they_say(parts: Parts) -> None:
    one, two, three = (registered(parts) for _ in range(3))
    make(parts, one, Move.ASSIGN)
    make(parts, two, Move.ASSIGN)
    make(parts, two, Move.RESOLVE)
    answered(parts, two, satisfied=True)
    parts.clock.now_ms += DAY_MS
    held = {
        Which.OPEN: {one, three},
        Which.MINE: {one},
        Which.OVERDUE: {one, three},
        Which.TO_ASK: set(),
        Which.CLOSED: {two},
        Which.ALL: {one, two, three},
    }
    for which, wanted in held.items():
        found = parts.store.read_now(
            partial(listing.listed, actor=SUN, wanted=Wanted(which), now_ms=parts.clock.now_ms)
        )
        assert {row.complaint for row in found} == wanted
    counts = parts.store.read_now(lambda c: listing.counts(c, SUN, parts.clock.now_ms))
    assert counts == {Which.OPEN: 2, Which.MINE: 1, Which.OVERDUE: 2, Which.TO_ASK: 0}


@pytest.mark.parametrize("grade", [2, 3])
def test_a_visit_is_rated_once_and_low_grades_are_called_back(parts: Parts, grade: int) -> None:
    rated = Rated("item", announce(parts))

    def rate() -> int:
        said = f"太慢了，打 {PHONE}"
        return parts.store.write_now(lambda c: ratings.rate(c, parts.desk, rated, grade, said))

    rate()
    with pytest.raises(Refused) as error:
        rate()
    assert error.value.reason is Refusal.ALREADY_RATED
    (row,) = parts.rows(RATING)
    assert (row.grade, row.locker, PHONE in row.text) == (grade, "hall-1", False)
    opened = parts.rows(COMPLAINT)
    assert [each.category for each in opened] == (["low_rating"] if grade <= ratings.LOW else [])
    if opened:
        assert row.complaint == opened[0].complaint
        assert parts.desk.opened(opened[0].contact_sealed)["phone"]
    assert parts.store.read_now(lambda c: ratings.grade_of(c, rated)) == grade


def test_only_what_satisfied_somebody_is_published_and_nobody_is_named(parts: Parts) -> None:
    reference = registered(parts)

    def publish(title: str, text: str) -> str:
        def do(c: object) -> str:
            row = listing.one(c, SUN, reference)  # type: ignore[arg-type]  # a connection
            return solutions.publish(c, parts.desk, row, title, text, SUN.who)  # type: ignore[arg-type]  # same

        return parts.store.write_now(do)

    with pytest.raises(Refused, match="satisfied"):
        publish("柜门打不开", "推一下门再按开门")
    make(parts, reference, Move.ASSIGN)
    make(parts, reference, Move.RESOLVE)
    answered(parts, reference, satisfied=True)
    with pytest.raises(Refused, match="nobody"):
        publish("柜门打不开", f"打 {PHONE} 找张师傅")
    named = publish("柜门打不开 100%", "推一下门再按开门 Push_it")

    def found(words: str) -> list[str]:
        rows = parts.store.read_now(lambda c: solutions.found(c, words))
        return [row.solution for row in rows]

    for words in ("", "打不开", "推 开门", "PUSH_", "100%", "门"):
        assert found(words) == [named], words
    for words in ("推 关门", "Push-it", "10%0", "%", "_%"):
        assert found(words) == ([named] if words == "%" else []), words
    parts.store.write_now(lambda c: solutions.withdraw(c, named, parts.clock.now_ms))
    assert found("") == []


def test_a_pickup_ends_a_stay_not_its_complaint(parts: Parts) -> None:
    authorise(parts)
    parts.locker.add(BIRTH, CABINET, *VISIT, TicketOpened("not_empty", DOOR, STAY))
    parts.locker.add(ItemPickedUp(STAY, Proof.SENSED))
    # VISIT's authorisation is nobody's here: whom to call is not known, and nothing is made up.
    ingest(parts)
    assert parts.rows(COMPLAINT) == []


def test_an_area_without_lockers_is_nobodys(parts: Parts) -> None:
    other = FakeLocker(locker="park-1")
    parts.store.write_now(lambda c: lockers.enrol(c, parts.desk, "park-1", "south", other.public[:-2] + "00"))
    for area, known in (("south", True), ("west", False)):
        told = Complaint(Category.OTHER, "x", area=area)
        with _nothing() if known else pytest.raises(Refused):
            parts.store.write_now(
                partial(register.register, desk=parts.desk, told=told, who="hub", origin=Origin.HALL)
            )


async def test_the_hub_takes_complaints_from_what_it_hears(parts: Parts) -> None:
    mine = replace(VISIT[0], authorisation=AuthorisationId(authorise(parts)))
    parts.locker.add(BIRTH, CABINET, mine, TicketOpened("not_empty", DOOR, STAY))
    await Hub(parts).take(wire.Name.LOG, parts.locker.batch())
    assert [row.category for row in parts.rows(COMPLAINT)] == ["not_empty"]
