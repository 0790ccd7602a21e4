"""Boards on a table, for tests that look at one of them alone, and whole cabinets under virtual time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hw_sim import hands
from hw_sim.boards import CoilOrder
from hw_sim.boards.modbus import sealed
from hw_sim.boards.waveshare import InputBoard, RelayBoard
from hw_sim.cabinet import Cabinet, Move, Pulse
from hw_sim.chance import Chance
from hw_sim.clock import to_ms
from hw_sim.faults import Faults, changed
from hw_sim.layout import Layout, made
from hw_sim.line import Kind, Line, Seen, Wire
from hw_sim.physics import Mechanics

MIXED: Final = Path(__file__).with_name("mixed.toml")
"""A cabinet of three lines and four families, also shown in docs/simulator.md."""


@dataclass
class Bench:
    """Relay terminals that remember, and input terminals to set."""

    levels: list[bool] = field(default_factory=lambda: [False] * 32)
    orders: list[CoilOrder] = field(default_factory=list)
    edges: list[tuple[int, bool, int]] = field(default_factory=list)

    def ordered(self, order: CoilOrder) -> None:
        self.orders.append(order)

    def switched(self, channel: int, on: bool, at_ms: int) -> None:
        self.edges.append((channel, on, at_ms))

    def inputs(self, _now_ms: int) -> Sequence[bool]:
        return self.levels

    def relays(self, relays: int = 8, inputs: int = 8, address: int = 1) -> RelayBoard:
        return RelayBoard(address, relays, inputs, self.inputs, self)

    def input_board(self, inputs: int = 32, address: int = 2) -> InputBoard:
        return InputBoard(address, inputs, self.inputs)


def frame(text: str) -> bytes:
    """A frame from its body in hex; the checksum is added."""
    return sealed(bytes.fromhex(text))


@dataclass
class Wired:
    """A whole cabinet and its lines under virtual time: nothing happens but by `run` and `ask`."""

    layout: Layout
    seed: int = 1
    baud: int = 9600
    mechanics: Mechanics = field(default_factory=Mechanics)
    faults: Mapping[str, Any] = field(default_factory=dict)
    now_s: float = 100.0
    pulses: list[Pulse] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    frames: list[tuple[str, Seen]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cabinet = Cabinet(self.layout, self, self.mechanics)
        self.cabinet.advance(to_ms(self.now_s))
        self.lines = {name: self._line(name) for name in self.layout.lines}
        self._heard = dict.fromkeys(self.lines, b"")

    def _line(self, name: str) -> Line:
        wire = Wire(self.layout.wire(name).baud or self.baud)
        faults = changed(Faults(), self.faults)
        boards = self.cabinet.boards(name)
        return Line(boards, wire, Chance(self.seed), lambda seen: self.frames.append((name, seen)), faults)

    def pulse(self, pulse: Pulse) -> None:
        self.pulses.append(pulse)

    def move(self, move: Move) -> None:
        self.moves.append(move)

    def next_s(self) -> float | None:
        """When something happens by itself, on a line or in the cabinet."""
        moments = [moment for line in self.lines.values() if (moment := line.next_s()) is not None]
        own_ms = self.cabinet.next_ms()
        return min([*moments, *([] if own_ms is None else [own_ms / 1000])], default=None)

    def run_to(self, moment_s: float) -> None:
        """Let everything happen until that moment, in order of time; what leaves is kept for `heard`."""
        while (due_s := self.next_s()) is not None and due_s <= moment_s:
            self._step(max(due_s, self.now_s))
        self._step(max(moment_s, self.now_s))

    def run(self, seconds: float) -> None:
        self.run_to(self.now_s + seconds)

    def _step(self, now_s: float) -> None:
        self.now_s = now_s
        self.cabinet.advance(to_ms(now_s))
        for name, line in self.lines.items():
            self._heard[name] += line.due(now_s)

    def send(self, request: bytes, line: str = "A") -> None:
        self.lines[line].received(request, self.now_s)

    def heard(self, line: str = "A") -> bytes:
        """What has come from that line since this was last asked."""
        heard, self._heard[line] = self._heard[line], b""
        return heard

    def ask(self, request: bytes, line: str = "A", patience_s: float = 1.0) -> bytes:
        """Send, wait, and tell what came; the silence before the next request is kept."""
        self.send(request, line)
        self.run(patience_s)
        return self.heard(line)

    def do(self, number: int, act: str) -> None:
        """One of `hands.ACTS` now."""
        hands.do(self.cabinet, number, act, to_ms(self.now_s))

    def break_it(self, wish: Mapping[str, Any], line: str = "A") -> None:
        """Change the faults of a line, as the panel does."""
        self.lines[line].faults = changed(self.lines[line].faults, wish)

    def opened(self) -> list[int]:
        return [number for number in self.cabinet.numbers if self.cabinet.thing(number).open]

    def kinds(self) -> list[Kind]:
        return [seen.kind for _, seen in self.frames]


def cabinet_of(profile: str, **options: Any) -> Wired:
    """One cabinet of one board of that profile, every compartment wired."""
    return Wired(made(profile), **options)
