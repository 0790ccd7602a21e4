"""A whole cabinet as a model: boards, compartments, and the wires between them. Pure in virtual time (ms).

Whoever drives it calls `advance` up to a moment before touching anything at that moment. What happens is told
to `Witness`: orders that reached a board (the pulses), and moves of doors, coils and items.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from hw_sim import physics
from hw_sim.boards import Board, CoilOrder
from hw_sim.boards.profiles import Options
from hw_sim.layout import HOOK, BoardPlan, CompartmentPlan, Layout, Terminal
from hw_sim.physics import Compartment, Mechanics


@dataclass(frozen=True, slots=True)
class Pulse:
    """An order to give a lock power, as it reached the board; judged by nobody."""

    line: str
    order: CoilOrder
    compartment: int | None  # None: nothing is wired to that channel


@dataclass(frozen=True, slots=True)
class Move:
    """Something visible happened at a compartment. `cause` is "lock", "hand", "force" or "board"."""

    compartment: int
    what: str
    at_ms: int
    cause: str


class Witness(Protocol):
    def pulse(self, pulse: Pulse) -> None: ...

    def move(self, move: Move) -> None: ...


INPUTS_MOST: Final = 64
"""More input terminals than any board has."""


class Cabinet:
    def __init__(self, layout: Layout, witness: Witness, mechanics: Mechanics | None = None) -> None:
        self.layout = layout
        self.now_ms = 0
        self._witness = witness
        kind = mechanics or Mechanics()
        self._plans = {plan.number: plan for plan in layout.compartments}
        self._things = {number: Compartment(mechanics=kind) for number in self._plans}
        self._due_ms: dict[int, int] = {}  # which compartment does something by itself, and when
        self._locks = {plan.lock: plan.number for plan in layout.compartments}
        self._doors = _doors(layout)
        self._items = _items(layout)
        self._boards = {line: tuple(self._build(line)) for line in layout.lines}

    def boards(self, line: str) -> Sequence[Board]:
        return self._boards[line]

    @property
    def numbers(self) -> Sequence[int]:
        return tuple(self._plans)

    def plan(self, number: int) -> CompartmentPlan:
        return self._plans[number]

    def thing(self, number: int) -> Compartment:
        return self._things[number]

    def next_ms(self) -> int | None:
        """When something happens by itself."""
        soonest = min(self._due_ms.values()) if self._due_ms else None
        for boards in self._boards.values():
            for board in boards:
                own_ms = board.next_ms()
                if own_ms is not None and (soonest is None or own_ms < soonest):
                    soonest = own_ms
        return soonest

    def advance(self, now_ms: int) -> None:
        """Let everything happen that is due until `now_ms`, in order of time."""
        while (due := self.next_ms()) is not None and due <= now_ms:
            self._to(due)
        self._to(now_ms)

    def change(self, number: int, act: Callable[[Compartment], Compartment], what: str, cause: str) -> None:
        """A hand's work at this moment; told to the witness when it changed anything."""
        before = replace(self._things[number], at_ms=self.now_ms)
        after = act(before)
        self._place(number, after)
        if after != before:
            self._witness.move(Move(number, what, self.now_ms, cause))
        self.advance(self.now_ms)

    def ordered(self, line: str, order: CoilOrder) -> None:
        number = self._locks.get(Terminal(line, order.address, order.channel))
        self._witness.pulse(Pulse(line, order, number))

    def switched(self, terminal: Terminal, on: bool, at_ms: int) -> None:
        number = self._locks.get(terminal)
        if number is not None:
            act = physics.energise if on else physics.release
            self._place(number, act(self._things[number], at_ms))
            self._witness.move(Move(number, "coil_on" if on else "coil_off", at_ms, "board"))

    def levels(self, line: str, board: int, now_ms: int) -> list[bool]:
        """The input terminals of one board, as they stand on the wire; what is not wired reads 0."""
        levels = [False] * INPUTS_MOST
        for wire in self._doors.get((line, board), ()):
            tell = physics.hook_level if wire.hook else physics.door_level
            levels[wire.channel - 1] = tell(self._things[wire.compartment], now_ms) is not wire.turned
        for channel, number in self._items.get((line, board), ()):
            levels[channel - 1] = physics.item_level(self._things[number])
        return levels

    def _to(self, moment_ms: int) -> None:
        self.now_ms = max(self.now_ms, moment_ms)
        # Boards first: a coil switched off at the very moment the latch would come back is off in time.
        for boards in self._boards.values():
            for board in boards:
                board.advance(self.now_ms)
        for number in [number for number, due_ms in self._due_ms.items() if due_ms <= self.now_ms]:
            after, moves = physics.advance(self._things[number], self.now_ms)
            self._place(number, after)
            for at_ms, moved in moves:
                cause = "lock" if moved is physics.Moved.DOOR_OPENED else "board"
                self._witness.move(Move(number, moved, at_ms, cause))

    def _place(self, number: int, thing: Compartment) -> None:
        self._things[number] = thing
        due_ms = physics.next_ms(thing)
        if due_ms is None:
            self._due_ms.pop(number, None)
        else:
            self._due_ms[number] = due_ms

    def _build(self, line: str) -> Iterator[Board]:
        for plan in self.layout.boards:
            if plan.line == line:
                yield self._board(plan)

    def _board(self, plan: BoardPlan) -> Board:
        line, address = plan.line, plan.address

        def levels(now_ms: int) -> Sequence[bool]:
            return self.levels(line, address, now_ms)

        return plan.kind.build(Options(address, plan.report), levels, _Terminals(self, line, address))


@dataclass(frozen=True, slots=True)
class _Terminals:
    """The relay side of one board: the wires stay on their terminals when the address is changed."""

    cabinet: Cabinet
    line: str
    board: int

    def ordered(self, order: CoilOrder) -> None:
        self.cabinet.ordered(self.line, order)

    def switched(self, channel: int, on: bool, at_ms: int) -> None:
        self.cabinet.switched(Terminal(self.line, self.board, channel), on, at_ms)


@dataclass(frozen=True, slots=True)
class _DoorWire:
    """A door contact on one input: `turned` when a shut door reads 0, `hook` when it tells of the latch."""

    channel: int
    compartment: int
    turned: bool
    hook: bool


def _doors(layout: Layout) -> Mapping[tuple[str, int], Sequence[_DoorWire]]:
    found: dict[tuple[str, int], list[_DoorWire]] = {}
    for plan in layout.compartments:
        board = layout.board(plan.door)
        wire = _DoorWire(plan.door.channel, plan.number, not board.closed_level, board.senses == HOOK)
        found.setdefault((plan.door.line, plan.door.board), []).append(wire)
    return found


def _items(layout: Layout) -> Mapping[tuple[str, int], Sequence[tuple[int, int]]]:
    found: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for plan in layout.compartments:
        if plan.item is not None:
            found.setdefault((plan.item.line, plan.item.board), []).append((plan.item.channel, plan.number))
    return found
