"""Files that a command leaves behind: whole or not there, and there for good once it says so."""

import os
from pathlib import Path
from typing import TextIO


def unwritable(path: Path) -> str:
    """Why no file can come to stand here; empty where one can. For a question before the work begins."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"{path}: there is no such folder"
    if path.is_dir():
        return f"{path} is a folder: name a file in it"
    return "" if os.access(folder, os.W_OK) else f"{path}: its folder cannot be written to"


def put(path: Path, text: str) -> None:
    """In place of what stood there, in one step. Raises OSError."""
    from sync import durable  # noqa: PLC0415  # late

    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    durable.write_new(fresh, text, mode=0o644)
    fresh.replace(path)
    durable.sync_folder(path.absolute().parent)


def keep(file: TextIO) -> None:
    """What was written so far, and its name, survive a power cut. Raises OSError."""
    from sync import durable  # noqa: PLC0415  # late

    file.flush()
    os.fsync(file.fileno())
    durable.sync_folder(Path(file.name).absolute().parent)
