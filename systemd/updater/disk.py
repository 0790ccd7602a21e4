"""The file system as an update uses it: few primitives, and on them what a power cut leaves whole.

Everything that lasts goes through a `Disk`, so that a test can bring one that forgets what was not synced.
Paths are as on the machine itself, beginning with ``/``.
"""

import os
import shutil
from pathlib import Path
from typing import IO, Protocol


class Disk(Protocol):
    """None of these but the ``sync_…`` makes anything last."""

    def read(self, path: str) -> bytes | None:
        """``None`` where there is no such file."""

    def target(self, link: str) -> str:
        """Where a symbolic link points; empty where there is none."""

    def names(self, folder: str) -> list[str]:
        """In order; nothing where there is no such folder."""

    def create(self, path: str, content: bytes, mode: int) -> None:
        """In place of what was there."""

    def append(self, path: str, content: bytes) -> None:
        """At its end; a new one where there is none. Nobody else's is gone on with: PermissionError."""

    def reader(self, path: str) -> IO[bytes]:
        """From its first byte. Raises FileNotFoundError."""

    def link(self, path: str, target: str) -> None:
        """A symbolic link where nothing is."""

    def rename(self, path: str, to: str) -> None:
        """In one step, in place of what was there."""

    def also(self, path: str, to: str) -> None:
        """A second name for the same file; nothing where the name is taken."""

    def unlink(self, path: str) -> None:
        """A file or a link; nothing where it is gone already."""

    def make_folder(self, path: str) -> None:
        """With those above it, where they are missing."""

    def remove_tree(self, path: str) -> None:
        """Nothing, where it is gone already."""

    def sync_file(self, path: str) -> None:
        """What it holds lasts."""

    def sync_folder(self, path: str) -> None:
        """The names in it last."""

    def sync_all(self) -> None:
        """Everything written by anybody so far lasts."""


def put(disk: Disk, path: str, content: bytes, mode: int = 0o644) -> None:
    """The file as it was or as it is to be, whenever the power goes; on return the latter."""
    new = f"{path}.new"
    disk.create(new, content, mode)
    disk.sync_file(new)
    disk.rename(new, path)
    disk.sync_folder(folder_of(path))


def point(disk: Disk, link: str, target: str) -> None:
    """The same of a link: at every moment it points at the one or at the other."""
    new = f"{link}.new"
    disk.unlink(new)
    disk.link(new, target)
    disk.rename(new, link)
    disk.sync_folder(folder_of(link))


def move(disk: Disk, path: str, to: str) -> None:
    """It has the one name or the other; on return the latter, for good."""
    disk.rename(path, to)
    disk.sync_folder(folder_of(to))


def drop(disk: Disk, path: str) -> None:
    """Gone for good on return."""
    disk.unlink(path)
    disk.sync_folder(folder_of(path))


def folder_of(path: str) -> str:
    """The one above."""
    return path.rpartition("/")[0] or "/"


class RealDisk:
    """This machine's, or another root's."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def at(self, path: str) -> Path:
        """Where ``path`` lies for us."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes | None:
        try:
            return self.at(path).read_bytes()
        except FileNotFoundError:
            return None

    def target(self, link: str) -> str:
        at = self.at(link)
        return str(at.readlink()) if at.is_symlink() else ""

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(path.name for path in self.at(folder).iterdir())
        except FileNotFoundError:
            return []

    def create(self, path: str, content: bytes, mode: int) -> None:
        at = self.at(path)
        at.unlink(missing_ok=True)  # made anew, so that its mode is ours and no link is followed
        handle = os.open(at, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(content)

    def append(self, path: str, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.at(path), flags, 0o644), "ab") as file:
            file.write(content)

    def reader(self, path: str) -> IO[bytes]:
        return self.at(path).open("rb")

    def link(self, path: str, target: str) -> None:
        self.at(path).symlink_to(target)

    def rename(self, path: str, to: str) -> None:
        self.at(path).replace(self.at(to))

    def also(self, path: str, to: str) -> None:
        if not self.at(to).exists():
            self.at(to).hardlink_to(self.at(path))

    def unlink(self, path: str) -> None:
        self.at(path).unlink(missing_ok=True)

    def make_folder(self, path: str) -> None:
        self.at(path).mkdir(parents=True, exist_ok=True)

    def remove_tree(self, path: str) -> None:
        if self.at(path).exists():
            shutil.rmtree(self.at(path))

    def sync_file(self, path: str) -> None:
        _sync(self.at(path), os.O_RDONLY)

    def sync_folder(self, path: str) -> None:
        _sync(self.at(path), os.O_RDONLY | os.O_DIRECTORY)

    def sync_all(self) -> None:
        os.sync()


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
