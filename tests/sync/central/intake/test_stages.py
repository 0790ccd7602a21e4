"""Papers that are owed, and how a case stands: every state and signal."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.central.intake import stages
from sync.central.intake.stages import BECOMES, NEXT, Paper, Signal, Standing, State, Verdict
from sync.central.onward import ways

DOCUMENT = Path(__file__).parents[4] / "docs" / "intake.md"
DAY = stages.DAY_MS


def test_nothing_ends_for_lack_of_papers_before_its_day_is_over() -> None:
    for state in stages.RUNNING:
        assert not stages.may(state, Signal.RETURN)
        assert not stages.may(state, Signal.REJECT)
        assert stages.NEXT[state, Signal.LAPSE] is State.OVERDUE
    # What was brought is looked at first, however late.
    assert not stages.may(State.TOPPED_UP, Signal.LAPSE)


def test_what_has_ended_stays_and_all_else_can_end() -> None:
    assert not any(state in stages.ENDED for state, _ in NEXT)
    for state in stages.OPEN:
        assert stages.may(state, Signal.CHECK)
        reachable = {state}
        for _ in State:
            reachable |= {after for (before, _), after in NEXT.items() if before in reachable}
        assert reachable >= stages.ENDED


def test_only_what_the_window_found_complete_is_accepted_and_a_rejected_case_is_over() -> None:
    accepted = {before for (before, verdict) in BECOMES if verdict is Verdict.ACCEPT}
    assert accepted == {Standing.COMPLETE}
    assert not any(before is Standing.REJECTED for before, _ in BECOMES)
    assert not stages.fits(Standing.UNDECIDED, Verdict.REJECT)
    assert not stages.fits(Standing.ACCEPTED, Verdict.MISSING)
    assert stages.fits(Standing.RETURNED, Verdict.COMPLETE)


papers = st.lists(
    st.builds(Paper, st.text(max_size=9), st.integers(1, 9), st.text(max_size=9), st.booleans()), max_size=5
)


@settings(max_examples=25)
@given(papers)
def test_papers_are_read_as_they_were_written(some: list[Paper]) -> None:
    assert stages.read(stages.written(some)) == tuple(some)


@settings(max_examples=50)
@given(papers, st.sets(st.integers(1, 6)), st.integers(1, 12))
def test_what_was_in_order_stays_so_and_no_paper_is_due_earlier(
    some: list[Paper], numbers: set[int], until_ms: int
) -> None:
    checked = stages.with_in_order(some, numbers)
    assert [paper.in_order for paper in checked] == [
        paper.in_order or number in numbers for number, paper in enumerate(some, 1)
    ]
    longer = stages.with_longer(checked, until_ms)
    assert all(after.until_ms >= before.until_ms for before, after in zip(some, longer, strict=True))
    left = [paper.until_ms for paper in longer if not paper.in_order]
    assert stages.deadline_ms(longer) == min(left, default=0)


@pytest.mark.parametrize(
    ("reminded", "now", "due"),
    [
        (0, 6.9, False),
        (0, 7, True),
        (7, 8.9, False),
        (7, 9, True),
        (9, 9.9, False),
        (0, 9.5, True),
        (0, 10, False),  # over: that is another word
        (8, 8.5, False),  # asked for two days before: no word of three
    ],
)
def test_reminders_three_days_and_one_day_before(reminded: float, now: float, due: bool) -> None:
    assert stages.reminder_due(10 * DAY, int(reminded * DAY), int(now * DAY)) is due


def test_the_document_draws_the_tables() -> None:
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert drawn == [
        (before.value, after.value, signal.value)
        for pairs in (NEXT.items(), ways.NEXT.items())
        for (before, signal), after in pairs
    ]
