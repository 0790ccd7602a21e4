"""A simulated cabinet as a process, and a provisioned locker beside it, without hub and broker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

from hw_sim.clock import mono_s, pause_s
from hw_sim.free_port import free_port
from hw_sim.loopback import NO_TLS
from locker.platform import write_own_key
from sync.seal import SigningKey

BIN = Path(sys.executable).parent
PATIENCE_S = 60.0
HEAD = """\
# Written by hand.
[locker]
id = "loc-1"
area = "park"
state_dir = "state"
keys_dir = "keys"

[kiosk]
port = {kiosk}

[mqtt]
host = "127.0.0.1"
port = {broker}

[lines.A]
url = "{line}"
baud = {baud}

[boards]
{boards}
"""
DOOR = """
[[compartments]]  # door {n}
number = {n}
size = "S"
lock = "{lock}"
sensor = "{sensor}"
"""


class Workplace:
    """``run`` is `lockerctl`; ``act`` are hands at a door."""

    def __init__(self, folder: Path, panel: str, line: str) -> None:
        self.folder, self._panel, self.line = folder, panel, line
        self.config = folder / "locker.toml"
        self.kiosk = free_port()

    def wire(self, boards: dict[str, str], doors: Sequence[tuple[str, str]], baud: int = 9600) -> None:
        """The configuration: each door's lock and sensor; keys of nobody's hub."""
        named = "\n".join(f'"{board}" = "{profile}"' for board, profile in boards.items())
        broker = free_port()
        head = HEAD.format(kiosk=self.kiosk, broker=broker, line=self.line, baud=baud, boards=named)
        tables = [DOOR.format(n=n, lock=lock, sensor=sensor) for n, (lock, sensor) in enumerate(doors, 1)]
        self.config.write_text(head + "".join(tables), encoding="utf-8")
        write_own_key(self.folder / "keys", "loc-1")
        public = SigningKey.from_seed(bytes(32)).public.hex()
        centre = {
            "locker": "loc-1",
            "area": "park",
            "code_key": "11" * 32,
            "centre_sign": [{"id": "00" * 8, "public": public}],
            "centre_seal": {"id": "00" * 8, "public": "22" * 32},
        }
        (self.folder / "keys" / "centre.json").write_text(json.dumps(centre))

    def lockerctl(
        self, *words: str | Path, stdin: IO[bytes] | int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BIN / "lockerctl", *map(str, words)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str | Path, code: int = 0) -> str:
        """What it prints; what it says on the other channel where it is to fail."""
        with self.lockerctl(*words, "--config", self.config) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return out if code == 0 else out + err

    def act(self, door: int, act: str) -> None:
        httpx.post(f"{self._panel}doors/{door}/{act}", verify=NO_TLS).raise_for_status()

    def faults(self, **wish: object) -> None:
        httpx.post(f"{self._panel}faults", json=wish, verify=NO_TLS).raise_for_status()

    def open_doors(self) -> list[int]:
        doors = httpx.get(f"{self._panel}state", verify=NO_TLS).json()["doors"]
        return [int(door["number"]) for door in doors if door["open"]]

    def pulses(self) -> list[int]:
        """The doors whose locks were pulsed, in order."""
        return [int(row["compartment"]) for row in httpx.get(f"{self._panel}pulses", verify=NO_TLS).json()]

    @contextmanager
    def daemon(self) -> Iterator[None]:
        with started(["lockerd", "--config", str(self.config)], self.folder / "lockerd.log"):
            await_url(f"http://127.0.0.1:{self.kiosk}/healthz")
            yield


@contextmanager
def started(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Ends with us; must end cleanly."""
    with log.open("wb") as file:
        words = ["setpriv", "--pdeathsig", "TERM", str(BIN / command[0]), *command[1:]]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()


@contextmanager
def workplace(folder: Path, *make_up: str) -> Iterator[Workplace]:
    cabinet = folder / "cabinet"
    words = ["hw-sim", "cabinet", "--dir", str(cabinet), "--panel-port", "0", *make_up]
    with started([*words, "--die-with-parent", str(os.getpid())], folder / "cabinet.log"):
        until_s = mono_s() + PATIENCE_S
        while not (cabinet / "ready.json").exists():
            assert mono_s() < until_s, (folder / "cabinet.log").read_text()
            pause_s(0.05)
        ready = json.loads((cabinet / "ready.json").read_text())
        yield Workplace(folder, ready["panel"], ready["lines"]["A"])


def await_url(url: str) -> None:
    until_s = mono_s() + PATIENCE_S
    while True:
        try:
            if httpx.get(url, timeout=2, verify=NO_TLS).is_success:
                return
        except httpx.TransportError:
            pass
        assert mono_s() < until_s, f"{url} does not answer"
        pause_s(0.05)
