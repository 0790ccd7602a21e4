"""Worlds that nobody has seen yet, on all cores; `make world FOREVER=1` goes on for as long as it is left."""

import random  # noqa: TID251  # the first seed; all else follows from it
import time
from typing import Final

from tests.bench.figures import Sheet
from tests.world import occupancy, reached, report
from tests.world.report import Total
from tests.world.runner import Cores, Job

WORLDS: Final = 16
DAYS: Final = 1.0
FRESH: Final = 2**24


def test_worlds(sheet: Sheet, times: int) -> None:
    first, total, begun_s = random.randrange(FRESH), Total(), time.monotonic()
    jobs = [Job(seed, DAYS) for seed in range(first, first + WORLDS * times)]
    with Cores() as cores:
        for job, outcome in zip(jobs, cores.each(jobs), strict=True):
            total.add(outcome)
            print(f"{total.worlds} worlds, {total.days_a_minute:.1f} locker-days a minute", flush=True)
            if outcome.problem:
                total.violated(job, outcome)
                print("\n".join(report.of_violation(job, outcome, None)), flush=True)
    visits = total.happenings - sum(total.faults.values())
    faults = f"{sum(total.faults.values()):,} faults of {len(total.faults)} kinds"
    note = f"from seed {first}: {visits:,} visits, {faults}, {total.entries:,} entries"
    wrong = len(total.violations)
    sheet.at_most("worlds in which something happened that must not", wrong, "of them", 0, note)
    sheet.tells("locker-days of such worlds", total.days, "", f"{time.monotonic() - begun_s:,.0f} s")
    sheet.tells("locker-days a minute and core", total.days_a_minute, "")
    high = total.points[occupancy.REACHED]
    sheet.tells(
        "compartments occupied, on average", 100 * total.occupied, "%", f"80 % reached {high:,} times"
    )
    missing = len(reached.never(total.points))
    sheet.tells("corners reached", len(reached.points()) - missing, "", f"of {len(reached.points())}")
    assert total.violations == []
