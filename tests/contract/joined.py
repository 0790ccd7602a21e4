"""The product's cabinet and a simulated one on the same wires, in one process, under virtual time.

Neither knows of the other: bytes and moments are all that passes. A line hands over each byte when the wire
would, or several at once, as ports do that gather before they tell.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from firmware_bridge import boards
from firmware_bridge.bus import Bus, Send
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.line import Action, OpenPort, Port
from firmware_bridge.wiring import CompartmentConfig, Experimental, LineConfig, Wiring
from hw_sim import hands
from hw_sim.boards.profiles import CLOSED_WHEN_LOCKED
from hw_sim.cabinet import Cabinet as Model
from hw_sim.cabinet import Move, Pulse
from hw_sim.chance import Chance
from hw_sim.clock import to_ms
from hw_sim.faults import Faults, changed
from hw_sim.gateway import Gateway
from hw_sim.layout import BoardPlan, CompartmentPlan, Layout, LinePlan, Terminal
from hw_sim.line import Kind, Line, Seen, Wire
from hw_sim.physics import Mechanics
from locker.domain.door import DoorReading, Position, PulseResult, Report
from locker.domain.ids import BoardId, CompartmentNumber

T = TypeVar("T")
R = TypeVar("R")

EYES, HANDS = "inputs-32", "waveshare-32"
"""Beside boards that cannot see their doors, or have no locks."""
LONG_PULSE_MS = 1_000
LIFT_OFF_S = 100.0


class Turns:
    """As much of an event loop as a cabinet needs: what is called soon is called in the next turn."""

    def __init__(self) -> None:
        self._soon: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def get_debug(self) -> bool:
        return False

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=as_loop(self))

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any) -> None:
        self._soon.append((callback, args))

    def turn(self) -> None:
        while self._soon:
            soon, self._soon = self._soon, []
            for callback, args in soon:
                callback(*args)


def as_loop(turns: Turns) -> asyncio.AbstractEventLoop:
    return cast("asyncio.AbstractEventLoop", turns)


class Wired:
    """One line: the product's bus at one end, simulated boards at the other. Conforms to `LineThread`."""

    def __init__(self, bus: Bus, far: Line | Gateway, clock: Callable[[], float]) -> None:
        self.bus, self.far, self.now = bus, far, clock

    def start(self) -> None:
        self.bus.port_opened(self.now())

    def post(self, action: Action) -> None:
        action(self.bus, self.now())

    def close(self) -> None:
        self.bus.port_lost("closed", self.now())

    def speak(self) -> float:
        """Write what is to be written; when it wants to be asked again."""
        while isinstance(step := self.bus.next(self.now()), Send):
            self.far.received(step.data, self.now())
        return step.until_s

    def hear(self) -> None:
        if octets := self.far.due(self.now()):
            self.bus.received(octets, self.now())


def nobody(_happened: object) -> None: ...


def no_port() -> Port:
    raise AssertionError


@dataclass
class Joined:
    """``baud`` where the layout says nothing of a line."""

    layout: Layout
    seed: int = 1
    baud: int = 9600
    bursts_s: float = 0.0
    """Whatever comes in this long is handed over at once."""
    mechanics: Mechanics = field(default_factory=Mechanics)
    pulse_ms: int | None = None
    supplies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    now: float = LIFT_OFF_S
    reports: list[Report] = field(default_factory=list)
    pulses: list[Pulse] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    on_move: Callable[[Move], None] = nobody
    on_report: Callable[[Report], None] = nobody
    frames: dict[Kind, int] = field(default_factory=dict)
    early: list[Seen] = field(default_factory=list)
    lines: dict[str, Wired] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._loop = Turns()
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self.model = Model(self.layout, self, self.mechanics)
        self.model.advance(to_ms(self.now))
        self.wires = {name: self._wire(name) for name in self.layout.lines}
        self.wiring = wiring_of(self.layout, self.baud, self.supplies, self.pulse_ms)
        ports: dict[str, OpenPort | str] = dict.fromkeys(self.layout.lines, no_port)
        clock, loop = cast("Any", self), as_loop(self._loop)
        self.cabinet = Cabinet(self.wiring, ports, clock, loop, self._report, self._line)
        self.cabinet.start()

    # What the two cabinets see of us

    def mono_ms(self) -> int:
        return to_ms(self.now)

    def pulse(self, pulse: Pulse) -> None:
        self.pulses.append(pulse)

    def move(self, move: Move) -> None:
        self.moves.append(move)
        self.on_move(move)

    def _report(self, report: Report) -> None:
        self.reports.append(report)
        self.on_report(report)

    # Time

    def run(self, for_s: float) -> None:
        self.run_to(self.now + for_s)

    def run_to(self, end_s: float) -> None:
        while True:
            wanted_s = [line.speak() for line in self.lines.values()]
            self._loop.turn()
            moments = [moment for line in self.lines.values() if (moment := line.far.next_s()) is not None]
            own_ms = self.model.next_ms()
            if own_ms is not None:
                moments.append(own_ms / 1000)
            moments = [moment + self.bursts_s for moment in moments]
            moments += [self._due[0][0]] if self._due else []
            moment_s = min([*wanted_s, *moments, end_s])
            self.now = max(self.now, moment_s)
            self.model.advance(to_ms(self.now))
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            for line in self.lines.values():
                line.hear()
            self._loop.turn()
            if self.now >= end_s:
                return

    def at(self, moment_s: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._due, (moment_s, next(self._order), action))

    def until(self, holds: Callable[[], bool], within_s: float, step_s: float = 0.01) -> bool:
        end_s = self.now + within_s
        while not holds() and self.now < end_s:
            self.run(min(step_s, end_s - self.now))
        return holds()

    # What is done

    def open(self, door: int, within_ms: int = 3_000) -> PulseResult:
        """One pulse, and its result; time passes until then."""
        asked = Asked(self.cabinet.pulse(CompartmentNumber(door), self.mono_ms() + within_ms))
        assert self.until(asked.settled, within_ms / 1000 + 5), "every pulse is settled"
        return asked.result()

    def do(self, door: int, act: str) -> None:
        hands.do(self.model, door, act, to_ms(self.now))

    def break_it(self, line: str = "A", **wish: Any) -> None:
        self.wires[line].faults = changed(self.wires[line].faults, wish)

    def mend(self) -> None:
        for wire in self.wires.values():
            wire.faults = Faults()

    # What is so, and what is believed

    def reading(self, door: int) -> DoorReading:
        return self.cabinet.reading(CompartmentNumber(door))

    def believed(self) -> dict[int, Position]:
        return {door: self.reading(door).position for door in self.model.numbers}

    def is_open(self, door: int) -> bool:
        return self.model.thing(door).open

    def true(self) -> dict[int, Position]:
        return {door: Position.OPEN if self.is_open(door) else Position.CLOSED for door in self.model.numbers}

    def energised(self) -> list[int]:
        return [n for n in self.model.numbers if self.model.thing(n).coil_since_ms is not None]

    def of(self, kind: type[T]) -> list[T]:
        return [report for report in self.reports if isinstance(report, kind)]

    # Building

    def _wire(self, name: str) -> Line:
        wire = Wire(self.layout.wire(name).baud or self.baud)
        faults = changed(Faults(), self.layout.faults.get(name, {}))
        return Line(self.model.boards(name), wire, Chance(self.seed), self._seen, faults)

    def _seen(self, seen: Seen) -> None:
        self.frames[seen.kind] = self.frames.get(seen.kind, 0) + 1
        if seen.kind is Kind.EARLY:
            self.early.append(seen)

    def _line(self, bus: Bus, _open: OpenPort, _ended: Callable[[], None]) -> Wired:
        name = self.layout.lines[len(self.lines)]
        wire = self.wires[name]
        packets = self.wiring.lines[name].timing.packets
        self.lines[name] = Wired(bus, Gateway(wire) if packets else wire, lambda: self.now)
        return self.lines[name]


class Asked(Generic[R]):
    """A coroutine that waits for the cabinet alone; looked at between turns."""

    def __init__(self, coroutine: Coroutine[Any, Any, R]) -> None:
        self._coroutine = coroutine
        self._waits_for: asyncio.Future[Any] | None = None
        self._results: list[R] = []
        self._step()

    def settled(self) -> bool:
        if not self._results and self._waits_for is not None and self._waits_for.done():
            self._step()
        return bool(self._results)

    def result(self) -> R:
        return self._results[0]

    def _step(self) -> None:
        try:
            self._waits_for = self._coroutine.send(None)
        except StopIteration as ended:
            self._results.append(ended.value)


def wiring_of(
    layout: Layout,
    baud: int,
    supplies: Mapping[str, Sequence[str]] | None = None,
    pulse_ms: int | None = None,
) -> Wiring:
    """The same cabinet as the configuration file would describe it."""
    lines = {name: _line_config(name, layout.wire(name), baud) for name in layout.lines}
    profiles = {f"{plan.line}/{plan.address}": plan.profile for plan in layout.boards}
    compartments = {plan.number: _compartment(plan, layout, pulse_ms) for plan in layout.compartments}
    return Wiring.build(lines, profiles, compartments, supplies or {}, Experimental(learning=True))


def _line_config(name: str, plan: LinePlan, baud: int) -> LineConfig:
    url = f"modbus-tcp://127.0.0.1:{502 + ord(name)}" if plan.transport == "modbus-tcp" else f"/dev/tty{name}"
    return LineConfig(url, plan.baud or baud)


def _compartment(plan: CompartmentPlan, layout: Layout, pulse_ms: int | None) -> CompartmentConfig:
    board = layout.board(plan.door)
    item = None if plan.item is None else str(plan.item)
    return CompartmentConfig(
        str(plan.lock),
        str(plan.door),
        item,
        pulse_ms=pulse_ms,
        pulse_cap_ms=LONG_PULSE_MS,
        door_closed_level=int(board.closed_level) if board.feedback != CLOSED_WHEN_LOCKED else None,
    )


# --- cabinets ---------------------------------------------------------------------------------------------


def layout_of(*groups: Sequence[BoardPlan], wires: Mapping[str, LinePlan] | None = None) -> Layout:
    """Compartments numbered through all ``groups``: the first board of each has the locks, the last sees."""
    compartments = list(_compartments(groups))
    plans = tuple(dict.fromkeys(board for group in groups for board in group))
    return Layout("made", plans, tuple(compartments), wires or {})


def _compartments(groups: Sequence[Sequence[BoardPlan]]) -> Iterator[CompartmentPlan]:
    number = 0
    for group in groups:
        lock, door = group[0], group[-1]
        locks, sees = boards.load(lock.profile).locks, boards.load(door.profile).inputs
        assert locks is not None
        assert sees is not None
        doors = min(locks.channels, sees.channels)
        items = doors if sees.channels >= 2 * doors else None
        for channel in range(1, doors + 1):
            number += 1
            yield CompartmentPlan(
                number,
                "S",
                1,
                number,
                Terminal(lock.line, lock.address, channel),
                Terminal(door.line, door.address, channel),
                None if items is None else Terminal(door.line, door.address, items + channel),
            )


def group_of(profile: str, line: str = "A", address: int | None = None, **options: Any) -> list[BoardPlan]:
    """The board, and on the next address what it lacks to make compartments with it."""
    known = boards.load(profile)
    at = known.address.min if address is None else address
    board = BoardPlan(line, at, profile, **options)
    if known.locks is None:
        return [BoardPlan(line, at + 1, HANDS), board]
    if known.inputs is None:
        return [board, BoardPlan(line, at + 1, EYES)]
    return [board]


def cabinet_of(profile: str, **options: Any) -> Joined:
    """All compartments of one board of that profile, serving."""
    return serving(Joined(layout_of(group_of(profile)), **options))


def serving(joined: Joined, within_s: float = 15.0) -> Joined:
    assert joined.until(lambda: joined.believed() == joined.true(), within_s), joined.believed()
    joined.run(0.5)
    return joined


def board_id(line: str, address: int) -> BoardId:
    return BoardId(f"{line}/{address}")
