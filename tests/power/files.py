"""What a program does to the files of one folder, seen from outside, as operations of a disk that forgets.

Before every sync and renaming the folder is looked through: whatever is new in it was written since, by
whatever means. So nothing that writes can be overlooked, and what nobody syncs is seen to be unsynced.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Any
from unittest.mock import patch

from tests.power.disk import Create, Delete, Descent, Disk, Rename, Sync, SyncDirectory, Truncate, Write

Name = str | Path


class Watched:
    """One folder; `disk` knows its files by their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.disk = Disk({path.name: path.read_bytes() for path in _files(folder)})

    @contextmanager
    def watching(self) -> Iterator[None]:
        rename, replace = self._renaming(os.rename), self._renaming(os.replace)
        with patch.multiple(os, fsync=self._syncing(os.fsync), rename=rename, replace=replace):
            yield
        self._look()

    def found(self, each: int) -> Iterator[tuple[bool, dict[str, bytes]]]:
        """What a cut leaves, after every operation and by ``each`` chances; and whether it was the last."""
        descent, end = Descent(self.disk), len(self.disk.log)
        for place in range(end + 1):
            descent.to(place)
            for seed in range(each):
                yield place == end, descent.found(Random(f"{place}/{seed}"))

    def _look(self) -> None:
        there = {path.name: path.read_bytes() for path in _files(self._folder)}
        for name in set(self.disk.files) - set(there):
            self.disk.do(Delete(name, synced=False))
        for name, data in there.items():
            if name not in self.disk.files:
                self.disk.do(Create(name, synced=False))
            elif data != self.disk.files[name]:
                self.disk.do(Truncate(name, 0))
            if data != self.disk.files[name]:
                self.disk.do(Write(name, 0, data))

    def _syncing(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def synced(handle: int) -> None:
            self._look()
            sync(handle)
            path = Path(f"/proc/self/fd/{handle}").readlink()
            if path == self._folder.resolve():
                self.disk.do(SyncDirectory())
            elif path.is_file() and path.parent == self._folder.resolve():
                self.disk.do(Sync(path.name, directory=False))

        return synced

    def _renaming(self, rename: Callable[..., None]) -> Callable[..., None]:
        def renamed(name: Name, to: Name, *more: Any, **rest: Any) -> None:
            self._look()
            rename(name, to, *more, **rest)
            if Path(name).parent == Path(to).parent == self._folder:
                self.disk.do(Rename(Path(name).name, Path(to).name))

        return renamed


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())
