"""The software itself: each version in a folder of its own, and one link that says which one runs."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from systemd.installer.done import Done, digest
from systemd.installer.machine import Machine

BASE: Final = "/opt/doclocker"
CURRENT: Final = f"{BASE}/current"
WHOLE: Final = "whole"
"""Written last into a release: a folder without it was interrupted, and is made anew."""
PARTS: Final = ("locker", "firmware_bridge", "sync", "kiosk_ui", "hw_sim", "systemd")
LOCK: Final = ".ci/requirements.lock"


@dataclass(frozen=True, slots=True)
class Release:
    """``source``: this checkout. ``python``: that builds it. ``system``: it sees the system's packages, for
    the GPIO back ends that are compiled for the board's own kernel."""

    source: Path
    python: str
    system: bool

    @property
    def name(self) -> str:
        """Version, and what tells two builds of one version apart."""
        version = next(
            line.split('"')[1]
            for line in (self.source / "pyproject.toml").read_text().splitlines()
            if line.startswith("version")
        )
        return f"{version}-{self._digest()[:12]}"

    def _digest(self) -> str:
        names = [self.source / "pyproject.toml", self.source / LOCK]
        for part in PARTS:
            names += [path for path in sorted((self.source / part).rglob("*")) if _ours(path)]
        return digest(b"".join(str(n.relative_to(self.source)).encode() + n.read_bytes() for n in names))

    def do(self, machine: Machine, done: Done) -> bool:
        """Make it if it is not there whole, then let the link point at it."""
        folder = f"{BASE}/releases/{self.name}"
        made = self._make(machine, folder)
        link = machine.at(CURRENT)
        if link.is_symlink() and link.readlink() == Path(folder):
            return made
        machine.say(f"run {folder}")
        if not machine.dry:
            done.settled = False
            done.keep(machine)
            switch(machine, folder)
        return True

    def _make(self, machine: Machine, folder: str) -> bool:
        if machine.at(f"{folder}/{WHOLE}").exists():
            return False
        machine.say(f"make {folder}")
        if machine.dry:
            return True
        target = machine.at(folder)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        view = ("--system-site-packages",) if self.system else ()
        machine.run((self.python, "-m", "venv", *view, str(target)))
        pip = (str(target / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
        machine.run((*pip, "--require-hashes", "-r", str(self.source / LOCK)))
        self._install(machine, target, pip)
        for part in ("systemd", "docs"):
            shutil.copytree(self.source / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        machine.write(f"{folder}/{WHOLE}", b"")
        return True

    def _install(self, machine: Machine, target: Path, pip: tuple[str, ...]) -> None:
        """From a copy: building leaves things behind, and not in somebody's checkout."""
        copy = target / "source"
        copy.mkdir()
        for part in PARTS[:-1]:
            shutil.copytree(self.source / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(self.source / name, copy / name)
        machine.run((*pip, "--no-deps", "--no-build-isolation", str(copy)))
        shutil.rmtree(copy)

    def undo(self, machine: Machine, done: Done) -> None:
        """All releases go."""
        del done
        if machine.at(BASE).exists():
            machine.say(f"remove {BASE}")
            if not machine.dry:
                shutil.rmtree(machine.at(BASE))


def _ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def switch(machine: Machine, folder: str) -> None:
    """One rename: at every moment the link points at one whole release."""
    link = machine.at(CURRENT)
    new = link.with_name("current.new")
    new.unlink(missing_ok=True)
    new.symlink_to(folder)
    new.replace(link)
    machine.settle(link.parent)
