"""Throttle, policy, access, allocation: what limits people, and how far."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locker.domain import throttle
from locker.domain.access import MATRIX, Action, Role, allowed
from locker.domain.allocation import choose
from locker.domain.compartment import Size, Status
from locker.domain.deposit import Kind
from locker.domain.errors import PolicyOutOfRange
from locker.domain.policy import SETTINGS, Policy, Settings, Unfit, is_text, range_of, unfit
from locker.domain.throttle import Guessing
from tests.locker.operations.world import MemoryWorld

POLICY = Policy()


def test_the_keypad_waits_0_0_2_4_8_and_at_most_60_seconds() -> None:
    guessing, waits = Guessing(), []
    for _ in range(9):
        guessing = throttle.failed(guessing, 1_000, POLICY)
        waits.append(throttle.wait_s(guessing, 1_000, POLICY))
    assert waits == [0, 0, 2, 4, 8, 16, 32, 60, 60]


def test_the_wait_runs_down_and_is_forgotten_after_15_quiet_minutes() -> None:
    guessing = throttle.failed(Guessing(), 0, POLICY, 5)
    assert throttle.wait_s(guessing, 3_000, POLICY) == 5
    assert throttle.wait_s(guessing, 8_000, POLICY) == 0
    assert throttle.wait_s(throttle.failed(guessing, 901_000, POLICY), 901_000, POLICY) == 0


def test_a_restart_forgets_nothing() -> None:
    guessing = throttle.rebased(throttle.failed(Guessing(), 50_000_000, POLICY, 300), 10)
    assert throttle.asks_phone(guessing, 20, POLICY)
    assert throttle.wait_s(guessing, 20, POLICY) == 60


@given(st.lists(st.integers(0, 100_000_000), max_size=50))
def test_nobody_waits_longer_than_the_policy_says(moments: list[int]) -> None:
    guessing = Guessing()
    for now_ms in sorted(moments):
        guessing = throttle.failed(guessing, now_ms, POLICY)
        assert 0 <= throttle.wait_s(guessing, now_ms, POLICY) <= POLICY.keypad_delay_max_s


def test_every_limit_holds_its_hard_range() -> None:
    for f in fields(Policy):
        low, high = range_of(f.name)
        value = getattr(POLICY, f.name)
        assert low <= (len(value) if is_text(f.name) else value) <= high, f.name
        texts: list[int | str] = ["x" * (high + 1), "two\nlines", 7]
        numbers: list[int | str] = [low - 1, high + 1, "7"]
        for bad in texts if is_text(f.name) else numbers:
            with pytest.raises(PolicyOutOfRange):
                POLICY.with_value(f.name, bad)


def test_the_centre_cannot_touch_what_is_local() -> None:
    for name in {f.name for f in fields(Policy)} - set(SETTINGS):
        assert unfit(Settings, name, getattr(POLICY, name)) is Unfit.LOCAL_ONLY
        assert unfit(Policy, name, getattr(POLICY, name)) is None
    # What a door, a pulse, a guess and an act are held to, whatever else becomes settable.
    local = {"pulse_deadline_ms", "open_deadline_ms", "failures_per_record", "keypad_delay_max_s"}
    assert not local & set(SETTINGS)
    assert not {"act_fresh_ms", "acts_per_hour", "acts_per_day", "assumed_frees"} & set(SETTINGS)
    assert unfit(Settings, "hold_days", 14) is None
    assert unfit(Settings, "no_such_limit", 1) is Unfit.UNKNOWN
    assert unfit(Settings, "hold_days", "14") is Unfit.NOT_OF_TYPE
    with pytest.raises(PolicyOutOfRange):
        POLICY.with_value("no_such_limit", 1)


def test_what_is_not_in_the_matrix_is_not_allowed() -> None:
    for role in Role:
        for action in Action:
            for status in Status:
                expected = status in MATRIX.get((role, action), frozenset())
                assert allowed({role}, action, status) is expected
    assert not allowed({"mayor"}, Action.INTAKE, Status.HOLDING)
    assert not allowed({Role.TECHNICIAN}, Action.TEST_OPEN, Status.HOLDING)


def test_a_technician_reaches_only_doors_without_an_item() -> None:
    holds = {Status.RESERVED, Status.HOLDING, Status.TO_CHECK}
    reach = {action: {s for s in Status if allowed({Role.TECHNICIAN}, action, s)} for action in Action}
    assert reach == {
        **{each: set() for each in (Action.INTAKE, Action.LOAD, Action.WITHDRAW, Action.CHECK)},
        Action.TEST_OPEN: set(Status) - holds,
        Action.BLOCK: {Status.VACANT, Status.FAULTY},
        Action.RESTORE: {Status.FAULTY, Status.OUT_OF_SERVICE},
        # A service window is about no door, and a helper stands beside: `pairs.SECONDS`.
        Action.WINDOW: set(Status),
        **{each: set() for each in (Action.STOCKTAKE, Action.ASSIST, Action.VOUCH)},
    }
    assert {role for role, action in MATRIX if action in {Action.TEST_OPEN, Action.BLOCK}} == {
        Role.TECHNICIAN
    }


async def test_a_share_of_each_size_stays_free_for_the_other_kind() -> None:
    m = await MemoryWorld.start()
    state = m.journal.state
    policy = state.policy.with_value("reserve_share_percent", 40)
    assert choose(state, Kind.SUBMISSION, Size.L) in {15, 16}
    small = {c.spec.number for c in state.compartments.values() if c.spec.size is Size.S}
    assert choose(state, Kind.OUTGOING, Size.S) in small
    assert policy.reserve_share_percent == 40


async def test_a_larger_door_is_taken_before_nobody_is_served() -> None:
    m = await MemoryWorld.start()
    state = m.journal.state
    without = frozenset(c.spec.number for c in state.compartments.values() if c.spec.size is Size.S)
    door = choose(state, Kind.SUBMISSION, Size.S, without=without)
    assert door is not None
    assert state.compartments[door].spec.size is Size.M
