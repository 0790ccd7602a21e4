"""The kinds of change. Each is made only where the machine differs, and can be taken back."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from systemd.installer.done import Done, digest, kept_as
from systemd.installer.machine import Machine
from systemd.installer.packages import lacking, question


class Step(Protocol):
    """Something that a machine must have."""

    def do(self, machine: Machine, done: Done) -> bool:
        """Make it so; whether anything had to change."""
        ...

    def undo(self, machine: Machine, done: Done) -> None:
        """As it was before us. What somebody changed since is left, and said."""
        ...


@dataclass(frozen=True, slots=True)
class Put:
    """A file of ours. What was there before is kept beside, and comes back."""

    path: str
    content: bytes
    mode: int = 0o644

    def do(self, machine: Machine, done: Done) -> bool:
        there = machine.read(self.path)
        if there == self.content and (machine.at(self.path).stat().st_mode & 0o777) == self.mode:
            return False
        machine.say(f"{'write' if there is None else 'renew'} {self.path}")
        if there is not None and self.path not in done.files:
            machine.write(kept_as(self.path), there, 0o600)
            done.before.append(self.path)
        done.files[self.path] = digest(self.content)
        done.settled = False
        done.keep(machine)
        machine.write(self.path, self.content, self.mode)
        return True

    def undo(self, machine: Machine, done: Done) -> None:
        take_back(machine, done, self.path)


def take_back(machine: Machine, done: Done, path: str) -> None:
    """A file that we wrote, if it is still ours."""
    ours = done.files.pop(path, None)
    there = machine.read(path)
    if ours is None:
        return
    if there is not None and digest(there) != ours:
        machine.say(f"leave {path}: somebody changed it")
    elif path in done.before:
        machine.say(f"put back {path} as it was")
        machine.write(path, machine.read(kept_as(path)) or b"")
        machine.remove(kept_as(path))
        done.before.remove(path)
    else:
        machine.say(f"remove {path}")
        machine.remove(path)
    done.keep(machine)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the one line by which a Raspberry Pi's boot loader calls the kernel."""

    path: str
    word: str

    def do(self, machine: Machine, done: Done) -> bool:
        line = (machine.read(self.path) or b"").decode()
        if not line.strip() or self.word in line.split():
            return False
        machine.say(f"add {self.word!r} to {self.path}: after the next start")
        done.words.setdefault(self.path, []).append(self.word)
        done.keep(machine)
        machine.write(self.path, f"{line.strip()} {self.word}\n".encode())
        return True

    def undo(self, machine: Machine, done: Done) -> None:
        ours = done.words.get(self.path, [])
        if self.word not in ours:
            return
        words = (machine.read(self.path) or b"").decode().split()
        machine.say(f"take {self.word!r} out of {self.path}")
        if words:
            left = " ".join(word for word in words if word != self.word)
            machine.write(self.path, f"{left}\n".encode())
        ours.remove(self.word)
        if not ours:
            del done.words[self.path]
        done.keep(machine)


@dataclass(frozen=True, slots=True)
class Packages:
    """Of the system. They stay when we go: others may have come to need them."""

    names: tuple[str, ...]

    def do(self, machine: Machine, done: Done) -> bool:
        del done
        missing = _missing(machine, self.names)
        if not missing:
            return False
        machine.say(f"install {' '.join(missing)} by apt")
        if not machine.live:
            machine.say("  (not in another root: whoever makes the image names them there)")
            return False
        machine.run(("apt-get", "update", "-q"))
        quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q")
        machine.run((*quiet, "--no-install-recommends", *missing))
        return True

    def undo(self, machine: Machine, done: Done) -> None:
        """They stay."""


def _missing(machine: Machine, names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    asked = subprocess.run(  # noqa: S603 -- names of our own table
        question(names, str(machine.at("/var/lib/dpkg"))), capture_output=True, text=True, check=False
    )
    return lacking(names, asked.stdout)


@dataclass(frozen=True, slots=True)
class Unit:
    """Started at every start of the machine, and now where ``now``."""

    name: str
    now: bool = False

    def do(self, machine: Machine, done: Done) -> bool:
        if self.name in done.units:
            return False
        machine.say(f"enable {self.name}")
        done.units.append(self.name)
        done.keep(machine)
        machine.run(("systemctl", *_of(machine), "enable", "--quiet", self.name))
        if self.now and machine.live:
            machine.run(("systemctl", "start", self.name))
        return True

    def undo(self, machine: Machine, done: Done) -> None:
        if self.name not in done.units:
            return
        machine.say(f"stop and disable {self.name}")
        if machine.live:
            machine.run(("systemctl", "stop", self.name))
        machine.run(("systemctl", *_of(machine), "disable", "--quiet", self.name))
        done.units.remove(self.name)
        done.keep(machine)


def _of(machine: Machine) -> tuple[str, ...]:
    return () if machine.live else (f"--root={machine.root}",)


def settle(machine: Machine) -> None:
    """What the system must be told after files of ours came or went."""
    for argv in _told(machine):
        machine.run(argv)


def restart(machine: Machine, units: Sequence[str]) -> None:
    """Whatever runs here goes on as what it is now; what was stopped by hand stays so."""
    for name in units if machine.live else ():
        machine.say(f"restart {name}, if it runs")
        machine.run(("systemctl", "try-restart", name))


def _told(machine: Machine) -> Sequence[tuple[str, ...]]:
    root = _of(machine)
    users = ("systemd-sysusers", *root, "doclocker.conf")
    folders = ("systemd-tmpfiles", *root, "--create", "doclocker.conf")
    if not machine.live:
        return (users, folders)
    manager = ("systemctl", "daemon-reload")
    return (users, folders, manager, ("udevadm", "control", "--reload"), ("udevadm", "trigger"))
