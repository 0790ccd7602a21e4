"""How long to wait before asking again, and what may be under way meanwhile."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

FIRST_S: Final = 10.0
LONGEST_S: Final = 300.0
STABLE_S: Final = 60.0
LOSS_DELAY_MAX_S: Final = 30.0
DELAY_MAX_S: Final = 120.0
GAP_QUIET_S: Final = 2.0
DOUBLINGS_MAX: Final = 10

Draw = Callable[[float], float]
"""Between 0 and so much."""


@dataclass(slots=True)
class Patience:
    """10 s, doubling to 300 s, each up to a quarter longer [LKR-11, LKR-21]."""

    draw: Draw
    tries: int = 0

    def next_s(self) -> float:
        wait_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self.tries, DOUBLINGS_MAX))
        self.tries += 1
        return wait_s + self.draw(wait_s / 4)


@dataclass(slots=True)
class BackOff:
    """Until the next attempt to connect [LKR-6]."""

    draw: Draw
    failures: int = 0

    def delay_s(self, good_for_s: float) -> float:
        """After a connection that was good for so long; 0: it never was."""
        if good_for_s >= STABLE_S:
            self.failures = 0
            return self.draw(LOSS_DELAY_MAX_S)
        self.failures += 1
        return self.draw(min(DELAY_MAX_S, 2.0 ** min(self.failures, DOUBLINGS_MAX)))


@dataclass(slots=True)
class Window:
    """Which entries are under way beyond what the centre has stored [LKR-18 to LKR-23]."""

    patience: Patience
    stored_to: int = 0
    batches: int = 0
    due_s: float | None = None
    sent_to: int = 0
    """The highest entry ever sent: what goes up to it goes again."""
    _flights: deque[int] = field(default_factory=deque)
    _went_back_s: float = -GAP_QUIET_S

    def open(self, stored_to: int, batches: int) -> None:
        self.stored_to = stored_to
        self.batches = batches
        self.patience.tries = 0
        self.go_back()

    def close(self) -> None:
        self.batches = 0
        self.go_back()

    def go_back(self) -> None:
        self._flights.clear()
        self.due_s = None

    def next_after(self, head: int) -> int | None:
        """The entry behind which the next batch begins; None where nothing may or need go up."""
        last = self._flights[-1] if self._flights else self.stored_to
        return last if len(self._flights) < self.batches and last < head else None

    def sent(self, to_seq: int, now_s: float) -> None:
        self._flights.append(to_seq)
        self.sent_to = max(self.sent_to, to_seq)
        if self.due_s is None:
            self.due_s = now_s + self.patience.next_s()

    def acknowledged(self, stored_to: int, batches: int, now_s: float) -> bool:
        """Whether it says more than was known."""
        self.batches = batches
        if stored_to <= self.stored_to:
            return False
        self.stored_to = stored_to
        while self._flights and self._flights[0] <= stored_to:
            self._flights.popleft()
        self.patience.tries = 0
        self._went_back_s = now_s - GAP_QUIET_S
        self.due_s = now_s + self.patience.next_s() if self._flights else None
        return True

    def must_go_back(self, stored_to: int, now_s: float) -> bool:
        """A gap, of which every batch behind it tells: once in a while is enough [LKR-22]."""
        if stored_to != self.stored_to or now_s < self._went_back_s + GAP_QUIET_S:
            return False
        self._went_back_s = now_s
        return True
