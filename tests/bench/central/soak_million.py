"""A million entries: a thousand lockers come back at once with a thousand each.

The same fleet as in the bench, longer: what grows with the ledger shows here. On two quiet cores it takes a
quarter of an hour, 6 GB in the folder for temporary files, and 2 GB of memory; each half minute it tells how
far it is.
"""

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.bench.central.bench_fleet import LOCKERS, ONE, SQLITE, database, fleet, judge, tell_rate
from tests.bench.figures import Sheet

EVENTS: Final = 1_000
LONGEST_S: Final = 14_400


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("store", [SQLITE, ONE])
def test_a_million_entries(sheet: Sheet, tmp_path: Path, store: str, times: int) -> None:
    events = EVENTS * times
    print(f"\n{LOCKERS:,} lockers write {events:,} entries each, then come back: {store}", flush=True)
    try:
        with database(store) as words:
            found = fleet(tmp_path, events, words)
    finally:
        shutil.rmtree(tmp_path, ignore_errors=True)  # gigabytes, of which pytest would keep three runs
    mine = f"{LOCKERS:,} lockers x {events:,} entries, {store}"
    judge(sheet, mine, found)
    tell_rate(sheet, mine, found)
    sheet.tells("  by the hub's CPU", found["hub_cpu_s"] / found["entries"] * 1e6, "µs", "an entry")
    assert found["ok"], found["differences"]
