"""A million entries: a thousand lockers come back at once with a thousand each. Minutes to an hour.

The same fleet as in the bench, longer: what grows with the ledger shows here.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.bench.central.bench_fleet import ENTRIES_PER_S_MIN, LOCKERS, fleet, judge
from tests.bench.figures import Sheet

EVENTS: Final = 1_000


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("store", ["SQLite", "PostgreSQL"])
def test_a_million_entries(
    sheet: Sheet, tmp_path: Path, store: str, times: int, request: pytest.FixtureRequest
) -> None:
    words: list[str] = []
    if store == "PostgreSQL":
        database = request.getfixturevalue("postgres").database()
        words = ["--set", f"hub.database={database.render_as_string()}"]
    found = fleet(tmp_path, EVENTS * times, words)
    mine = f"{LOCKERS:,} lockers x {EVENTS * times:,} entries, {store}"
    judge(sheet, mine, found)
    rate, note = found["entries_per_s"], f"{found['entries']:,} entries in {found['seconds']:.0f} s"
    sheet.aims_at(f"{mine}: for a thousand", 1_000 / max(rate, 1), "s", 1_000 / ENTRIES_PER_S_MIN, note)
    sheet.tells(f"{mine}: hello after a birth, p95", found["hello_s"]["p95"], "s")
    sheet.tells(f"{mine}: entries that went up again", found["resent"], "entries")
    assert found["ok"], found["differences"]
