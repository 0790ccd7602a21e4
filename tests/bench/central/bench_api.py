"""What the API's common calls take with a thousand lockers, at fifty requests a second.

The hub is the real one with all its loops, the broker a real one, the caller a process of its own: three of
them on the machine's cores. Nothing is said by the lockers meanwhile.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import httpx

from hw_sim.free_port import free_port
from sync.central import config, lockers
from sync.central.desk import Desk
from sync.central.platform import SystemClock
from sync.central.store import Store
from tests.bench.central.bench_console import LOCKERS, fill
from tests.bench.figures import Sheet
from tests.mosquitto import Broker
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.test_api import PRE_REVIEW
from tests.sync.central.test_hub_process import ROOT, Hub

A_SECOND: Final = 50
SECONDS: Final = 20
P99_MS: Final = 50.0
STALL_MS: Final = 50.0
PATIENCE_S: Final = 60
NAME: Final = "office-1"
"""A locker with a true key of its own, for what is made."""


async def test_common_calls(sheet: Sheet, broker: Broker, tmp_path: Path) -> None:
    hub, stalls = Hub(tmp_path / "hub", broker, free_port()), tmp_path / "stalls"
    filled(hub.folder / "central.toml")
    hub.start("tests.bench.central.watched_hub", str(stalls))
    try:
        await hub.serving()
        took, begun_ms, cpu_ms = await asked(hub)
    finally:
        hub.end(signal.SIGTERM)
        await hub.http.aclose()
    for name, times in took.items():
        told = quantiles(times, n=100)
        mine = f"API, {LOCKERS:,} lockers, {A_SECOND}/s: {name}"
        sheet.tells(f"{mine}, p50", told[49], "ms")
        sheet.aims_at(f"{mine}, p99", told[98], "ms", P99_MS, f"of {len(times)}")
    calls = sum(map(len, took.values()))
    sheet.tells("  by the hub's CPU, with all its loops", cpu_ms / calls, "ms", "a call")
    late = [late_ms for at_ms, late_ms in read(stalls) if at_ms >= begun_ms]
    sheet.aims_at("  longest stall of the hub's loop meanwhile", max(late, default=0.0), "ms", STALL_MS)


def filled(where: Path) -> None:
    loaded = config.load(where)
    clock = SystemClock()
    desk = Desk(config.load_keys(loaded.keys), clock)
    with contextlib.closing(Store.open(loaded.database)) as store:
        fill(store, clock.wall_ms())
        store.write_now(lambda c: lockers.enrol(c, desk, NAME, "north", FakeLocker().public))


async def asked(hub: Hub) -> tuple[dict[str, list[float]], float, float]:
    """Milliseconds of each call; since when by the monotonic clock; of the hub's CPU meanwhile."""
    answer = await hub.http.post("/api/v1/pre-reviews", json=_body(0))
    assert answer.status_code == httpx.codes.CREATED, answer.text
    calls = _calls(answer.json()["authorisation"])
    words = [hub.url, hub.config["web"]["api_keys"][0], str(A_SECOND)]
    await _client(*words, str(A_SECOND), calls=calls)  # what is made once is made by now
    begun_ms, cpu_ms = time.monotonic() * 1000, _cpu_ms(hub)
    took = await _client(*words, str(A_SECOND * SECONDS), calls=calls)
    return took, begun_ms, _cpu_ms(hub) - cpu_ms


def _cpu_ms(hub: Hub) -> float:
    """Of the hub's process until now, all threads."""
    assert hub.process is not None
    told = Path(f"/proc/{hub.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def _client(*words: str, calls: dict[str, Any]) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "tests.bench.central.api_client", *words]
    pipe = asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(PATIENCE_S):
        out, wrong = await client.communicate(json.dumps(calls).encode())
    assert client.returncode == 0, wrong.decode()
    return dict(json.loads(out))


def _calls(authorisation: str) -> dict[str, dict[str, Any]]:
    return {
        "authorisation": {"method": "GET", "path": f"/api/v1/authorisations/{authorisation}"},
        "lockers": {"method": "GET", "path": "/api/v1/lockers?limit=100"},
        "near": {"method": "GET", "path": "/api/v1/near?lat=30.25&lon=120.16&size=S"},
        "pre-review": {
            "method": "POST",
            "path": "/api/v1/pre-reviews",
            "bodies": [_body(number + 1) for number in range(A_SECOND * SECONDS)],
        },
        "trail": {"method": "GET", "path": "/api/v1/cases/GS-0/trail"},
    }


def _body(number: int) -> dict[str, Any]:
    return {**PRE_REVIEW, "locker": NAME, "case": f"GS-{number}"}


def read(stalls: Path) -> list[tuple[float, float]]:
    lines = stalls.read_text(encoding="utf-8").splitlines()
    return [(float(at), float(late)) for at, late in (line.split() for line in lines)]
