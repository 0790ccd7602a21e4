"""From a story that goes wrong to the few happenings that are enough for it.

Every happening has a chance of its own, so leaving one out leaves the others what they are. Delta debugging:
leave out ever smaller pieces for as long as the story still ends with the same kind of problem.
"""

import time  # a search that is bounded by what a person waits
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.world.life import Outcome
from tests.world.runner import Cores, Job
from tests.world.times import DAY_S

GRACE_S: Final = 900.0
"""With less going on the same may come a little later."""
Lives = Callable[[Iterable[Job]], Iterator[Outcome]]


@dataclass(frozen=True, slots=True)
class Shrunk:
    job: Job
    """The shortest story found that still goes wrong in the same way."""
    outcome: Outcome
    tries: int
    complete: bool
    """Nothing more can be left out; False: the time was over."""


def shrink(
    job: Job,
    wrong: Outcome,
    cores: Cores,
    spend_s: float,
    told: Callable[[int, int], object] = lambda *_: None,
) -> Shrunk:
    """``wrong`` is what came of ``job``. ``told`` hears of happenings left and tries so far."""
    return _Search(job, wrong, cores.each, cores.count, time.monotonic() + spend_s, told).found()


class _Search:
    def __init__(
        self,
        job: Job,
        wrong: Outcome,
        lives: Lives,
        abreast: int,
        until_s: float,
        told: Callable[[int, int], object],
    ) -> None:
        self._lives, self._abreast, self._until_s, self._told = lives, abreast, until_s, told
        self._kind = wrong.kind
        self._best, self._tries = wrong, 0
        self._job = replace(job, skip=(), until_s=_end_s(job, wrong))

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._until_s

    def found(self) -> Shrunk:
        kept = _that_happened(self._best)
        pieces = 2
        while kept and not self._late:
            size = -(-len(kept) // pieces)
            smaller = self._first_that_fails(_without_each(kept, size))
            if smaller is not None:
                kept, pieces = smaller, max(2, pieces - 1)
            elif size == 1:
                break
            else:
                pieces = min(len(kept), 2 * pieces)
            self._told(len(kept), self._tries)
        job = replace(self._job, only=tuple(kept))
        return Shrunk(job, self._best, self._tries, complete=not self._late)

    def _first_that_fails(self, stories: Sequence[Sequence[int]]) -> list[int] | None:
        """Some at a time, and the first in order: the answer does not depend on who is faster."""
        for at in range(0, len(stories), self._abreast):
            if self._late:
                return None
            some = stories[at : at + self._abreast]
            outcomes = list(self._lives(replace(self._job, only=tuple(story)) for story in some))
            self._tries += len(some)
            for outcome in outcomes:
                if outcome.kind == self._kind:
                    self._best = outcome
                    return _that_happened(outcome)
        return None


def _that_happened(outcome: Outcome) -> list[int]:
    """What was planned for after the end has no part in it."""
    return [number for number, at_s, _ in outcome.story if at_s <= outcome.lived_s]


def _without_each(kept: Sequence[int], size: int) -> list[list[int]]:
    """The later half is the likelier: pieces from the front are left out first."""
    return [[*kept[:at], *kept[at + size :]] for at in range(0, len(kept), size)]


def _end_s(job: Job, wrong: Outcome) -> float | None:
    """None: what is wrong shows only when everything is settled."""
    return wrong.lived_s + GRACE_S if wrong.lived_s < job.days * DAY_S - GRACE_S else None
