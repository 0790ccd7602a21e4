"""A thousand lockers come back from an outage at once, each with its backlog, to one hub on one broker.

Broker, hub and load share the machine, as do their figures.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.bench.figures import Sheet

LOCKERS: Final = 1_000
EVENTS: Final = 200
MEMORY_MB_MAX: Final = 500
ENTRIES_PER_S_MIN: Final = 4_000
PATIENCE_S: Final = 300
STORES: Final = ("SQLite", "PostgreSQL")


@pytest.mark.parametrize("store", STORES)
def test_a_thousand_lockers_after_an_outage(
    sheet: Sheet, tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    words: list[str] = []
    if store == "PostgreSQL":
        database = request.getfixturevalue("postgres").database()
        words = ["--set", f"hub.database={database.render_as_string()}"]
    found = fleet(tmp_path / "told.json", words)
    mine = f"{LOCKERS:,} lockers x {EVENTS} entries, {store}"
    sheet.at_most(f"{mine}: lost", found["lost"], "entries", 0)
    sheet.at_most(f"{mine}: doubled or changed", found["doubled"] + found["changed"], "entries", 0)
    sheet.at_most(f"{mine}: quarantined", found["quarantined"], "entries", 0)
    sheet.at_most(f"{mine}: hub memory", found["hub_memory_mb"], "MB", MEMORY_MB_MAX)
    rate, note = found["entries_per_s"], f"{found['entries']:,} entries in {found['seconds']:.0f} s"
    sheet.aims_at(f"{mine}: for a thousand", 1_000 / max(rate, 1), "s", 1_000 / ENTRIES_PER_S_MIN, note)
    sheet.tells(f"{mine}: ingested", rate, "entries/s")
    sheet.tells(
        f"{mine}: hello after a birth, p95", found["hello_s"]["p95"], "s", f"{found['births']:,} births"
    )
    sheet.tells(f"{mine}: entries that went up again", found["resent"], "entries")
    assert found["ok"], found["differences"]


def fleet(told: Path, words: list[str]) -> dict[str, Any]:
    """What `hw-sim fleet` tells, also where not everything held."""
    size = ["--lockers", str(LOCKERS), "--events", str(EVENTS), "--patience", str(PATIENCE_S)]
    command = [sys.executable, "-m", "hw_sim", "fleet", *size, "--json", str(told), *words]
    subprocess.run(command, check=False)
    return dict(json.loads(told.read_text(encoding="utf-8")))
