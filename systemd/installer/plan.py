"""What a locker or a hub is made of: tables, nothing else."""

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from systemd.installer import hub
from systemd.installer.devices import rules
from systemd.installer.done import Done
from systemd.installer.machine import Machine
from systemd.installer.packages import LIST, is_arm, named, named_for
from systemd.installer.release import Release
from systemd.installer.steps import Packages, Put, Step, Unit, Word

_UNITS: Final = "/etc/systemd/system"
_FILES: Final = {
    "locker": {
        "locker/sysusers.conf": "/etc/sysusers.d/doclocker.conf",
        "locker/tmpfiles.conf": "/etc/tmpfiles.d/doclocker.conf",
        "locker/modules.conf": "/etc/modules-load.d/doclocker.conf",
        "locker/machine.conf": "/etc/systemd/system.conf.d/doclocker.conf",
        "journald.conf": "/etc/systemd/journald.conf.d/doclocker.conf",
        "locker/chromium.json": "/etc/chromium/policies/managed/doclocker.json",
        "locker/lockerd.service": f"{_UNITS}/lockerd.service",
        "updater/doclocker-trial.service": f"{_UNITS}/doclocker-trial.service",
        "locker/locker-clock.service": f"{_UNITS}/locker-clock.service",
        "locker/locker-kiosk.service": f"{_UNITS}/locker-kiosk.service",
        "locker/locker-screen.path": f"{_UNITS}/locker-screen.path",
        "locker/locker-screen.service": f"{_UNITS}/locker-screen.service",
        "locker/locker-fetch.service": f"{_UNITS}/locker-fetch.service",
        "locker/locker-fetch.timer": f"{_UNITS}/locker-fetch.timer",
        "locker/locker-verify.service": f"{_UNITS}/locker-verify.service",
        "locker/locker-verify.timer": f"{_UNITS}/locker-verify.timer",
        "locker/mnt-doclocker.mount": f"{_UNITS}/mnt-doclocker.mount",
        "locker/locker-backup.service": f"{_UNITS}/locker-backup.service",
        "locker/locker-backup.timer": f"{_UNITS}/locker-backup.timer",
        "locker/locker-check.service": f"{_UNITS}/locker-check.service",
        "locker/locker-check.timer": f"{_UNITS}/locker-check.timer",
        "locker/locker-rehearse.service": f"{_UNITS}/locker-rehearse.service",
        "locker/locker-rehearse.timer": f"{_UNITS}/locker-rehearse.timer",
        "locker/locker-renew.service": f"{_UNITS}/locker-renew.service",
        "locker/locker-renew.timer": f"{_UNITS}/locker-renew.timer",
    },
    "hub": {
        "hub/sysusers.conf": "/etc/sysusers.d/doclocker.conf",
        "hub/tmpfiles.conf": "/etc/tmpfiles.d/doclocker.conf",
        "journald.conf": "/etc/systemd/journald.conf.d/doclocker.conf",
        "hub/locker-central.service": f"{_UNITS}/locker-central.service",
        "updater/doclocker-trial.service": f"{_UNITS}/doclocker-trial.service",
        "hub/mosquitto.conf": f"{_UNITS}/mosquitto.service.d/doclocker.conf",
        "hub/locker-revoked.path": f"{_UNITS}/locker-revoked.path",
        "hub/locker-revoked.service": f"{_UNITS}/locker-revoked.service",
        "hub/locker-certificates.path": f"{_UNITS}/locker-certificates.path",
        "hub/locker-certificates.service": f"{_UNITS}/locker-certificates.service",
        "hub/locker-central-renew.service": f"{_UNITS}/locker-central-renew.service",
        "hub/locker-central-renew.timer": f"{_UNITS}/locker-central-renew.timer",
    },
}
_PACKAGES: Final = (Path(__file__).parents[2] / LIST).read_bytes()
_NIGHTLY: Final = ("backup", "verify", "check", "rehearse", "renew", "fetch")
_TIMERS: Final = tuple(f"locker-{name}.timer" for name in _NIGHTLY)
_UNITS_OF: Final = {
    "locker": (
        "lockerd.service",
        "locker-clock.service",
        "locker-kiosk.service",
        "locker-screen.path",
        *_TIMERS,
    ),
    "hub": (
        "locker-central.service",
        "locker-revoked.path",
        "locker-certificates.path",
        "locker-central-renew.timer",
    ),
}
LENT: Final[dict[str, tuple[str, ...]]] = {"locker": (), "hub": ("mosquitto.service",)}
"""Units of the system that run with files of ours."""
_CONFIGURATION: Final = {"locker": "/etc/doclocker/locker.toml", "hub": "/etc/doclocker/central.toml"}
_TOOL: Final = {"locker": "lockerctl", "hub": "locker-central"}
_CALLS: Final = '#!/bin/sh\nexec /opt/doclocker/current/bin/{} "$@"\n'
"""What people type, wherever `sudo` looks for programs."""
_BOOT: Final = "/boot/firmware/cmdline.txt"
"""Of a Raspberry Pi; other machines have none, and nothing is done."""
ROLES: Final = tuple(_FILES)


@dataclass(frozen=True, slots=True)
class Site:
    """What is true of this site alone."""

    lines: dict[str, str]
    scanner: str
    keyboards: str
    host: str = ""
    """Of a hub: the name by which it is reached."""

    @classmethod
    def of(cls, done: Done) -> "Site":
        """As somebody said it before."""
        one = done.site.get("one", {})
        names = ("scanner", "keyboards", "host")
        return cls(dict(done.site.get("lines", {})), *(one.get(name, "") for name in names))

    def kept(self) -> dict[str, dict[str, str]]:
        """The form in which it lasts."""
        one = {"scanner": self.scanner, "keyboards": self.keyboards, "host": self.host}
        return {"lines": self.lines, "one": one}


def files(role: str, here: Path, site: Site) -> list[Step]:
    """Everything that is a file, from ``here``, the folder of the units."""
    steps: list[Step] = [Put(path, (here / name).read_bytes()) for name, path in _FILES[role].items()]
    steps.append(Put(f"/usr/local/bin/{_TOOL[role]}", _CALLS.format(_TOOL[role]).encode(), 0o755))
    if role == "locker":
        base = (here / "locker/devices.rules").read_text()
        text = rules(base, site.lines, site.scanner, site.keyboards)
        steps.append(Put("/etc/udev/rules.d/70-doclocker.rules", text.encode()))
        steps.append(Word(_BOOT, "consoleblank=0"))
    return steps


def needed(role: str) -> tuple[str, ...]:
    """Packages of the system that a role has wherever it runs."""
    return named(_PACKAGES, role)


def packages(role: str) -> Packages:
    """Of the system; on Arm with what drives the pins."""
    return Packages(named_for(_PACKAGES, role, platform.machine()))


def release(here: Path) -> Release:
    """The software of this checkout."""
    return Release(here.parent, "/usr/bin/python3" if _arm() else sys.executable, system=_arm())


def services(role: str, machine: Machine, site: Site) -> Sequence[Step]:
    """What a hub has beside its files, in the order in which one thing needs another."""
    if role != "hub":
        return ()
    if not machine.live:
        machine.say("  (not in another root: database, certificates, broker: `systemd/install hub` there)")
        return ()
    return hub.steps(site.host)


def units(role: str, machine: Machine) -> list[Step]:
    """Started now where there is a configuration to start with."""
    ready = machine.at(_CONFIGURATION[role]).exists()
    return [*map(hub.Lent, LENT[role]), *(Unit(name, now=ready) for name in _UNITS_OF[role])]


def unready(role: str, machine: Machine) -> str:
    """What is still to be done by a person; empty: nothing."""
    if machine.at(_CONFIGURATION[role]).exists() or (role == "hub" and machine.live):
        return ""
    if role == "hub":
        return f"next: `systemd/install hub` on the machine itself, which makes {_CONFIGURATION[role]}"
    return f"next: lockerctl provision, which makes {_CONFIGURATION[role]}; then restart the machine"


def _arm() -> bool:
    return is_arm(platform.machine())
