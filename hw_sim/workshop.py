"""A locker on the bench: a simulated cabinet and the product's daemon, no broker, no hub, fresh each time.

The daemon works without a centre; it only needs keys that somebody made for it.
"""

import json
import re
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import httpx

from hw_sim import clock
from hw_sim.layout import Layout
from hw_sim.loopback import HOST, NO_TLS
from hw_sim.settings import BENCH_TOML, BRIDGE, LEARNED, Wiring
from hw_sim.stack import AREA, LOCKER, NotReadyError, Ports, Stack, command, output

SETTLE_S: Final = 8.0
"""Every board that can answer has, and every door that can be seen is."""
LOOK_S: Final = 0.25
HAND_S: Final = 0.15
UNTOLD_S: Final = 2.5
"""Nobody said that this door is open: it is pushed all the same, once the locker had time to see it."""
LESSON_S: Final = 1.2
"""The same where nothing ever tells which door to push."""
ANSWERS: Final = {"press Enter": "\n", "Type y or n": "y\n"}
"""What a technician types during a lesson."""
PUSH: Final = re.compile(r"door (\d+) is open")
SETTLED: Final = frozenset({"serving", "lost", "locked_out"})
Rewire = Callable[[Wiring], None]
"""Changes what the daemon is told, in place."""


@dataclass(frozen=True, slots=True)
class Run:
    """One `lockerctl selftest`: its exit code, what it wrote as JSON, and what it said."""

    code: int
    found: Mapping[str, Any]
    said: str


class Workshop(Stack):
    """``make_up``: the words of `hw-sim cabinet` that say what is built, and ``layout`` the same as data."""

    def __init__(self, folder: Path, layout: Layout, make_up: Sequence[str]) -> None:
        super().__init__(folder, Ports.chosen(preferred=False))
        self.layout = layout
        self.taught = False
        """Whether the product would only serve a wiring that it has learned; then no other one will do."""
        self._make_up = make_up
        self._bridge = ""
        self._checked = False

    def prepare(self) -> None:
        """Once: the keys. Raises NotReadyError."""
        (self.folder / "logs").mkdir(parents=True)
        central, keys = self.central_config, self.locker_config.parent / "keys"
        output([command("locker-central"), "init", "--dir", str(central.parent)])
        public = output([command("lockerctl"), "keys", "new", str(keys), LOCKER]).strip()
        words = ["enrol", LOCKER, "--area", AREA, "--public", public, "--out", str(keys / "centre.json")]
        output([command("locker-central"), *words, "--config", str(central)])

    @contextmanager
    def running(
        self, rewire: Rewire, faults: Mapping[str, Any], breaks: Callable[["Workshop"], None]
    ) -> Iterator[None]:
        """A new cabinet, these faults, what a hand breaks, a locker without a past; all gone afterwards.

        The first time a lesson comes before it, where the product asks for one.
        """
        self._forget()
        try:
            self.start_cabinet()
            if not self._checked:
                self._checked = True
                self._configure(lambda _wiring: None)
                self._teach()
            if faults:
                httpx.post(f"{self.panel_url}/faults", json=dict(faults), verify=NO_TLS).raise_for_status()
            breaks(self)
            self._configure(rewire)
            self.start_locker()
            self._settle()
            yield
        finally:
            self.stop()

    def start_cabinet(self) -> None:
        self.run_cabinet(*self._make_up)

    def breaks(self, number: int, **sensors: str) -> None:
        """Make sensors of a compartment stick: ``door="stuck_0"``."""
        httpx.post(f"{self.panel_url}/doors/{number}/sensors", json=sensors, verify=NO_TLS).raise_for_status()

    def does(self, number: int, act: str) -> None:
        """One act of a hand."""
        httpx.post(f"{self.panel_url}/doors/{number}/{act}", verify=NO_TLS).raise_for_status()

    def selftest(self, doors: Sequence[int], *words: str) -> Run:
        """Run the product's own command while a hand pushes shut what springs open."""
        target = self.folder / "found.json"
        target.unlink(missing_ok=True)
        line = [command("lockerctl"), "selftest", "--config", str(self.locker_config), "--json", str(target)]
        line += ["--doors", ",".join(map(str, doors)), *words]
        process = subprocess.Popen(  # noqa: S603  # our own command
            line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = []
        with process, _Hand(self.panel_url) as hand:
            assert process.stdout is not None  # noqa: S101  # asked for above
            try:
                for text in process.stdout:
                    said.append(text)
                    if asked := PUSH.match(text):
                        hand.told(int(asked[1]))
            except KeyboardInterrupt:
                process.terminate()
                raise
        found = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
        return Run(process.returncode, found, "".join(said))

    def _forget(self) -> None:
        shutil.rmtree(self.locker_config.parent / "state", ignore_errors=True)

    def _teach(self) -> None:
        """Experimental boards serve only where `lockerctl wiring learn` has proved their wiring."""
        check = [command("lockerctl"), "config", "check", "--config", str(self.locker_config)]
        done = subprocess.run(check, capture_output=True, text=True, check=False)  # noqa: S603  # our own
        if done.returncode == 0:
            return
        if "experimental" not in done.stderr:
            raise NotReadyError(done.stderr.strip())
        self.taught = True
        self._bridge = BRIDGE
        self._configure(lambda _wiring: None)
        self._bridge = BRIDGE + LEARNED.format(learned=self._lesson())
        self._forget()

    def _lesson(self) -> str:
        """What the product calls the wiring that it has learned."""
        target = self.folder / "learned.toml"
        words = ["wiring", "learn", "--config", str(self.locker_config), "--out", str(target)]
        process = subprocess.Popen(  # noqa: S603  # our own command
            [command("lockerctl"), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = []
        with process, _Hand(self.panel_url, LESSON_S):
            assert process.stdin is not None  # noqa: S101  # asked for above
            assert process.stdout is not None  # noqa: S101  # asked for above
            for text in process.stdout:
                said.append(text)
                for asked in (prompt for prompt in ANSWERS if prompt in text):
                    process.stdin.write(ANSWERS[asked])
                    process.stdin.flush()
        if process.returncode:
            raise NotReadyError(f"lockerctl wiring learn: {''.join(said).strip()}")
        return str(tomllib.loads(target.read_text(encoding="utf-8"))["bridge"]["learned"])

    def _configure(self, rewire: Rewire) -> None:
        ready = json.loads((self.folder / "cabinet" / "ready.json").read_text(encoding="utf-8"))
        wiring = Wiring.of(self.layout, ready["lines"], ready["bauds"])
        wiring.bridge = self._bridge
        rewire(wiring)
        ports = {"kiosk": self.ports.kiosk, "broker": self.ports.broker}
        head = BENCH_TOML.format(locker=LOCKER, area=AREA, host=HOST, **ports)
        self.locker_config.write_text(head + wiring.toml(), encoding="utf-8")

    def _settle(self) -> None:
        """Until every board is known for what it is and its doors are seen, as far as they can be."""
        until_s = clock.mono_s() + SETTLE_S
        while clock.mono_s() < until_s:
            status = self.status()
            boards = [board for line in status["lines"] for board in line["boards"]]
            doors = [door["door"] for door in status["compartments"].values()]
            if all(board["standing"] in SETTLED for board in boards) and (
                "unknown" not in doors or any(board["standing"] != "serving" for board in boards)
            ):
                return
            clock.pause_s(LOOK_S)


class _Hand:
    """Pushes shut the door it is told to, as often as it springs open, and any other after a while."""

    def __init__(self, panel_url: str, untold_s: float = UNTOLD_S) -> None:
        self._url, self._untold_s = panel_url, untold_s
        self._over = threading.Event()
        self._told: set[int] = set()
        self._open_since_s: dict[int, float] = {}
        self._thread = threading.Thread(target=self._push, name="hand", daemon=True)

    def told(self, number: int) -> None:
        self._told.add(number)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_why: object) -> None:
        self._over.set()
        self._thread.join()

    def _push(self) -> None:
        with httpx.Client(base_url=self._url, timeout=5, verify=NO_TLS) as panel:
            while not self._over.wait(HAND_S):
                with suppress(httpx.HTTPError):
                    doors = panel.get("/state").json()["doors"]
                    for number in self._due({door["number"] for door in doors if door["open"]}):
                        panel.post(f"/doors/{number}/shut")

    def _due(self, stand_open: set[int]) -> list[int]:
        now_s = clock.mono_s()
        self._open_since_s = {number: self._open_since_s.get(number, now_s) for number in stand_open}
        return [
            number
            for number, since_s in self._open_since_s.items()
            if number in self._told or now_s - since_s > self._untold_s
        ]


__all__ = ["NotReadyError", "Rewire", "Run", "Workshop"]
