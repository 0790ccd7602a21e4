"""Space that is held back on the journal's disk, and given up when there is no other.

The file holds nothing. It is made while there is plenty, and is gone before a write would fail for want of
space: then openings, pickups and what they are recorded by go on, while somebody frees the disk.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = "reserve"
"""Beside the journal."""
BYTES: Final = 64 << 20
"""Tens of thousands of pickups."""
PLENTY_BYTES: Final = 8 * BYTES
"""Free at least, for it to be made: on a small disk it would itself be what fills it."""
SHORT_BYTES: Final = 8 << 20
"""Free at most, for it to be given up: room for any transaction, and for moving the log into the file."""


def keep(folder: Path) -> None:
    """Make it where it is missing and there is plenty. Never raises: the disk is none the worse without."""
    path = folder / NAME
    with suppress(OSError):
        if path.exists() or _free_bytes(folder) < PLENTY_BYTES:
            return
        new = folder / f"{NAME}.new"
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, BYTES)
        finally:
            os.close(handle)
        new.replace(path)


def give_up_if_short(folder: Path) -> bool:
    """Before a write. Whether it was given up now. Never raises."""
    with suppress(OSError):
        if _free_bytes(folder) < SHORT_BYTES:
            (folder / NAME).unlink()
            return True
    return False


def _free_bytes(folder: Path) -> int:
    """For who is not root."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
