"""What the doors did, against what the locker says it saw of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from hw_sim.faults import Faults
from tests.world import times
from tests.world.journals import Complaint
from tests.world.reference import Fact, Reference

if TYPE_CHECKING:
    from hw_sim.cabinet import Move
    from hw_sim.layout import Terminal
    from tests.world.machine import Machine
    from tests.world.world import World

SEEN_S: Final = 1.5
"""An opening is believed a second after it happened, or two sweeps and a read; and written down."""
ANSWERED_S: Final = 3.0
"""More, where the lock had a pulse: its reply may be lost, and then the line runs dry first."""
STALE_S: Final = 3.0
"""What a sensor showed longer ago cannot be what is written down now."""
SOUND: Final = Faults()
MISLEADING: Final = frozenset({"door_sensor", "swapped_wires", "bit_rot"})


@dataclass
class Sightings:
    """Of one locker's doors."""

    world: "World"
    machine: "Machine"
    model: Reference
    moved_s: dict[int, float] = field(default_factory=dict)
    """When each door last opened or was shut, truly."""
    told_open_s: dict[int, float] = field(default_factory=dict)
    told_shut_s: dict[int, float] = field(default_factory=dict)
    troubled_s: float = -STALE_S
    """When something last stood in the way of seeing or writing."""

    @property
    def untroubled(self) -> bool:
        """Whether whatever a door does is seen and written down at once."""
        machine = self.machine
        well = machine.running and machine.built is not None and not machine.screen.frozen
        well = well and machine.platter.refuses is None and not machine.storing.slow_s
        well = well and not self.world.lies & MISLEADING
        well = well and all(line.plugged for line in machine.lines.values())
        return well and all(wire.faults == SOUND for wire in machine.wires.values())

    def move(self, move: "Move") -> None:
        door, now_s = move.compartment, self.world.loop.time()
        if move.what not in {"door_opened", "door_shut", "door_pulled"}:
            return
        self.moved_s[door] = now_s
        known = door in self.model.doors and self.model.doors[door].position == "closed"
        if move.what == "door_opened" and known and self.untroubled:
            check = partial(self._unseen, door, now_s, self.machine.life, move.cause)
            times.at(now_s + SEEN_S + (ANSWERED_S if move.cause == "lock" else 0.0), check)

    def _unseen(self, door: int, since_s: float, life: int, cause: str) -> None:
        still = self.machine.is_open(door) and self.moved_s[door] == since_s
        same = self.untroubled and self.machine.life == life and self.troubled_s < since_s
        if still and same and self.model.doors[door].position == "closed":
            what = f"{self.machine.name} at {since_s:.3f} s: door {door} opened ({cause}), and nobody saw it"
            self.world.violated(3, what)

    def told(self, fact: Fact) -> Iterator[Complaint]:
        """Called before the model takes it."""
        kind, data, now_s = fact.kind, fact.data, self.world.loop.time()
        if not self.untroubled:
            self.troubled_s = now_s
        if kind == "BoardWentSilent":
            own = {p.number for p in self.machine.layout.compartments if _board(p.door) == data["board"]}
            if not own.issuperset(data["doors"]):
                yield 26, f"entry {fact.seq}: board {data['board']} takes doors {data['doors']} along"
        if kind in {"DoorOpened", "DoorForced"} or (kind == "DoorRead" and data["position"] == "open"):
            self.told_open_s[data["door"]] = now_s
            if self._steady(data["door"], now_s) and not self.machine.is_open(data["door"]):
                yield 3, f"entry {fact.seq}: door {data['door']} is open, and it is shut"
        if kind == "DoorForced" and self._never_moved(data["door"], now_s):
            yield 3, f"entry {fact.seq}: door {data['door']} was forced, and has not moved since it was shut"
        if kind == "DoorClosed" or (kind == "DoorRead" and data["position"] == "closed"):
            door = data["door"]
            before = self.moved_s.get(door, 0.0) < self.told_open_s.get(door, -1.0)
            self.told_shut_s[door] = now_s
            if self.machine.is_open(door) and (before or self._steady(door, now_s)) and self._clear(now_s):
                yield 3, f"entry {fact.seq}: door {door} is shut, and it stands open"

    def _never_moved(self, door: int, now_s: float) -> bool:
        """It is shut, and was all the time since the locker said so."""
        shut_s = self.told_shut_s.get(door, -1.0)
        return not self.machine.is_open(door) and self.moved_s.get(door, 0.0) < shut_s and self._clear(now_s)

    def _steady(self, door: int, now_s: float) -> bool:
        """It has long been as it is, and nothing misled anybody meanwhile."""
        return now_s - self.moved_s.get(door, 0.0) > STALE_S and self._clear(now_s)

    def _clear(self, now_s: float) -> bool:
        return self.untroubled and now_s - self.troubled_s > STALE_S


def _board(terminal: "Terminal") -> str:
    return f"{terminal.line}/{terminal.board}"
