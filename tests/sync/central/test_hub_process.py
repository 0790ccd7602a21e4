"""The hub as a process, on a real broker, with a locker that speaks the wire."""

import asyncio
import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hw_sim.free_port import free_port
from locker.domain import directives
from locker.domain.events import AuthorisationGranted, DirectiveApplied, EpochStarted
from locker.domain.ids import Epoch, LockerId, Seq
from sync import wire
from tests.mosquitto import CENTRAL_USER, Broker
from tests.sync.central.fake_locker import Connected, FakeLocker
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

pytestmark = pytest.mark.processes
PATIENCE_S = 60.0
ROOT = Path(__file__).parents[3]
PRE_REVIEW = {
    "case": "GS-2026-1",
    "service_item": "营业执照变更",
    "papers": ["申请书"],
    "applicant": {"name": "张伟", "phone": "13812345678"},
    "locker": "hall-1",
}


class Hub:
    """One `locker-central` on loopback."""

    def __init__(self, folder: Path, broker: Broker, port: int, *more: str) -> None:
        """``more``: settings as in ``workers.shards=2``."""
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.run("init", "--dir", str(folder), *self._settings(broker, port, *more))
        self.config = tomllib.loads((folder / "central.toml").read_text())
        broker.add_user(CENTRAL_USER, self.config["broker"]["password"])
        self.process: subprocess.Popen[bytes] | None = None
        headers = {"Authorization": f"Bearer {self.config['web']['api_keys'][0]}"}
        self.http = httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False)

    @staticmethod
    def _settings(broker: Broker, port: int, *more: str) -> list[str]:
        values = [f"web.port={port}", f"broker.port={broker.port}", f"broker.user={CENTRAL_USER}", *more]
        return [part for value in values for part in ("--set", value)]

    def run(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "sync.central", *arguments]
        subprocess.run(command, check=True, timeout=PATIENCE_S, capture_output=True, cwd=ROOT)

    def enrol(self, locker: FakeLocker) -> dict[str, Any]:
        out = self.folder / f"{locker.locker}.json"
        config = str(self.folder / "central.toml")
        name, public = locker.locker, locker.public
        self.run("enrol", name, "--area", "north", "--public", public, "--out", str(out), "--config", config)
        return dict(json.loads(out.read_text()))

    def start(self, *program: str) -> None:
        """``program``: what to run instead of the hub as it is; it gets the configuration last."""
        chosen = program or ("sync.central", "serve", "--config")
        command = [sys.executable, "-m", *chosen, str(self.folder / "central.toml")]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        log.close()

    async def serving(self) -> None:
        """Until it is connected to the broker and answers."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    answer = await self.http.get("/healthz")
                    if answer.json()["broker"]:
                        return
                except httpx.TransportError:
                    assert self.process is not None
                    assert self.process.poll() is None, (self.folder / "log").read_text()
                await _moment()

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self.process is not None
        return await asyncio.get_running_loop().run_in_executor(None, self.process.wait, PATIENCE_S)

    async def ledger(self) -> list[dict[str, Any]]:
        answer = await self.http.get("/api/v1/lockers/hall-1/ledger", params={"limit": 1000})
        return list(answer.json()["rows"])


async def _moment() -> None:
    """A short wait on the event loop's own clock, between two looks at another process."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.05, done.set_result, None)
    await done


@pytest.fixture
async def hub(tmp_path: Path, broker: Broker) -> AsyncIterator[Hub]:
    hub = Hub(tmp_path / "hub", broker, free_port())
    try:
        yield hub
    finally:
        if hub.process is not None and hub.process.poll() is None:
            hub.end(signal.SIGKILL)
        await hub.http.aclose()


async def connected(locker: FakeLocker, hub: Hub, broker: Broker) -> Connected:
    known = hub.enrol(locker)
    broker.add_user(locker.locker, "pw")
    centre = [bytes.fromhex(key["public"]) for key in known["centre_sign"]]
    connection = Connected(locker, broker.port, "pw", centre)
    await connection.mqtt.start(connection)
    async with asyncio.timeout(PATIENCE_S):
        await connection.ready.wait()
    return connection


@pytest.mark.rule("CEN-4", "CEN-14")
async def test_a_birth_is_greeted_entries_are_acknowledged_and_grants_come_down(
    hub: Hub, broker: Broker
) -> None:
    locker = FakeLocker().add(EpochStarted(Epoch("e"), LockerId("hall-1")))
    connection = await connected(locker, hub, broker)
    hub.start()
    await hub.serving()
    await connection.say(wire.Name.LINK, locker.link())
    hello = await connection.hear(wire.Name.HELLO)
    assert isinstance(hello, wire.Hello)
    assert (hello.stored_to, hello.hash, hello.nonce) == (0, wire.ZERO, locker.link().nonce)
    await connection.say(wire.Name.LOG, locker.batch())
    ack = await connection.hear(wire.Name.ACK)
    assert isinstance(ack, wire.DownAck)
    assert (ack.stored_to, ack.hash, ack.gap) == (1, locker.hash_at(1), False)

    answer = await hub.http.post("/api/v1/pre-reviews", json=PRE_REVIEW)
    assert answer.status_code == 201, answer.text
    down = await connection.hear(wire.Name.LOG)
    assert isinstance(down, wire.DownBatch)
    says = directives.read(down.entries[0]).says
    assert isinstance(says, AuthorisationGranted)
    assert (says.case, says.name, says.phone) == ("GS-2026-1", "张*", "138******78")
    await connection.say(wire.Name.ACK, wire.UpAck("hall-1", down.dn_epoch, 1))
    locker.add(says, DirectiveApplied(Epoch(down.dn_epoch), Seq(1), down.hash, "applied"))
    await connection.say(wire.Name.LOG, locker.batch(2))
    await connection.hear(wire.Name.ACK)
    state = await hub.http.get(f"/api/v1/authorisations/{answer.json()['authorisation']}")
    assert state.json()["state"] == "granted"
    assert [(row["public"], row["hash"]) for row in await hub.ledger()] == [
        (e.public, e.hash.hex()) for e in locker.entries
    ]
    await connection.mqtt.stop()
    assert hub.end(signal.SIGTERM) == 0


@pytest.mark.rule("CEN-6", "CEN-7")
@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_around_its_commit_it_loses_nothing_and_applies_once(
    hub: Hub, broker: Broker, when: str
) -> None:
    locker = FakeLocker().add(BIRTH, CABINET, *VISIT)
    connection = await connected(locker, hub, broker)
    hub.start("tests.sync.central.dying_hub", when)
    await hub.serving()
    await connection.say(wire.Name.LINK, locker.link())
    await connection.hear(wire.Name.HELLO)
    await connection.say(wire.Name.LOG, locker.batch())
    assert await hub.ended() == -signal.SIGKILL
    assert connection.heard.empty()

    hub.start()
    await hub.serving()
    locker.conn += 1
    await connection.say(wire.Name.LINK, locker.link())
    await connection.hear(wire.Name.HELLO)
    await connection.say(wire.Name.LOG, locker.batch())
    ack = await connection.hear(wire.Name.ACK)
    assert isinstance(ack, wire.DownAck)
    assert (ack.stored_to, ack.hash) == (locker.head, locker.hash_at(locker.head))
    assert [(row["public"], row["hash"]) for row in await hub.ledger()] == [
        (e.public, e.hash.hex()) for e in locker.entries
    ]
    detail = (await hub.http.get("/api/v1/lockers/hall-1")).json()
    assert [door["phase"] for door in detail["compartments"]] == ["awaiting_intake"]
    assert detail["troubles"] == []
    await connection.mqtt.stop()
    assert hub.end(signal.SIGTERM) == 0
