"""Which entries may go up just now: a window of batches beyond what the centre has stored. Pure.

Only the centre's word moves `stored_to`. A gap, a time-out or a new hello sends us back to it: no selective
repeat, no memory of single batches.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from sync.edge.retry import Retry

GAP_QUIET_MS: Final = 2_000
"""Every batch behind a hole draws the same complaint: one answer is enough."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch under way."""

    to_seq: int
    hash: bytes


class Window:
    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._flights: deque[Flight] = deque()
        self._open = False
        self._batches = 0
        self._went_back_ms: int | None = None
        self.stored_to = 0
        self.due_ms: int | None = None
        """When to stop waiting for an acknowledgement."""
        self.turn = 0
        """Rises with every step back: what was read before is not to be sent any more."""

    def open(self, stored_to: int, batches: int) -> None:
        """A hello: the centre's truth, even where it is less than it said before."""
        self.stored_to = stored_to
        self._open = True
        self._batches = batches
        self._retry.reset()
        self._go_back()

    def close(self) -> None:
        """Nobody listens: nothing goes up until the next hello."""
        self._open = False
        self._batches = 0
        self._go_back()

    def forget(self) -> None:
        """Another epoch: what was stored of the one before says nothing of it."""
        self.close()
        self.stored_to = 0

    def next_after(self, head: int) -> int | None:
        """The entry after which the next batch begins; None where nothing may or need be sent."""
        last = self._flights[-1].to_seq if self._flights else self.stored_to
        return last if len(self._flights) < self._batches and last < head else None

    def sent(self, flight: Flight, now_ms: int) -> None:
        self._flights.append(flight)
        if self.due_ms is None:
            self.due_ms = now_ms + self._retry.next_ms()

    def hash_of(self, seq: int) -> bytes | None:
        """The hash of ``seq`` where a batch under way ends with it."""
        return next((flight.hash for flight in self._flights if flight.to_seq == seq), None)

    def acknowledged(self, stored_to: int, batches: int, now_ms: int) -> None:
        """Durable at the centre up to ``stored_to``; an older word moves nothing back."""
        if self._open:
            self._batches = batches
        if stored_to <= self.stored_to:
            return
        self.stored_to = stored_to
        while self._flights and self._flights[0].to_seq <= stored_to:
            self._flights.popleft()
        self._retry.reset()
        self._went_back_ms = None
        self.due_ms = now_ms + self._retry.next_ms() if self._flights else None

    def missed(self, stored_to: int, now_ms: int) -> None:
        """The centre waits for what follows ``stored_to``."""
        quiet = self._went_back_ms is not None and now_ms < self._went_back_ms + GAP_QUIET_MS
        if stored_to == self.stored_to and not quiet:
            self._went_back_ms = now_ms
            self._go_back()

    def expire(self, now_ms: int) -> bool:
        """Whether nobody answered in time; then everything unacknowledged is to be sent again."""
        if self.due_ms is None or now_ms < self.due_ms:
            return False
        self._go_back()
        return True

    def _go_back(self) -> None:
        self._flights.clear()
        self.due_ms = None
        self.turn += 1
