"""Boards that answer frames. A board knows neither port nor clock: it is handed bytes and a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

InputLevels = Callable[[int], Sequence[bool]]
"""(now_ms) -> the levels at the board's input terminals, terminal 1 first, as they stand on the wire."""


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


@dataclass(frozen=True, slots=True)
class Said:
    """What a board says later than at once, or unasked."""

    octets: bytes
    at_ms: int
    unasked: bool = False


class Twist(StrEnum):
    """Ways a reply can be whole and yet wrong."""

    ECHO = "wrong_echo"  # an order's reply names something else than the order did
    ADDRESS = "wrong_address"
    COMMAND = "wrong_command"


@dataclass(frozen=True, slots=True)
class Ailments:
    """What is broken in one board. Channels count from 1."""

    welded: frozenset[int] = frozenset()  # once closed, the contact never opens; the board does not know
    stuck_on: frozenset[int] = frozenset()  # once on, the channel stays on, and reads as on
    stuck_0: frozenset[int] = frozenset()  # input terminals that always read 0
    stuck_1: frozenset[int] = frozenset()
    inverted: bool = False  # every input reads the other way round
    reordered: bool = False  # status bytes the other way round; of a single byte, its bits
    reports: bool = False  # tells door changes unasked, where the family can


class Board(Protocol):
    """One station on a line."""

    @property
    def address(self) -> int: ...

    def hears(self, frame: bytes) -> bool:
        """Whether the frame is whole and meant for this board."""

    def answer(self, frame: bytes, now_ms: int) -> bytes | None:
        """Carry the frame out and reply; None where a board keeps silent, or answers later."""

    def next_ms(self) -> int | None:
        """When the board does something by itself."""

    def advance(self, now_ms: int) -> None: ...

    def said(self) -> Sequence[Said]:
        """What it has said by itself since this was last asked."""

    def ail(self, ailments: Ailments) -> None:
        """Break or mend it. Felt at the next `advance`, which is due at once."""

    def twisted(self, reply: bytes, twist: Twist) -> bytes:
        """One of its replies, wrong in that way, its checksum right again."""
