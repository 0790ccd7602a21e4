"""Worlds one after another on all cores, each in a process that shares nothing with the others."""

import gc
import logging
import multiprocessing
import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tests.world.disks import WorldVfs
from tests.world.life import VISITS_A_DAY, Outcome, lived
from tests.world.times import DAY_S
from tests.world.world import World

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult, Pool

WORLDS_A_PROCESS: Final = 25
"""Then a new one takes its place: what one world leaks does not grow for days."""
SPENT_MAX_S: Final = 120.0
SPENT_MAX_A_DAY_S: Final = 120.0
"""Time of a core in which a world must be over: otherwise it turns round and round."""
AGAIN_S: Final = 5.0
BUSY: Final = 20
"""So many times as long, with one before it, by the clock on the wall: then its process counts as gone."""
MEMORY: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108  # only where it is


@dataclass(frozen=True, slots=True)
class Job:
    """One world. ``only``: the happenings that happen; None: all but ``skip``."""

    seed: int
    days: float
    visits_a_day: int = VISITS_A_DAY
    kinds: tuple[str, ...] | None = None
    skip: tuple[int, ...] = ()
    only: tuple[int, ...] | None = None
    until_s: float | None = None

    @property
    def left_out(self) -> Collection[int]:
        return frozenset(self.skip) if self.only is None else AllBut(frozenset(self.only))

    @property
    def spent_max_s(self) -> float:
        return SPENT_MAX_S + SPENT_MAX_A_DAY_S * self.days


@dataclass(frozen=True, slots=True)
class AllBut(Collection[int]):
    """Every number but these."""

    kept: frozenset[int]

    def __contains__(self, number: object) -> bool:
        return number not in self.kept

    def __iter__(self) -> Iterator[int]:
        raise TypeError("there is no end to them")

    def __len__(self) -> int:
        raise TypeError("there is no end to them")


class TakesTooLongError(KeyboardInterrupt):
    """Of the interrupting sort: nobody in the world may catch it."""


_OF_THIS_PROCESS: Final[list[WorldVfs]] = []


def vfs() -> WorldVfs:
    """One a process: the library keeps the address of the first."""
    if not _OF_THIS_PROCESS:
        _OF_THIS_PROCESS.append(WorldVfs())
    return _OF_THIS_PROCESS[0]


def live(
    job: Job, on: WorldVfs | None = None, watchers: tuple[Callable[[World], object], ...] = ()
) -> Outcome:
    """The world of ``job`` in this process."""
    how: dict[str, Any] = {"skip": job.left_out, "visits_a_day": job.visits_a_day, "watchers": watchers}
    if job.kinds is not None:
        how["kinds"] = job.kinds
    if job.until_s is not None:
        how["until_s"] = job.until_s
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, _rarely_collecting():
        return lived(job.seed, job.days, Path(folder), on or vfs(), **how)


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """A world makes few cycles and many objects that stay: looking through all of them takes time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


# --- in a process of its own ---


class _Shared:
    days: Any = None
    """How far the world in each place has come."""


def _begin(days: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.disable(logging.CRITICAL)
    _Shared.days = days


def _lived(job: Job, place: int) -> Outcome:
    def far(world: World) -> None:
        def told(*_what: object) -> None:
            _Shared.days[place] = world.loop.time() / DAY_S

        world.on_entries.append(told)

    outcome = lived_in_time(job, watchers=(far,))
    outcome.error = None
    return outcome


def lived_in_time(job: Job, watchers: tuple[Callable[[World], object], ...] = ()) -> Outcome:
    """As `live`, in a process's main thread; a world that turns round and round has a problem too."""

    def too_long(_number: int, _frame: object) -> None:
        raise TakesTooLongError

    # Its own time, not the wall's: on a busy machine a world that is all right takes many times as long.
    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, job.spent_max_s, AGAIN_S)
    try:
        return live(job, watchers=watchers)
    except TakesTooLongError:
        what = f"was not over after {job.spent_max_s:.0f} s"
        return Outcome(job.seed, job.days, problem=f"the world {what}", kind="takes too long")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


# --- in the process that asks ---


class Cores:
    """All cores; use it in a ``with``. Whoever leaves it early ends what still runs."""

    def __init__(self, count: int = 0) -> None:
        self.count = count or os.cpu_count() or 1
        self._context = multiprocessing.get_context("spawn")
        self._days = self._context.Array("d", 2 * self.count, lock=False)
        self._pool: Pool | None = None

    def __enter__(self) -> Self:
        self._pool = self._context.Pool(self.count, _begin, (self._days,), maxtasksperchild=WORLDS_A_PROCESS)
        return self

    def __exit__(self, *_what: object) -> None:
        assert self._pool is not None
        self._pool.terminate()
        self._pool.join()

    @property
    def days_under_way(self) -> float:
        """Virtual days that are lived and not told of yet."""
        return float(sum(self._days))

    def each(self, jobs: Iterable[Job], tick: Callable[[], object] = lambda: None) -> Iterator[Outcome]:
        """What became of each, in order; ``tick`` is called about once a second.

        A process that dies is an outcome too.
        """
        coming, flying = iter(enumerate(jobs)), deque[tuple[int, Job, "AsyncResult[Outcome]"]]()
        while True:
            while len(flying) < 2 * self.count and (following := next(coming, None)) is not None:
                flying.append(self._send(*following))
            if not flying:
                return
            n, job, result = flying.popleft()
            outcome = self._await(job, result, tick)
            self._days[n % (2 * self.count)] = 0.0
            yield outcome

    def _send(self, n: int, job: Job) -> "tuple[int, Job, AsyncResult[Outcome]]":
        assert self._pool is not None
        return n, job, self._pool.apply_async(_lived, (job, n % (2 * self.count)))

    def _await(self, job: Job, result: "AsyncResult[Outcome]", tick: Callable[[], object]) -> Outcome:
        seconds = int(BUSY * job.spent_max_s) + 60
        for _ in range(seconds):
            result.wait(1.0)
            if result.ready():
                return result.get()
            tick()
        return Outcome(job.seed, job.days, problem="its process is gone", kind="process gone")
