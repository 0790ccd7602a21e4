"""Slips, desks and lockers move one item in any order: its way and its hands never contradict each other."""

import contextlib
from functools import partial
from random import Random  # noqa: TID251  # seeded: the same walk every time

import pytest

from locker.domain import events as ev
from locker.domain.deposit import Proof
from locker.domain.ids import DepositId, StaffId
from sync.central.custody import hand_over
from sync.central.custody.hand_over import Proposal, Receipt
from sync.central.custody.parties import ROUTES, Kind, Party
from sync.central.custody.tables import HELD
from sync.central.desk import Refused
from sync.central.onward import moves
from sync.central.onward.hands import HELD_BY, follow
from sync.central.onward.moves import Move
from sync.central.onward.tables import ONWARD
from sync.central.onward.ways import Signal, State
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import GIVER, TAKER, lived, loaded, tell
from tests.sync.central.test_cases import announce

STEPS = 25
PARTIES = {
    Kind.HELPER: "h-1",
    Kind.WINDOW: "3 号窗口",
    Kind.DEPARTMENT: "市场监管局",
    Kind.COURIER: "市内专送",
}


class Walk:
    """One item that a helper took out, and chance."""

    def __init__(self, parts: Parts, seed: int) -> None:
        self.parts, self.chance = parts, Random(seed)
        self.item = announce(parts)
        self.stays = 1
        self.moved = set[str]()
        lived(parts, *loaded(self.item, 1))
        self.withdrawn()

    def withdrawn(self) -> None:
        tell(self.parts, ev.ItemWithdrawn(DepositId(f"o{self.stays}"), StaffId("h-1"), Proof.SENSED))

    def desk(self) -> None:
        signal = self.chance.choice(list(Signal))
        asked = Move(signal, "EMS", "EA123456789CN", "", self.chance.choice(["", "3 号窗口"]))
        work = partial(moves.move, desk=self.parts.desk, actor=TAKER, item=self.item, asked=asked)
        self.moved.add(self.parts.store.write_now(work))

    def slip(self) -> None:
        (held,) = self.parts.rows(HELD)
        giver = Party(Kind(held.holder_kind), held.holder)
        receiver = self.chance.choice(sorted(ROUTES.get(giver.kind, {Kind.WINDOW})))
        wanted = Proposal(giver, Party(receiver, PARTIES[receiver]), (held.thing,))
        propose = partial(hand_over.propose, desk=self.parts.desk, actor=GIVER, wanted=wanted)
        slip = self.parts.store.write_now(propose)
        receipt = Receipt(frozenset({held.thing}), {})
        settle = partial(hand_over.settle, desk=self.parts.desk, actor=TAKER, slip=slip, receipt=receipt)
        self.parts.store.write_now(settle)
        self.moved.add(f"slip to {receiver}")

    def locker(self) -> None:
        """Loaded anew and taken out again."""
        self.stays = self.stays % 6 + 1
        tell(self.parts, *loaded(self.item, self.stays))
        self.agrees()
        self.withdrawn()

    def agrees(self) -> None:
        (held,) = self.parts.rows(HELD)
        state = next((State(row.state) for row in self.parts.rows(ONWARD)), State.NOWHERE)
        assert held.holder_kind in HELD_BY.get(state, set(Kind)), (state, held.holder_kind, self.moved)
        if held.holder_kind == Kind.WINDOW:
            assert state in {State.AT_WINDOW, State.CAME_BACK, State.TO_POST, State.TO_WINDOW}, state


@pytest.mark.parametrize("seed", range(2))
def test_whoever_moves_it_way_and_hands_agree(parts: Parts, seed: int) -> None:
    if parts.store.url is not None:
        pytest.skip("the rules are those of no database, and a walk takes long on a server")
    walk = Walk(parts, seed)
    for _ in range(STEPS):
        step = walk.chance.choice([walk.desk] * 6 + [walk.slip] * 4 + [walk.locker])
        with contextlib.suppress(Refused):
            step()
        walk.agrees()
    assert len(walk.moved) > 3


def test_a_slip_that_a_window_accepted_moves_the_item_and_a_desk_moves_the_hands(parts: Parts) -> None:
    walk = Walk(parts, 0)
    wanted = Proposal(Party(Kind.HELPER, "h-1"), Party(Kind.WINDOW, "3 号窗口"), (f"result/{walk.item}",))
    slip = parts.store.write_now(lambda c: hand_over.propose(c, parts.desk, GIVER, wanted))
    receive = partial(moves.move, desk=parts.desk, actor=TAKER, item=walk.item)
    parts.store.write_now(partial(receive, asked=Move(Signal.CHOOSE_WINDOW)))
    with pytest.raises(Refused, match="settle that one first"):
        parts.store.write_now(partial(receive, asked=Move(Signal.RECEIVE)))
    counted = Receipt(frozenset(wanted.things), {})
    parts.store.write_now(lambda c: hand_over.settle(c, parts.desk, TAKER, slip, counted))
    assert [row.state for row in parts.rows(ONWARD)] == ["at_window"]
    parts.store.write_now(partial(receive, asked=Move(Signal.HAND_OUT)))
    assert [(row.holder_kind, row.confirmed) for row in parts.rows(HELD)] == [("recipient", True)]


def test_no_hands_make_a_state_that_contradicts_them() -> None:
    for state in State:
        for kind in Kind:
            after = follow(state, kind)
            assert kind in HELD_BY.get(after, set(Kind)), (state, kind, after)
