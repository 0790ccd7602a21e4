"""Cabinets that can be built: which boards hang on which line, and what is wired to their terminals."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Terminal:
    """A channel of a board, both counted from 1."""

    line: str
    board: int
    channel: int


@dataclass(frozen=True, slots=True)
class BoardPlan:
    line: str
    address: int
    profile: str


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
    name: str
    boards: tuple[BoardPlan, ...]
    compartments: tuple[CompartmentPlan, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(sorted({board.line for board in self.boards}))


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
