"""A thousand lockers come back from an outage at once, each with its backlog, to one hub on one broker.

Broker, hub and load share the machine, as do their figures.
"""

import contextlib
import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.bench.figures import Sheet

LOCKERS: Final = 1_000
EVENTS: Final = 200
MEMORY_MB_MAX: Final = 500
ENTRIES_PER_S_MIN: Final = 4_000
PATIENCE_S: Final = 300
SHARDS: Final = 4
WAIT_S: Final = 60
ONE: Final = "PostgreSQL"
TWO: Final = "PostgreSQL, two workers"
STORES: Final = ("SQLite", ONE, TWO)
RATES: Final[dict[str, float]] = {}
"""Of this run, so that one can be told by another."""


@pytest.mark.parametrize("store", STORES)
def test_a_thousand_lockers_after_an_outage(
    sheet: Sheet, tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    words: list[str] = []
    if store != "SQLite":
        database = request.getfixturevalue("postgres").database()
        words = ["--set", f"hub.database={database.render_as_string()}"]
    found = fleet(tmp_path, EVENTS, words, beside=store == TWO)
    mine = f"{LOCKERS:,} lockers x {EVENTS} entries, {store}"
    judge(sheet, mine, found)
    rate, note = found["entries_per_s"], f"{found['entries']:,} entries in {found['seconds']:.0f} s"
    RATES[store] = rate
    sheet.aims_at(f"{mine}: for a thousand", 1_000 / max(rate, 1), "s", 1_000 / ENTRIES_PER_S_MIN, note)
    sheet.tells(f"{mine}: ingested", rate, "entries/s")
    if store == TWO and RATES.get(ONE):
        sheet.tells("  ÷ one worker's", rate / RATES[ONE], "×", "broker and load share the two cores")
    else:
        sheet.tells("  by the hub's CPU", found["hub_cpu_s"] / found["entries"] * 1e6, "µs", "an entry")
    sheet.tells(
        f"{mine}: hello after a birth, p95", found["hello_s"]["p95"], "s", f"{found['births']:,} births"
    )
    sheet.tells(f"{mine}: entries that went up again", found["resent"], "entries")
    assert found["ok"], found["differences"]


def judge(sheet: Sheet, mine: str, found: dict[str, Any]) -> None:
    """What must hold however quick it was."""
    sheet.at_most(f"{mine}: lost", found["lost"], "entries", 0)
    sheet.at_most(f"{mine}: doubled or changed", found["doubled"] + found["changed"], "entries", 0)
    sheet.at_most(f"{mine}: quarantined", found["quarantined"], "entries", 0)
    sheet.at_most(f"{mine}: hub memory", found["hub_memory_mb"], "MB", MEMORY_MB_MAX)


def fleet(folder: Path, events: int, words: list[str], *, beside: bool = False) -> dict[str, Any]:
    """What `hw-sim fleet` tells, also where not everything held. ``beside``: a second process hears, too."""
    told, state = folder / "told.json", folder / "state"
    size = ["--lockers", str(LOCKERS), "--events", str(events), "--patience", str(PATIENCE_S)]
    command = [
        sys.executable,
        "-m",
        "hw_sim",
        "fleet",
        *size,
        "--keep",
        str(state),
        "--json",
        str(told),
        *words,
    ]
    if beside:
        command += ["--set", f"workers.shards={SHARDS}"]
    with subprocess.Popen(command) as running:
        if beside:
            second(state / "central" / "central.toml", running)
    return dict(json.loads(told.read_text(encoding="utf-8")))


def second(config: Path, first: "subprocess.Popen[bytes]") -> None:
    """A worker beside the hub, as long as the fleet runs."""
    _await_hub(config, first)
    command = [str(Path(sys.executable).with_name("locker-central")), "worker", "--config", str(config)]
    with subprocess.Popen(command) as worker:
        first.wait()
        worker.terminate()


def _await_hub(config: Path, fleet_: "subprocess.Popen[bytes]") -> None:
    """Its database is there once it answers."""
    give_up = time.monotonic() + WAIT_S
    while time.monotonic() < give_up:
        with contextlib.suppress(subprocess.TimeoutExpired):
            fleet_.wait(0.1)
        with contextlib.suppress(OSError, KeyError, tomllib.TOMLDecodeError, httpx.HTTPError):
            port = tomllib.loads(config.read_text(encoding="utf-8"))["web"]["port"]
            if httpx.get(f"http://127.0.0.1:{port}/healthz").is_success:
                return
    raise TimeoutError(config)
