"""The checkout that is built: its files, its version, its time. The same commit, the same bytes."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from systemd.packer.errors import PackError, ToolFailed

PYTHON: Final = ("locker", "firmware_bridge", "sync", "kiosk_ui", "hw_sim")
ALONE: Final = ("pyproject.toml", "README.md", "LICENSE")
LOCK: Final = ".ci/requirements.lock"


@dataclass(frozen=True, slots=True)
class Checkout:
    """``files``: what is committed or would be, without tests, from the root."""

    root: Path
    files: tuple[str, ...]
    version: str
    built_s: int

    def under(self, *parts: str) -> tuple[str, ...]:
        """The files of some of its folders."""
        return tuple(name for name in self.files if name.split("/")[0] in parts)

    def copy(self, names: Sequence[str], to: Path) -> None:
        """With modes of our own: nobody's umask is in what is built."""
        for name in names:
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.root / name, target)
            target.chmod(0o755 if self.is_program(name) else 0o644)
        for folder in (to, *(path for path in to.rglob("*") if path.is_dir())):
            folder.chmod(0o755)

    def is_program(self, name: str) -> bool:
        return bool((self.root / name).stat().st_mode & 0o100)

    @property
    def environment(self) -> Mapping[str, str]:
        """For tools that would otherwise write down when and where they ran."""
        return {**os.environ, "SOURCE_DATE_EPOCH": str(self.built_s), "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def checkout(root: Path) -> Checkout:
    """Raises PackError, ToolFailed."""
    listed = ran(("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), cwd=root)
    names = tuple(sorted(name for name in listed.split("\0") if name and (root / name).is_file()))
    set_s = os.environ.get("SOURCE_DATE_EPOCH") or ran(("git", "log", "-1", "--format=%ct"), cwd=root)
    version = next(
        line.split('"')[1]
        for line in (root / "pyproject.toml").read_text().splitlines()
        if line.startswith("version")
    )
    kept = tuple(name for name in names if not name.startswith(("tests/", ".")) or name == LOCK)
    try:
        return Checkout(root, kept, version, int(set_s))
    except ValueError as error:
        raise PackError(f"SOURCE_DATE_EPOCH: {set_s!r} are no seconds") from error


def ran(argv: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """What a program of this machine prints. Raises ToolFailed."""
    try:
        done = subprocess.run(  # noqa: S603 -- our own table of commands, no shell
            argv,
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            umask=0o022,
        )
    except OSError as error:
        raise ToolFailed(argv, 127, str(error)) from error
    if done.returncode:
        raise ToolFailed(argv, done.returncode, done.stderr or done.stdout)
    return done.stdout.strip()
