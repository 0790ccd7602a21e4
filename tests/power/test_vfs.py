"""Connections that nobody closed before their disk was gone: Python closes them whenever it collects them."""

import sqlite3
import sys
from pathlib import Path

import pytest

from tests.power.disk import Disk
from tests.power.vfs import Vfs


def written(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE IF NOT EXISTS it (n INTEGER)")
    connection.execute("INSERT INTO it VALUES (1)")
    return connection


def test_a_connection_that_outlives_its_disk_is_closed_without_a_word(
    vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    with vfs.on(Disk()):
        left = written(path)
    with pytest.raises(sqlite3.OperationalError):
        left.execute("INSERT INTO it VALUES (2)")
    left.close()
    assert said == []


def test_a_connection_that_outlives_its_disk_touches_nothing_on_the_next(vfs: Vfs, path: Path) -> None:
    """Least of all the log of the same name, which it would delete as its own."""
    with vfs.on(Disk()):
        left = written(path)
    with vfs.on(disk := Disk()):
        later = written(path)
        before = {name: bytes(data) for name, data in disk.files.items()}
        left.close()
        assert disk.files == before
        later.close()
