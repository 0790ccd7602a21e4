"""One VFS a process, and a folder for what lies beside the disk that forgets."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.power.vfs import Vfs


@pytest.fixture(scope="session")
def vfs() -> Vfs:
    return Vfs()


@pytest.fixture(scope="session")
def path() -> Iterator[Path]:
    """Of the journal; the same in all stories. Really there are only the lock and an empty file."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # no disk has to work for that
        yield Path(folder) / "journal.sqlite3"


@pytest.fixture(scope="session")
def told_before() -> set[bytes]:
    """The ways of stories that were cut already: what two begin with is cut once."""
    return set()
