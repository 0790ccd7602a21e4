"""Pseudo terminals: the only place where the simulator meets the operating system's serial side."""

import contextlib
import errno
import os
import pty
import termios
import tty
from pathlib import Path
from typing import Final

READ_MOST: Final = 4096


class Pty:
    """The boards' end of a pty, under a stable name that a driver opens like a serial port.

    We keep no descriptor of the driver's end: so we learn when it closes, and its lock ends with it.
    Reads after that fail with EIO until the next opening, which counts as "nothing there".
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self._master, slave = pty.openpty()
        try:
            tty.setraw(slave, termios.TCSANOW)
            self.device = os.ttyname(slave)
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)
        _point(link, self.device)

    def fileno(self) -> int:
        return self._master

    def read(self) -> bytes | None:
        """What has come; None when the driver's end is closed, b"" when there is nothing."""
        try:
            return os.read(self._master, READ_MOST)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                return None
            raise

    def write(self, octets: bytes) -> None:
        """A serial line does not wait for its reader: what does not fit is lost."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, octets)

    def close(self) -> None:
        os.close(self._master)
        with contextlib.suppress(FileNotFoundError):
            if str(self.link.readlink()) == self.device:
                self.link.unlink()


def _point(link: Path, device: str) -> None:
    """Replace the link in one step, so that a driver never finds it half made."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    fresh.symlink_to(device)
    fresh.replace(link)
