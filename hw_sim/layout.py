"""Cabinets that can be built: which boards hang on which line, and what is wired to their terminals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from hw_sim.boards.profiles import CLOSED_WHEN_LOCKED, CLOSED_WHEN_OPEN, PROFILES, Profile
from hw_sim.boards.xor8a import REPORTS

PTY: Final = "pty"
RAW_TCP: Final = "raw-tcp"
MODBUS_TCP: Final = "modbus-tcp"
TRANSPORTS: Final = (PTY, RAW_TCP, MODBUS_TCP)
LEAF: Final = "leaf"
HOOK: Final = "hook"
BAUDS: Final = (4800, 9600, 19200, 38400, 57600, 115200)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A channel of a board, counted from 1."""

    line: str
    board: int
    channel: int

    def __str__(self) -> str:
        return f"{self.line}/{self.board}/{self.channel}"


@dataclass(frozen=True, slots=True)
class LinePlan:
    """One line and how a driver reaches it."""

    baud: int | None = None  # None: whatever the command says
    transport: str = PTY
    port: int = 0  # of a TCP transport; 0 takes a free one


@dataclass(frozen=True, slots=True)
class BoardPlan:
    line: str
    address: int
    profile: str
    feedback: str = CLOSED_WHEN_LOCKED
    report: int = REPORTS[0]
    senses: str = LEAF

    @property
    def kind(self) -> Profile:
        return PROFILES[self.profile]

    @property
    def closed_level(self) -> bool:
        """The level of an input, as it stands on the wire, while its door is shut."""
        return self.kind.closed_level is not (self.feedback == CLOSED_WHEN_OPEN)


@dataclass(frozen=True, slots=True)
class CompartmentPlan:
    """Place in the drawing (column and row from 1, row 1 on top) and wiring of one compartment."""

    number: int
    size: str
    column: int
    row: int
    lock: Terminal
    door: Terminal
    item: Terminal | None


@dataclass(frozen=True, slots=True)
class Layout:
    """`wires` may leave lines out that have nothing special; `faults` are there from the start, by line."""

    name: str
    boards: tuple[BoardPlan, ...]
    compartments: tuple[CompartmentPlan, ...]
    wires: Mapping[str, LinePlan] = field(default_factory=lambda: MappingProxyType({}))
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(sorted({board.line for board in self.boards}))

    def wire(self, line: str) -> LinePlan:
        return self.wires.get(line, LinePlan())

    def board(self, at: Terminal) -> BoardPlan:
        return next(plan for plan in self.boards if (plan.line, plan.address) == (at.line, at.board))


COLUMNS: Final = 4
MEDIUM_FROM: Final = 9
LARGE_FROM: Final = 15
ITEM_FROM: Final = 17


def _size(number: int) -> str:
    return "S" if number < MEDIUM_FROM else "M" if number < LARGE_FROM else "L"


def _two_board() -> Layout:
    compartments = tuple(
        CompartmentPlan(
            number=number,
            size=_size(number),
            column=(number - 1) % COLUMNS + 1,
            row=(number - 1) // COLUMNS + 1,
            lock=Terminal("A", 1, number),
            door=Terminal("A", 2, number),
            item=Terminal("A", 2, ITEM_FROM - 1 + number),
        )
        for number in range(1, 17)
    )
    boards = (BoardPlan("A", 1, "waveshare-32"), BoardPlan("A", 2, "inputs-32"))
    return Layout("two-board", boards, compartments)


def _one_d8() -> Layout:
    compartments = tuple(
        CompartmentPlan(
            number=number,
            size="S",
            column=(number - 1) % COLUMNS + 1,
            row=(number - 1) // COLUMNS + 1,
            lock=Terminal("A", 1, number),
            door=Terminal("A", 1, number),
            item=None,
        )
        for number in range(1, 9)
    )
    return Layout("d8", (BoardPlan("A", 1, "waveshare-d8"),), compartments)


LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {layout.name: layout for layout in (_two_board(), _one_d8())}
)


def made(profile: str) -> Layout:
    """One cabinet of one such board with all its compartments. KeyError for an unknown profile.

    A board that cannot see its doors, or has no locks, gets another one beside it on the next address.
    """
    kind = PROFILES[profile]
    address = max(kind.lowest, 0 if kind.own_feedback else 1)
    boards, beside = [BoardPlan("A", address, profile)], address
    if not kind.sensors:
        beside = address + 1
        boards.append(BoardPlan("A", beside, "inputs-32"))
    lock_at, locks = (address, kind.locks) if kind.locks else (address + 1, PROFILES["waveshare-32"].locks)
    if not kind.locks:
        boards.append(BoardPlan("A", lock_at, "waveshare-32"))
    items = _item_channels(boards[1] if beside != address else boards[0], locks)
    columns = next(columns for most, columns in WIDTHS if locks <= most)
    compartments = tuple(
        CompartmentPlan(
            number=number,
            size="S",
            column=(number - 1) % columns + 1,
            row=(number - 1) // columns + 1,
            lock=Terminal("A", lock_at, number),
            door=Terminal("A", beside, number),
            item=Terminal("A", beside, item) if item is not None else None,
        )
        for number, item in zip(range(1, locks + 1), items, strict=True)
    )
    return Layout(profile, tuple(boards), compartments, {"A": LinePlan(kind.baud)})


WIDTHS: Final = ((16, 4), (24, 6), (48, 8), (64, 10))
"""Up to so many compartments, so many columns."""


def _item_channels(board: BoardPlan, doors: int) -> Iterator[int | None]:
    """Where item sensors go on the board that sees the doors: on channels of their own, or on spare ones."""
    kind = board.kind
    spare = kind.items or (kind.sensors - doors if not kind.own_feedback else 0)
    first = kind.sensors if kind.items else doors
    for place in range(1, doors + 1):
        yield first + place if spare >= doors else None
