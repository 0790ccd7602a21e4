"""A run leaves nothing behind: a folder that goes with it, and signals that end it in order.

Killed with SIGKILL a run cannot tidy up. Its processes are ended by the kernel; its folder stays until the
next run of the same purpose, which removes it.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a terminal that is closed."""


@contextmanager
def scratch(purpose: str) -> Iterator[Path]:
    """A folder for the time being."""
    _remove_orphans(Path(tempfile.gettempdir()), purpose)
    with tempfile.TemporaryDirectory(prefix=f"doclocker-{purpose}-{os.getpid()}-") as name:
        yield Path(name)


def _remove_orphans(base: Path, purpose: str) -> None:
    """The folders of runs whose process is gone."""
    for folder in base.glob(f"doclocker-{purpose}-*-*"):
        process = folder.name.split("-")[2]
        if process.isdigit() and not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)


def heed_endings() -> None:
    """From here on each of them is a KeyboardInterrupt, also where we were started to ignore it."""
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)


def ignore_endings() -> None:
    """While we tidy up, an impatient second Ctrl-C does not leave half of it undone."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
