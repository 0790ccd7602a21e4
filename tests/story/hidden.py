"""The secrets of two machines' first hour, and every file in which one of them stands."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from hw_sim.search import search
from tests.mosquitto import program
from tests.story.machines import Box
from tests.systemd.hub_inside import provision

Secret = tuple[str, str]
HUB: Final = "var/lib/doclocker-central"
LOCKER: Final = "etc/doclocker/keys"
PRIVATE: Final = {
    "hub": (
        f"{HUB}/keys.json",
        f"{HUB}/authority/root.key",
        f"{HUB}/broker/broker.key",
        f"{HUB}/tls/hub.key",
        f"{HUB}/tls/_central.key",
    ),
    "locker": (f"{LOCKER}/own.json", f"{LOCKER}/centre.json", f"{LOCKER}/link.pem"),
}
"""Where a private key stands, and a copy by `lockerctl backup` of a locker's; nowhere else."""
COPIED: Final = ("run/doclocker-broker/broker.key", "var/lib/doclocker/copies")
NAME: Final = "ear"
TOPIC: Final = re.compile(rb"^doclocker/v1/\S+", re.MULTILINE)
SECRET: Final = {"seed", "sign_seed", "seal_private", "code_key"}
"""Of the files of JSON."""


def keys(machine: str, upper: Path) -> Iterator[Secret]:
    """The private part of each, by the name of its file."""
    for name in PRIVATE[machine]:
        text = (upper / name).read_text()
        if name.endswith(".json"):
            values = json.loads(text).items()
            found = [v for k, v in values if isinstance(v, str) and k in SECRET]
        else:
            private = text.partition("PRIVATE KEY-----\n")[2].partition("-----END")[0]
            found = private.split()[1:2]
        assert found, name
        yield from ((f"{machine}/{name}", value) for value in found)


class Ear:
    """Somebody to whom the broker says all that passes, which it does for nobody by its own rules."""

    def __init__(self, hub: Box, heard: Path) -> None:
        hub.does(lambda: provision(NAME))
        with (hub.folder / "run/doclocker-broker/access").open("a") as rules:
            rules.write(f"\nuser {NAME}\ntopic read #\n")
        hub.signals("mosquitto.service", signal.SIGHUP)
        self._heard, pair = heard, str(hub.folder / f"run/keys/{NAME}.pem")
        who = ("--cafile", str(hub.folder / "run/keys/root.pem"), "--cert", pair, "--key", pair)
        words = ("-V", "5", "-h", "localhost", "-p", "8883", "-q", "1", "-t", "#", "-F", "%t %p")
        with heard.open("wb") as file:
            self._process = subprocess.Popen([program("mosquitto_sub"), *who, *words], stdout=file)

    def close(self) -> list[str]:
        """The topics that were heard."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        return sorted({found.decode() for found in TOPIC.findall(self._heard.read_bytes())})


def where(machines: Mapping[str, Path], secrets: set[Secret]) -> tuple[int, list[str]]:
    """Bytes that were looked through; ``MACHINE/FILE: KIND`` for whatever stands where it must not."""
    size, found = 0, []
    for name, upper in machines.items():
        here = search(upper, secrets)
        size += here.bytes
        found += [each for line in here.where if not _may(each := f"{name}/{line}")]
        found += [
            f"{name}/{path.relative_to(upper)}: a core" for path in upper.rglob("core*") if _is_core(path)
        ]
    return size, found


def _may(line: str) -> bool:
    """A private key in its own file, or in a copy that is made to hold it."""
    path, _colon, kind = line.rpartition(": ")
    machine, _slash, name = path.partition("/")
    return path == kind or (kind.startswith(f"{machine}/") and name.startswith(COPIED))


def _is_core(path: Path) -> bool:
    with path.open("rb") as file:
        return path.is_file() and os.pread(file.fileno(), 18, 0)[16:] == b"\x04\x00"


__all__ = ["Ear", "keys", "where"]
