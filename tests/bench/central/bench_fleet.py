"""A thousand lockers come back from an outage at once, each with its backlog, to one hub on one broker.

Broker, hub and load share the machine, as do their figures. PostgreSQL stands once in memory, once on a disk
that is waited for, as a city's does; then with two workers. At last a worker is killed, and another goes on.
"""

import contextlib
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from hw_sim.free_port import free_port
from tests import postgres
from tests.bench.figures import Sheet
from tests.mosquitto import Broker
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.takeover import all_answered, shared_hub, taken_over, worker_beside
from tests.sync.central.test_hub_process import connected
from tests.sync.central.test_ledger import BIRTH

LOCKERS: Final = 1_000
EVENTS: Final = 200
MEMORY_MB_MAX: Final = 500
ENTRIES_PER_S_MIN: Final = 4_000
PATIENCE_S: Final = 300
SHARDS: Final = 4
WAIT_S: Final = 300
KILLED: Final = 3
"""Workers, one after the other."""
DISK: Final = Path("/tmp")  # noqa: S108  # a folder of our own is made in it
SQLITE: Final = "SQLite"
MEMORY: Final = "PostgreSQL in memory"
ONE: Final = "PostgreSQL on a disk"
TWO: Final = "PostgreSQL on a disk, two workers"
STORES: Final = (SQLITE, MEMORY, ONE, TWO)
RATES: Final[dict[str, float]] = {}
"""Of this run, so that one can be told by another."""


@contextlib.contextmanager
def database(store: str) -> Iterator[list[str]]:
    """What a fleet's hub is told of its database. Every PostgreSQL is set as it comes: fsync is on, and a
    commit waits for it."""
    if store == SQLITE:
        yield []
        return
    with postgres.cluster(parent=None if store == MEMORY else DISK) as cluster:
        yield ["--set", f"hub.database={cluster.database().render_as_string()}"]


@pytest.mark.parametrize("store", STORES)
def test_a_thousand_lockers_after_an_outage(sheet: Sheet, tmp_path: Path, store: str) -> None:
    with database(store) as words:
        found = fleet(tmp_path, EVENTS, words, beside=store == TWO)
    mine = f"{LOCKERS:,} lockers x {EVENTS} entries, {store}"
    judge(sheet, mine, found)
    RATES[store] = rate = tell_rate(sheet, mine, found)
    if store == TWO and RATES.get(ONE):
        sheet.tells("  ÷ one worker's", rate / RATES[ONE], "×", "broker and load share the two cores")
    else:
        sheet.tells("  by the hub's CPU", found["hub_cpu_s"] / found["entries"] * 1e6, "µs", "an entry")
    assert found["ok"], found["differences"]


def tell_rate(sheet: Sheet, mine: str, found: dict[str, Any]) -> float:
    """How quickly the backlog went up, and what it cost those who waited."""
    rate = float(found["entries_per_s"])
    note = f"{found['entries']:,} entries in {found['seconds']:.0f} s"
    sheet.aims_at(f"{mine}: for a thousand", 1_000 / max(rate, 1), "s", 1_000 / ENTRIES_PER_S_MIN, note)
    sheet.tells(f"{mine}: ingested", rate, "entries/s")
    births = f"{found['births']:,} births"
    sheet.tells(f"{mine}: hello after a birth, p95", found["hello_s"]["p95"], "s", births)
    sheet.tells(f"{mine}: entries that went up again", found["resent"], "entries")
    return rate


def judge(sheet: Sheet, mine: str, found: dict[str, Any]) -> None:
    """What must hold however quick it was."""
    sheet.at_most(f"{mine}: lost", found["lost"], "entries", 0)
    sheet.at_most(f"{mine}: doubled or changed", found["doubled"] + found["changed"], "entries", 0)
    sheet.at_most(f"{mine}: quarantined", found["quarantined"], "entries", 0)
    sheet.at_most(f"{mine}: hub memory", found["hub_memory_mb"], "MB", MEMORY_MB_MAX)


def fleet(
    folder: Path, events: int, words: list[str], *, lockers: int = LOCKERS, beside: bool = False
) -> dict[str, Any]:
    """What `hw-sim fleet` tells, also where not everything held. ``beside``: a second process hears, too."""
    told, state = folder / "told.json", folder / "state"
    size = ["--lockers", str(lockers), "--events", str(events), "--patience", str(PATIENCE_S)]
    out = ["--keep", str(state), "--json", str(told)]
    command = [sys.executable, "-m", "hw_sim", "fleet", *size, *out, *words]
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
        assert worker.poll() is None, "it ended before the fleet did"
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


async def test_a_worker_is_killed(sheet: Sheet, tmp_path: Path, broker: Broker) -> None:
    """Its lockers go on speaking, and wait to be answered by another. Three of them fall to one shard."""
    took_s: list[float] = []
    with postgres.cluster(parent=DISK) as cluster:
        async with shared_hub(tmp_path, broker, free_port(), cluster.database()) as hub:
            lockers = [FakeLocker(f"hall-{n}", name_of(f"{n}")).add(BIRTH) for n in range(1, 5)]
            ends = [await connected(each, hub, broker) for each in lockers]
            hub.start()
            await hub.serving()
            for _ in range(KILLED):
                async with worker_beside(hub) as worker:
                    await all_answered(ends)
                    took_s.append(await taken_over(worker, ends))
            for end in ends:
                await end.mqtt.stop()
    note = f"at most, of {KILLED} that were killed; PostgreSQL on a disk"
    sheet.tells("a killed worker's lockers are answered by another after", max(took_s), "s", note)
