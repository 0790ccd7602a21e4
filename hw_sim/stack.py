"""The whole product on one machine, as separate processes on loopback: broker, hub, cabinet, locker, phone.

Everything is started by its own command and configured by files in one folder. Every process is tied to this
one by the kernel, so that nothing is left running however we end.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from hw_sim import clock
from hw_sim.free_port import free_ports
from hw_sim.layout import LAYOUTS
from hw_sim.loopback import HOST, NO_TLS, ask
from hw_sim.settings import ACCESS, ANCHOR_TOML, CENTRAL_USER, LOCKER_TOML, MOSQUITTO, SIGN_IN_FILE, wiring

LOCKER: Final = "demo-1"
AREA: Final = "park"
OPERATOR: Final = "operator"
OPERATOR_ROLES: Final = (
    *("window_clerk", "case_officer", "helper_lead", "fleet_operator", "approver", "auditor"),
    "administrator",
)
LOCAL_TIME: Final = "CST-8"
"""China has one zone and no summer time; the machine that shows the demonstration may stand anywhere."""
PATIENCE_S: Final = 120.0
"""A busy machine, or a Raspberry Pi, takes many times what a quiet one does; who died is noticed at once."""
POLL_S: Final = 0.05
STOP_S: Final = 10.0
EEPROM_BYTES: Final = 4096
"""An AT24C32, as the modules with a DS3231 clock have it; from the maker every bit is set."""


class NotReadyError(Exception):
    """A process did not come up, or something did not happen in time. The text says which, and its log."""


@dataclass(frozen=True, slots=True)
class Ports:
    kiosk: int
    panel: int
    phone: int
    hub: int
    broker: int

    @classmethod
    def chosen(cls, *, preferred: bool) -> "Ports":
        """The ports people know where they are free, or others."""
        known = (8080, 8701, 8702, 8600, 18830) if preferred else (0, 0, 0, 0, 0)
        return cls(*free_ports(*known))


class Stack:
    """`start`, then use the URLs; `stop` ends what still runs."""

    def __init__(self, folder: Path, ports: Ports, *, eeprom: bool = False) -> None:
        """``eeprom``: a file stands for the module outside the card that keeps where the journal ends."""
        self.folder = folder
        self.ports = ports
        self._eeprom = eeprom
        self.operator_password = ""
        """Of the account `OPERATOR` at the console."""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._clients = contextlib.ExitStack()
        self.kiosk_url = f"http://{HOST}:{ports.kiosk}"
        self.panel_url = f"http://{HOST}:{ports.panel}"
        self.phone_url = f"http://{HOST}:{ports.phone}"
        self.hub_url = f"http://{HOST}:{ports.hub}"

    @property
    def locker_config(self) -> Path:
        return self.folder / "locker" / "locker.toml"

    @property
    def central_config(self) -> Path:
        return self.folder / "central" / "central.toml"

    def start(self) -> None:
        """Returns when a code can be typed. Raises NotReadyError."""
        try:
            (self.folder / "logs").mkdir(parents=True)
        except OSError as error:
            raise NotReadyError(f"{self.folder}: {error.strerror}: name a new folder") from error
        self._run("phone", [command("hw-sim"), "phone", "--port", str(self.ports.phone)])
        self.start_cabinet()
        self.start_centre()
        self._make_locker()
        self.start_locker()
        self.await_url(f"{self.phone_url}/messages", "phone")

    def start_centre(self, settings: Mapping[str, str] | None = None) -> None:
        """Broker and hub alone, in a folder that is there; `settings` of the hub by SECTION.KEY."""
        self._make_hub(settings or {})
        self.start_broker()
        self._run("hub", [command("locker-central"), "serve", "--config", str(self.central_config)])
        self.await_url(f"{self.hub_url}/healthz", "hub")

    def stop(self) -> None:
        """Ends every process, the ones that write last; whoever asked them over HTTP is gone before."""
        self._clients.close()
        for name in ("locker", "hub", "broker", "cabinet", "phone"):
            self._end(name, signal.SIGTERM)

    def client(
        self, url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 10
    ) -> httpx.Client:
        """Somebody who asks one of the processes; closed by `stop`."""
        client = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, verify=NO_TLS)
        return self._clients.enter_context(client)

    def ended(self) -> str:
        """The name of a process that ended by itself; empty while all run."""
        return next((name for name, process in self._processes.items() if process.poll() is not None), "")

    def process(self, name: str) -> int:
        """The id of one of them."""
        return self._processes[name].pid

    # --- what a story does to them --------------------------------------------------------------------------

    def start_broker(self) -> None:
        folder = self.folder / "broker"
        self._run("broker", [_program("mosquitto"), "-c", str(folder / "mosquitto.conf")])
        self._await(lambda: _listens(self.ports.broker), "broker")

    def kill_broker(self) -> None:
        self._end("broker", signal.SIGKILL)

    def start_locker(self) -> None:
        self._run("locker", [command("lockerd"), "--config", str(self.locker_config)])
        self.await_url(f"{self.kiosk_url}/healthz", "locker")

    def kill_locker(self) -> None:
        self._end("locker", signal.SIGKILL)

    def stop_locker(self) -> int:
        """An orderly end; its exit code."""
        return self._end("locker", signal.SIGTERM)

    def start_cabinet(self) -> None:
        self.run_cabinet()

    def run_cabinet(self, *make_up: str) -> None:
        """``make_up``: the words of `hw-sim cabinet` that say what is built."""
        folder = self.folder / "cabinet"
        (folder / "ready.json").unlink(missing_ok=True)
        words = ["cabinet", "--dir", str(folder), "--panel-port", str(self.ports.panel), *make_up]
        self._run("cabinet", [command("hw-sim"), *words])
        self._await((folder / "ready.json").exists, "cabinet")

    def stop_cabinet(self) -> None:
        """Its ports vanish, as a pulled adapter does. Started again it is as new: all shut, all empty."""
        self._end("cabinet", signal.SIGTERM)

    def lockerctl(self, *words: str) -> str:
        """What `lockerctl` prints. Raises NotReadyError where it fails."""
        return output([command("lockerctl"), *words, "--config", str(self.locker_config)])

    def status(self) -> Mapping[str, Any]:
        """As `lockerctl status`, which takes a third of a second to start. Raises NotReadyError."""
        try:
            return ask(self.locker_config.parent / "state" / "control.sock", {"do": "status"})
        except (OSError, ValueError) as error:
            raise NotReadyError(f"lockerd does not answer: {error}\n{self.log_tail('locker')}") from error

    def central(self) -> Mapping[str, Any]:
        """The hub's configuration, as it reads it."""
        return tomllib.loads(self.central_config.read_text(encoding="utf-8"))

    # --- making -------------------------------------------------------------------------------------------

    def _make_hub(self, more: Mapping[str, str]) -> None:
        settings = {
            "web.port": self.ports.hub,
            "broker.host": HOST,
            "broker.port": self.ports.broker,
            "broker.user": CENTRAL_USER,
            "sms.url": f"{self.phone_url}/sms",
            # Whoever tries the product has no authenticator at hand.
            "access.second_factor_for": "[]",
            **more,
        }
        words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        self._output([command("locker-central"), "init", "--dir", str(self.central_config.parent), *words])
        broker = self.folder / "broker"
        broker.mkdir()
        text = MOSQUITTO.format(port=self.ports.broker, host=HOST, folder=broker)
        (broker / "mosquitto.conf").write_text(text, encoding="utf-8")
        for name, content in (("access", ACCESS), ("passwords", "")):
            (broker / name).write_text(content, encoding="utf-8")
            (broker / name).chmod(0o600)
        self._admit(CENTRAL_USER, self.central()["broker"]["password"])
        self._make_operator()

    def _make_operator(self) -> None:
        """One account that is everything, which nobody should have: who tries the product has one head."""
        self.operator_password = os.urandom(12).hex()
        roles = [word for role in OPERATOR_ROLES for word in ("--role", role)]
        words = ["account", "add", OPERATOR, "--area", "*", *roles, "--password-stdin"]
        config = ["--config", str(self.central_config)]
        self._output([command("locker-central"), *words, *config], self.operator_password)

    def _make_locker(self) -> None:
        folder = self.locker_config.parent
        keys = folder / "keys"
        public = self._output([command("lockerctl"), "keys", "new", str(keys), LOCKER]).strip()
        self._output(
            [
                *(command("locker-central"), "enrol", LOCKER, "--area", AREA, "--public", public),
                *("--out", str(keys / "centre.json"), "--config", str(self.central_config)),
            ]
        )
        password = os.urandom(16).hex()
        (folder / SIGN_IN_FILE).write_text(password, encoding="utf-8")
        (folder / SIGN_IN_FILE).chmod(0o600)
        self._admit(LOCKER, password)
        self._processes["broker"].send_signal(signal.SIGHUP)
        ready = json.loads((self.folder / "cabinet" / "ready.json").read_text(encoding="utf-8"))
        head = LOCKER_TOML.format(
            locker=LOCKER,
            area=AREA,
            host=HOST,
            kiosk=self.ports.kiosk,
            broker=self.ports.broker,
            sign_in_file=SIGN_IN_FILE,
            scanner=ready["scanner"],
        )
        wires = wiring(LAYOUTS["two-board"], ready["lines"], ready["bauds"])
        anchor = ANCHOR_TOML if self._eeprom else ""
        self.locker_config.write_text(head + wires + anchor, encoding="utf-8")
        if self._eeprom:
            (self.folder / "eeprom").write_bytes(b"\xff" * EEPROM_BYTES)
            self.lockerctl("anchor", "adopt")

    def _admit(self, user: str, password: str) -> None:
        passwords = str(self.folder / "broker" / "passwords")
        output([_program("mosquitto_passwd"), "-b", passwords, user, password])

    def admit_all(self, plain: Path) -> None:
        """Let in whoever stands in a file of NAME:PASSWORD lines."""
        hashed = self.folder / "broker" / "more"
        shutil.copyfile(plain, hashed)
        output([_program("mosquitto_passwd"), "-U", str(hashed)])
        with (self.folder / "broker" / "passwords").open("a", encoding="utf-8") as passwords:
            passwords.write(hashed.read_text(encoding="utf-8"))
        self._processes["broker"].send_signal(signal.SIGHUP)

    # --- processes ------------------------------------------------------------------------------------------

    def _output(self, words: list[str], given: str = "") -> str:
        return output(words, given)

    def _run(self, name: str, command: list[str]) -> None:
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603  # our own commands
                [_program("setpriv"), "--pdeathsig", "TERM", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "TZ": LOCAL_TIME},
                # Ctrl-C is for us alone; we end the others in their order.
                start_new_session=True,
            )

    def _end(self, name: str, how: signal.Signals) -> int:
        """The exit code, 0 for what did not run; who does not heed the signal is killed."""
        process = self._processes.pop(name, None)
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def await_url(self, url: str, name: str) -> None:
        self._await(lambda: _answers(url), name)

    def _await(self, ready: Callable[[], bool], name: str) -> None:
        until_s = clock.mono_s() + PATIENCE_S
        while not ready():
            process = self._processes[name]
            if process.poll() is not None or clock.mono_s() > until_s:
                raise NotReadyError(f"{name} did not come up:\n{self.log_tail(name)}")
            clock.pause_s(POLL_S)

    def log_tail(self, name: str, lines: int = 30) -> str:
        path = self.folder / "logs" / f"{name}.log"
        if not path.exists():
            return "(none)"
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def command(name: str) -> str:
    """One of the product's own commands, from the same installation as this one."""
    return str(Path(sys.executable).parent / name)


def _program(name: str) -> str:
    """A system program; /usr/sbin is not on every user's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise NotReadyError(f"{name} is missing: install Debian's package (.ci/setup does)")
    return found


def output(words: list[str], given: str = "", patience_s: float = PATIENCE_S) -> str:
    """What a command prints that is ``given`` a text to read. Raises NotReadyError."""
    try:
        done = subprocess.run(  # noqa: S603  # our own commands
            words, input=given, capture_output=True, text=True, check=False, timeout=patience_s
        )
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(f"{' '.join(words[:3])}: no end within {patience_s:.0f} s") from error
    if done.returncode:
        raise NotReadyError(f"{' '.join(words[:3])}: {done.stderr.strip()}")
    return done.stdout


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=2, verify=NO_TLS).is_success
    return False


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
