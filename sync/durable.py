"""New files that a power cut leaves whole or absent, and that are there for good once they are said to be."""

import errno
import os
from contextlib import ExitStack
from pathlib import Path


def write_new(path: Path, text: str, mode: int = 0o600) -> None:
    """Durable on return. What a cut left half-done is ``NAME.new`` beside it, and the next try replaces it.

    Raises FileExistsError, and never overwrites ``path``; OSError.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "it is there already", str(path))
    _put(path, text, mode)


def replace(path: Path, text: str) -> None:
    """Durable on return; a power cut leaves the one before or this one. Mode and owner stay.

    Raises OSError, FileNotFoundError where there is none to replace.
    """
    _put(path, text, 0o600, path.stat())


def _put(path: Path, text: str, mode: int, was: os.stat_result | None = None) -> None:
    """With mode and owner of what ``was`` there."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # made anew, so that its mode is ours
    with ExitStack() as undo:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        undo.callback(new.unlink)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if was is not None:
                os.fchown(handle, was.st_uid, was.st_gid)
                os.fchmod(handle, was.st_mode & 0o7777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        undo.pop_all()
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """With its parents where they are missing; their names are durable on return. Raises OSError."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in reversed(missing):
        sync_folder(each.parent)


def sync_folder(path: Path) -> None:
    """Names that came into this folder are there for good. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
