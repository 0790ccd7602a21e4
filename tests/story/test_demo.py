"""The demo as a newcomer meets it: what it prints works, and nothing of it outlives it."""

import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from hw_sim.loopback import NO_TLS
from hw_sim.people import until
from hw_sim.scratch import scratch

HW_SIM = str(Path(sys.executable).parent / "hw-sim")
READY, STARTING = "Ctrl-C ends everything", "starting broker"
PROCESSES = 5
END_S = 40.0
PATIENCE_S = 60.0

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


class Demo:
    """A running `hw-sim demo` and what it has printed."""

    def __init__(self, folder: Path) -> None:
        self.text = ""
        self._process = subprocess.Popen(
            [HW_SIM, "demo"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"TMPDIR": str(folder), "PATH": "/usr/bin:/bin"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.text += line

    def awaits(self, text: str) -> None:
        until(
            f"the demo says {text!r} ({self.text})",
            lambda: text in self.text or not self._reader.is_alive(),
            PATIENCE_S,
        )
        assert text in self.text

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children(recursive=True)

    def end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        code = self._process.wait(END_S)
        self._reader.join(END_S)
        return code

    def found(self, pattern: str) -> str:
        hit = re.search(pattern, self.text)
        assert hit, self.text
        return hit.group(1)


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    running = Demo(folder)
    try:
        yield running
    finally:
        if running._process.poll() is None:
            running.end(signal.SIGKILL)


def gone(processes: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="demo-test-") as name:
        yield Path(name)


def drop_off(kiosk_url: str, panel_url: str, code: str) -> str:
    """A newcomer follows what the terminal says; returns the last screen."""
    with httpx.Client(base_url=kiosk_url, headers={"Origin": kiosk_url}, timeout=60) as kiosk:
        assert kiosk.get("/").is_success
        kiosk.headers["X-Kiosk-Boot"] = kiosk.get("/api/view").json()["boot"]

        def screen(wanted: str) -> dict[str, object]:
            def look() -> dict[str, object] | None:
                view = dict(kiosk.get("/api/view").json())
                return view if view["screen"] == wanted else None

            return until(f"the screen {wanted}", look)

        kiosk.post("/api/code", json={"typed": code}).raise_for_status()
        screen("offer")
        kiosk.post("/api/act", json={"act": "open"}).raise_for_status()
        door = screen("place")["door"]

        def coil_is_off() -> bool:
            doors = httpx.get(f"{panel_url}/state", verify=NO_TLS).json()["doors"]
            return not any(each["coil_on"] for each in doors)

        until("the latch can hook in again", coil_is_off)
        for act in ("put", "shut"):
            httpx.post(f"{panel_url}/doors/{door}/{act}").raise_for_status()
        return str(screen("receipt")["screen"])


def test_what_it_prints_works_and_ctrl_c_ends_it_all(folder: Path) -> None:
    with demo(folder) as running:
        running.awaits(READY)
        urls = [
            running.found(rf"{name}\W.*?(http://\S+)") for name in ("Kiosk", "Cabinet", "Phone", "Console")
        ]
        assert all(httpx.get(url, follow_redirects=True).is_success for url in urls)
        code = running.found(r"at the kiosk +([\d ]{11,})\n").replace(" ", "")
        assert len(running.found(r"badge +(\d+)")) == 41
        assert running.found(r"label +(\d+)").isdigit()
        children = running.children()
        assert len(children) == PROCESSES
        assert drop_off(urls[0], urls[1], code) == "receipt"
        assert running.end(signal.SIGINT) == 0
        assert gone(children)()
        assert "Traceback" not in running.text
    assert list(folder.iterdir()) == []


def test_sigterm_in_mid_start_ends_it_all(folder: Path) -> None:
    with demo(folder) as running:
        running.awaits(STARTING)
        until("its first processes run", lambda: len(running.children()) >= 2)
        children = running.children()
        assert running.end(signal.SIGTERM) == 0
        assert gone(children)()
        assert "Traceback" not in running.text
    assert list(folder.iterdir()) == []


def test_killed_it_leaves_no_process_and_the_next_one_clears_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo(folder) as running:
        running.awaits(READY)
        children = running.children()
        assert len(children) == PROCESSES
        assert running.end(signal.SIGKILL) == -signal.SIGKILL
        until("every process of it has ended", gone(children), END_S)
    (left,) = folder.iterdir()
    assert left.name.startswith("doclocker-demo-")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with scratch("demo") as mine, scratch("demo") as other:
        assert set(folder.iterdir()) == {mine, other}
    assert list(folder.iterdir()) == []
