"""One writer a journal: an advisory lock on a file beside it, which the kernel drops with the process."""

import fcntl
import os
from pathlib import Path

from locker.journal.errors import JournalBusy, JournalUnreadable


class JournalLock:
    """Held from construction until `release`. Raises JournalBusy where another process holds it."""

    def __init__(self, journal: Path) -> None:
        path = journal.with_name(journal.name + ".lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalUnreadable(path, str(error)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 64).decode("ascii", "replace").strip() or "another process"
            os.close(self._file)
            raise JournalBusy(journal, holder) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """The file stays: removing it would let two processes hold two locks of one name."""
        os.close(self._file)
