"""Random lives of one locker against a small model of what people may expect. They share no code.

The model knows only what lies behind which door, who was promised what, and which codes are spent.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from locker.domain import chain
from locker.domain.compartment import Status
from locker.domain.deposit import HELD, Phase
from locker.domain.door import Position, PulseOutcome, PulseResult
from locker.domain.entry import read, write
from locker.domain.errors import Reason, Refusal
from locker.domain.events import OpeningRequested
from locker.domain.fold import fold
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.state import LockerState, state_text
from locker.operations import clear_submissions, drop_off, load_outgoing, pick_up, service, stocktake
from locker.operations.open_door import Opened
from locker.operations.present_code import (
    DropOffOffer,
    LoadOffer,
    PickupOffer,
    present_scanned,
    present_typed,
)
from locker.operations.service import Technician
from locker.operations.upkeep import upkeep
from tests.locker.operations.world import MemoryWorld

HELPER = StaffId("h-1")
TECHNICIAN = Technician(StaffId("t-1"))


@dataclass
class Model:
    """What people may expect."""

    drop_off_codes: dict[str, str] = field(default_factory=dict)
    """Case: typed code, not handed in."""
    handed_in: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Case: code and door, awaiting intake."""
    licences: dict[str, tuple[dict[str, str], int]] = field(default_factory=dict)
    """Deposit: codes and door, awaiting pickup."""
    spent: list[str] = field(default_factory=list)
    """Scannable or typed codes that must never open again."""
    used_offers: list[PickupOffer] = field(default_factory=list)
    """What the product said yes to once; its purpose has ended since."""
    blocked: set[int] = field(default_factory=set)
    """Doors that a technician took out of service."""
    cases: int = 0

    @property
    def doors_with_something(self) -> set[int]:
        return {door for _, door in self.handed_in.values()} | {door for _, door in self.licences.values()}


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.model = Model()
        self.grants_used: set[str] = set()
        self.replayed = LockerState(), chain.START

    def teardown(self) -> None:
        self.loop.close()

    def run_(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @initialize(seed=st.integers(0, 10_000))
    def begin(self, seed: int) -> None:
        self.m = self.run_(MemoryWorld.start(seed))
        self.run_(self.m.enrol())
        self.run_(self.m.enrol("t-1", roles=frozenset({"technician"})))

    # --- people ---------------------------------------------------------------------------------------------

    @rule()
    def pre_review_passes(self) -> None:
        self.model.cases += 1
        case = f"C-{self.model.cases}"
        self.model.drop_off_codes[case] = self.run_(self.m.grant(case))

    @precondition(lambda self: self.model.drop_off_codes)
    @rule(data=st.data(), puts=st.booleans(), shuts=st.booleans())
    def somebody_hands_in(self, data: Any, *, puts: bool, shuts: bool) -> None:
        case = data.draw(st.sampled_from(sorted(self.model.drop_off_codes)))
        code = self.model.drop_off_codes[case]
        offer = self._typed(code)
        if isinstance(offer, Refusal):
            assert offer.reason is Reason.TOO_MANY_TRIES
            return
        assert isinstance(offer, DropOffOffer)
        before = self._open_doors()
        opened = self.run_(drop_off.open_compartment(self.m.world, offer))
        self.run_(self.m.settle())
        if not isinstance(opened, Opened):
            return
        assert opened.door not in self.model.doors_with_something, "a door with something in it was opened"
        assert opened.door not in before, "a door that stood open was handed out"
        assert opened.door not in self.model.blocked, "a blocked door was handed out"
        if not self._stands_open(opened.door):
            self._leave(opened.deposit)
            return
        if puts:
            self.m.hands.put(opened.door)
        if not shuts:
            self.run_(self.m.later(130_000))
        self.run_(self.m.shut(opened.door))
        if puts:
            self.model.handed_in[case] = (self.model.drop_off_codes.pop(case), opened.door)
        else:
            self._leave(opened.deposit)

    @precondition(lambda self: self.model.handed_in)
    @rule(data=st.data(), takes=st.booleans())
    def helper_takes_in(self, data: Any, *, takes: bool) -> None:
        case = data.draw(st.sampled_from(sorted(self.model.handed_in)))
        code, door = self.model.handed_in[case]
        deposit = self.m.journal.state.compartments[door].deposit
        opened = self.run_(clear_submissions.open_compartment(self.m.world, HELPER, deposit))
        self.run_(self.m.settle())
        if not isinstance(opened, Opened) or not self._stands_open(door):
            return
        if takes:
            self.m.hands.take(door)
        self.run_(self.m.shut(door))
        answer = self.run_(clear_submissions.confirm(self.m.world, HELPER, deposit, "complete"))
        assert (answer is None) is takes
        if takes:
            del self.model.handed_in[case]
            self.model.spent.append(code)

    @rule(puts=st.booleans())
    def helper_loads(self, *, puts: bool) -> None:
        self.model.cases += 1
        item = f"I-{self.model.cases}"
        label = self.run_(present_scanned(self.m.world, self.m.token(item)))
        assert isinstance(label, LoadOffer)
        opened = self.run_(load_outgoing.open_compartment(self.m.world, HELPER, label))
        self.run_(self.m.settle())
        if not isinstance(opened, Opened):
            return
        assert opened.door not in self.model.doors_with_something | self.model.blocked
        if not self._stands_open(opened.door):
            self._leave(opened.deposit)
            return
        if puts:
            self.m.hands.put(opened.door)
        self.run_(self.m.shut(opened.door))
        answer = self.run_(load_outgoing.confirm(self.m.world, HELPER, opened.deposit, label))
        assert (answer is None) is puts
        if puts:
            self.model.licences[opened.deposit] = (self.m.pickup_codes(opened.deposit), opened.door)
        else:
            self._leave(opened.deposit)

    @precondition(lambda self: self.model.licences)
    @rule(data=st.data(), takes=st.booleans(), scans=st.booleans(), dies=st.booleans())
    def somebody_collects(self, data: Any, *, takes: bool, scans: bool, dies: bool) -> None:
        deposit = data.draw(st.sampled_from(sorted(self.model.licences)))
        codes, door = self.model.licences[deposit]
        offer = self._scanned(codes["scan"]) if scans else self._typed(codes["typed"])
        if isinstance(offer, Refusal):
            assert offer.reason is Reason.TOO_MANY_TRIES
            return
        assert isinstance(offer, PickupOffer)
        opened = self.run_(pick_up.open_compartment(self.m.world, offer))
        if not isinstance(opened, Opened):
            return
        assert opened.door == door, "somebody else's door"
        if dies:
            self.run_(self.m.restart())
        self.run_(self.m.settle())
        if not self._stands_open(door):
            return
        if takes:
            self.m.hands.take(door)
        self.run_(self.m.shut(door))
        if takes:
            del self.model.licences[deposit]
            self.model.spent += [codes["scan"], codes["typed"]]
            self.model.used_offers.append(offer)

    @rule(digits=st.integers(0, 10**10 - 1))
    def a_vandal_types(self, digits: int) -> None:
        answer = self._typed(f"{digits:010d}")
        assert isinstance(answer, Refusal)

    @precondition(lambda self: self.model.spent)
    @rule(data=st.data())
    def a_spent_code_is_tried(self, data: Any) -> None:
        code = data.draw(st.sampled_from(self.model.spent))
        pulses = len(self.m.hands.pulses)
        answer = self._typed(code) if len(code) == 11 else self._scanned(code)
        assert isinstance(answer, Refusal)
        assert len(self.m.hands.pulses) == pulses

    @precondition(lambda self: self.model.used_offers)
    @rule(data=st.data())
    def an_old_yes_is_used_again(self, data: Any) -> None:
        offer = data.draw(st.sampled_from(self.model.used_offers))
        assert isinstance(self.run_(pick_up.open_compartment(self.m.world, offer)), Refusal)

    @rule(door=st.integers(1, 16))
    def somebody_forces_a_door(self, door: int) -> None:
        self.m.hands.move(door, Position.OPEN)
        self.run_(self.m.settle())

    @rule()
    def a_passer_by_shuts_what_stands_open(self) -> None:
        self._shut_all()

    @rule()
    def a_helper_looks_after_doubt(self) -> None:
        for compartment in stocktake.doubtful(self.m.journal.state):
            number = compartment.spec.number
            opened = self.run_(stocktake.open_compartment(self.m.world, HELPER, number))
            self.run_(self.m.settle())
            if isinstance(opened, Opened) and self._stands_open(number):
                self.run_(self.m.shut(number))
                assert self.run_(stocktake.confirm(self.m.world, HELPER, number, empty=True)) is None

    @rule(door=st.integers(1, 16), shuts=st.booleans(), dies=st.booleans())
    def a_technician_tries_a_door(self, door: int, *, shuts: bool, dies: bool) -> None:
        status = self._status(door)
        pulses = len(self.m.hands.pulses)
        opened = self.run_(service.test_open(self.m.world, TECHNICIAN, CompartmentNumber(door)))
        if not isinstance(opened, Opened):
            assert len(self.m.hands.pulses) == pulses, "a refusal opened a door"
            return
        assert door not in self.model.doors_with_something, "a technician opened somebody's door"
        assert status in {Status.VACANT, Status.FAULTY, Status.OUT_OF_SERVICE}
        if dies:
            self.run_(self.m.restart())
        self.run_(self.m.settle())
        if self._stands_open(door) and shuts:
            self.run_(self.m.shut(door))
        assert self._status(door) is status or dies

    @rule(door=st.integers(1, 16))
    def a_technician_blocks_a_door(self, door: int) -> None:
        if self.run_(service.block(self.m.world, TECHNICIAN, CompartmentNumber(door), "lock")) is None:
            assert door not in self.model.doors_with_something, "a technician blocked somebody's door"
            self.model.blocked.add(door)
            assert self._status(door) is Status.OUT_OF_SERVICE

    @rule(door=st.integers(1, 16))
    def a_technician_unblocks_a_door(self, door: int) -> None:
        if self.run_(service.unblock(self.m.world, TECHNICIAN, CompartmentNumber(door))) is None:
            assert not self._stands_open(door), "a door that stands open came back into service"
            self.model.blocked.discard(door)
            assert self._status(door) not in {Status.FAULTY, Status.OUT_OF_SERVICE}

    # --- the world ------------------------------------------------------------------------------------------

    @rule()
    def the_machine_restarts(self) -> None:
        self.run_(self.m.restart())

    @rule(seconds=st.integers(1, 2_000))
    def time_passes(self, seconds: int) -> None:
        self.run_(self.m.later(seconds * 1_000))
        self.run_(upkeep(self.m.world))

    @rule(door=st.integers(1, 16))
    def a_lock_jams(self, door: int) -> None:
        self.m.hands.jammed.add(door)

    @rule()
    def the_locks_are_oiled(self) -> None:
        self.m.hands.jammed.clear()

    @rule(outcome=st.sampled_from([PulseOutcome.UNCERTAIN, PulseOutcome.NOT_SENT, PulseOutcome.REFUSED]))
    def the_next_pulse_goes_wrong(self, outcome: PulseOutcome) -> None:
        self.m.hands.next_result = PulseResult(outcome, "test")

    # --- what must hold -------------------------------------------------------------------------------------

    @invariant()
    def what_lies_where_is_what_people_put_there(self) -> None:
        if not hasattr(self, "m"):
            return
        state = self.m.journal.state
        assert self.m.hands.inside == self.model.doors_with_something
        held = {d.door for d in state.deposits.values() if d.phase in HELD}
        assert held == self.model.doors_with_something
        vacant = {n for n, c in state.compartments.items() if c.status is Status.VACANT}
        assert not vacant & self.m.hands.inside
        out = {n for n, c in state.compartments.items() if c.blocked}
        assert out == self.model.blocked, "a block came or went without a technician"

    @invariant()
    def every_pulse_had_its_own_grant(self) -> None:
        if not hasattr(self, "m"):
            return
        granted = [e.door for e in self.m.journal.events(OpeningRequested)]
        for door, _ in self.m.hands.pulses:
            assert door in granted
            granted.remove(door)

    @invariant()
    def one_deposit_one_compartment(self) -> None:
        if not hasattr(self, "m"):
            return
        state = self.m.journal.state
        for door, compartment in state.compartments.items():
            if compartment.deposit:
                assert state.deposits[compartment.deposit].door == door
        live = [d.door for d in state.deposits.values() if not d.ended]
        assert len(live) == len(set(live))

    @invariant()
    def replaying_gives_the_same_state(self) -> None:
        """Each entry is read again once, on what those before it gave."""
        if not hasattr(self, "m"):
            return
        state, previous = self.replayed
        for entry in self.m.journal.entries[state.seq :]:
            seq, stamp, cause, event = read(entry.public, entry.personal)
            again = write(seq, stamp, cause, event, entry.salt, previous)
            assert again.hash == entry.hash
            state, previous = fold(state, seq, stamp, event), again.hash
        self.replayed = state, previous
        assert previous == self.m.journal.head
        assert state_text(state) == state_text(self.m.journal.state)

    # --- by hand --------------------------------------------------------------------------------------------

    def _typed(self, code: str) -> Any:
        return self.run_(present_typed(self.m.world, code))

    def _scanned(self, code: str) -> Any:
        return self.run_(present_scanned(self.m.world, code))

    def _status(self, door: int) -> Status:
        status: Status = self.m.journal.state.compartments[CompartmentNumber(door)].status
        return status

    def _stands_open(self, door: int) -> bool:
        return door in self._open_doors()

    def _open_doors(self) -> set[int]:
        return {n for n, reading in self.m.hands.readings.items() if reading.position is Position.OPEN}

    def _shut_all(self) -> None:
        for door in self._open_doors():
            self.run_(self.m.shut(door))

    def _leave(self, deposit: str) -> None:
        """The person goes; what stuck or waited is settled by time."""
        self.run_(self.m.later(6_000))
        self._shut_all()
        self.run_(drop_off.leave(self.m.world, DepositId(deposit)))
        record = self.m.journal.state.deposits[DepositId(deposit)]
        assert record.phase in {Phase.CANCELLED, Phase.RESERVED, Phase.UNCONFIRMED, Phase.EXPOSED}


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
