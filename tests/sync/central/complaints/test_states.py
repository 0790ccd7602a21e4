"""The table of a complaint's states, deadlines in working hours, and numbers in what people type."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.central.access.actor import Role, person
from sync.central.complaints import policy, states
from sync.central.complaints.personal import blotted, holds_any
from sync.central.complaints.policy import LIMITS, Category
from sync.central.complaints.states import CLOSED, Move, Objection, State
from sync.central.workdays.calendar import WEEK_DAYS, WorkDays

OFFSET = 480
LEAD = person("sun", [Role.HELPER_LEAD], ["*"])
CLERK = person("li", [Role.WINDOW_CLERK], ["*"])
AUDITOR = person("wu", [Role.AUDITOR], ["*"])
MADE = {
    (State.REGISTERED, Move.ASSIGN),
    (State.ASSIGNED, Move.ASSIGN),
    (State.ASSIGNED, Move.RESOLVE),
    (State.RESOLVED, Move.SATISFY),
    (State.RESOLVED, Move.OBJECT),
    (State.RESOLVED, Move.MISS),
    (State.RESOLVED, Move.GIVE_UP),
    (State.SATISFIED, Move.REOPEN),
    (State.GIVEN_UP, Move.REOPEN),
    *((state, Move.REMARK) for state in State),
}


@pytest.mark.parametrize(("state", "move"), list(product(State, Move)))
def test_nothing_else_can_be_done(state: State, move: Move) -> None:
    assert (states.after(state, move) is not None) is ((state, move) in MADE)
    refused = states.objection(state, move, "said", policy.CALL_DAYS, callable_=True)
    assert (refused is None) is ((state, move) in MADE)


def test_only_the_applicant_or_a_lead_after_calls_closes() -> None:
    closing = {
        move for (state, move), after in states.NEXT.items() if after in CLOSED and state not in CLOSED
    }
    assert closing == {Move.SATISFY, Move.GIVE_UP}
    for days in range(policy.CALL_DAYS):
        refused = states.objection(State.RESOLVED, Move.GIVE_UP, "why", days, callable_=True)
        assert refused is Objection.TOO_FEW_CALLS
    assert states.objection(State.RESOLVED, Move.GIVE_UP, " ", 3, callable_=True) is Objection.NOTE_LACKING
    # Where no number is known nobody can be called, however long one waits.
    assert states.objection(State.RESOLVED, Move.GIVE_UP, "why", 0, callable_=False) is None


@pytest.mark.parametrize("state", State)
def test_people_are_offered_what_the_table_and_their_role_allow(state: State) -> None:
    clerk = states.offered(state, CLERK, policy.CALL_DAYS, callable_=True)
    lead = states.offered(state, LEAD, policy.CALL_DAYS, callable_=True)
    assert set(lead) == {move for at, move in MADE if at is state}
    assert set(clerk) == set(lead) - {Move.GIVE_UP}
    assert states.offered(state, AUDITOR, policy.CALL_DAYS, callable_=True) == []
    assert Move.GIVE_UP not in states.offered(state, LEAD, policy.CALL_DAYS - 1, callable_=True)


def at(text: str) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(minutes=OFFSET)
    return round(local.timestamp() * 1000)


@pytest.mark.parametrize(
    ("begins", "hours", "ends"),
    [
        ("2026-11-23 09:00", 2, "2026-11-23 11:00"),
        ("2026-11-23 16:30", 2, "2026-11-24 10:30"),
        ("2026-11-23 21:00", 2, "2026-11-24 11:00"),
        ("2026-11-27 16:00", 2, "2026-11-30 10:00"),
        ("2026-11-28 12:00", 8, "2026-11-30 17:00"),
        ("2026-11-23 03:00", 16, "2026-11-24 17:00"),
    ],
)
def test_deadlines_pass_while_the_hall_works(begins: str, hours: int, ends: str) -> None:
    """2026-11-23 is a Monday."""
    assert policy.after(at(begins), hours, OFFSET, WorkDays()) == at(ends)


@given(st.integers(0, 4 * 10**12), st.integers(1, 40), st.sampled_from([-600, 0, 480, 345]))
def test_a_deadline_lies_in_working_time_and_grows_with_its_hours(
    start: int, hours: int, offset: int
) -> None:
    end = policy.after(start, hours, offset, WorkDays())
    local = datetime.fromtimestamp(end / 1000, UTC) + timedelta(minutes=offset)
    assert local.weekday() < WEEK_DAYS
    assert policy.OPENS <= local.hour <= policy.CLOSES
    assert end - start >= hours * 3_600_000
    assert policy.after(start, hours + 1, offset, WorkDays()) > end


def test_every_category_has_a_limit_and_its_reason() -> None:
    assert set(LIMITS) == set(Category)
    assert all(limit.hours > 0 and limit.why for limit in LIMITS.values())


@pytest.mark.parametrize(
    "number",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "1\uff13812345678",
        "11010519491231002X",
        "110105 19491231 002x",
        "110105194912310021",
        "010-62345678",
        "6222021234567890123",
    ],
)
def test_numbers_of_people_are_seen_however_they_are_typed(number: str) -> None:
    assert holds_any(f"请打{number}找张先生")
    assert not any(part.isdecimal() and len(part) > 6 for part in blotted(f"打{number}。").split())
    assert not holds_any(blotted(f"打{number}。"))


@pytest.mark.parametrize("text", ["GS-2026-000123", "2026-11-22 21:05", "3 号箱格，2 次", "hall-1 / 100%"])
def test_other_numbers_stay(text: str) -> None:
    assert not holds_any(text)
    assert blotted(text) == text


@given(st.text())
def test_what_is_blotted_holds_none(text: str) -> None:
    assert not holds_any(blotted(text))
    assert "\0" not in blotted(text)
