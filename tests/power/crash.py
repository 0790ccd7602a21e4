"""Any number of cuts of any number of made-up lives, on all cores: `make crash N=1000000`.

    python -m tests.power.crash COUNT [FIRST]      lives from seed FIRST on, 500 cuts each
    python -m tests.power.crash LIFE/CUT           one cut again; leaves the disk that it found

A run that was stopped says with which FIRST to go on.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.power import cuts
from tests.power.disk import Descent
from tests.power.use_cases import made_up
from tests.power.vfs import Vfs

CUTS_A_LIFE: Final = 500
LEFT: Final = Path(".cache/crash")


@dataclass(frozen=True, slots=True)
class OfOneLife:
    seed: int
    operations: int
    tally: Counter[str]
    broken: tuple[int, ...]
    """The numbers of its cuts that must be looked at."""


@dataclass(slots=True)
class Total:
    first: int
    lives: int = 0
    operations: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    """LIFE/CUT, to be cut again."""

    @property
    def cuts(self) -> int:
        return self.tally.total()

    def add(self, life: OfOneLife) -> None:
        self.lives += 1
        self.operations += life.operations
        self.tally += life.tally
        self.broken += [f"{life.seed}/{n}" for n in life.broken]

    def lines(self, spent_s: float) -> list[str]:
        verdicts = [f"{count:12,}  {wrong or 'held'}" for wrong, count in self.tally.most_common()]
        rate = self.cuts / max(spent_s, 0.001)
        return [
            f"{self.cuts:,} cuts of {self.lives:,} lives with {self.operations:,} storage operations",
            f"{spent_s:,.0f} s, {rate:,.0f} cuts a second",
            *verdicts,
            *[f"again: python -m tests.power.crash {each}" for each in self.broken[:20]],
            f"go on with: FIRST={self.first + self.lives}",
        ]


def of_one_life(seed: int) -> OfOneLife:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        vfs = _vfs()
        recording = asyncio.run(cuts.lived(vfs, Path(folder) / "journal.sqlite3", made_up(seed)))
        judged = cuts.Cuts(vfs, recording)
        tally = judged.anywhere(CUTS_A_LIFE, seed)
        broken = (n for n in range(CUTS_A_LIFE) if tally.total() > tally[""] and judged.once(n, seed))
        return OfOneLife(seed, len(recording.disk.log), tally, tuple(broken))


_OF_THIS_PROCESS: Final[list[Vfs]] = []


def _vfs() -> Vfs:
    """One a process: the library keeps the address of the first."""
    if not _OF_THIS_PROCESS:
        _OF_THIS_PROCESS.append(Vfs())
    return _OF_THIS_PROCESS[0]


def run(count: int, first: int, progress: Callable[[Total], None]) -> Total:
    """At least ``count`` cuts; an interrupt ends it early, with what was cut so far."""
    total = Total(first)
    seeds = range(first, first - (-count // CUTS_A_LIFE))
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        try:
            for life in pool.imap(of_one_life, seeds):
                total.add(life)
                progress(total)
        except KeyboardInterrupt:
            pool.terminate()
    return total


def again(seed: int, n: int) -> str:
    """One cut once more; the files that it finds go to ``LEFT``."""
    LEFT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "journal.sqlite3"
        recording = asyncio.run(cuts.lived(_vfs(), path, made_up(seed)))
        judged = cuts.Cuts(_vfs(), recording)
        place, chance = judged.picked(n, seed)
        for name, data in Descent(recording.disk).to(place).found(chance).items():
            (LEFT / Path(name).name).write_bytes(data)
        promised = recording.promised(place)
        wrong = judged.once(n, seed) or "it held"
    return f"cut after {place} operations; {promised.seq} entries were promised; in {LEFT}; {wrong}"


def main(arguments: list[str]) -> int:
    if "/" in arguments[0]:
        seed, _, n = arguments[0].partition("/")
        print(again(int(seed), int(n)))
        return 0
    count, first, begun_s = int(arguments[0]), int((*arguments, "0")[1]), time.monotonic()

    def progress(total: Total) -> None:
        spent_s = time.monotonic() - begun_s
        left_s = spent_s / total.cuts * max(0, count - total.cuts)
        text = f"{total.cuts:,} of {count:,} cuts, {len(total.broken)} broken, {left_s:,.0f} s to go"
        print(f"\r{text:<78}", end="", file=sys.stderr, flush=True)

    total = run(count, first, progress)
    print(file=sys.stderr)
    print("\n".join(total.lines(time.monotonic() - begun_s)))
    return 1 if total.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
