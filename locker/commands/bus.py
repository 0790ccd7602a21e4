"""``bus inquire | frames | watch``: a technician looks at lines, boards, doors. It reads; nothing moves."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Protocol

from firmware_bridge import boards, scan
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.errors import LineClosed, ProfileError, RequestError
from firmware_bridge.wiring import Wiring
from locker.control import Answer
from locker.domain.door import Position
from locker.domain.entry import Entry
from locker.domain.events import DoorClosed, DoorForced, DoorOpened, DoorStuck, OpeningRequested
from locker.domain.figures import BoardFigures, LineFigures
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState
from locker.operations.ports import Clock

WAIT_MAX_MS: Final = 5_000
FRAMES_MAX: Final = 1_000
"""In one answer; whoever wants more asks again."""


class BadQuestion(Exception):
    """The question cannot be meant so. The message says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One opening of a door, by what was journaled since the daemon started. Moments are monotonic."""

    asked_ms: int
    wall_ms: int
    opened_ms: int | None = None
    shut_ms: int | None = None
    how: str = ""
    """``stuck`` or ``forced``; empty where it went as it should, so far."""


@dataclass(slots=True)
class LastOpenings:
    """Subscribes to the journal."""

    seen: dict[CompartmentNumber, Seen] = field(default_factory=dict)

    def entries_committed(self, _state: LockerState, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            at_ms, wall_ms = entry.stamp.mono_ms, entry.stamp.wall_ms
            match entry.event:
                case OpeningRequested(_, door):
                    self.seen[door] = Seen(at_ms, wall_ms)
                case DoorForced(door):
                    self.seen[door] = Seen(at_ms, wall_ms, at_ms, how="forced")
                case DoorOpened(door) if door in self.seen:
                    self.seen[door] = replace(self.seen[door], opened_ms=at_ms)
                case DoorClosed(door) if door in self.seen:
                    self.seen[door] = replace(self.seen[door], shut_ms=at_ms)
                case DoorStuck(door) if door in self.seen:
                    self.seen[door] = replace(self.seen[door], how="stuck")


class Journal(Protocol):
    """What is looked at of it."""

    @property
    def state(self) -> LockerState: ...

    def subscribe(self, callback: Callable[[LockerState, tuple[Entry, ...]], None]) -> Callable[[], None]: ...


def answers(cabinet: Cabinet, wiring: Wiring, clock: Clock, journal: Journal) -> Mapping[str, Answer]:
    tools = _Tools(cabinet, wiring, clock, journal, LastOpenings())
    journal.subscribe(tools.openings.entries_committed)
    return {"bus inquire": tools.inquire, "bus frames": tools.frames, "bus watch": tools.watch}


@dataclass(frozen=True, slots=True)
class _Tools:
    cabinet: Cabinet
    wiring: Wiring
    clock: Clock
    journal: Journal
    openings: LastOpenings

    async def inquire(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """``line``, ``profile``, ``address``, ``ask`` (of `scan.ASKS`); answers ``reply`` and ``took_ms``."""
        try:
            line, address = self._line(question), _int(question, "address")
            packets = self.wiring.lines[line].timing.packets
            profile = scan.hurried(boards.load(str(question.get("profile", ""))), packets=packets)
            if not scan.askable([profile], packets=packets):
                return _problem(f"line {line} is behind a gateway, which speaks Modbus alone")
            request = scan.request(profile, str(question.get("ask", "")))
            if request is None:
                return _problem(f"{profile.name} knows no such question")
            if not profile.address.min <= address <= profile.address.max:
                return _problem(f"address {address} is none of {profile.name}")
            if not scan.harmless(profile, address):
                return _problem(
                    f"another kind of board would take that for an order: {profile.name} at {address}"
                )
            answer = await self.cabinet.inquire(line, profile, address, request)
        except (BadQuestion, ProfileError, RequestError, LineClosed) as error:
            return _problem(str(error))
        return {"reply": scan.said(answer.reply), "took_ms": round(answer.took_s * 1000, 3)}

    async def frames(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """``line``; what passed its port from frame ``from`` on (none: nothing yet), after ``wait_ms``."""
        try:
            line, wait_ms = self._line(question), _wait_ms(question)
            start = _int(question, "from") if "from" in question else None
            await self._wait(wait_ms)
            frames = await self.cabinet.frames(line, (start or 1) - 1)
        except (BadQuestion, LineClosed) as error:
            return _problem(str(error))
        last = frames[-1].n if frames else (start or 1) - 1
        shown = frames[:FRAMES_MAX] if start is not None else ()
        rows = [[frame.n, frame.at_s, frame.sent, frame.data.hex()] for frame in shown]
        return {"last": last, "frames": rows}

    async def watch(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lines, boards and doors as they are after ``wait_ms``."""
        try:
            await self._wait(_wait_ms(question))
        except BadQuestion as error:
            return _problem(str(error))
        report, state = self.cabinet.report(), self.journal.state
        levels = dict(_levels(report))
        return {
            "now_ms": self.clock.mono_ms(),
            "lines": [_line(line) for line in report],
            "doors": [self._door(number, state, levels) for number in self.wiring.compartments],
        }

    async def _wait(self, wait_ms: int) -> None:
        if wait_ms:
            await self.clock.sleep_until(self.clock.mono_ms() + wait_ms)

    def _line(self, question: Mapping[str, Any]) -> str:
        line = question.get("line")
        if not isinstance(line, str) or line not in self.wiring.lines:
            raise BadQuestion(f"there is no line {line!r}; there are {', '.join(self.wiring.lines)}")
        return line

    def _door(
        self, number: CompartmentNumber, state: LockerState, levels: Mapping[str, bool | None]
    ) -> dict[str, Any]:
        wired, reading = self.wiring.compartments[number], self.cabinet.reading(number)
        compartment, seen = state.compartments.get(number), self.openings.seen.get(number)
        return {
            "door": number,
            "lock": str(wired.lock),
            "sensor": str(wired.sensor),
            "level": levels.get(str(wired.sensor)),
            "position": reading.position,
            "journaled": compartment.position if compartment else Position.UNKNOWN,
            "item": reading.item,
            "status": compartment.status if compartment else "",
            "opening": asdict(seen) if seen else None,
        }


def _line(line: LineFigures) -> dict[str, Any]:
    return {**asdict(line), "boards": [_board(board) for board in line.boards]}


def _board(board: BoardFigures) -> dict[str, Any]:
    return {**asdict(board), "error_rate": board.error_rate}


def _levels(report: tuple[LineFigures, ...]) -> list[tuple[str, bool | None]]:
    """The last raw level of every input that is polled, by its place."""
    return [
        (f"{board.board}/{board.first + at}", level)
        for line in report
        for board in line.boards
        for at, level in enumerate(board.levels)
    ]


def _wait_ms(question: Mapping[str, Any]) -> int:
    wait_ms = _int(question, "wait_ms") if "wait_ms" in question else 0
    if wait_ms > WAIT_MAX_MS:
        raise BadQuestion(f"wait_ms is at most {WAIT_MAX_MS}")
    return wait_ms


def _int(question: Mapping[str, Any], key: str) -> int:
    value = question.get(key)
    if type(value) is not int or value < 0:
        raise BadQuestion(f"{key} is a whole number, not below 0")
    return value


def _problem(problem: str) -> Mapping[str, Any]:
    return {"ok": False, "problem": problem}
