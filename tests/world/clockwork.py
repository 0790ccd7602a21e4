"""Wall time as a locker's entries tell it: wherever it does not go on from entry to entry, one says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.world.journals import Complaint
from tests.world.reference import Fact

STEP_MS: Final = 2_500
DRIFT: Final = 600e-6
"""No clock that only drifts, or is only slewed, gains or loses more."""


@dataclass
class Clockwork:
    """Of one locker, run by run: between two runs nobody knows how much time has passed."""

    last: Fact | None = None

    def forget(self) -> None:
        self.last = None

    def told(self, facts: Sequence[Fact]) -> Iterator[Complaint]:
        """One transaction, of one stamp."""
        last, now = self.last, facts[0]
        self.last = now
        if last is None or last.boot != now.boot:
            return
        passed_ms = now.mono_ms - last.mono_ms
        jumped_ms = now.wall_ms - last.wall_ms - passed_ms
        said_ms = sum(fact.data["delta_ms"] for fact in facts if fact.kind == "ClockStepped")
        if abs(jumped_ms - said_ms) > STEP_MS + passed_ms * DRIFT:
            what = f"between entries {last.seq} and {now.seq} the clock steps by {jumped_ms} ms"
            yield 20, f"{what}, and {said_ms} ms are written down"
