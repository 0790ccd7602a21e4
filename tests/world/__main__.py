"""Worlds on all cores: `make world SEED=… DAYS=…`; see docs/world.md.

python -m tests.world                       fresh seeds
python -m tests.world 17 --days 3           one world
python -m tests.world 17 --days 3 --n 8     that one and the seven after it
python -m tests.world --forever             until it is stopped; goes on where it was
python -m tests.world 17 --days 3 --here [--only 5,9] [--debug]
                                            in this very process, under a debugger if you like
"""

import argparse
import itertools
import logging
import os
import pdb  # noqa: T100  # --debug
import random  # noqa: TID251  # fresh seeds: chosen here, told, and all else follows from them
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from tests.world import report
from tests.world.life import VISITS_A_DAY, Outcome
from tests.world.report import Total
from tests.world.runner import Cores, Job, live
from tests.world.shrink import shrink
from tests.world.world import Violation, World

KEPT: Final = Path(".cache/world.json")
FRESH: Final = 2**24
SHRINK_S: Final = 600.0
SAID_EVERY_S: Final = 60.0


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.world", description="worlds that try to break it")
    parser.add_argument("seed", nargs="?", type=int, help="the first; without it fresh ones")
    parser.add_argument("--days", type=float, default=3.0, help="virtual days of each world")
    parser.add_argument("--n", type=int, default=0, help="how many worlds")
    parser.add_argument("--visits", type=int, default=VISITS_A_DAY, help="visits a day")
    parser.add_argument("--kinds", type=_names, help="only faults of these kinds; `none` for none")
    parser.add_argument("--skip", type=_numbers, default=(), help="happenings to leave out")
    parser.add_argument("--only", type=_numbers, help="leave out all but these")
    parser.add_argument("--until", type=float, help="end unsettled at this second")
    parser.add_argument("--forever", action="store_true", help=f"until stopped; kept in {KEPT}")
    parser.add_argument("--shrink", type=float, default=SHRINK_S, help="seconds for shrinking each violation")
    parser.add_argument("--here", action="store_true", help="one world in this process")
    parser.add_argument("--trace", type=Path, help="with --here: write the whole trace there")
    parser.add_argument("--debug", action="store_true", help="with --here: a debugger where it goes wrong")
    return parser.parse_args(words)


def _numbers(text: str) -> tuple[int, ...]:
    return () if text == "none" else tuple(int(word) for word in text.split(",") if word)


def _names(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(word for word in text.split(",") if word)


def main(words: list[str]) -> int:
    asked = arguments(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if asked.here:
        return here(_job(asked, asked.seed or 0), asked)
    if asked.forever:
        total = Total.read(KEPT)
        seeds: Iterator[int] = itertools.count(total.next_seed if asked.seed is None else asked.seed)
        return many(asked, seeds, total, 0)
    first = random.randrange(FRESH) if asked.seed is None else asked.seed
    count = asked.n or (2 * (os.cpu_count() or 1) if asked.seed is None else 1)
    return many(asked, iter(range(first, first + count)), Total(first), count)


def _job(asked: argparse.Namespace, seed: int) -> Job:
    return Job(seed, asked.days, asked.visits, asked.kinds, asked.skip, asked.only, asked.until)


# --- on all cores ---


def many(asked: argparse.Namespace, seeds: Iterator[int], total: Total, count: int) -> int:
    """``count`` is 0 where there is no end. Ctrl-C and SIGTERM end it, with what was lived so far."""
    before = len(total.violations)
    with Cores() as cores:
        progress = Progress(cores, total, count, asked.days)
        try:
            for outcome in cores.each((_job(asked, seed) for seed in seeds), progress.show):
                total.add(outcome)
                if outcome.problem:
                    _look_into(_job(asked, outcome.seed), outcome, cores, asked.shrink, total)
                if asked.forever:
                    total.write(KEPT)
                progress.show()
        except KeyboardInterrupt:
            print("\nstopped", file=sys.stderr)
    print(file=sys.stderr)
    print("\n".join(total.lines()))
    return 1 if len(total.violations) > before else 0


def _look_into(job: Job, outcome: Outcome, cores: Cores, spend_s: float, total: Total) -> None:
    """The first of each kind is shrunk; the others are likely to be the same mistake."""
    known = {each["kind"] for each in total.violations}
    shrunk = None
    if spend_s and outcome.kind not in known and outcome.story:
        shrunk = shrink(job, outcome, cores, spend_s, _shrinking)
        print(file=sys.stderr)
    total.violated(job if shrunk is None else shrunk.job, outcome)
    lines = "\n".join(report.of_violation(job, outcome, shrunk))
    print(f"\n{lines}\n", flush=True)
    path = KEPT.with_name(f"world-{outcome.seed}.txt")
    path.parent.mkdir(exist_ok=True)
    path.write_text(lines + "\n", encoding="utf-8")


def _shrinking(left: int, tries: int) -> None:
    _rewrite(f"shrinking: {left} happenings left after {tries} tries")


def _rewrite(text: str) -> None:
    if os.isatty(2):
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


class Progress:
    """One line that is rewritten; where nobody watches, one line a minute."""

    def __init__(self, cores: Cores, total: Total, count: int, days: float) -> None:
        self._cores, self._total, self._of_days = cores, total, count * days
        self._begun_s, self._begun_days = time.monotonic(), total.days
        self._said_s = self._begun_s

    def show(self) -> None:
        spent_s = time.monotonic() - self._begun_s
        days = self._total.days - self._begun_days + self._cores.days_under_way
        rate = days / max(spent_s, 0.001)
        wrong = f"{len(self._total.violations)} violations"
        text = f"{self._total.worlds:,} worlds, {wrong}, {60 * rate:.1f} days a minute"
        if self._of_days:
            left = f", {max(self._of_days - days, 0) / rate:,.0f} s to go" if days else ""
            text = f"{days:.1f} of {self._of_days:g} days, {text}{left}"
            text = report.bar(days, self._of_days, text)
        else:
            text = f"{self._total.days + self._cores.days_under_way:,.1f} days, {text}; Ctrl-C to stop"
        if os.isatty(2):
            _rewrite(text)
        elif time.monotonic() - self._said_s > SAID_EVERY_S:
            self._said_s = time.monotonic()
            print(text, file=sys.stderr, flush=True)


# --- in this process ---


def here(job: Job, asked: argparse.Namespace) -> int:
    """One world, told as it ends; with ``--debug`` whoever sits here gets a prompt where it goes wrong."""
    logging.basicConfig(level=logging.WARNING)
    watchers: list[Callable[[World], object]] = []
    with ExitStack() as stack:
        if asked.trace:
            file = stack.enter_context(asked.trace.open("w", encoding="utf-8"))
            watchers.append(partial(_written, file))
        if asked.debug:
            watchers.append(_stopping)
        outcome = live(job, watchers=tuple(watchers))
    total = Total()
    total.add(outcome)
    if outcome.problem:
        print("\n".join(report.of_violation(job, outcome, None)))
        total.violated(job, outcome)
    print("\n".join(total.lines()))
    print(f"trace {outcome.trace}")
    if asked.debug and outcome.error is not None and not isinstance(outcome.error, Violation):
        pdb.post_mortem(outcome.error.__traceback__)
    return 1 if outcome.problem else 0


def _written(file: TextIO, world: World) -> None:
    add = world.trace.add

    def add_and_write(what: str) -> None:
        add(what)
        file.write(world.trace.lines[-1] + "\n")

    world.trace.add = add_and_write  # type: ignore[method-assign]


def _stopping(world: World) -> None:
    violated = world.violated

    def stop(number: int, what: str) -> None:
        violated(number, what)
        breakpoint()  # noqa: T100  # asked for by --debug: go `up` to whoever found it

    world.violated = stop  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
