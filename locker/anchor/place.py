"""The place itself: a file of bytes, as the kernel shows an EEPROM, an FRAM, or a disk. Blocking."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from locker.anchor.record import SIZE, SLOTS_MAX, AnchorError, Mark, NoPlace, Sight, look, record


class PlaceError(AnchorError):
    """It cannot be read, or does not keep what is written. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Place:
    path: Path
    locker: str

    def look(self) -> Sight:
        """Raises PlaceError."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return look(_read(handle, 0, SLOTS_MAX * SIZE), self.locker)
            finally:
                os.close(handle)
        except (OSError, NoPlace) as error:
            raise PlaceError(f"{self.path}: {_why(error)}") from error

    def put(self, sight: Sight, mark: Mark) -> Sight:
        """Write the next record, and see whether it is there: a chip whose write protection is on says yes to
        everything. Raises PlaceError; then the record before is still the latest."""
        text, offset = record(self.locker, sight.turn + 1, mark), sight.next_offset()
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            try:
                self._write(handle, text, offset)
                kept = _read(handle, offset, SIZE)
            finally:
                os.close(handle)
        except OSError as error:
            raise PlaceError(f"{self.path}: {_why(error)}") from error
        if kept != text:
            raise PlaceError(f"{self.path}: it does not keep what is written; is its write protection on?")
        return sight.after(mark)

    def _write(self, handle: int, text: bytes, offset: int) -> None:
        done = 0
        while done < len(text):
            done += os.pwrite(handle, text[done:], offset + done)
        _sync(handle)

    def clear(self) -> None:
        """As it came from its maker. Raises PlaceError."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            try:
                size = min(os.fstat(handle).st_size, SLOTS_MAX * SIZE)
                for offset in range(0, size, SIZE):
                    self._write(handle, b"\xff" * min(SIZE, size - offset), offset)
            finally:
                os.close(handle)
        except OSError as error:
            raise PlaceError(f"{self.path}: {_why(error)}") from error


def _read(handle: int, offset: int, size: int) -> bytes:
    found = b""
    while len(found) < size and (more := os.pread(handle, size - len(found), offset + len(found))):
        found += more
    return found


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # the kernel's own files: written through already
            raise


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
