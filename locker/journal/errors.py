"""What can be wrong with a journal. Each error carries its facts and names the remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from locker.operations.ports import JournalFailing


class JournalError(Exception):
    """Base of every fault of the journal."""


class JournalBusy(JournalError):
    """Another process writes this journal."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            f"{path} is in use by {holder}: stop that first (systemctl stop lockerd), then try again"
        )
        self.path = path
        self.holder = holder


class NotAJournal(JournalError):
    """The file is a database, but none of ours."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a journal of a locker: correct the path in the configuration")
        self.path = path


class JournalTooNew(JournalError):
    """Written by later software."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema {found}, this software knows up to {known}: install the later software again"
        )
        self.path = path
        self.found = found
        self.known = known


class JournalUnreadable(JournalError):
    """The disk or the file refuses."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path} cannot be read or opened ({detail}): check the disk and the file's owner")
        self.path = path
        self.detail = detail


class JournalCorrupt(JournalError):
    """What is stored contradicts itself; ``seq`` is the first entry that does (0: none in particular)."""

    def __init__(self, seq: int, detail: str) -> None:
        super().__init__(
            f"entry {seq}: {detail}. Keep the file as evidence, run lockerctl journal verify on it, then put"
            " back the last good backup or begin a new journal"
        )
        self.seq = seq
        self.detail = detail


class RowsPurged(JournalError, LookupError):
    """Asked for entries that are no longer kept here. Remedy: the centre has them."""

    def __init__(self, seq: int, oldest: int) -> None:
        super().__init__(f"entry {seq} was purged, the oldest kept is {oldest}: ask the centre")
        self.seq = seq
        self.oldest = oldest


class PurgeRefused(JournalError):
    """A purge that would lose what nobody else holds. Remedy: wait for the acknowledgement or an anchor."""


class ReadTooLong(JournalError):
    """A read would have held back the checkpoint. Remedy: ask for less at a time."""


class WriteFailed(JournalError, JournalFailing):
    """Nothing of the transaction is durable, and nothing more will be written. Remedy: free or replace the
    disk, then restart."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path} cannot be written ({detail}): free or replace the disk, then restart")
        self.path = path
        self.detail = detail


class JournalClosed(JournalError, JournalFailing):
    """Used after its end."""

    def __init__(self) -> None:
        super().__init__("the journal is closed: this program is stopping")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What sqlite3 says of a read, in our words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:  # not SQLite refuses, but Python: it cannot read a text
            raise JournalCorrupt(0, str(error)) from error
        if code == sqlite3.SQLITE_INTERRUPT:
            raise ReadTooLong(
                f"{path}: the read was ended, it held back the checkpoint; ask for less"
            ) from error
        raise JournalUnreadable(path, str(error)) from error
    except UnicodeDecodeError as error:  # sqlite3 names what is broken, and the name itself is
        raise JournalCorrupt(0, "its texts are none") from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # its subclasses tell of wrong calls
            raise
        raise JournalCorrupt(0, str(error)) from error
