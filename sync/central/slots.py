"""Who may send a backlog just now: so many lockers at a time, the others in turn. Pure, in memory only.

A hub that restarts knows of no turn any more; every locker is born again then, and asks.
"""

from dataclasses import dataclass
from typing import Final

AT_ONCE: Final = 50
"""Lockers that catch up at the same time. More would only make each of them slower."""
BEHIND: Final = 200
"""Entries: what two batches carry is no backlog, and needs no turn."""
SILENT_MS: Final = 60_000
"""One that has a turn and sends nothing for so long has lost it: others wait."""


@dataclass(slots=True)
class _Turn:
    head: int
    """Where it has caught up."""
    heard_ms: int


class Slots:
    """Times are monotonic milliseconds. What a call returns is whose turn has come by it."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._holding: dict[str, _Turn] = {}
        self._waiting: dict[str, int] = {}
        """Their heads, longest waiting first."""

    def ask(self, locker: str, stored_to: int, head: int, now_ms: int) -> bool:
        """Whether a locker with so many entries, of which so many are stored, may send now. If not, it waits
        in line; asking again costs it no place."""
        self._expire(now_ms)
        if head - stored_to <= BEHIND:
            self.leave(locker)
            return True
        line = list(self._waiting)
        before = line.index(locker) if locker in self._waiting else len(line)
        if locker in self._holding or before < self._at_once - len(self._holding):
            self._waiting.pop(locker, None)
            self._holding[locker] = _Turn(head, now_ms)
            return True
        self._waiting[locker] = head
        return False

    def stored(self, locker: str, stored_to: int, now_ms: int) -> list[str]:
        """So much of a locker is stored now."""
        turn = self._holding.get(locker)
        if turn is not None and turn.head - stored_to <= BEHIND:
            self.leave(locker)
        elif turn is not None:
            turn.heard_ms = now_ms
        return self.grant(now_ms)

    def leave(self, locker: str) -> None:
        """It needs none any more, or its connection has ended."""
        self._holding.pop(locker, None)
        self._waiting.pop(locker, None)

    def grant(self, now_ms: int) -> list[str]:
        """Give free turns to those who have waited longest."""
        self._expire(now_ms)
        granted = list(self._waiting)[: max(0, self._at_once - len(self._holding))]
        for locker in granted:
            self._holding[locker] = _Turn(self._waiting.pop(locker), now_ms)
        return granted

    def waits(self, locker: str) -> bool:
        return locker in self._waiting

    @property
    def holding(self) -> int:
        """How many catch up just now."""
        return len(self._holding)

    def _expire(self, now_ms: int) -> None:
        silent = [each for each, turn in self._holding.items() if now_ms - turn.heard_ms >= SILENT_MS]
        for locker in silent:
            del self._holding[locker]
