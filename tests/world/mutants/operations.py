"""Mistakes in how a door is opened, and in what sensors and time make of it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from locker.domain.deposit import Proof
from locker.domain.door import DoorMoved, Position, PulseOutcome
from locker.domain.opening import Phase
from locker.domain.state import LockerState
from locker.operations import drop_off, follow_doors, open_door, pick_up
from locker.operations.open_door import Answer, Opened
from locker.operations.ports import Decided, JournalFailing, World
from tests.world.mutants.mutant import everywhere, mutant, replaced, table

Decide = Callable[[LockerState], Decided[Answer]]


def _deadline_ms(world: World) -> int:
    return world.clock.mono_ms() + world.journal.state.policy.pulse_deadline_ms


def _on_site(how: Mapping[str, Any]) -> bool:
    """Of what `open_door.open_door` was told, the part that says where its right comes from."""
    return bool(how.get("on_site"))


@mutant({1}, "visits")
def intent_after_the_pulse() -> Iterator[None]:
    """The door first, so that nobody waits for the disk; what was done is written down after."""

    async def eager(world: World, cause: str, decide: Decide, *_until_ms: int | None, **how: Any) -> Answer:
        decided = open_door._while_powered(world.journal.state, decide, on_site=_on_site(how))
        if not isinstance(decided.answer, Opened):
            return await world.journal.commit(cause, lambda _state: decided)
        result = await world.doors.pulse(decided.answer.door, _deadline_ms(world))
        fact = open_door._fact(decided.answer.grant, result)
        return await world.journal.commit(
            cause, lambda _state: Decided(decided.answer, (*decided.events, fact))
        )

    with everywhere(open_door.open_door, eager):
        yield


@mutant({1}, "slow disk")
def grant_is_not_waited_for() -> Iterator[None]:
    """The grant is given to the journal's thread, and the pulse goes out while it is being written."""

    async def eager(world: World, cause: str, decide: Decide, *_until_ms: int | None, **how: Any) -> Answer:
        heard: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def deciding(state: LockerState) -> Decided[Answer]:
            decided = open_door._while_powered(state, decide, on_site=_on_site(how))
            heard.set_result(decided.answer)
            return decided

        writing = asyncio.ensure_future(world.journal.commit(cause, deciding))
        answer = await heard
        if isinstance(answer, Opened):
            await open_door.pulse(world, answer, _deadline_ms(world))
        return await writing

    with everywhere(open_door.open_door, eager):
        yield


@mutant({2}, "deaf replies")
def uncertain_is_tried_again() -> Iterator[None]:
    """No answer from the board: the operation sends the pulse a second time under the same grant."""

    async def stubborn(world: World, opened: Opened, deadline_ms: int) -> None:
        result = await world.doors.pulse(opened.door, deadline_ms)
        if result.outcome is PulseOutcome.UNCERTAIN:
            now_ms = world.clock.mono_ms()
            await world.clock.sleep_until(now_ms + 3_500)  # the lock's own rest
            result = await world.doors.pulse(opened.door, now_ms + 8_000)
        fact = open_door._fact(opened.grant, result)
        await world.journal.commit("wire", lambda _state: Decided(None, (fact,)))

    with everywhere(open_door.pulse, stubborn):
        yield


@mutant({2}, "slow disk")
def late_after_a_slow_commit() -> Iterator[None]:
    """The deadline counts from when the grant was written, not from when the person pressed."""

    async def patient(world: World, cause: str, decide: Decide, *_until_ms: int | None, **how: Any) -> Answer:
        answer = await world.journal.commit(
            cause, lambda state: open_door._while_powered(state, decide, on_site=_on_site(how))
        )
        if isinstance(answer, Opened):
            await open_door.pulse(world, answer, _deadline_ms(world))
        return answer

    with everywhere(open_door.open_door, patient):
        yield


@mutant({16, 1}, "full disk")
def failing_journal_is_ignored() -> Iterator[None]:
    """Nobody is to stand before a shut door because of a log file: opens go on where it cannot be written."""

    async def helpful(world: World, cause: str, decide: Decide, *until_ms: int | None, **how: Any) -> Answer:
        deadline_ms = _deadline_ms(world)
        try:
            return await honest(world, cause, decide, *until_ms, **how)
        except JournalFailing:
            answer = open_door._while_powered(world.journal.state, decide, on_site=_on_site(how)).answer
            if isinstance(answer, Opened):
                await world.doors.pulse(answer.door, deadline_ms)
            return answer

    honest = open_door.open_door
    with everywhere(honest, helpful):
        yield


@mutant({2, 7}, "cut while opening")
def unknown_is_pulsed_again() -> Iterator[None]:
    """After a restart the person still stands there: a door found shut is opened for them once more."""
    honest = follow_doors.conclude

    def helpful(world: World, state: LockerState, happening: Any) -> Decided[Opened | None]:
        decided = honest(world, state, happening)
        if not isinstance(happening, DoorMoved) or happening.reading.position is not Position.CLOSED:
            return decided
        opening = state.opening_of(happening.door)
        if opening is None or opening.phase is not Phase.UNKNOWN:
            return decided
        if state.compartments[happening.door].position is not Position.UNKNOWN:
            return decided
        return replace(decided, answer=Opened(opening.grant, opening.door, opening.deposit))

    with replaced(follow_doors, "conclude", helpful):
        yield


@mutant({3}, "vandals")
def forced_door_is_not_noticed() -> Iterator[None]:
    """A door that opens though nobody asked it to is taken for a bouncing sensor."""
    with replaced(follow_doors, "_forced", lambda _world, _state, _number: ()):
        yield


@mutant({6, 24}, "left open")
def left_open_is_not_noticed() -> Iterator[None]:
    """A door that is never shut raises nothing."""
    with replaced(follow_doors, "_left_open", lambda _state, _key: ()):
        yield


@mutant({6, 5}, "visits")
def collected_by_code_alone() -> Iterator[None]:
    """Who has shown the code has the item: the collection is written down with the grant."""
    honest = pick_up._decide

    def hasty(world: World, state: LockerState, offer: Any, phone4: str) -> Decided[Answer]:
        decided = honest(world, state, offer, phone4)
        if not isinstance(decided.answer, Opened):
            return decided
        gone = pick_up.collected(state, state.deposits[offer.deposit], Proof.DECLARED)
        return replace(decided, events=(*decided.events, *gone))

    with replaced(pick_up, "_decide", hasty):
        yield


@mutant({6, 5}, "looks only")
def collected_by_shutting_the_door() -> Iterator[None]:
    """A pickup's door was opened and shut: whoever it was has what was inside, whatever the sensor says."""

    def hasty(_world: World, state: LockerState, opening: Any, _item: Any) -> Any:
        deposit = state.deposits[opening.deposit]
        return pick_up.collected(state, deposit, Proof.DECLARED)

    table_ = dict(follow_doors.ON_CLOSED)
    table_[next(key for key, value in table_.items() if value is pick_up.closed)] = hasty
    with replaced(follow_doors, "ON_CLOSED", table_):
        yield


@mutant({24}, "walk away")
def reservation_is_never_released() -> Iterator[None]:
    """Who goes away without a word keeps their compartment for ever."""
    with replaced(drop_off, "released", lambda _state, _key: ()):
        yield


MUTANTS = table(globals())
