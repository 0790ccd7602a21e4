"""A wiring learned live: each vacant door opened once through the journal, every input watched meanwhile.

Until a wiring is proved, its sensors may not tell of doors. So nothing of what the cabinet makes of them is
journaled here, but what the trials show, and what the technician vouches for: that all doors were shut.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from firmware_bridge.debounce import READS
from firmware_bridge.request import Bits, ReadDoors
from firmware_bridge.wiring import BoardWiring, Place, Wiring
from locker.assembly import Assembly
from locker.ctl import learning
from locker.ctl.learning import Finding, Levels, Phase, Result, Trial
from locker.domain.door import DoorMoved, DoorReading, Position, Presence, Report
from locker.domain.errors import Refusal
from locker.domain.ids import BoardId, CompartmentNumber, StaffId
from locker.domain.opening import Phase as Opening
from locker.operations.follow_doors import conclude
from locker.operations.service import Technician, test_open

START_MS: Final = 10_000
"""Every board has said what it is by then, or it is not there."""
SETTLED_MS: Final = 15_000
"""Longer than any door may take to open."""
LOOK_MS: Final = 50
STDIN: Final = 0
READ_BYTES: Final = 4096


class CannotLearn(Exception):
    """Nothing can be learned as it is. The message says why, and what to do."""


def believed(report: Report) -> bool:
    """What the cabinet reports without looking through an unproved sensor."""
    return not isinstance(report, DoorMoved)


class Keyboard:
    """What is typed, a line at a time, without waiting for it. Make it on the event loop."""

    def __init__(self, descriptor: int = STDIN) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._rest = b""
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        try:
            self._loop.add_reader(descriptor, self._read)
        except PermissionError:  # a file, or nothing at all
            self._lines.put_nowait(None)

    async def line(self) -> str:
        """The next one. Raises CannotLearn where nobody is there to type."""
        line = await self._lines.get()
        if line is None:
            raise CannotLearn("nobody answers: run it where a technician can type")
        return line

    def typed(self) -> str:
        """One that was typed already, or nothing."""
        line = "" if self._lines.empty() else self._lines.get_nowait()
        if line is None:
            self._lines.put_nowait(None)  # the end is for whoever waits for a line
        return line or ""

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        data = os.read(self._descriptor, READ_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.put_nowait(line.decode(errors="replace").strip())
        if not data:
            self._lines.put_nowait(None)
            self.close()


@dataclass(frozen=True, slots=True)
class Lesson:
    """``say`` shows a line to the technician."""

    wiring: Wiring
    parts: Assembly
    keyboard: Keyboard
    staff: StaffId
    say: Callable[[str], None]
    last: dict[BoardId, Levels] = field(default_factory=dict)
    """What each board's inputs said when they were read last."""

    async def run(self) -> tuple[Result, ...]:
        """One result a door, as far as it went. The lines must be running. Raises CannotLearn."""
        await self._boards_answer()
        self.say("Shut every door, then press Enter; Ctrl-C ends at any time.")
        await self.keyboard.line()
        results: list[Result] = []
        for door in self.wiring.compartments:
            results.append(await self._door(door))
            self.say(_told(results[-1]))
            if order := learning.status_order(self.wiring, results):
                raise CannotLearn(order)
        return tuple(results)

    async def _boards_answer(self) -> None:
        """Raises CannotLearn where one does not, before any door moves."""
        clock = self.parts.world.clock
        until_ms = clock.mono_ms() + START_MS
        while "starting" in self._standings() and clock.mono_ms() < until_ms:
            await clock.sleep_until(clock.mono_ms() + LOOK_MS)
        problems = list(self._absent())
        if problems:
            raise CannotLearn("; ".join(problems))

    def _standings(self) -> set[str]:
        return {board.standing for line in self.parts.cabinet.report() for board in line.boards}

    def _absent(self) -> Iterator[str]:
        for line in self.parts.cabinet.report():
            down = [board for board in line.boards if board.standing != "serving"]
            if len(down) == len(line.boards):
                yield f"line {line.line}: no board answers: swap A and B, check power, baud and termination"
            else:
                yield from (f"board {b.board}: {b.why or b.standing}; see lockerctl bus scan" for b in down)

    async def _door(self, door: CompartmentNumber) -> Result:
        trial = Trial(_inputs(self.wiring), _reads(self.wiring))
        self.last.clear()
        while await self._look(trial) is Phase.RESTING:
            pass
        if not trial.rest:
            return Result(door, Finding.NOTHING_MOVED, why="no input can be read")
        await self._vouch_shut(door)
        self.say(f"door {door}: opening …")
        answer = await test_open(self.parts.world, Technician(self.staff, local=True), door)
        if isinstance(answer, Refusal):
            return Result(door, Finding.NOT_TRIED, why=f"not opened: {answer.reason.value}")
        trial.fired()
        return await self._watched(door, trial)

    async def _watched(self, door: CompartmentNumber, trial: Trial) -> Result:
        """From the pulse until the door is shut again."""
        other: CompartmentNumber | None = None
        shown = False
        while await self._look(trial) in {Phase.AWAITING, Phase.STANDING}:
            if trial.phase is Phase.AWAITING:
                if why := self._never(door):
                    trial.give_up()
                    return Result(door, Finding.NOTHING_MOVED, why=why)
                continue
            if not shown:
                self._report(door, Position.OPEN)
                self.say(f"door {door} is open: push it shut. (Another one? Type its number first.)")
                self.keyboard.typed()
                shown = True
            other = other or await self._other(door)
        self._report(other or door, Position.CLOSED)
        await self._settled(door)
        if other is not None:
            return Result(door, Finding.OTHER_DOOR, why=f"door {other}")
        return learning.result(door, trial, _items(self.wiring))

    async def _other(self, door: CompartmentNumber) -> CompartmentNumber | None:
        """Another door that the technician sees open instead: whatever lies in it must be looked after."""
        typed = self.keyboard.typed()
        if not typed.isdecimal() or int(typed) == door or int(typed) not in self.wiring.compartments:
            return None
        other = CompartmentNumber(int(typed))
        self._report(door, Position.CLOSED)
        await self._vouch_shut(other)
        self._report(other, Position.OPEN)
        return other

    async def _vouch_shut(self, door: CompartmentNumber) -> None:
        """The technician's word that it was shut before its lock was pulsed."""
        world = self.parts.world
        shut = DoorMoved(door, DoorReading(Position.CLOSED, Presence.UNKNOWN), world.clock.mono_ms())
        await world.journal.commit(f"staff/{self.staff}", lambda state: conclude(world, state, shut))

    def _report(self, door: CompartmentNumber, position: Position) -> None:
        """What a trial has shown, for the journal."""
        at_ms = self.parts.world.clock.mono_ms()
        self.parts.follower.report(DoorMoved(door, DoorReading(position, Presence.UNKNOWN), at_ms))

    def _never(self, door: CompartmentNumber) -> str:
        """Why this opening will not show any more; empty while it may."""
        opening = self.parts.world.journal.state.opening_of(door)
        if opening is None or opening.live:
            return ""
        return NEVER.get(opening.phase, "it ended without moving anything")

    async def _settled(self, door: CompartmentNumber) -> None:
        """Until the journal knows how it ended. Raises CannotLearn where it does not follow."""
        world = self.parts.world
        until_ms = world.clock.mono_ms() + SETTLED_MS
        while (opening := world.journal.state.opening_of(door)) is not None and opening.live:
            if world.clock.mono_ms() > until_ms:
                raise CannotLearn("what the doors did is not written down: see the journal's disk")
            await world.clock.sleep_until(world.clock.mono_ms() + LOOK_MS)

    async def _look(self, trial: Trial) -> Phase:
        """All inputs of all boards, read now; at once again where something is not as it was last time."""
        clock = self.parts.world.clock
        await clock.sleep_until(clock.mono_ms() + LOOK_MS)
        for board in self.wiring.boards.values():
            if board.profile.inputs is None:
                continue
            levels = await self._read(board, board.profile.inputs.channels)
            fresh = levels != self.last.get(board.board)
            trial.heard(levels)
            for _ in range(trial.reads - 1 if fresh else 0):
                levels = await self._read(board, board.profile.inputs.channels)
                trial.heard(levels)
            self.last[board.board] = levels
        return trial.phase

    async def _read(self, board: BoardWiring, channels: int) -> Levels:
        asked = ReadDoors(board.board, 1, channels)
        reply = (await self.parts.cabinet.inquire(board.line, board.profile, board.address, asked)).reply
        said = reply.levels if isinstance(reply, Bits) else (None,) * channels
        return {Place(board.board, n): level for n, level in enumerate(said, 1)}


NEVER: Final = {
    Opening.STUCK: "no input moved: it is stuck, or its sensor or its lock is not connected",
    Opening.REFUSED: "its board refused the pulse",
    Opening.NOT_SENT: "its pulse was not sent",
}


def _reads(wiring: Wiring) -> int:
    """Equal readings that every board's inputs are believed by."""
    inputs = [board.profile.inputs for board in wiring.boards.values()]
    return max((each.believe_reads for each in inputs if each is not None), default=READS)


def _inputs(wiring: Wiring) -> frozenset[Place]:
    return frozenset(
        Place(board.board, n)
        for board in wiring.boards.values()
        if board.profile.inputs is not None
        for n in range(1, board.profile.inputs.channels + 1)
    )


def _items(wiring: Wiring) -> frozenset[Place]:
    return frozenset(wired.item for wired in wiring.compartments.values() if wired.item is not None)


def _told(each: Result) -> str:
    if each.sensor is not None:
        return f"door {each.door}: seen by {each.sensor}, {each.closed_level:d} when shut"
    moved = f" ({', '.join(map(str, each.moved))})" if each.moved else ""
    if each.finding is Finding.NOT_TRIED and each.why:
        return f"door {each.door}: {each.why}"
    return f"door {each.door}: {each.finding.value.replace('_', ' ')}{moved} {each.why}".rstrip()
