"""Boards that answer frames. A board knows neither port nor clock: it is handed bytes and a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

InputLevels = Callable[[int], Sequence[bool]]
"""(now_ms) -> the levels at the board's input terminals, terminal 1 first."""


@dataclass(frozen=True, slots=True)
class CoilOrder:
    """One command, as it reached the board, to give a lock power."""

    address: int
    channel: int  # 1-based, as printed beside the terminal
    pulse_ms: int | None  # None: on until told otherwise
    at_ms: int
    frame: bytes


class Coils(Protocol):
    """What hangs on the relay terminals of a board, and who wants to know of orders."""

    def ordered(self, order: CoilOrder) -> None: ...

    def switched(self, channel: int, on: bool, at_ms: int) -> None: ...


class Board(Protocol):
    """One station on a line."""

    @property
    def address(self) -> int: ...

    def hears(self, frame: bytes) -> bool:
        """Whether the frame is whole and meant for this board."""

    def answer(self, frame: bytes, now_ms: int) -> bytes | None:
        """Carry the frame out and reply; None where a board keeps silent."""

    def next_ms(self) -> int | None:
        """When the board does something by itself."""

    def advance(self, now_ms: int) -> None: ...
