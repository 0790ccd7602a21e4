"""The centre's acts: taken once, by their number, and followed until it is known what came of each.

Whether an order is obeyed is decided on the durable state and written down before anything moves. After that
nothing here ever starts it again: a restart ends what was under way as unknown.
"""

import asyncio
from enum import StrEnum
from typing import Final

from locker.domain import opening as openings
from locker.domain.acceptance import Ended, Verdict
from locker.domain.acts import OPEN_ENDED, Act, ActKind, ActOrder, Phase, Why
from locker.domain.entry import Entry
from locker.domain.errors import Reason, Refusal
from locker.domain.events import ActAccepted, ActDone, ActExpired, ActFailed, ActRefused, ActUnknown, Event
from locker.domain.ids import ActId, DepositId, StaffId
from locker.domain.state import LockerState
from locker.operations.open_door import Answer, open_door
from locker.operations.ports import Decided, World
from locker.operations.remote_open import accept, accepted, good_until_ms, objection, obstacle
from locker.operations.self_test import Wish
from locker.operations.self_tester import SelfTester
from locker.operations.service import Technician

CAUSE: Final = "centre"
LOOK_MS: Final = 5_000
"""How often somebody looks on while a self-test runs that nobody on the spot follows."""
_STOOD_OPEN: Final = frozenset({openings.Phase.OPEN, openings.Phase.LEFT_OPEN, openings.Phase.CLOSED})


class Taken(StrEnum):
    """What became of an order when it came."""

    STALE = "stale"
    """Its number is not higher than all before: nothing was written, nothing moved."""
    EXPIRED = "expired"
    REFUSED = "refused"
    ACCEPTED = "accepted"


_TAKEN: Final = {ActAccepted: Taken.ACCEPTED, ActRefused: Taken.REFUSED, ActExpired: Taken.EXPIRED}


class Acts:
    """`take` one order after the other; `run` is one task; `entries_committed` is called on the loop."""

    def __init__(self, world: World, tester: SelfTester) -> None:
        self._world, self._tester = world, tester
        self._news = asyncio.Event()
        self._testing = ("", 0)
        """The act whose self-test runs, and that test's number."""

    async def take(self, order: ActOrder, arrived_ms: int, *, doubted: bool) -> Taken:
        """Obey an order whose signature was checked, or say why not. ``arrived_ms`` is monotonic.

        ``doubted``: the link cannot vouch for this locker's history just now.
        """
        good = Why.HISTORY_DOUBTED if doubted else good_until_ms(self._world, order, arrived_ms)
        until_ms = good if isinstance(good, int) else 0
        written: list[Event] | None = None

        def decide(state: LockerState) -> Decided[Answer]:
            nonlocal written
            decided = self._decide(state, order, good)
            written = list(decided.events)
            return decided

        answer = await open_door(self._world, CAUSE, decide, until_ms)
        if isinstance(answer, Refusal) and written is None:
            # No door opens at all just now, and the order was not even looked at.
            written = await self._refuse(order, answer.reason)
        return next((_TAKEN[type(fact)] for fact in written or () if type(fact) in _TAKEN), Taken.STALE)

    def _decide(self, state: LockerState, order: ActOrder, good: int | Why) -> Decided[Answer]:
        now_ms = self._world.clock.mono_ms()
        if _is_stale(state, order):
            return Decided(Refusal(Reason.NOT_NOW))
        if isinstance(good, int) and now_ms > good:
            return _not_now(ActExpired(order.act, order.aseq, order.kind, order.door))
        why: Why | Reason | None = good if isinstance(good, Why) else objection(state, order, now_ms)
        if why is None and order.kind == ActKind.OPEN:
            why = obstacle(state, order.door, now_ms)
        elif why is None and self._tester.running:
            why = Why.TEST_RUNS
        if why is not None:
            return _not_now(_refused(order, why))
        if order.kind == ActKind.OPEN:
            opened, facts = accept(self._world, state, order)
            return Decided(opened, facts)
        return _not_now(accepted(order))

    async def _refuse(self, order: ActOrder, why: Reason) -> list[Event]:
        def decide(state: LockerState) -> Decided[list[Event]]:
            facts = () if _is_stale(state, order) else (_refused(order, why),)
            return Decided(list(facts), facts)

        return await self._world.journal.commit(CAUSE, decide)

    # --- what comes of them ---

    def entries_committed(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        if entries and any(act.phase in OPEN_ENDED for act in state.acts.recent):
            self._news.set()

    async def run(self) -> None:
        """Follow for ever. Raises JournalFailing where the journal does."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.settle()
            if await self._follow_test():
                clock = self._world.clock
                clock.call_at(clock.mono_ms() + LOOK_MS, self._news.set)

    async def settle(self) -> None:
        """Journal what the doors have told of acts."""
        if outcomes(self._world.journal.state):
            await self._world.journal.commit(CAUSE, lambda state: Decided(None, outcomes(state)))

    async def _follow_test(self) -> bool:
        """Start the self-test of an accepted act, look on while it runs, say how it ended."""
        name, number = self._testing
        if not name:
            return await self._start_test()
        facts = await self._tester.progress(0, 0)
        if self._tester.number == number and self._tester.running:
            return True
        ended = facts[-1] if facts and self._tester.number == number else None
        verdict = ended.verdict if isinstance(ended, Ended) else Verdict.INCOMPLETE
        self._testing = ("", 0)
        await self._end_test(ActId(name), "" if verdict is Verdict.PASSED else verdict.value)
        return False

    async def _start_test(self) -> bool:
        recent = self._world.journal.state.acts.recent
        waiting = (a for a in recent if a.kind is ActKind.SELF_TEST and a.phase is Phase.ACCEPTED)
        act = next(waiting, None)
        if act is None:
            return False
        refusal = self._tester.start(Technician(StaffId(f"{CAUSE}/{act.act}"), local=True), Wish())
        if refusal is not None:
            await self._end_test(act.act, refusal.reason.value)
            return False
        self._testing = (act.act, self._tester.number)
        return True

    async def _end_test(self, key: ActId, why: str) -> None:
        def decide(state: LockerState) -> Decided[None]:
            act = state.acts.find(key)
            if act is None or act.phase is not Phase.ACCEPTED:
                return Decided(None)
            return Decided(None, (_failed(state, act, why) if why else _done(state, act),))

        await self._world.journal.commit(CAUSE, decide)


def _is_stale(state: LockerState, order: ActOrder) -> bool:
    return order.aseq <= state.acts.aseq or state.acts.find(order.act) is not None


def _not_now(fact: Event) -> Decided[Answer]:
    """No door is to be pulsed, and the journal says what was."""
    return Decided(Refusal(Reason.NOT_NOW), (fact,))


def _refused(order: ActOrder, why: Why | Reason) -> ActRefused:
    return ActRefused(order.act, order.aseq, order.kind, order.door, why.value)


def outcomes(state: LockerState) -> tuple[Event, ...]:
    """Of every act whose door has told."""
    found = (_outcome(state, act) for act in state.acts.recent)
    return tuple(fact for fact in found if fact is not None)


def cut_off(state: LockerState) -> tuple[Event, ...]:
    """At a start: what was under way, as far as its door had told before."""
    under_way = (act for act in state.acts.recent if act.phase is Phase.ACCEPTED)
    return tuple(
        _outcome(state, act) or ActUnknown(act.act, act.door, _lies(state, act)) for act in under_way
    )


def _outcome(state: LockerState, act: Act) -> Event | None:
    opening = state.openings.get(act.grant)
    if act.phase not in OPEN_ENDED or opening is None:
        return None
    if opening.phase in _STOOD_OPEN:
        return _done(state, act)
    if act.phase is Phase.ACCEPTED and opening.phase in openings.NEVER_OPENED:
        return _failed(state, act, opening.phase.value)
    return None


def _done(state: LockerState, act: Act) -> ActDone:
    return ActDone(act.act, act.door, _lies(state, act))


def _failed(state: LockerState, act: Act, why: str) -> ActFailed:
    return ActFailed(act.act, act.door, _lies(state, act), why)


def _lies(state: LockerState, act: Act) -> DepositId:
    compartment = state.compartments.get(act.door)
    return compartment.deposit if compartment is not None else DepositId("")
