"""``systemd/install hub`` upon a copy of this machine that nobody sees, with its own database and broker.

Run by `test_hub` inside name spaces of its own. No systemd runs there: what the units would start is started
by the very lines of the units. Prints JSON: what happened.
"""

import contextlib
import io
import json
import os
import pwd
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any, Final

from locker.ctl.provision_hub import broker_takes
from sync import certificates
from sync.central import __main__ as central
from sync.central.authority import register
from sync.central.authority.issuing import Purpose, issue
from sync.central.authority.root import Place
from sync.central.config import load
from sync.central.platform import SystemClock
from sync.central.store import Store
from systemd.installer import __main__ as installer
from systemd.installer import hub, plan
from systemd.installer.done import Done
from systemd.installer.machine import LIVE, Machine
from systemd.installer.steps import Packages

UNITS: Final = Path("/etc/systemd/system")
DROP_IN: Final = UNITS / "mosquitto.service.d/doclocker.conf"
TOLD: Final = Path("/run/told")
KEYS: Final = Path("/run/keys")
PATIENCE_S: Final = 60.0
BROKER: Final = ("localhost", 8883, KEYS / "root.pem")


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def as_hub(work: Callable[[], object]) -> int:
    """In a process of the hub's user: what it may not, it cannot. Its exit code."""
    child = os.fork()
    if not child:
        user = pwd.getpwnam(hub.USER)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.umask(0o077)
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):  # noqa: PTH123 -- a device
            os._exit(int(bool(work())))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Here(Machine):
    """The hub's commands are called, not started: each start would be a second of this machine."""

    def run(self, argv: Sequence[str]) -> None:
        words = list(argv)
        if self.dry or hub.COMMAND not in words:
            super().run(argv)
            return
        asked = words[words.index(hub.COMMAND) + 1 :]
        code = central.main(asked) if words[0] == hub.COMMAND else as_hub(lambda: central.main(asked))
        assert code == 0, words


def install(*more: str) -> list[str]:
    """What it says."""
    told = installer._parser().parse_args(["hub", "--host", "hub.example", *more])
    machine = Here(LIVE, told.dry_run)
    with contextlib.redirect_stdout(io.StringIO()):
        if told.undo:
            installer.undo(machine, Done.of(machine))
        else:
            installer.install(machine, Done.of(machine), told)
    return [line.removeprefix("would: ") for line in machine.said]


def prepare() -> None:
    """A machine as after `apt-get install`, with its release in place."""
    run("ip", "link", "set", "lo", "up")
    for name in ("systemctl", "udevadm"):
        there = Path("/usr/bin") / name
        there.unlink(missing_ok=True)
        there.write_text(f'#!/bin/sh\necho {name} "$@" >> {TOLD}\n')
        there.chmod(0o755)
    for folder in Path(sys.base_prefix).resolve().parents:  # a Python below somebody's home is for all here
        folder.chmod(folder.stat().st_mode | 0o011)
    command = Path(hub.COMMAND)
    command.parent.mkdir(parents=True)
    command.symlink_to(Path(sys.executable).with_name("locker-central"))
    database = run("pg_ctlcluster", "15", "main", "start", "-o", "-c fsync=off -c listen_addresses=")
    assert database.returncode == 0, database.stderr
    # Packages and release are in place.
    plan.packages = lambda role: Packages(())  # noqa: ARG005 -- as the other one
    plan.release = lambda here: Packages(())  # type: ignore[assignment,return-value]  # noqa: ARG005 -- as above


def lines(unit: Path, key: str) -> list[list[str]]:
    """The commands that this unit gives for ``key``."""
    text = unit.read_text().replace("\\\n", " ")
    return [shlex.split(line.lstrip("+-")) for line in re.findall(rf"^{key}=(.+)$", text, re.MULTILINE)]


class Broker:
    """As its unit says."""

    def __init__(self) -> None:
        user = pwd.getpwnam("mosquitto")
        folder = Path("/run/doclocker-broker")
        folder.mkdir(mode=0o700)
        os.chown(folder, user.pw_uid, user.pw_gid)
        self.start()

    def start(self) -> None:
        for argv in lines(DROP_IN, "ExecStartPre"):
            assert run(*argv).returncode == 0, argv
        (argv,) = lines(DROP_IN, "ExecStart")
        words = ["setpriv", "--reuid=mosquitto", "--regid=mosquitto", "--clear-groups", *argv]
        self.process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        until(lambda: run("mosquitto_pub", "-p", "8883", "-t", "x", "-n").stderr.count("refused") == 0)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)

    def reload(self) -> None:
        for argv in lines(DROP_IN, "ExecReload"):
            words = [word.replace("$MAINPID", str(self.process.pid)) for word in argv]
            assert run(*words).returncode == 0, words


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)  # noqa: TID251 -- other processes


def provision(*names: str) -> None:
    """Certificates of lockers, from the authority that was installed."""
    KEYS.mkdir(mode=0o777)
    KEYS.chmod(0o777)

    def work() -> None:
        config = load(Path(hub.CONFIGURATION))
        authority, now_ms = Place(config.folder / config.authority.folder).open(), SystemClock().wall_ms()
        (KEYS / "root.pem").write_text(authority.pem)
        with contextlib.closing(Store.open(config.database, checkpoints=False)) as store:
            for name in names:
                key = certificates.new_key()
                asked = certificates.read_request(certificates.request_for(key, name))
                pem = issue(authority, asked, Purpose.LOCKER, now_ms)
                store.write_now(lambda c, pem=pem: register.keep(c, pem, Purpose.LOCKER, now_ms))  # type: ignore[misc]
                (KEYS / f"{name}.pem").write_text(key + pem)

    assert as_hub(work) == 0


def says(name: str, topic: str) -> bool:
    """Whether the broker takes it."""
    pair = str(KEYS / f"{name}.pem")
    files = ("--cafile", str(BROKER[2]), "--cert", pair, "--key", pair)
    words = ("-V", "5", "-h", BROKER[0], "-p", str(BROKER[1]), "-q", "1", "-d", "-t", topic, "-m", "x")
    done = run("mosquitto_pub", *files, *words)
    return done.returncode == 0 and "Not authorized" not in done.stderr


def takes(name: str) -> bool | None:
    return broker_takes(*BROKER, KEYS / f"{name}.pem")


def revoke(name: str) -> list[str]:
    """By the command, then as the path unit would; what systemd was told."""
    assert as_hub(lambda: central.main(["authority", "revoke", name, "--why", "stolen"])) == 0
    return follow()


def renewed(broker: Broker) -> dict[str, Any]:
    """The broker's certificate made anew; what systemd is told then, and whether it is worn."""
    mark = Path(hub.STATE, "authority/issued")
    mark.unlink()
    own = f"{hub.STATE}/broker"
    assert (
        as_hub(lambda: central.main(["authority", "server", "broker", "--host", "localhost", "--out", own]))
        == 0
    )
    told = follow("locker-certificates")
    broker.reload()
    made = certificates.read(Path(own, "broker.pem").read_text()).serial
    until(lambda: shown() == made)  # a signal is answered when it suits
    return {"told": told, "marked": mark.exists()}


def shown() -> str:
    """The serial of the broker's certificate, as a locker sees it."""
    context = ssl.create_default_context(cafile=str(BROKER[2]))
    context.load_cert_chain(KEYS / "loc-2.pem")
    with (
        socket.create_connection(BROKER[:2]) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return str((secured.getpeercert() or {})["serialNumber"]).lower().lstrip("0")


def follow(unit: str = "locker-revoked") -> list[str]:
    TOLD.write_text("")
    (argv,) = lines(UNITS / f"{unit}.service", "ExecStart")
    assert run(*argv).returncode == 0
    return TOLD.read_text().split()


def serves() -> Any:
    """The hub's own word, once its link to the broker stands."""
    user = ["setpriv", f"--reuid={hub.USER}", f"--regid={hub.USER}", "--clear-groups", "--pdeathsig", "KILL"]
    process = subprocess.Popen([*user, hub.COMMAND, "serve"], stderr=subprocess.DEVNULL, cwd="/")
    context = ssl.create_default_context(cafile=str(BROKER[2]))
    told: dict[str, Any] = {}

    def well() -> bool:
        with contextlib.closing(HTTPSConnection("localhost", 8600, context=context)) as asked:
            try:
                asked.request("GET", "/healthz")
                told.update(json.load(asked.getresponse()))
            except OSError:
                assert process.poll() is None, process.returncode
        return bool(told.get("broker"))

    until(well)
    process.terminate()
    return {"told": told, "code": process.wait(PATIENCE_S)}


def owners(*folders: str) -> dict[str, str]:
    """Path → owner and mode of every file."""
    return {
        str(path): f"{path.owner()}:{path.group()} {path.stat().st_mode & 0o777:o}"
        for folder in folders
        for path in sorted(Path(folder).rglob("*"))
    }


def main() -> None:
    told: dict[str, Any] = {}
    prepare()
    told["would"] = install("--dry-run")
    told["said"] = install()
    told["again"] = install()
    told["owners"] = owners("/etc/doclocker", hub.STATE)
    told["configuration"] = Path(hub.CONFIGURATION).read_text()
    provision("loc-1", "loc-2")
    broker = Broker()
    told["serves"] = serves()
    told["own"], told["foreign"] = (
        says("loc-1", "doclocker/v1/loc-1/up/log"),
        says("loc-1", "doclocker/v1/loc-2/up/log"),
    )
    told["renewed"] = follow()
    told["revoked"] = revoke("loc-1")
    before = takes("loc-1")
    broker.reload()
    told["taken"] = {"before": before, "revoked": takes("loc-1"), "other": takes("loc-2")}
    told["settled"] = follow()
    told["worn"] = renewed(broker)
    broker.stop()
    told["undone"] = install("--undo")
    told["left"] = sorted(str(path) for path in UNITS.rglob("*") if "locker" in path.name)
    told["database"] = run(
        "runuser", "-u", hub.USER, "--", "psql", "-qAtw", "-d", hub.DATABASE, "-c", "SELECT 1"
    ).stdout
    print(json.dumps(told))


if __name__ == "__main__":
    main()
