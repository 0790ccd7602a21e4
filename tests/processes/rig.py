"""The whole product as real processes, which a test ends, stops and starts again, each by its own id.

This folder mirrors no package: what it holds is about the processes together, as an installation runs them.
A real mosquitto, a real `lockerd`, a real `locker-central`, a simulated cabinet on a pty and a simulated SMS
gateway. `Rig` starts and ends them; `people` makes visits; `judge`
compares what is left; `rounds` kills at random; `dying_locker` and `dying_hub` die at one point each.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from hw_sim import clock
from hw_sim.people import Hands, Office, Phone, until
from hw_sim.stack import LOCAL_TIME, LOCKER, NotReadyError, Ports, Stack, command
from locker import control
from locker.journal.dump import dump
from tests.processes.nursery import nursery

HERE: Final = Path(__file__).parent
PULSE_MS: Final = 200
"""Short, so that a visit is short as well."""
PATIENCE_S: Final = 90.0
"""For what must come: the machine may be busy with other tests."""
VICTIMS: Final = ("locker", "hub", "broker")
PROGRAMS: Final = {"locker": "lockerd", "hub": "locker-central"}
PIN: Final = "246810"


class QuickStack(Stack):
    """Locks that are energised shortly, and a broker that says what passes and keeps what it can.

    Killed, it comes back with what it wrote last: that is as stale as a broker can be.
    """

    def _make_locker(self) -> None:
        super()._make_locker()
        text = self.locker_config.read_text(encoding="utf-8")
        text = text.replace("\nlock = ", f"\npulse_ms = {PULSE_MS}\nlock = ")
        self.locker_config.write_text(text.replace("loss_delay_max_s = 2", "loss_delay_max_s = 1"), "utf-8")

    def _make_hub(self, settings: Mapping[str, str]) -> None:
        super()._make_hub(settings)
        path = self.folder / "broker" / "mosquitto.conf"
        kept = f"persistence true\npersistence_location {path.parent}/\nautosave_interval 2\nlog_type all\n"
        path.write_text(path.read_text("utf-8").replace("persistence false\n", kept), "utf-8")


class NursedStack(QuickStack):
    """Locker and hub, which die often, are born in a `nursery`."""

    def _run(self, name: str, words: list[str]) -> None:
        if name not in PROGRAMS:
            super()._run(name, words)
            return
        script, words = (words[1], words[1:]) if words[0] == sys.executable else ("", words)
        self._processes[name] = nursery(PROGRAMS[name]).begin(  # type: ignore[assignment]  # of the same face
            words,
            script=script,
            log=self.folder / "logs" / f"{name}.log",
            environment={**os.environ, "TZ": LOCAL_TIME},
        )

    def _output(self, words: list[str], given: str = "") -> str:
        program = Path(words[0]).name
        if program not in PROGRAMS.values():
            return super()._output(words, given)
        code, said = nursery(program).output(words, given, PATIENCE_S)
        if code:
            raise NotReadyError(f"{' '.join(words[:3])}: {said}")
        return said


class Rig:
    """Made by `rig`. Names of processes: locker, hub, broker, cabinet, phone."""

    def __init__(self, folder: Path, kind: type[Stack] = NursedStack) -> None:
        self.stack = kind(folder, Ports.chosen(preferred=False))
        self.folder = folder
        self._makes: dict[str, Callable[[], None]] = {
            "locker": self.start_locker,
            "hub": self.start_hub,
            "broker": self.stack.start_broker,
        }
        self.office: Office
        self.phone: Phone
        self.hands: Hands
        self.badge = ""

    def start(self) -> None:
        """Returns once people can use it."""
        self.stack.start()
        self.office, self.phone, self.hands = Office(self.stack), Phone(self.stack), Hands(self.stack)
        self.badge = self.office.enrol("helper-1", "赵敏", PIN)
        self.quiet()

    # --- processes ------------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        self.stack._end(name, signal.SIGKILL)

    def end(self, name: str) -> int:
        """As an installation stops it; its exit code."""
        return self.stack._end(name, signal.SIGTERM)

    def begin(self, name: str) -> None:
        """Start one that ended; returns once it answers."""
        self._makes[name]()

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Alive and saying nothing, as a process that hangs."""
        process = self.stack.process(name)
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def start_locker(self, *program: str) -> None:
        """``program``: what to run instead of `lockerd`, one of this folder's; its words before the last."""
        self.run_locker(*program)
        self.stack.await_url(f"{self.stack.kiosk_url}/healthz", "locker")

    def run_locker(self, *program: str) -> None:
        """The same without waiting: it may have died by then."""
        words = script(*program) if program else [command("lockerd")]
        self.stack._run("locker", [*words, "--config", str(self.stack.locker_config)])

    def start_hub(self, *program: str) -> None:
        self.run_hub(*program)
        self.stack.await_url(f"{self.stack.hub_url}/healthz", "hub")

    def run_hub(self, *program: str) -> None:
        words = [*script(*program)] if program else [command("locker-central"), "serve", "--config"]
        self.stack._run("hub", [*words, str(self.stack.central_config)])

    def died(self, name: str) -> bool:
        """Whether it ended by itself."""
        return self.stack._processes[name].poll() is not None

    def await_death(self, name: str) -> None:
        until(f"the death of {name}", lambda: self.died(name), PATIENCE_S)
        process = self.stack._processes.pop(name)
        assert process.returncode == -signal.SIGKILL, self.stack.log_tail(name)

    # --- what they have on disk and say ---------------------------------------------------------------------

    @property
    def state_dir(self) -> Path:
        return self.stack.locker_config.parent / "state"

    @property
    def journal_path(self) -> Path:
        return self.state_dir / "journal.sqlite3"

    @property
    def broker_database(self) -> Path:
        return self.folder / "broker" / "mosquitto.db"

    @property
    def hub_database(self) -> Path:
        return self.stack.central_config.parent / "central.sqlite"

    def journal(self) -> list[Mapping[str, Any]]:
        """``seq``, ``public`` and ``hash`` of every entry, beside a running daemon or without one."""
        return [json.loads(line) for line in dump(self.journal_path)]

    def events(self) -> list[Mapping[str, Any]]:
        return [json.loads(row["public"]) for row in self.journal()]

    def pulses(self) -> list[Mapping[str, Any]]:
        """All that the cabinet ever saw, from its file: the panel keeps only the latest."""
        folder = self.folder / "cabinet"
        texts = [
            path.read_text("utf-8")
            for name in ("pulses.1.jsonl", "pulses.jsonl")
            if (path := folder / name).exists()
        ]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def status(self) -> Mapping[str, Any]:
        """Of the running daemon. Raises OSError or ValueError where it does not answer."""
        path = self.state_dir / "control.sock"
        return asyncio.run(control.ask(path, {"do": "status"}))

    def lockerctl(self, *words: str) -> "subprocess.CompletedProcess[str]":
        whole = [command("lockerctl"), *words, "--config", str(self.stack.locker_config)]
        return subprocess.run(whole, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def troubles(self) -> set[str]:
        """The kinds of alarm at the hub."""
        return {str(trouble["kind"]) for trouble in self.office.locker()["troubles"]}

    # --- waiting --------------------------------------------------------------------------------------------

    def quiet(self, patience_s: float = PATIENCE_S) -> None:
        """Until every door is seen and the centre has stored every entry."""
        last: list[object] = [None]

        def look() -> bool:
            with suppress(OSError, ValueError):
                status = self.status()
                centre = last[0] = status["centre"]
                seen = all(c["door"] != "unknown" for c in status["compartments"].values())
                return bool(seen and centre["centre_online"] and centre["stored_to"] == status["seq"])
            return False

        try:
            until("quiet", look, patience_s)
        except AssertionError as error:
            tails = "\n".join(f"{name}: {self.stack.log_tail(name)}" for name in ("locker", "hub"))
            raise AssertionError(f"{error}: {last[0]}\n{tails}") from None

    def still(self, patience_s: float = PATIENCE_S) -> None:
        """Until the locker has read its doors, whatever the centre does."""

        def look() -> bool:
            with suppress(OSError, ValueError):
                return all(c["door"] != "unknown" for c in self.status()["compartments"].values())
            return False

        until("every door is seen", look, patience_s)


def script(name: str, *words: str) -> list[str]:
    return [sys.executable, str(HERE / f"{name}.py"), *words]


@contextmanager
def rig(folder: Path, kind: type[Stack] = NursedStack) -> Iterator[Rig]:
    """A running one, ended with whatever still runs. With `QuickStack` each start is by its command."""
    made = Rig(folder, kind)
    try:
        made.start()
        yield made
    finally:
        made.stack.stop()


def rest_s(seconds: float) -> None:
    """A hand that waits; never for something to have happened."""
    clock.pause_s(seconds)


__all__ = ["LOCKER", "PATIENCE_S", "PIN", "VICTIMS", "QuickStack", "Rig", "rest_s", "rig", "script", "until"]
