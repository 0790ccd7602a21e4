"""Power cuts of made-up lives; TIMES=40, or `make crash` with progress, make them a million."""

import time
from typing import Final

from tests.bench.figures import Sheet
from tests.power.crash import Total, run

CUTS: Final = 25_000


def test_power_cuts(sheet: Sheet, times: int) -> None:
    begun_s = time.monotonic()

    def progress(total: Total) -> None:
        if total.lives % 100 == 0:
            print(f"{total.cuts:,} cuts", flush=True)

    total = run(CUTS * times, 0, progress)
    spent_s = time.monotonic() - begun_s
    note = f"{total.lives:,} lives, {total.operations:,} storage operations, {spent_s:,.0f} s"
    sheet.at_most("power cuts after which something was lost or wrong", len(total.broken), "of them", 0, note)
    sheet.tells("power cuts", total.cuts, "cuts")
    assert total.broken == []
    assert total.cuts >= CUTS * times, "somebody stopped it"
