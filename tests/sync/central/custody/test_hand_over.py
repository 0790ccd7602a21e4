"""Hand-overs: what is nobody's to give is not given, both sides confirm, differences stay until resolved."""

from dataclasses import replace

import pytest

from locker.domain import events as ev
from locker.domain.deposit import Proof
from locker.domain.ids import DepositId, StaffId
from sync.central.access.actor import Actor
from sync.central.access.tables import AUDIT
from sync.central.custody import asked, hand_over
from sync.central.custody.hand_over import Ending, Proposal, Receipt
from sync.central.custody.parties import Kind, Outcome, Party, Room
from sync.central.custody.tables import DIFFERENCE, LINE, SLIP
from sync.central.desk import Refusal, Refused
from sync.central.tables import DESK_FACT
from sync.central.windows import register
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import (
    COURIER,
    FAR,
    GIVER,
    HELPER,
    TAKER,
    THIRD,
    WINDOW,
    differences,
    held,
    lived,
    loaded,
    papers,
    taken,
    tell,
    thing,
)
from tests.sync.central.test_cases import announce

ONE = Proposal(HELPER, WINDOW, (thing(1),))


def propose(parts: Parts, wanted: Proposal = ONE, actor: Actor = GIVER) -> str:
    return parts.store.write_now(lambda c: hand_over.propose(c, parts.desk, actor, wanted))


def settle(
    parts: Parts, slip: str, *things: str, actor: Actor = TAKER, too_many: tuple[str, ...] = ()
) -> str:
    counted = Receipt(frozenset(things), {}, too_many)
    return parts.store.write_now(lambda c: hand_over.settle(c, parts.desk, actor, slip, counted)).value


def handed(parts: Parts, wanted: Proposal) -> str:
    slip = propose(parts, wanted)
    assert settle(parts, slip, *wanted.things) == "received"
    return slip


def end(parts: Parts, number: int, outcome: Outcome, actor: Actor = THIRD) -> None:
    ending = Ending(number, outcome, "looked again")
    parts.store.write_now(lambda c: hand_over.resolve(c, parts.desk, actor, Room.HAND_OVER, ending))


def refusal(parts: Parts, wanted: Proposal, actor: Actor = GIVER) -> Refusal:
    with pytest.raises(Refused) as refused:
        propose(parts, wanted, actor)
    return refused.value.reason


def test_what_a_helper_took_out_is_theirs_until_somebody_else_received_it(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), taken(1), taken(2))
    assert held(parts) == {thing(1): "helper/h-1", thing(2): "helper/h-1"}
    slip = propose(parts, replace(ONE, things=(thing(2), thing(1))))
    assert held(parts)[thing(1)] == "helper/h-1"
    assert settle(parts, slip, thing(1), thing(2)) == "received"
    assert set(held(parts).values()) == {"window/3 号窗口"}
    called = parts.store.read_now(register.called)
    lines = [(called[row.window], row.queue) for row in parts.rows(LINE)]
    assert lines == [("3 号窗口", 1), ("3 号窗口", 2)]
    (row,) = parts.rows(SLIP)
    assert (row.proposed_by, row.settled_by, row.state) == ("person:giver", "person:taker", "received")
    trail = [(fact.kind, fact.actor) for fact in parts.rows(DESK_FACT) if fact.case_number == "GS-1"]
    assert trail == [("hand_over_proposed", "person:giver"), ("handed_over", "person:taker")]
    journal = [(row.actor, row.action) for row in parts.rows(AUDIT) if row.actor != "hub"]
    assert journal == [("person:giver", "hand_over"), ("person:taker", "hand_over")]


def test_nothing_is_handed_over_by_who_does_not_hold_it(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), taken(1))
    for things in ((thing(2),), ("papers/hall-1/none",), (thing(1), thing(2)), ("result/none",)):
        assert refusal(parts, replace(ONE, things=things)) is Refusal.NOT_HELD
    assert refusal(parts, replace(ONE, giver=Party(Kind.HELPER, "h-2"))) is Refusal.NOT_HELD
    assert refusal(parts, ONE, FAR) is Refusal.UNKNOWN_PLACE
    assert refusal(parts, replace(ONE, receiver=Party(Kind.HELPER, "h-2")), FAR) is Refusal.NOT_HELD
    assert refusal(parts, replace(ONE, giver=Party(Kind.HELPER, "h-9"))) is Refusal.UNFIT
    assert refusal(parts, replace(ONE, receiver=COURIER)) is Refusal.UNFIT
    assert refusal(parts, replace(ONE, receiver=HELPER)) is Refusal.UNFIT
    assert parts.rows(SLIP) == []
    propose(parts)
    assert refusal(parts, ONE) is Refusal.NOT_HELD


def test_the_same_person_does_not_confirm_both_sides(parts: Parts) -> None:
    lived(parts, *papers(1), taken(1))
    slip = propose(parts)
    for actor, reason in ((GIVER, Refusal.SAME_PERSON), (FAR, Refusal.UNKNOWN_SLIP)):
        with pytest.raises(Refused) as refused:
            settle(parts, slip, thing(1), actor=actor)
        assert refused.value.reason is reason
    assert held(parts) == {thing(1): "helper/h-1"}
    settle(parts, slip, thing(1))
    with pytest.raises(Refused) as again:
        settle(parts, slip, thing(1), actor=THIRD)
    assert again.value.reason is Refusal.SLIP_CLOSED


def test_what_is_missing_stays_with_who_gave_it_until_somebody_says_what_came_of_it(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), *papers(3), taken(1), taken(2), taken(3))
    things = (thing(1), thing(2), thing(3))
    slip = propose(parts, replace(ONE, things=things))
    assert settle(parts, slip, thing(1), too_many=("a green folder",)) == "differs"
    assert held(parts)[thing(2)] == held(parts)[thing(3)] == "helper/h-1"
    assert differences(parts) == [("missing", ""), ("missing", ""), ("too_many", "")]
    assert refusal(parts, replace(ONE, things=(thing(2),))) is Refusal.NOT_HELD
    one, two, three = sorted(row.number for row in parts.rows(DIFFERENCE))
    for outcome, actor in ((Outcome.RECEIVED, GIVER), (Outcome.KEPT, TAKER)):
        with pytest.raises(Refused) as refused:
            end(parts, one, outcome, actor)
        assert refused.value.reason is Refusal.SAME_PERSON
    end(parts, one, Outcome.RECEIVED, TAKER)
    end(parts, two, Outcome.KEPT, GIVER)
    with pytest.raises(Refused):
        end(parts, two, Outcome.LOST)
    with pytest.raises(Refused) as unfit:
        end(parts, three, Outcome.LOST)
    assert unfit.value.reason is Refusal.UNFIT
    end(parts, three, Outcome.EXPLAINED)
    assert held(parts) == {
        thing(1): "window/3 号窗口",
        thing(2): "window/3 号窗口",
        thing(3): "helper/h-1",
    }
    propose(parts, replace(ONE, things=(thing(3),)))


def test_a_wrong_slip_is_taken_back_by_who_made_it_and_stays_in_the_books(parts: Parts) -> None:
    lived(parts, *papers(1), taken(1))
    slip = propose(parts)
    with pytest.raises(Refused) as refused:
        parts.store.write_now(lambda c: hand_over.take_back(c, parts.desk, TAKER, slip))
    assert refused.value.reason is Refusal.SAME_PERSON
    parts.store.write_now(lambda c: hand_over.take_back(c, parts.desk, GIVER, slip))
    with pytest.raises(Refused):
        settle(parts, slip, thing(1))
    propose(parts)
    assert sorted(row.state for row in parts.rows(SLIP)) == ["proposed", "taken_back"]


def test_a_result_goes_the_whole_way_and_leaves_the_hands_of_who_loaded_it(parts: Parts) -> None:
    item = announce(parts)
    lived(parts)
    result = f"result/{item}"
    department = Party(Kind.DEPARTMENT, "市场监管局")
    assert refusal(parts, Proposal(COURIER, WINDOW, (result,))) is Refusal.NOT_HELD
    handed(parts, Proposal(department, COURIER, (result,)))
    handed(parts, Proposal(COURIER, WINDOW, (result,)))
    handed(parts, Proposal(WINDOW, HELPER, (result,)))
    assert held(parts) == {result: "helper/h-1"}
    tell(parts, *loaded(item, 2))
    assert held(parts) == {result: "locker/hall-1"}
    assert refusal(parts, Proposal(HELPER, WINDOW, (result,))) is Refusal.NOT_HELD
    tell(parts, ev.ItemWithdrawn(DepositId("o2"), StaffId("h-2"), Proof.SENSED))
    assert held(parts) == {result: "helper/h-2"}
    assert differences(parts) == []
    handed(parts, Proposal(Party(Kind.HELPER, "h-2"), WINDOW, (result,)))
    tell(parts, *loaded(item, 3))
    assert held(parts) == {result: "locker/hall-1"}
    assert differences(parts) == [("loaded_by_another", "")]
    tell(parts, ev.ItemPickedUp(DepositId("o3"), Proof.SENSED))
    assert held(parts) == {result: "recipient/"}


def test_what_was_collected_since_is_not_received_on_an_old_slip(parts: Parts) -> None:
    item = announce(parts)
    lived(parts)
    result = f"result/{item}"
    handed(parts, Proposal(Party(Kind.DEPARTMENT, "市场监管局"), COURIER, (result,)))
    handed(parts, Proposal(COURIER, WINDOW, (result,)))
    handed(parts, Proposal(WINDOW, HELPER, (result,)))
    slip = propose(parts, Proposal(HELPER, WINDOW, (result,)))
    tell(parts, *loaded(item, 2), ev.ItemPickedUp(DepositId("o2"), Proof.SENSED))
    with pytest.raises(Refused) as refused:
        settle(parts, slip, result)
    assert refused.value.reason is Refusal.NOT_HELD
    assert held(parts) == {result: "recipient/"}
    assert settle(parts, slip) == "differs"
    (number,) = (row.number for row in parts.rows(DIFFERENCE))
    for untrue in (Outcome.RECEIVED, Outcome.LOST):
        with pytest.raises(Refused):
            end(parts, number, untrue)
    end(parts, number, Outcome.KEPT)
    assert held(parts) == {result: "recipient/"}
    assert differences(parts) == [("missing", "kept")]


def test_what_nobody_received_in_time_is_overdue(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), taken(1), taken(2))
    handed(parts, replace(ONE, things=(thing(2),)))
    slip = propose(parts)

    def late() -> tuple[list[str], list[str]]:
        hands = parts.store.read_now(lambda c: asked.in_hands(c, parts.desk, TAKER))
        slips = parts.store.read_now(lambda c: asked.slips(c, parts.desk, TAKER, only_open=True))
        things = [each.row.thing for each in hands.rows if each.overdue]
        return things, [each.row.slip for each in slips.rows if each.overdue]

    parts.clock.now_ms += asked.UNCONFIRMED_MAX_MS
    assert late() == ([], [])
    parts.clock.now_ms += 10_000
    assert late() == ([thing(1)], [])
    parts.clock.now_ms += asked.ON_THE_WAY_MAX_MS
    assert late() == ([thing(1)], [slip])
    assert parts.store.read_now(lambda c: asked.in_hands(c, parts.desk, FAR)).rows == []
    assert parts.store.read_now(lambda c: asked.slips(c, parts.desk, FAR, only_open=True)).rows == []
