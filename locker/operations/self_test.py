"""One self-test: the acceptance test of a cabinet, by the same driver, journal and rights as every opening.

Vacant doors only, one after the other, each by a grant of its own. The next one opens when the last one was
seen shut: a person stands there and pushes it home. What is found goes to ``tell`` as small facts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from locker.domain.acceptance import (
    Began,
    BoardResult,
    Doing,
    DoorResult,
    Ended,
    Fact,
    Finding,
    LineResult,
    Outcome,
    Step,
    judged_board,
    judged_line,
    limit_ms,
    verdict,
)
from locker.domain.compartment import Status
from locker.domain.door import Position
from locker.domain.entry import Entry
from locker.domain.errors import Refusal
from locker.domain.events import DoorForced, SelfTestBegan, SelfTestEnded
from locker.domain.figures import LineFigures
from locker.domain.ids import CompartmentNumber
from locker.operations.bell import Bell
from locker.operations.door_trace import Trace, listed, turned_away, unfit
from locker.operations.ports import Decided, JournalFailing, World
from locker.operations.service import Technician, test_open

IDENTIFY_MS: Final = 10_000
"""A board that starts or is asked anew has said what it is by then."""
LOOK_MS: Final = 250
GRACE_MS: Final = 2_000
"""After the deadline of an opening its outcome is in the journal."""
POLL_PARTS: Final = 10
FOLLOWED_MS: Final = 15_000
"""Whoever follows asks every few seconds."""
_POLLED_ANYWAY: Final = frozenset({Finding.NONE, Finding.NOT_SHUT})
_SETTLING: Final = frozenset({"starting", "doubted"})
_NO_DOOR: Final = CompartmentNumber(0)


@dataclass(frozen=True, slots=True)
class Wish:
    """``doors``: empty for all. ``go_on``: also past a door that was not seen shut within ``close_s``."""

    doors: tuple[CompartmentNumber, ...] = ()
    poll_s: int = 30
    close_s: int = 60
    go_on: bool = False


class SelfTest:
    """``figures`` looks at the lines; ``line_of`` says on which line a door's sensor hangs.

    ``mute``: doors whose lock board never replies to a pulse.
    """

    def __init__(
        self,
        world: World,
        figures: Callable[[], tuple[LineFigures, ...]],
        line_of: Mapping[CompartmentNumber, str],
        who: Technician,
        wish: Wish,
        tell: Callable[[Fact], None],
        mute: frozenset[CompartmentNumber] = frozenset(),
    ) -> None:
        self._world, self._figures, self._line_of = world, figures, line_of
        self._who, self._wish, self._tell, self._mute = who, wish, tell, mute
        self._doors = wish.doors or tuple(world.journal.state.compartments)
        self._results: list[BoardResult | DoorResult | LineResult] = []
        self._bell = Bell(world.clock)
        self._trace: Trace | None = None
        self._alone: set[CompartmentNumber] = set()
        self._stopping = False
        self._followed_ms = world.clock.mono_ms()
        self._detection_s: Mapping[str, float] = {}
        self._done = 0

    def entries_committed(self, entries: tuple[Entry, ...]) -> None:
        """What became durable, in order; called on the event loop."""
        for entry in entries:
            if self._trace is not None:
                self._trace.heard(entry)
            elif isinstance(entry.event, DoorForced):
                self._alone.add(entry.event.door)
        self._bell.ring()

    def followed(self) -> None:
        """Somebody looks on just now."""
        self._followed_ms = self._world.clock.mono_ms()

    def stop(self) -> None:
        """End in order and soon: no further door, no further poll. What was found stands."""
        self._stopping = True
        self._bell.ring()

    async def run(self) -> None:
        """To the end, whatever it is; the last fact told is `Ended`."""
        begun_ms, wish = self._world.clock.wall_ms(), self._wish
        self._tell(Began(begun_ms, self._who.staff, self._doors, wish.poll_s, wish.close_s))
        spoilt, about = Finding.NONE, ""
        before: tuple[LineFigures, ...] = ()
        try:
            await self._journal(SelfTestBegan(self._who.staff, self._doors))
            before = await self._identify()
            spoilt, about = await self._try_doors()
            if spoilt in _POLLED_ANYWAY:
                spoilt = await self._poll() or spoilt
        except JournalFailing:
            spoilt = Finding.JOURNAL_FAILING
        self._judge_lines(before)
        if not spoilt and self._alone:
            spoilt, about = Finding.OPENED_ALONE, listed(self._alone)
        await self._end(spoilt, about)

    async def _journal(self, fact: SelfTestBegan | SelfTestEnded) -> None:
        await self._world.journal.commit(f"staff/{self._who.staff}", lambda _state: Decided(None, (fact,)))

    def _found(self, result: BoardResult | DoorResult | LineResult) -> None:
        self._results.append(result)
        self._tell(result)

    def _step(self, doing: Doing, door: CompartmentNumber = _NO_DOOR) -> None:
        parts = 1 + 2 * len(self._doors) + POLL_PARTS
        self._tell(Step(doing, door, min(self._done, parts), parts))

    async def _until(self, over: Callable[[], bool], until_ms: int) -> None:
        """Until it is over, too late, or to be stopped."""
        clock = self._world.clock
        while not (over() or self._stopping) and clock.mono_ms() < until_ms:
            await self._bell.wait(until_ms)

    # Boards

    async def _identify(self) -> tuple[LineFigures, ...]:
        """What each board says it is; returns the figures from which the lines are judged."""
        self._step(Doing.IDENTIFYING)
        clock = self._world.clock
        until_ms = clock.mono_ms() + IDENTIFY_MS
        lines = self._figures()
        while _settling(lines) and not self._stopping and clock.mono_ms() < until_ms:
            await self._bell.wait(clock.mono_ms() + LOOK_MS)
            lines = self._figures()
        for line in lines:
            for board in line.boards:
                self._found(judged_board(board))
        self._detection_s = {line.line: line.detection_s for line in lines}
        self._done = 1
        return lines

    def _judge_lines(self, before: tuple[LineFigures, ...]) -> None:
        known = {line.line: line for line in before}
        doors = [each for each in self._results if isinstance(each, DoorResult)]
        for line in self._figures():
            on_it = [door for door in doors if self._line_of[door.door] == line.line]
            if line.line in known:
                self._found(judged_line(known[line.line], line, on_it))

    async def _poll(self) -> Finding:
        begun_ms = self._world.clock.mono_ms()
        for part in range(1, POLL_PARTS + 1):
            self._step(Doing.POLLING)
            await self._until(lambda: False, begun_ms + part * self._wish.poll_s * 1000 // POLL_PARTS)
            if self._stopping:
                return Finding.STOPPED
            self._done += 1
        return Finding.NONE

    # Doors

    async def _try_doors(self) -> tuple[Finding, str]:
        """All of them, or until something cuts it short: what, and about which door."""
        for door in self._doors:
            if self._stopping:
                return Finding.STOPPED, ""
            if self._world.clock.mono_ms() - self._followed_ms > FOLLOWED_MS:
                return Finding.NOBODY_FOLLOWS, ""
            result = await self._door(door)
            self._done += 2
            self._found(result)
            stands_open = result.opened_ms is not None and result.shut_ms is None
            if stands_open and not self._wish.go_on and result.finding is not Finding.STOPPED:
                return Finding.NOT_SHUT, str(door)
        return Finding.NONE, ""

    async def _door(self, door: CompartmentNumber) -> DoorResult:
        compartment = self._world.journal.state.compartments[door]
        self._step(Doing.OPENING, door)
        if compartment.status is not Status.VACANT:
            return DoorResult(door, Outcome.SKIPPED, Finding.NOT_VACANT, compartment.status.value)
        if hindrance := unfit(compartment):
            finding, about = hindrance
            before = compartment.item
            return DoorResult(door, Outcome.FAILED, finding, about, item_before=before, item_after=before)
        trace = self._trace = Trace(door, compartment.item)
        try:
            answer = await test_open(self._world, self._who, door)
            if isinstance(answer, Refusal):
                return trace.result(*turned_away(answer))
            await self._follow(trace)
        finally:
            self._trace = None
        return self._judged(trace)

    async def _follow(self, trace: Trace) -> None:
        clock, policy = self._world.clock, self._world.journal.state.policy
        until_ms = clock.mono_ms() + policy.open_deadline_ms + GRACE_MS
        await self._until(lambda: trace.ended or trace.opened_ms is not None, until_ms)
        if trace.opened_ms is None:
            return
        self._done += 1
        self._step(Doing.AWAITING_SHUT, trace.door)
        self._done -= 1
        await self._until(lambda: trace.shut_ms is not None, clock.mono_ms() + self._wish.close_s * 1000)

    def _judged(self, trace: Trace) -> DoorResult:
        door = trace.door
        detection_s = self._detection_s.get(self._line_of[door])
        return trace.judged(
            unseen=self._world.doors.reading(door).position is Position.UNKNOWN,
            stopping=self._stopping,
            replies=door not in self._mute,
            item_sensor=self._world.journal.state.compartments[door].spec.item_sensor,
            limit_ms=None if detection_s is None else limit_ms(detection_s),
        )

    # The end

    async def _end(self, spoilt: Finding, about: str) -> None:
        tried = {each.door for each in self._results if isinstance(each, DoorResult)}
        for door in self._doors:
            if door not in tried:
                self._found(DoorResult(door, Outcome.SKIPPED, Finding.NOT_REACHED))
        passed, failed, skipped = (self._with(outcome) for outcome in Outcome)
        if not (spoilt or passed or failed):
            spoilt = Finding.NO_DOOR
        judged = verdict(self._results, spoilt)
        try:
            await self._journal(SelfTestEnded(judged, passed, failed, skipped))
        except JournalFailing:
            spoilt, about = Finding.JOURNAL_FAILING, ""
        self._tell(Ended(self._world.clock.wall_ms(), judged, spoilt, about, passed, failed, skipped))

    def _with(self, outcome: Outcome) -> tuple[CompartmentNumber, ...]:
        doors = (each for each in self._results if isinstance(each, DoorResult))
        return tuple(each.door for each in doors if each.outcome is outcome)


def _settling(lines: tuple[LineFigures, ...]) -> bool:
    return any(board.standing in _SETTLING for line in lines for board in line.boards)
