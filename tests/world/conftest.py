"""A VFS is made once a process; worlds follow one another on it."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import runner
from tests.world.disks import WorldVfs


@pytest.fixture(scope="session")
def vfs() -> WorldVfs:
    return runner.vfs()


@pytest.fixture(scope="module")
def points() -> Counter[str]:
    """What the worlds of one file reached, together."""
    return Counter()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: a socket's path in it has an end."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
