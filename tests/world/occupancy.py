"""How full the lockers of a world are, over time, as their own journals tell."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from locker.domain.entry import Entry
    from locker.domain.state import LockerState
    from tests.world.machine import Machine
    from tests.world.world import World

HIGH: Final = 0.8
REACHED: Final = "occupancy: four fifths and more"
FULL: Final = "occupancy: every compartment"


@dataclass
class _One:
    """Of one locker. Shares of its compartments."""

    since_s: float
    now: float = 0.0
    sum_s: float = 0.0
    high_s: float = 0.0
    peak: float = 0.0

    def until(self, now_s: float) -> None:
        past_s = now_s - self.since_s
        self.sum_s += self.now * past_s
        self.high_s += past_s if self.now >= HIGH else 0.0
        self.since_s = now_s


@dataclass
class Occupancy:
    """Something lies in a compartment, is to lie in it, or may. While nobody serves, the last word stands."""

    world: "World"
    lockers: dict[str, _One] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now_s = self.world.loop.time()
        self.lockers = {machine.name: _One(now_s) for machine in self.world.machines}
        self.world.on_entries.append(self._entries)

    def _entries(self, machine: "Machine", state: "LockerState", _entries: tuple["Entry", ...]) -> None:
        one = self.lockers[machine.name]
        one.until(self.world.loop.time())
        count = len(state.compartments)
        before, one.now = one.now, sum(each.occupied for each in state.compartments.values()) / max(count, 1)
        one.peak = max(one.peak, one.now)
        for point, share in ((REACHED, HIGH), (FULL, 1.0)):
            if before < share <= one.now:
                self.world.reached(point)

    def told(self) -> tuple[float, float, float]:
        """Of the fullest locker until now: on average, at most, and how much of the time it was high."""
        now_s = self.world.loop.time()
        for one in self.lockers.values():
            one.until(now_s)
        return max((one.sum_s / now_s, one.peak, one.high_s / now_s) for one in self.lockers.values())
