"""Anything that people can do with a complaint, in any order, over a real database."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sync.central import lockers
from sync.central.complaints import listing, policy, register, states, work
from sync.central.complaints.policy import Category
from sync.central.complaints.register import Complaint, Origin
from sync.central.complaints.states import CLOSED, Move, State
from sync.central.complaints.tables import COMPLAINT
from sync.central.complaints.work import Step
from sync.central.desk import Refused
from sync.central.store import Store
from tests.sync.central.complaints.test_complaints import DAY_MS, PHONE, SUN
from tests.sync.central.conftest import HandClock, new_desk
from tests.sync.central.fake_locker import FakeLocker


class Complaints(RuleBasedStateMachine):
    """One complaint, and beside it what a careful clerk would have written on paper."""

    @initialize(category=st.sampled_from(Category), phone=st.sampled_from(["", PHONE]))
    def begin(self, category: Category, phone: str) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(TEMPLATE / "central.sqlite", self.folder / "central.sqlite")
        self.clock = HandClock()
        self.desk = new_desk(self.clock)
        self.store = Store.open(self.folder / "central.sqlite")
        told = Complaint(category, "x", phone, locker="hall-1")
        self.complaint = self.store.write_now(
            lambda c: register.register(c, self.desk, told, SUN.who, Origin.HALL)
        )
        self.state, self.days, self.phone, self.steps = State.REGISTERED, set[int](), phone, 1

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def row(self) -> Any:
        return self.store.read_now(lambda c: listing.one(c, SUN, self.complaint))

    @rule(move=st.sampled_from(Move), note=st.sampled_from(["", "said"]))
    def people_move(self, move: Move, note: str) -> None:
        wanted = states.NEXT.get((self.state, move))
        if (note == "" and move in states.NEEDS_NOTE) or (
            move is Move.GIVE_UP and self.phone and len(self.days) < policy.CALL_DAYS
        ):
            wanted = None
        step, before = Step(move, SUN.who, note, SUN.who), self.row()
        try:
            after = self.store.write_now(lambda c: work.make(c, self.desk, self.row(), step))
        except Refused:
            assert wanted is None
            assert self.row() == before
            return
        assert after is wanted
        self.steps += 1
        self.state = after
        if move in states.CALLS:
            self.days.add(policy.day_of(self.clock.now_ms, 480))
        if move is Move.REOPEN:
            self.days.clear()

    @rule(satisfied=st.booleans())
    def applicant_answers(self, satisfied: bool) -> None:
        try:
            self.state = self.store.write_now(
                lambda c: work.answer(c, self.desk, self.complaint, satisfied=satisfied)
            )
        except Refused:
            assert self.state is not State.RESOLVED
            return
        self.steps += 1
        if self.state is State.REGISTERED:
            self.days.clear()

    @rule(hours=st.sampled_from([1, 9, 24, 80]))
    def time_passes(self, hours: int) -> None:
        self.clock.now_ms += hours * DAY_MS // 24
        self.steps += self.store.write_now(lambda c: work.escalate(c, self.desk))

    @invariant()
    def it_is_what_was_written_down(self) -> None:
        if not hasattr(self, "store"):
            return
        row = self.row()
        assert State(row.state) is self.state
        assert (row.due_ms == 0) is (row.closed_ms > 0) is (self.state in CLOSED)
        assert row.level <= policy.LEVELS_MAX
        # Whatever is open is either waited for or was raised as high as it can be.
        assert (row.next_ms > 0) is (self.state not in CLOSED and row.level < policy.LEVELS_MAX)
        history = self.store.read_now(lambda c: listing.history(c, self.complaint))
        assert [step.number for step in history] == list(range(1, self.steps + 1))
        assert history[-1].state == row.state


TEMPLATE = Path(tempfile.gettempdir())


def test_whatever_people_do_in_whatever_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, desk, locker = Store.open(tmp_path / "central.sqlite"), new_desk(HandClock()), FakeLocker()
    store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    assert not store.read_now(lambda c: c.execute(COMPLAINT.select()).all())
    store.close()
    monkeypatch.setitem(globals(), "TEMPLATE", tmp_path)
    run_state_machine_as_test(
        Complaints, settings=settings(max_examples=6, stateful_step_count=20, deadline=None)
    )
