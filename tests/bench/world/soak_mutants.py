"""How many random worlds each planted mistake needs until it is found; TIMES=20 gives up twenty times later.

A world is a quarter of a day with many visits, and whatever faults its seed draws: nothing is staged. Only a
violation that the mistake's author names counts: a world that violates something else first, or ends by an
error, is told separately, and the next one is lived. On all cores. What has been measured is kept: a run that
was stopped goes on with the mistakes that are left.
"""

import os
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from statistics import median
from typing import Any, Final

from tests.bench.figures import Sheet
from tests.bench.kept import CACHE, Kept, version
from tests.world.mutants.planted import MUTANTS
from tests.world.runner import Job, lived_in_time

WORLDS: Final = 10
"""Then it counts as not found; TIMES=20 looks into 200 worlds for each."""
DAYS: Final = 0.25
VISITS_A_DAY: Final = 160
SAID_MAX: Final = 80


def needed(name: str, before: Mapping[str, Any], worlds: int) -> dict[str, Any]:
    """The first seed above those of ``before`` at which a named invariant is violated; ``seed`` is 0 where
    none is. ``others``: how many worlds ended otherwise, by what."""
    mutant, others = MUTANTS[name], Counter(before.get("others", {}))
    with mutant.plant():
        for seed in range(before.get("worlds", 0) + 1, worlds + 1):
            outcome = lived_in_time(Job(seed, DAYS, VISITS_A_DAY))
            if mutant.named(outcome.kind):
                problem = outcome.problem.splitlines()[0][:SAID_MAX]
                return _row(seed, seed, outcome.kind, problem, others)
            if outcome.problem:
                others[outcome.kind] += 1
    return _row(worlds, 0, "", "", others)


def _row(worlds: int, seed: int, kind: str, problem: str, others: Mapping[str, int]) -> dict[str, Any]:
    return {"worlds": worlds, "seed": seed, "kind": kind, "problem": problem, "others": dict(others)}


def measured(kept: Kept, worlds: int) -> None:
    """Every mistake is in ``kept`` then, each with its seed or as not found in so many worlds."""
    rows = {name: dict(kept[name]) if name in kept else {} for name in MUTANTS}
    todo = [name for name, row in rows.items() if row.get("worlds", 0) < worlds and not row.get("seed")]
    begun_s = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as cores:
        asked = {cores.submit(needed, name, rows[name], worlds): name for name in todo}
        for n, done in enumerate(as_completed(asked), 1):
            found, name = done.result(), asked[done]
            kept.put(name, **found)
            told = f"world {found['seed']}: {found['problem']}" if found["seed"] else "not found"
            told += "".join(f"; {kind} {count} times" for kind, count in found["others"].items())
            print(f"{n} of {len(todo)}, {time.monotonic() - begun_s:,.0f} s: {name}: {told}", flush=True)


def by_seeds(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Those that were found, the ones that need most worlds last."""
    found = {name: row for name, row in kept.items() if row["seed"]}
    return dict(sorted(found.items(), key=lambda pair: int(pair[1]["seed"])))


def test_seeds_until_found(sheet: Sheet, times: int) -> None:
    worlds, kept = WORLDS * times, Kept(CACHE / "mutants.json", version())
    measured(kept, worlds)
    rows = {name: kept[name] for name in MUTANTS}
    found = by_seeds(rows)
    for name, row in found.items():
        sheet.tells(f"{name}: found after", row["seed"], "worlds", f"{row['kind']}: {row['problem']}")
    if found:
        sheet.tells(
            "planted mistakes, worlds until found, median", median(row["seed"] for row in found.values()), ""
        )
    for name, row in rows.items():
        for kind, count in row["others"].items():
            sheet.tells(f"{name}: ended otherwise", count, "worlds", f"{kind}: not what its author names")
    missed = [name for name in MUTANTS if name not in found]
    note = f"in {worlds} worlds; each is found by its scene: " + ", ".join(missed)
    sheet.tells("planted mistakes that random worlds did not find", len(missed), f"of {len(MUTANTS)}", note)
