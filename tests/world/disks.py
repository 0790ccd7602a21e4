"""The disks of every machine in the world, under the SQLite library of this very process.

One file system for all: a file belongs to the machine in whose folder it lies. When a machine's power goes,
what it had open is dead for ever, and its files are those that a disk would still have.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same cut finds the same disk
from typing import Any, Final

from sync.central.platform import Threads
from sync.central.store import Store
from tests.power.disk import Create, Descent, Disk, DiskFault, Operation, Sync, Write
from tests.power.recording import AtOnce
from tests.power.vfs import IO_ERROR, TEMPORARY, Vfs

READ_ONLY: Final = 8
FULL: Final = 13


@dataclass(slots=True)
class Ills:
    """What is the matter with a machine's disk, life after life."""

    refuses: int | None = None
    """The SQLite code with which whatever writes is refused."""
    syncs_only: bool = False
    """Refuse only to sync: what was written may or may not be there later."""
    room: int | None = None
    """So many bytes still fit; the write that is one too long gets as far as it can."""
    watch: Callable[[], object] | None = None
    """Told after every operation, and before whoever asked for it hears that it is done."""
    refused: Callable[[], object] | None = None
    """Told of every operation that is refused."""


class Platter(Disk):
    """One machine's disk; it remembers what is certain and forgets how it came to that."""

    def __init__(self, files: dict[str, bytes] | None = None, ills: Ills | None = None) -> None:
        super().__init__(files)
        self._certain = Descent(Disk(files))
        self.ills = ills or Ills()
        self.stopped = False
        """The power is going this very moment: nothing gets here any more."""
        self.operations = 0

    def do(self, operation: Operation) -> None:
        ills = self.ills
        if self.stopped:
            raise DiskFault(IO_ERROR)
        if ills.refuses is not None and (isinstance(operation, Sync) or not ills.syncs_only):
            raise self._refused(ills.refuses)
        if ills.room is not None and isinstance(operation, Write):
            self._fit(operation, ills)
        self._do(operation)
        if ills.watch is not None:
            ills.watch()

    @property
    def refuses(self) -> int | None:
        return self.ills.refuses

    @refuses.setter
    def refuses(self, code: int | None) -> None:
        self.ills.refuses = code

    def _do(self, operation: Operation) -> None:
        self.operations += 1
        self.change(operation)
        self._certain.step(operation)

    def _fit(self, write: Write, ills: Ills) -> None:
        """Takes from the room what the file grows by; DiskFault where it is too small."""
        assert ills.room is not None
        grows = max(0, write.at + len(write.data) - len(self.files[write.name]))
        if grows <= ills.room:
            ills.room -= grows
            return
        fits = len(write.data) - grows + ills.room
        if fits > 0:
            self._do(Write(write.name, write.at, write.data[:fits]))
        ills.room = 0
        raise self._refused(FULL)

    def _refused(self, code: int) -> DiskFault:
        if self.ills.refused is not None:
            self.ills.refused()
        return DiskFault(code)

    def after_cut(self, chance: Random | None) -> "Platter":
        """``None``: only the process died."""
        return Platter(self._certain.found(chance), self.ills)

    def image(self) -> dict[str, bytes]:
        """Everything as a running system sees it."""
        return {name: bytes(data) for name, data in self.files.items()}


class Rack(Disk):
    """What the VFS sees: many platters, by folder."""

    def __init__(self) -> None:
        super().__init__()
        self.platters = {TEMPORARY: Platter()}
        """By folder; what has no name is in memory, and no power cut finds it."""
        self._found: dict[str, Platter] = {}
        """Of each file that was asked for."""
        self.lives = 0
        self.files = _Files(self)  # type: ignore[assignment]  # a mapping as good as a dict for the VFS

    def put(self, folder: Path, platter: Platter) -> None:
        self.platters[f"{folder}/"] = platter
        self._found.clear()

    def of(self, name: str) -> Platter | None:
        if (known := self._found.get(name)) is not None:
            return known
        for folder, platter in self.platters.items():
            if name.startswith(folder):
                self._found[name] = platter
                return platter
        return None

    def do(self, operation: Operation) -> None:
        platter = self.of(operation.name)  # type: ignore[union-attr]  # SQLite has no other kinds
        if platter is None:
            raise DiskFault(IO_ERROR)
        platter.do(operation)


class _Files(Mapping[str, bytearray]):
    def __init__(self, rack: Rack) -> None:
        self._rack = rack

    def __getitem__(self, name: str) -> bytearray:
        platter = self._rack.of(name)
        return bytearray() if platter is None else platter.files[name]

    def __contains__(self, name: object) -> bool:
        platter = self._rack.of(str(name))
        return platter is not None and name in platter.files

    def __iter__(self) -> Iterator[str]:
        return (name for platter in self._rack.platters.values() for name in platter.files)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class WorldVfs(Vfs):
    """Also knows how to take away what a machine had open."""

    def __init__(self) -> None:
        self.new_hub = _new_hub()
        """A hub's database with nothing in it yet: made once a process, not once a world."""
        super().__init__()

    def power_gone(self, folder: Path) -> None:
        """Whatever was opened in ``folder`` can do nothing any more; its shared memory is gone."""
        self._disk_gone(f"{folder}/")

    def _open(self, vfs: int, name: bytes | None, file: int, flags: int, out: Any) -> int:
        path = name.decode() if name else ""
        platter = self._now.of(path) if isinstance(self._now, Rack) else None
        if platter is not None and path not in platter.files and Path(path).exists():
            # The product made it, empty, by other means, and synced its folder itself.
            platter.do(Create(path, synced=True))
        return super()._open(vfs, name, file, flags, out)


def _new_hub() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "central.sqlite"
        Store.open(path, Threads(AtOnce(), AtOnce())).close()
        return path.read_bytes()
