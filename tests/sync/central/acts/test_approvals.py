"""Who may agree to an act, and what becomes of it: every pair of the table, and each objection."""

from dataclasses import replace

import pytest

from sync.central.acts import approvals
from sync.central.acts.approvals import NEXT, WAITING, Asked, Objection, Signal, State, Thing

THING = Thing("hall-1", 7, "help line 4711", "ab" * 16)
ASKED = Asked(THING, "person:op", 1_000, State.QUEUED, ())
LATEST_MS = 1_000 + 15 * 60_000


def test_every_pair_advances_by_the_table_or_changes_nothing() -> None:
    for state in State:
        for signal in Signal:
            assert approvals.advance(state, signal) is NEXT.get((state, signal), state)


@pytest.mark.rule("CEN-18")
def test_every_state_is_reached_and_only_silence_is_taken_back() -> None:
    reached = {State.QUEUED}
    for _ in State:
        reached |= {after for (before, _), after in NEXT.items() if before in reached}
    assert reached == set(State)
    assert {before for before, _ in NEXT} == WAITING | {State.UNKNOWN}
    assert not any(
        after in {State.QUEUED, State.SENT} for (b, _), after in NEXT.items() if b is State.UNKNOWN
    )


@pytest.mark.rule("CEN-16")
def test_who_may_agree_to_what() -> None:
    def no(who: str = "person:a", thing: Thing = THING, now_ms: int = 2_000, **asked: object) -> object:
        return approvals.objection(replace(ASKED, **asked), who, thing, now_ms)  # type: ignore[arg-type]

    assert no() is None
    assert no(now_ms=LATEST_MS) is None
    assert no(now_ms=LATEST_MS + 1) is Objection.TOO_LATE
    assert no(now_ms=999) is Objection.TOO_LATE
    assert no("person:op") is Objection.OWN_REQUEST
    assert no("person:a", approvers=("person:a",)) is Objection.APPROVED_ALREADY
    assert no("person:b", approvers=("person:a",)) is None
    for state in set(State) - {State.QUEUED}:
        assert no(state=state) is Objection.NOT_QUEUED
    for other in (
        replace(THING, locker="hall-2"),
        replace(THING, door=8),
        replace(THING, reason="help line 4712"),
        replace(THING, nonce="cd" * 16),
    ):
        assert no(thing=other) is Objection.ANOTHER_THING
    assert set(approvals.REMEDY) == set(Objection)


def test_two_words_of_one_person_are_one() -> None:
    assert not approvals.complete(["person:a", "person:a"])
    assert approvals.complete(["person:a", "person:b"])


@pytest.mark.parametrize("reason", ["", "  ", "call 13812345678", "code 4001234 567"])
def test_a_reason_is_said_and_names_nobodys_number(reason: str) -> None:
    assert approvals.unfit_reason(reason)
    assert approvals.unfit_reason("help line 4711, door 12 stuck") == ""
