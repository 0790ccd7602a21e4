"""How many random worlds each planted mistake needs until it is found; TIMES=20 gives up twenty times later.

A world is a quarter of a day with many visits, and whatever faults its seed draws: nothing is staged.
"""

from tests.bench.figures import Sheet
from tests.world.mutants.mutant import Mutant
from tests.world.mutants.planted import MUTANTS
from tests.world.runner import Job, live

WORLDS = 10
"""Then it counts as not found; TIMES=20 looks into 200 worlds for each."""
DAYS = 0.25
VISITS_A_DAY = 160


def needed(mutant: Mutant, worlds: int) -> tuple[int, str]:
    """How many seeds from 1 on until something is wrong, and what; 0 where nothing is."""
    with mutant.plant():
        for seed in range(1, worlds + 1):
            outcome = live(Job(seed, DAYS, VISITS_A_DAY))
            if outcome.problem:
                return seed, outcome.problem
    return 0, ""


def test_seeds_until_found(sheet: Sheet, times: int) -> None:
    worlds, missed = WORLDS * times, list[str]()
    for mutant in MUTANTS.values():
        seeds, problem = needed(mutant, worlds)
        if seeds:
            sheet.tells(f"{mutant.name}: found after", seeds, "worlds", problem[:90])
        else:
            missed.append(mutant.name)
    note = f"in {worlds} worlds; each is found by its scene: " + ", ".join(missed)
    sheet.tells("planted mistakes that random worlds did not find", len(missed), f"of {len(MUTANTS)}", note)
