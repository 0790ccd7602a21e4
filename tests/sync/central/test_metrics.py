"""What machines watch the hub by, read back with Prometheus's own parser."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from sync.central import metrics
from sync.central.access.actor import Scope
from sync.central.fleet.watch import Watch
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

HEALTH: dict[str, bool] = {"broker": True}


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    entered = people.entrance(parts)
    health = lambda: (HEALTH["broker"], {"BadSignature": 3})  # noqa: E731  # a stand-in for the link
    metrics.add(app, Watch(parts.store, parts.clock), entered.gate, health)
    async with people.browser(app) as client:
        yield client


def samples(text: str) -> Mapping[str, float]:
    return {
        "".join([sample.name, *(f" {value}" for _, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_key_of_the_fleet_reads_what_there_is(client: httpx.AsyncClient, parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    key = people.key(parts, "prometheus", [Scope.FLEET_READ])
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    told = samples(answer.text)
    assert told["doclocker_lockers offline"] == 1
    assert told["doclocker_occupied_percent north hall-1"] == 100
    assert told["doclocker_entries_stored_total"] == parts.locker.head
    assert told["doclocker_frames_dropped_total BadSignature"] == 3
    assert told["doclocker_broker_up"] == 1


async def test_another_area_s_key_reads_of_nobody(client: httpx.AsyncClient, parts: Parts) -> None:
    key = people.key(parts, "stranger", [Scope.FLEET_READ], ["south"])
    told = samples((await client.get("/metrics", headers={"Authorization": f"Bearer {key}"})).text)
    assert sum(value for name, value in told.items() if name.startswith("doclocker_lockers")) == 0
    assert not [name for name in told if "hall-1" in name]


async def test_ready_means_that_database_and_broker_answer(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    monkeypatch.setitem(HEALTH, "broker", False)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "broker": False})
