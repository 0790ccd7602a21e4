"""The whole product on this machine, with a journal as long as wanted: started and asked by a bench."""

import asyncio
import http.client
import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from hw_sim import clock
from hw_sim.loopback import HOST
from hw_sim.people import Hands, until
from hw_sim.stack import Ports, Stack
from locker import config, control
from locker.platform import Platform
from tests.bench.locker import past

PULSE_MS: Final = 200
"""Short, so that the pause that coils need between two openings is short as well."""
LOOK_S: Final = 0.002
PATIENCE_S: Final = 120.0


class Installation:
    """Made by `build`; the locker is stopped then."""

    def __init__(self, folder: Path) -> None:
        self.stack = Stack(folder, Ports.chosen(preferred=False))
        self.hands = Hands(self.stack)
        self.config: config.Config

    def build(self) -> None:
        """Start everything once, so that all keys are made and the centre knows the locker."""
        self.stack.start()
        path = self.stack.locker_config
        self.config = config.load(path)
        self.synced()
        self.stop_locker()
        text = path.read_text(encoding="utf-8").replace("\nlock = ", f"\npulse_ms = {PULSE_MS}\nlock = ")
        path.write_text(text, encoding="utf-8")
        for door in range(1, past.DOORS + 1):
            for act in ("pry", "put", "shut"):
                self.hands.do(door, act)

    def lengthen(self, entries: int) -> past.Codes:
        """Give the stopped locker a past of so many entries; returns the codes that work after it."""
        platform = Platform.real()
        try:
            return asyncio.run(past.written(self.config, platform, entries))
        finally:
            platform.close()

    def end_hub(self) -> None:
        """From here on the broker is there and the centre is not."""
        self.stack._end("hub", signal.SIGTERM)

    def close(self) -> None:
        self.hands._http.close()
        self.stack.stop()

    def start_locker(self) -> float:
        """Returns when its process was begun."""
        began_s = clock.mono_s()
        lockerd = str(Path(sys.executable).with_name("lockerd"))
        self.stack._run("locker", [lockerd, "--config", str(self.stack.locker_config)])
        return began_s

    def stop_locker(self) -> None:
        self.stack._end("locker", signal.SIGTERM)

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.stack._processes["locker"].pid)

    def status(self) -> Mapping[str, Any]:
        return asyncio.run(control.ask(self.config.control_path, {"do": "status"}))

    def doors_read(self) -> bool:
        return all(c["door"] != "unknown" for c in self.status()["compartments"].values())

    def synced(self) -> None:
        """Wait until the centre has stored every entry."""

        def look() -> bool:
            centre = self.status()["centre"]
            return bool(centre["connected"] and centre["stored_to"] and not centre["unsynced"])

        until("everything is at the centre", look, PATIENCE_S)

    def frames(self) -> list[Mapping[str, Any]]:
        """What went over the line, oldest first."""
        folder = self.stack.folder / "cabinet"
        names = ("frames.1.jsonl", "frames.jsonl")
        texts = [(folder / name).read_text("utf-8") for name in names if (folder / name).exists()]
        return [json.loads(line) for text in texts for line in text.splitlines()]


class Page:
    """The kiosk's page over one connection that stays open."""

    def __init__(self, stack: Stack) -> None:
        self._port = stack.ports.kiosk
        self._http = http.client.HTTPConnection(HOST, self._port, timeout=30)
        self._headers = {"Content-Type": "application/json", "Origin": stack.kiosk_url}
        self._boot = ""
        """Of the start whose page it is; what is posted carries it."""

    def types(self, code: str) -> Mapping[str, Any]:
        return self._ask("POST", "/api/code", {"typed": code})

    def presses(self, act: str) -> Mapping[str, Any]:
        return self._ask("POST", "/api/act", {"act": act})

    def view(self) -> Mapping[str, Any]:
        return self._ask("GET", "/api/view", None)

    def health(self) -> None:
        self._ask("GET", "/healthz", None)

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, body: object) -> Mapping[str, Any]:
        text = None if body is None else json.dumps(body)
        if text is not None and not self._boot:
            self._boot = str(self.view()["boot"])
        self._http.request(method, path, text, self._headers | {"X-Kiosk-Boot": self._boot})
        answer = self._http.getresponse()
        view: Mapping[str, Any] = json.loads(answer.read())
        assert answer.status == 200, view
        return view


def soon(look: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Look again and again, closely; for what is to be timed."""
    end_s = clock.mono_s() + patience_s
    while not look():
        assert clock.mono_s() < end_s, "it did not happen"
        clock.pause_s(LOOK_S)
