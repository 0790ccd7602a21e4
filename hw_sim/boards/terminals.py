"""The terminals of a board: relays that switch locks, inputs that read contacts, and how both break."""

from collections.abc import Sequence
from typing import Final

from hw_sim.boards import Ailments, CoilOrder, Coils, InputLevels

OCTET: Final = 8


class Relays:
    """`count` relay channels, counted from 1.

    What a channel was told, what the board's own register says, and whether the contact is closed are three
    facts: they differ when a channel is stuck on, or its contact has welded.
    """

    def __init__(self, count: int, coils: Coils) -> None:
        self._coils = coils
        self._told = [False] * count
        self._register = [False] * count
        self._closed = [False] * count
        self._flips_at_ms: dict[int, int] = {}
        self._ailments = Ailments()
        self._unsettled = False

    def __len__(self) -> int:
        return len(self._told)

    def states(self) -> Sequence[bool]:
        """As the board believes them to be."""
        return tuple(self._register)

    def order(self, order: CoilOrder) -> None:
        """Switch on: for the order's pulse, or until told otherwise. Recorded even when it is on already."""
        self._coils.ordered(order)
        self._flips_at_ms.pop(order.channel, None)
        if order.pulse_ms is not None:
            self._flips_at_ms[order.channel] = order.at_ms + order.pulse_ms
        self.switch(order.channel, order.at_ms, on=True)

    def off(self, channel: int, at_ms: int) -> None:
        self._flips_at_ms.pop(channel, None)
        self.switch(channel, at_ms, on=False)

    def interrupt(self, order: CoilOrder, length_ms: int) -> None:
        """Off now, and on by itself after that time: an order that gives power, only later."""
        self._coils.ordered(order)
        self.off(order.channel, order.at_ms)
        self._flips_at_ms[order.channel] = order.at_ms + length_ms

    def switch(self, channel: int, at_ms: int, *, on: bool) -> None:
        """Switch without an order from the line, as a timer or a linked input does."""
        self._told[channel - 1] = on
        self._settle(channel, at_ms)

    def is_on(self, channel: int) -> bool:
        return self._register[channel - 1]

    def ail(self, ailments: Ailments) -> None:
        self._ailments = ailments
        self._unsettled = True

    def next_ms(self) -> int | None:
        if self._unsettled:
            return 0
        return min(self._flips_at_ms.values()) if self._flips_at_ms else None

    def advance(self, now_ms: int) -> None:
        for channel, at_ms in sorted(self._flips_at_ms.items(), key=lambda flip: flip[1]):
            if at_ms <= now_ms:
                del self._flips_at_ms[channel]
                self.switch(channel, at_ms, on=not self._told[channel - 1])
        if self._unsettled:
            self._unsettled = False
            for channel in range(1, len(self._told) + 1):
                self._settle(channel, now_ms)

    def _settle(self, channel: int, at_ms: int) -> None:
        place = channel - 1
        self._register[place] = self._told[place] or (
            self._register[place] and channel in self._ailments.stuck_on
        )
        closed = self._register[place] or (self._closed[place] and channel in self._ailments.welded)
        if closed is not self._closed[place]:
            self._closed[place] = closed
            self._coils.switched(channel, closed, at_ms)


class Inputs:
    """`count` input terminals, as the board's status tells them."""

    def __init__(self, count: int, levels: InputLevels) -> None:
        self._count = count
        self._levels = levels
        self._ailments = Ailments()

    def __len__(self) -> int:
        return self._count

    def ail(self, ailments: Ailments) -> None:
        self._ailments = ailments

    def read(self, now_ms: int) -> list[bool]:
        """All of them, in the order of the status reply."""
        levels = self._read(now_ms)
        return reordered(levels) if self._ailments.reordered else levels

    def one(self, channel: int, now_ms: int) -> bool:
        """One of them, asked for by its number: the order of the status does not matter."""
        return self._read(now_ms)[channel - 1]

    def _read(self, now_ms: int) -> list[bool]:
        levels = list(self._levels(now_ms))[: self._count]
        if self._ailments.inverted:
            levels = [not level for level in levels]
        for stuck, level in ((self._ailments.stuck_0, False), (self._ailments.stuck_1, True)):
            for channel in stuck:
                if channel <= len(levels):
                    levels[channel - 1] = level
        return levels


def reordered(levels: Sequence[bool]) -> list[bool]:
    """The groups of eight the other way round; where there are no whole groups but one, each level."""
    if len(levels) <= OCTET or len(levels) % OCTET:
        return list(reversed(levels))
    groups = [levels[start : start + OCTET] for start in range(0, len(levels), OCTET)]
    return [level for group in reversed(groups) for level in group]
