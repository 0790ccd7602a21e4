"""How many random worlds each planted mistake needs until it is found; TIMES=20 gives up twenty times later.

A world is a quarter of a day with many visits, and whatever faults its seed draws: nothing is staged. On all
cores. What has been measured is kept: a run that was stopped goes on with the mistakes that are left.
"""

import os
import time
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


def needed(name: str, lived: int, worlds: int) -> dict[str, Any]:
    """The first seed above ``lived`` that finds it, and by which violation; ``seed`` is 0 where none does."""
    with MUTANTS[name].plant():
        for seed in range(lived + 1, worlds + 1):
            outcome = lived_in_time(Job(seed, DAYS, VISITS_A_DAY))
            if outcome.problem:
                problem = outcome.problem.splitlines()[0][:SAID_MAX]
                return {"worlds": seed, "seed": seed, "kind": outcome.kind, "problem": problem}
    return {"worlds": worlds, "seed": 0, "kind": "", "problem": ""}


def measured(kept: Kept, worlds: int) -> None:
    """Every mistake is in ``kept`` then, each with its seed or as not found in so many worlds."""
    lived = {name: kept[name]["worlds"] if name in kept else 0 for name in MUTANTS}
    todo = [name for name in MUTANTS if lived[name] < worlds and not (name in kept and kept[name]["seed"])]
    begun_s = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as cores:
        asked = {cores.submit(needed, name, lived[name], worlds): name for name in todo}
        for n, done in enumerate(as_completed(asked), 1):
            found, name = done.result(), asked[done]
            kept.put(name, **found)
            told = f"world {found['seed']}: {found['problem']}" if found["seed"] else "not found"
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
    missed = [name for name in MUTANTS if name not in found]
    note = f"in {worlds} worlds; each is found by its scene: " + ", ".join(missed)
    sheet.tells("planted mistakes that random worlds did not find", len(missed), f"of {len(MUTANTS)}", note)
