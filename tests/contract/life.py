"""Days at a joined cabinet: people come, lines fail, and whatever is believed is held against what is so.

A door is believed wrongly when it is said to be what it has not been for longer than the line needs to
notice, its lost questions included. Unknown is never wrong. A pulse is wrong when it reaches another lock,
comes twice, or comes although nobody sent it.
"""

import random  # noqa: TID251  # seeded people
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from firmware_bridge.debounce import STABLE_S
from firmware_bridge.sensors import POWER_MARGIN_S
from firmware_bridge.station import DOUBT_S, MISSES_TO_LOSS
from hw_sim.cabinet import Move
from hw_sim.hands import RefusedError
from locker.domain.door import DoorMoved, Position, Presence, PulseOutcome, PulseResult, Report
from locker.domain.ids import CompartmentNumber
from tests.contract.joined import Asked, Joined

REACHES = {
    PulseOutcome.ACKNOWLEDGED: {1},
    PulseOutcome.UNCERTAIN: {0, 1},
    PulseOutcome.REFUSED: {0},
    PulseOutcome.NOT_SENT: {0},
}
DOOR = {"door_opened": Position.OPEN, "door_shut": Position.CLOSED}
ITEM = {"item_put": Presence.PRESENT, "item_taken": Presence.ABSENT}
NOISE: dict[str, Any] = {
    **dict.fromkeys(("request_loss", "loss", "duplicate", "collision", "late"), 0.002),
    "noise": 0.01,
    "flip": 0.000_2,
}
"""A chance a frame, of a flip a byte: one exchange in a hundred fails."""
Fact = Position | Presence
PULSED = 0.7
"""Openings by pulse; the others are by force."""
SHUT = 0.8


@dataclass
class Witness:
    """What was so, and until when, of one door or one item."""

    now: Fact
    before: Fact | None = None
    changed_s: float = float("-inf")

    def becomes(self, fact: Fact, at_s: float) -> None:
        if fact is not self.now:
            self.now, self.before, self.changed_s = fact, self.now, at_s

    def allows(self, believed: Fact, at_s: float, bound_s: float) -> bool:
        if believed in {Position.UNKNOWN, Presence.UNKNOWN, self.now}:
            return True
        return believed is self.before and at_s - self.changed_s <= bound_s


@dataclass
class Life:
    joined: Joined
    seed: int = 1
    wrong: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    """From an opening to its being believed."""
    _asked: list[tuple[int, int, Asked[PulseResult]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        it = self.joined
        self._bound_s = max(bound_s(it, line) for line in it.lines)
        self._doors = {n: Witness(position) for n, position in it.true().items()}
        self._items = {n: Witness(Presence.ABSENT) for n in it.model.numbers if it.model.plan(n).item}
        self._opened_s: dict[int, float] = {}
        it.on_move, it.on_report = self._moved, self._reported
        it.pulses.clear()

    def run(self, for_s: float, pause_s: float = 20.0) -> None:
        """People come one after the other, every ``pause_s`` on average, and most shut what they opened."""
        it, end_s = self.joined, self.joined.now + for_s
        while it.now < end_s:
            self._act(self.rng.choice(it.model.numbers))
            it.run(self.rng.uniform(0.3, 4))
            for door in it.model.numbers:
                if it.is_open(door) and self.rng.random() < SHUT:
                    self._do(door, "shut")
            it.run(self.rng.expovariate(1 / pause_s))
            self._settle()
            it.reports.clear()
            it.moves.clear()
        it.run(10)
        self._settle()

    def _act(self, door: int) -> None:
        it = self.joined
        if it.is_open(door):
            self._do(door, self.rng.choice(("shut", "put", "take")))
        elif self.rng.random() < PULSED:
            self._pulse(door)
        else:
            self._do(door, "pry")

    def _do(self, door: int, act: str) -> None:
        try:
            self.joined.do(door, act)
        except RefusedError:
            return
        self.tally[act] += 1

    def _pulse(self, door: int) -> None:
        it = self.joined
        within_ms = self.rng.choice((50, 1_000, 3_000))
        asked = Asked(it.cabinet.pulse(CompartmentNumber(door), it.mono_ms() + within_ms))
        self._asked.append((door, it.mono_ms(), asked))
        it.until(asked.settled, 8.0, 0.25)
        self._settle()

    def _settle(self) -> None:
        """Every pulse that was asked for, against those that reached a board."""
        for door, since_ms, asked in self._asked:
            if not asked.settled():
                self.wrong.append(f"door {door}: a pulse without an end")
                continue
            outcome = asked.result().outcome
            self.tally[outcome.value] += 1
            reached = [p for p in self.joined.pulses if p.compartment == door and p.order.at_ms >= since_ms]
            if len(reached) not in REACHES[outcome]:
                self.wrong.append(f"door {door}: {outcome.value}, {len(reached)} pulses reached its lock")
            for pulse in reached:
                self.joined.pulses.remove(pulse)
        self._asked.clear()
        self._unasked()

    def _unasked(self) -> None:
        for pulse in self.joined.pulses:
            self.wrong.append(f"a pulse that nobody sent: {pulse}")
        self.joined.pulses.clear()

    def _moved(self, move: Move) -> None:
        at_s, n = move.at_ms / 1000, move.compartment
        for facts, witnesses in ((DOOR, self._doors), (ITEM, self._items)):
            fact = facts.get(str(move.what))
            if fact is not None and n in witnesses:
                witnesses[n].becomes(fact, at_s)
                self.joined.at(at_s + self._bound_s + 0.001, lambda: self._look(n))
        if DOOR.get(str(move.what)) is Position.OPEN:
            self._opened_s[n] = at_s

    def _reported(self, report: Report) -> None:
        if not isinstance(report, DoorMoved):
            self.tally[type(report).__name__] += 1
            return
        self._look(report.door)
        if report.reading.position is Position.OPEN and report.door in self._opened_s:
            self.tally["seen open"] += 1
            self.longest_s = max(self.longest_s, report.at_ms / 1000 - self._opened_s.pop(report.door))

    def _look(self, door: int) -> None:
        now, reading = self.joined.now, self.joined.reading(door)
        believed: list[tuple[Fact, Witness | None]] = [
            (reading.position, self._doors[door]),
            (reading.item, self._items.get(door)),
        ]
        for fact, witness in believed:
            if witness is not None and not witness.allows(fact, now, self._bound_s):
                self.wrong.append(
                    f"{now:.3f} s: {door} is believed {fact.value}, is {witness.now.value} "
                    f"since {witness.changed_s:.3f}"
                )


def bound_s(joined: Joined, line: str) -> float:
    """How long a line may need to notice, when it loses as many questions as make a board lost."""
    miss_s = max(
        2 * board.profile.transport.reply_timeout_ms / 1000
        + board.profile.transport.drain_ms / 1000
        + DOUBT_S
        for board in joined.wiring.on_line(line)
    )
    pulse_s = max(wired.pulse_ms for wired in joined.wiring.compartments.values()) / 1000 + POWER_MARGIN_S
    return joined.wiring.detection_s(line) + STABLE_S + MISSES_TO_LOSS * miss_s + pulse_s
