"""What many worlds came to, told to people, and kept between runs."""

import json
import os
import subprocess
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from tests.world import reached
from tests.world.life import VISITS_A_DAY, Outcome
from tests.world.runner import Job
from tests.world.shrink import Shrunk
from tests.world.times import DAY_S

FAULT: Final = "fault "
YEAR_DAYS: Final = 365
LAST_LINES: Final = 30
BAR: Final = 24
STORY_MAX: Final = 40
EXACT: Final = 1e-9


@dataclass
class Total:
    """Of all worlds so far; ``next_seed`` is the first that has not been lived."""

    next_seed: int = 0
    worlds: int = 0
    days: float = 0.0
    spent_s: float = 0.0
    """Of all cores together."""
    happenings: int = 0
    entries: int = 0
    pulses: int = 0
    polls: int = 0
    slept_s: float = 0.0
    turns: int = 0
    occupied_days: float = 0.0
    """Days, each by the share of compartments that were occupied."""
    crowded: dict[str, int] = field(default_factory=dict)
    """Worlds by the share of the compartments that were occupied at once, in tenths."""
    happened: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.next_seed = outcome.seed + 1
        self.worlds += 1
        self.days += outcome.lived_s / DAY_S
        self.spent_s += outcome.took_s
        self.happenings += outcome.happened.total()
        self.entries += outcome.entries
        self.pulses += outcome.pulses
        self.polls += outcome.polls
        self.slept_s += outcome.slept_s
        self.turns += outcome.turns
        mean, peak, _ = outcome.occupied
        self.occupied_days += mean * outcome.lived_s / DAY_S
        tenth = f"{int(10 * peak + EXACT) * 10} %"
        self.crowded[tenth] = self.crowded.get(tenth, 0) + 1
        self.happened += outcome.happened
        self.points += outcome.points

    def violated(self, job: Job, outcome: Outcome) -> None:
        self.violations.append(
            {"seed": outcome.seed, "days": job.days, "problem": outcome.problem, "kind": outcome.kind}
            | {"commit": commit(), "again": again(job)}
        )

    @property
    def days_a_minute(self) -> float:
        """On one core."""
        return 60 * self.days / max(self.spent_s, 0.001)

    @property
    def occupied(self) -> float:
        """Share of the compartments, over time."""
        return self.occupied_days / max(self.days, 0.001)

    @property
    def faults(self) -> Mapping[str, int]:
        of_faults = ((name, n) for name, n in self.happened.items() if name.startswith(FAULT))
        return {name.removeprefix(FAULT): n for name, n in sorted(of_faults)}

    def lines(self) -> Iterator[str]:
        yield f"{self.worlds:,} worlds, {self.days:,.1f} locker-days ({self.days / YEAR_DAYS:.2f} years)"
        yield f"{self.spent_s:,.0f} s of one core, {self.days_a_minute:.1f} locker-days a minute on each"
        visits = self.happenings - sum(self.faults.values())
        yield f"{visits:,} visits and errands, {self.entries:,} entries, {self.pulses:,} pulses"
        peaks = ", ".join(f"{tenth} in {n:,}" for tenth, n in sorted(self.crowded.items(), key=_percent))
        yield f"{self.occupied:.0%} of the compartments occupied on average; at most {peaks or 'none'}"
        yield f"{self.polls:,} polls spoken, {self.slept_s / DAY_S:,.1f} line-days of polling passed over"
        yield from _listed("faults", self.faults)
        missing = reached.never(self.points)
        yield from _listed("reached", {name: n for name, n in sorted(self.points.items()) if n})
        yield f"never reached: {len(missing)} of {len(reached.points())}"
        yield from _grouped(missing)
        yield f"violations: {len(self.violations)}"
        for each in self.violations[-20:]:
            yield f"  seed {each['seed']}: {each['problem'].splitlines()[0]}"
            yield f"    {each['again']}"

    # --- kept ---

    def write(self, path: Path) -> None:
        """Whole or not at all: a run may be stopped at any time."""
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_suffix(".new")
        body = {each.name: getattr(self, each.name) for each in fields(self)}
        fresh.write_text(json.dumps(body, indent=1, ensure_ascii=False), encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Total":
        if not path.exists():
            return cls()
        body = json.loads(path.read_text(encoding="utf-8"))
        total = cls(**{each.name: body[each.name] for each in fields(cls) if each.name in body})
        total.happened, total.points = Counter(total.happened), Counter(total.points)
        return total


def _percent(pair: tuple[str, int]) -> int:
    return int(pair[0].removesuffix(" %"))


def _listed(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield f"{what}: {len(counts)} kinds, {sum(counts.values()):,} times"
    for name, n in counts.items():
        yield f"{n:12,}  {name}"


def _grouped(points: Iterable[str]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for point in points:
        group, colon, name = point.partition(": ")
        if point.startswith(FAULT):
            group, name = FAULT.strip(), point.removeprefix(FAULT)
        elif not colon:
            group, name = "people", point
        groups.setdefault(group, []).append(name)
    for group, names in groups.items():
        yield textwrap.fill(
            f"{group}: {', '.join(names)}", 110, initial_indent="  ", subsequent_indent=" " * 6
        )


def commit() -> str:
    """Of the code that ran."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return "not a repository"
    return told.stdout.strip() or "not a repository"


def again(job: Job) -> str:
    """The command that lives the same world once more."""
    words = ["python -m tests.world", str(job.seed), f"--days {job.days:g}", "--here"]
    if job.visits_a_day != VISITS_A_DAY:
        words.append(f"--visits {job.visits_a_day}")
    if job.kinds is not None:
        words.append(f"--kinds {','.join(job.kinds) or 'none'}")
    if job.only is not None:
        words.append(f"--only {','.join(map(str, job.only)) or 'none'}")
    if job.skip:
        words.append(f"--skip {','.join(map(str, job.skip))}")
    if job.until_s is not None:
        words.append(f"--until {job.until_s:.0f}")
    return " ".join(words)


def of_violation(job: Job, outcome: Outcome, shrunk: Shrunk | None) -> Iterator[str]:
    """All that somebody needs who is to mend it."""
    yield f"seed {outcome.seed}, commit {commit()}: {outcome.problem}"
    best, story = (job, outcome) if shrunk is None else (shrunk.job, shrunk.outcome)
    if shrunk is not None:
        rest = "nothing more can be left out" if shrunk.complete else "the time was over"
        few = f"{outcome.planned} happenings to {len(story.story)}"
        yield f"  shrunk from {few} in {shrunk.tries} tries ({rest}):"
    happened = [each for each in story.story if each[1] <= story.lived_s]
    for number, at_s, name in happened[-STORY_MAX:]:
        yield f"    #{number} at {at_s:,.1f} s: {name}"
    yield f"  the last of the trace {story.trace[:16]}:"
    yield from (f"    {line}" for line in story.lines[-LAST_LINES:])
    if story.where:
        yield from (f"    {line}" for line in story.where.splitlines()[-LAST_LINES:])
    yield f"  again:    {again(best)}"
    yield f"  debugger: {again(best)} --debug"
    yield f"  as it was: {again(job)}"


def bar(done: float, of: float, text: str) -> str:
    """One line of progress."""
    full = min(BAR, int(BAR * done / max(of, 0.001)))
    columns = os.get_terminal_size().columns if os.isatty(2) else 118
    return f"[{'#' * full}{'.' * (BAR - full)}] {text}"[: columns - 1]
