"""The machine that is changed: `/`, or another root such as an image's. Every change is said."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from systemd.installer.errors import CommandFailed

LIVE = Path("/")


@dataclass
class Machine:
    """``dry``: only say what would be done. Paths are as on the machine itself, beginning with ``/``."""

    root: Path = LIVE
    dry: bool = False
    said: list[str] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether its services run here: of an image only files are made."""
        return self.root == LIVE

    def at(self, path: str) -> Path:
        """Where ``path`` lies for us."""
        return self.root / path.lstrip("/")

    def say(self, line: str) -> None:
        """One change, or what stands instead of one."""
        self.said.append(line)
        print(f"would: {line}" if self.dry else line, flush=True)

    def read(self, path: str) -> bytes | None:
        """``None`` where there is no such file."""
        try:
            return self.at(path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Whole or not at all, also under a power cut."""
        if self.dry:
            return
        target = self.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)  # before there is anything to read in it
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
        self.settle(target.parent)

    def remove(self, path: str) -> None:
        """Nothing, where it is gone already."""
        if not self.dry:
            self.at(path).unlink(missing_ok=True)

    def run(self, argv: Sequence[str]) -> None:
        """A program of this machine; its own words are shown only where it fails."""
        if self.dry:
            return
        done = subprocess.run(  # noqa: S603 -- our own table of commands, no shell
            argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise CommandFailed(tuple(argv), done.returncode, done.stderr or done.stdout)

    @staticmethod
    def settle(folder: Path) -> None:
        """A new name lasts once its folder is on the disk."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
