"""What the API's common calls take with a thousand lockers, at fifty requests a second."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import httpx
import pytest

from sync.central import lockers
from sync.central.platform import Platform
from sync.central.store import Store
from tests.bench.central.bench_console import LOCKERS, fill
from tests.bench.figures import Sheet
from tests.sync.central.access.people import CONFIGURED_KEY
from tests.sync.central.conftest import Parts, new_desk
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.served import served
from tests.sync.central.test_api import PRE_REVIEW

A_SECOND: Final = 50
SECONDS: Final = 20
P99_MS: Final = 50.0
NAME: Final = "office-1"
"""A locker with a true key of its own, for what is made."""


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    platform = Platform()
    store = Store.open(tmp_path / "central.sqlite")
    desk = new_desk(platform.clock)  # type: ignore[arg-type]  # the real one instead of the hand-set
    fill(store, platform.clock.wall_ms())
    store.write_now(lambda c: lockers.enrol(c, desk, NAME, "north", FakeLocker().public))
    yield Parts(store, desk, platform.clock, FakeLocker(), {})  # type: ignore[arg-type]  # the same
    store.close()


async def test_common_calls(sheet: Sheet, parts: Parts, free_port: Callable[[], int]) -> None:
    headers = {"Authorization": f"Bearer {CONFIGURED_KEY}"}
    with served(parts, free_port()) as address:
        async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=60) as http:
            made = await http.post("/pre-reviews", json=_body(0))
            assert made.status_code == 201
            calls = _calls(made.json()["authorisation"])
            took = await paced(http, calls)
    for name, times in took.items():
        told = quantiles(times, n=100)
        mine = f"API, {LOCKERS:,} lockers, {A_SECOND}/s: {name}"
        sheet.tells(f"{mine}, p50", told[49], "ms")
        sheet.aims_at(f"{mine}, p99", told[98], "ms", P99_MS, f"of {len(times)}")


async def paced(http: httpx.AsyncClient, calls: dict[str, dict[str, Any]]) -> dict[str, list[float]]:
    """Milliseconds of each, from when it was due: one that waits behind another counts its waiting."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    begun = time.perf_counter()

    async def one(number: int) -> None:
        due = begun + number / A_SECOND
        await _until(due)
        name = list(calls)[number % len(calls)]
        call = dict(calls[name])
        if call["method"] == "POST":
            call["json"] = _body(number + 1)
        answer = await http.request(**call)
        assert answer.is_success, answer.text
        took[name].append((time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(A_SECOND * SECONDS):
            group.create_task(one(number))
    return took


def _calls(authorisation: str) -> dict[str, dict[str, Any]]:
    return {
        "authorisation": {"method": "GET", "url": f"/authorisations/{authorisation}"},
        "lockers": {"method": "GET", "url": "/lockers", "params": {"limit": 100}},
        "near": {"method": "GET", "url": "/near", "params": {"lat": 30.25, "lon": 120.16, "size": "S"}},
        "pre-review": {"method": "POST", "url": "/pre-reviews"},
        "trail": {"method": "GET", "url": "/cases/GS-0/trail"},
    }


def _body(number: int) -> dict[str, Any]:
    return {**PRE_REVIEW, "locker": NAME, "case": f"GS-{number}"}


async def _until(due: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, due - time.perf_counter())):
            await asyncio.Event().wait()
