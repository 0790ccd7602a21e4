"""Requests to the simulator's pages without a server, and the simulator's commands as real processes."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hw_sim.layout import LAYOUTS
from hw_sim.line import Wire
from hw_sim.panel.app import build as panel_app
from hw_sim.phone import build as phone_app
from hw_sim.physics import Mechanics
from hw_sim.rig import Rig
from hw_sim.sms import Inbox
from hw_sim.web import Broadcast

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    rig = Rig(LAYOUTS["two-board"], tmp_path, Wire(), 1, Mechanics())
    rig.start()
    app = panel_app(rig, Broadcast())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://panel") as client:
        yield client
    rig.stop()


@pytest.fixture
async def phone() -> AsyncIterator[httpx.AsyncClient]:
    app = phone_app(Inbox(), Broadcast())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://phone") as client:
        yield client


@pytest.fixture
def start() -> Iterator[Start]:
    """`start("cabinet", "--dir", …)` runs `hw-sim` and returns when it has said its last line of greeting."""
    running: list[subprocess.Popen[str]] = []

    def run(*words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "hw_sim", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(("panel:", "phone:")):
                return process
        raise AssertionError(process.stderr.read() if process.stderr else "")

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


@pytest.fixture
def cabinet_url(start: Start, tmp_path: Path) -> str:
    """A running cabinet's panel; its line and records are in `tmp_path`."""
    start("cabinet", "--dir", str(tmp_path), "--panel-port", "0", "--die-with-parent", str(os.getpid()))
    return str(json.loads((tmp_path / "ready.json").read_text())["panel"])
