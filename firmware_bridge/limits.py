"""What lock coils and their supply bear: a cool-down, one coil at a time, so many an hour."""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Final

from firmware_bridge.boards import Locks
from firmware_bridge.request import Pulse
from locker.domain.ids import BoardId

HOUR_S: Final = 3_600.0

Lock = tuple[BoardId, int]


class Supply:
    """What feeds the locks of some boards: one coil at a time. Lines may share it, each on its own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_s = float("-inf")

    @property
    def free_s(self) -> float:
        """From when on it may feed another coil, on the lines' clock."""
        return self._free_s

    def hold(self, until_s: float) -> None:
        """A coil draws current that should not: feed no other until then."""
        with self._lock:
            self._free_s = max(self._free_s, until_s)

    def take(self, now: float, until_s: float) -> bool:
        """Feed one coil until then; False if another has been quicker."""
        with self._lock:
            if now < self._free_s:
                return False
            self._free_s = until_s
            return True


class OpeningLimits:
    """Of one line. A pulse counts from the moment it was written, whatever became of it."""

    def __init__(self, supplies: Mapping[BoardId, Supply]) -> None:
        self._supplies = supplies
        self._fired: dict[Lock, deque[float]] = {}

    def ready_s(self, pulse: Pulse, locks: Locks) -> float:
        """From when on this lock may fire: its own coil has rested, and no other draws current."""
        fired = self._fired.get((pulse.board, pulse.channel))
        rested_s = fired[-1] + locks.cool_down_ms / 1000 if fired else float("-inf")
        return max(rested_s, self._supplies[pulse.board].free_s)

    def refusal(self, pulse: Pulse, locks: Locks, now: float) -> str | None:
        """Why this lock may not be pulsed at all, in the words of `PulseResult.reason`; None if it may.

        A lock that will have rested by the pulse's deadline is waited for.
        """
        fired = self._fired.get((pulse.board, pulse.channel))
        if not fired:
            return None
        if fired[-1] + locks.cool_down_ms / 1000 >= pulse.deadline_s:
            return "cool_down"
        while fired and fired[0] <= now - HOUR_S:
            fired.popleft()
        return "hourly_limit" if len(fired) >= locks.openings_per_hour else None

    def hold(self, board: BoardId, until_s: float) -> None:
        """See `Supply.hold`."""
        self._supplies[board].hold(until_s)

    def fire(self, pulse: Pulse, locks: Locks, now: float) -> bool:
        """Take what it needs, right before it is written; False if its supply feeds another by now."""
        until_s = now + (pulse.pulse_ms + locks.opening_gap_ms) / 1000
        if not self._supplies[pulse.board].take(now, until_s):
            return False
        self._fired.setdefault((pulse.board, pulse.channel), deque()).append(now)
        return True
