"""The table of steps: every pair is either in it or raises, and nobody is ever caught in a step."""

import itertools

import pytest

from kiosk_ui.flow import NEXT, Signal, Step, advance
from locker.domain.errors import IllegalTransition


@pytest.mark.parametrize(("step", "signal"), list(itertools.product(Step, Signal)))
def test_every_pair_is_decided(step: Step, signal: Signal) -> None:
    if (step, signal) in NEXT:
        assert advance(step, signal) is NEXT[step, signal]
    else:
        with pytest.raises(IllegalTransition):
            advance(step, signal)


@pytest.mark.parametrize("step", Step)
def test_every_step_is_reached_from_home(step: Step) -> None:
    reached = {Step.HOME}
    while True:
        further = {after for (before, _), after in NEXT.items() if before in reached}
        if further <= reached:
            break
        reached |= further
    assert step in reached


@pytest.mark.parametrize("step", Step)
def test_every_step_leads_home_and_bears_a_failing_journal(step: Step) -> None:
    assert advance(step, Signal.LEAVE) is Step.HOME
    assert advance(step, Signal.REFUSED) in {Step.PROBLEM, Step.STAFF_PROBLEM}


def test_staff_stay_staff_until_they_leave() -> None:
    theirs = {Step.MENU, Step.LOAD, Step.LABEL, Step.STAFF_DOOR, Step.STAFF_PROBLEM} | {
        step for step in Step if step.value.startswith("round_")
    }
    theirs |= {Step.SERVICE, Step.SERVICE_DOOR, Step.BLOCKING, Step.SKIPPING, Step.CORRECTING}
    theirs |= {Step.STOCKTAKE, Step.STOCK_DONE, Step.SECOND, Step.SECOND_PIN, Step.WINDOW}
    outside = {
        after for (before, signal), after in NEXT.items() if before in theirs and signal is not Signal.LEAVE
    }
    # Beside an applicant they are signed in no more.
    assert outside <= theirs | {Step.ASSIST}
    inside = {(before, signal) for (before, signal), after in NEXT.items() if after in theirs - {before}}
    assert {pair for pair in inside if pair[0] not in theirs} == {(Step.PIN, Signal.SIGNED_IN)}


def test_whoever_helps_gets_no_further_than_whoever_they_help() -> None:
    """A badge is a sign-in of its own, with a PIN; beside an applicant none is heard."""
    reached = {Step.ASSIST}
    for _ in Step:
        reached |= {after for (before, _signal), after in NEXT.items() if before in reached} - {Step.PIN}
    applicants = {Step.HOME, Step.PHONE, Step.OFFER, Step.DOOR, Step.PROBLEM, Step.REFUSING, Step.NOT_EMPTY}
    assert reached == applicants | {Step.ASSIST}
