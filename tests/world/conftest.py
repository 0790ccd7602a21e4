"""A VFS is made once a process; worlds follow one another on it."""

import pytest

from tests.world.disks import WorldVfs


@pytest.fixture(scope="session")
def vfs() -> WorldVfs:
    return WorldVfs()
