"""The disks of a world, as SQLite uses them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.power.vfs import TEMPORARY
from tests.world.disks import Platter, Rack, WorldVfs


def test_a_statement_that_changes_more_than_fits_in_memory_is_no_fault_of_the_disk(
    vfs: WorldVfs, tmp_path: Path
) -> None:
    """A hub lays aside what it changes, in a file without a name, when a locker comes back after days."""
    rack = Rack()
    rack.put(tmp_path, Platter())
    with vfs.on(rack), closing(sqlite3.connect(tmp_path / "hub", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE it (n INTEGER UNIQUE, text TEXT)")
        numbers = range(-1_000, 0)
        connection.executemany("INSERT INTO it VALUES (?, ?)", [(n, "x" * 1_000) for n in numbers])
        connection.execute("BEGIN")
        connection.execute("UPDATE it SET text = 'y'")
        connection.execute("UPDATE it SET n = -n, text = text || 'z'")
        connection.execute("COMMIT")
    assert rack.platters[TEMPORARY].operations
    assert not rack.platters[TEMPORARY].files
