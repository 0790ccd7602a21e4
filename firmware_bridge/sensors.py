"""What is believed of one compartment: its door sensor and, if it has one, its item sensor. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from firmware_bridge.debounce import DOOR, GAP_MAX_S, ITEM, READS, Debounce
from firmware_bridge.happenings import InputsRead, PollMissed
from firmware_bridge.wiring import CompartmentWiring, Place, Wiring
from locker.domain.door import DoorReading, Position, Presence
from locker.domain.ids import BoardId

POWER_MARGIN_S: Final = 0.1
"""A board's own timer runs in steps; the bolt needs a moment to fall back."""
POSITIONS: Final = {None: Position.UNKNOWN, True: Position.CLOSED, False: Position.OPEN}
PRESENCES: Final = {None: Presence.UNKNOWN, True: Presence.PRESENT, False: Presence.ABSENT}


@dataclass(slots=True)
class Sensors:
    wired: CompartmentWiring
    door: Debounce
    item: Debounce
    _powered_until_s: float = float("-inf")

    @classmethod
    def of(cls, wired: CompartmentWiring, wiring: Wiring) -> "Sensors":
        def debounce(slow: frozenset[bool], place: Place | None) -> Debounce:
            if place is None:
                return Debounce(slow)
            board = wiring.boards[place.board]
            reads = board.profile.inputs.believe_reads if board.profile.inputs is not None else READS
            # On a long line of slow boards even two readings in a row lie far apart.
            return Debounce(slow, reads, max(GAP_MAX_S, wiring.detection_s(board.line)))

        return cls(wired, debounce(DOOR, wired.sensor), debounce(ITEM, wired.item))

    @property
    def boards(self) -> set[BoardId]:
        places = (self.wired.sensor, self.wired.item)
        return {place.board for place in places if place is not None}

    def reading(self) -> DoorReading:
        return DoorReading(POSITIONS[self.door.settled], PRESENCES[self.item.settled])

    @property
    def restless(self) -> bool:
        return self.door.settled is False or self.door.pending or self.item.pending

    def pulse_waits(self) -> None:
        """From now on the lock may have power. Most boards sense the hook, and power lifts it, also where
        somebody holds the door: until the pulse is over, "open" says nothing."""
        self._powered_until_s = float("inf")

    def pulse_settled(self, sent_s: float | None) -> None:
        """It began at ``sent_s``, or never."""
        lasts_s = self.wired.pulse_ms / 1000 + POWER_MARGIN_S
        self._powered_until_s = float("-inf") if sent_s is None else sent_s + lasts_s

    def read(self, event: InputsRead) -> bool:
        """One reading of a board; True if what is believed changed."""
        # The item first: when both settle in one reading, the door's report already carries it.
        changed = self.wired.item is not None and _heard(
            self.item, self.wired.item, self.wired.present_level, event
        )
        if self._lifted(event):
            return changed
        return _heard(self.door, self.wired.sensor, self.wired.closed_level, event) or changed

    def missed(self, event: PollMissed) -> bool:
        """True if something became unknown."""
        changed = False
        for each in self._read_by(event.board):
            changed |= each.missed(event.at_s)
        return changed

    def lost(self, board: BoardId) -> None:
        for each in self._read_by(board):
            each.lost()

    def _read_by(self, board: BoardId) -> Iterator[Debounce]:
        if self.wired.sensor.board == board:
            yield self.door
        if self.wired.item is not None and self.wired.item.board == board:
            yield self.item

    def _lifted(self, event: InputsRead) -> bool:
        """Whether the door reads open while its lock may have power."""
        if event.at_s >= self._powered_until_s:
            return False
        return _level(self.wired.sensor, event) is (not self.wired.closed_level)


def _level(place: Place, event: InputsRead) -> bool | None:
    """What the reading says of one terminal; None also where it is not about it."""
    at = place.channel - event.first
    return event.levels[at] if place.board == event.board and 0 <= at < len(event.levels) else None


def _heard(sensor: Debounce, place: Place, true_level: bool, event: InputsRead) -> bool:
    """Feed one sensor from a reading of its board; True if what is believed changed."""
    at = place.channel - event.first
    if place.board != event.board or not 0 <= at < len(event.levels):
        return False
    level = event.levels[at]
    return sensor.uncertain(event.at_s) if level is None else sensor.read(level == true_level, event.at_s)
