"""Boards on a table, for tests that look at one of them alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hw_sim.boards import CoilOrder
from hw_sim.boards.modbus import sealed
from hw_sim.boards.station import Station
from hw_sim.boards.waveshare import RelayBoard


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

    def input_board(self, inputs: int = 32, address: int = 2) -> Station:
        return Station(address, inputs, self.inputs)


def frame(text: str) -> bytes:
    """A frame from its body in hex; the checksum is added."""
    return sealed(bytes.fromhex(text))
