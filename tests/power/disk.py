"""A disk that forgets: what was synced stays, the rest may be kept, lost, torn, mixed up or garbled. Pure.

Every operation is noted in one log. `Descent` gives the disk as it may be found when the power went right
after so many: the synced part for certain, of everything later each write on its own as chance has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Final, NamedTuple

SECTOR: Final = 512
"""A device writes whole sectors; a write of more may be torn between any two."""


class Create(NamedTuple):
    """``synced``: its directory is known to hold the name already."""

    name: str
    synced: bool


class Write(NamedTuple):
    name: str
    at: int
    data: bytes


class Truncate(NamedTuple):
    name: str
    size: int


class Sync(NamedTuple):
    """``directory``: names too, new ones and deleted ones."""

    name: str
    directory: bool


class Delete(NamedTuple):
    name: str
    synced: bool


class Rename(NamedTuple):
    """In place of what ``to`` was: one or the other, never a mixture."""

    name: str
    to: str


class SyncDirectory(NamedTuple):
    """Names, and nothing of what the files hold."""


Operation = Create | Write | Truncate | Sync | Delete | Rename | SyncDirectory


class DiskFault(Exception):
    """The disk refuses; ``code`` is what SQLite calls it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Disk:
    """What a running system sees: every operation done, and noted in ``log``."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.begun = dict(files or {})
        self.files = {name: bytearray(data) for name, data in self.begun.items()}
        self.log: list[Operation] = []

    def do(self, operation: Operation) -> None:
        self.log.append(operation)
        self.change(operation)

    def change(self, operation: Operation) -> None:
        match operation:
            case Write(name) | Truncate(name):
                _apply(self.files[name], operation)
            case Create(name, _):
                self.files.setdefault(name, bytearray())
            case Delete(name, _):
                self.files.pop(name, None)
            case Rename(name, to):
                self.files[to] = self.files.pop(name)
            case Sync() | SyncDirectory():
                pass


@dataclass(slots=True)
class _File:
    """One file on the way down: what is certain, and what is not yet."""

    certain: bytearray
    named: bool
    """False: its name may not be there."""
    pending: list[Write | Truncate] = field(default_factory=list)
    was: str = ""
    """Its name before a renaming that nobody synced."""
    under: "_File | None" = None
    """What has the name if that renaming is lost."""

    def settle(self) -> None:
        for each in self.pending:
            _apply(self.certain, each)
        self.pending = []

    def survivor(self, chance: Random | None) -> bytes:
        data = bytearray(self.certain)
        for each in self.pending:
            _survive(data, each, chance)
        return bytes(data)


class Descent:
    """The way from the beginning of a log to its end, step by step: what would be found if it ended here."""

    def __init__(self, disk: Disk) -> None:
        self._log = disk.log
        self._at = 0
        self._files = {name: _File(bytearray(data), named=True) for name, data in disk.begun.items()}
        self._back: dict[str, _File] = {}
        """Deleted, and nobody synced it: may come back."""

    def to(self, count: int) -> "Descent":
        """Go on until ``count`` operations are done; there is no way back."""
        assert count >= self._at
        for operation in self._log[self._at : count]:
            self.step(operation)
        self._at = count
        return self

    def found(self, chance: Random | None) -> dict[str, bytes]:
        """The files as they may be found. ``None``: nothing is lost, as when only the process died."""
        found: dict[str, bytes] = {}
        for name, file in self._files.items():
            if file.named or _kept(chance):
                found[name] = file.survivor(chance)
            elif file.was:
                found[file.was] = file.survivor(chance)
                if file.under:
                    found[name] = file.under.survivor(chance)
        for name, file in self._back.items():
            if chance and name not in found and _kept(chance):
                found[name] = file.survivor(chance)
        return found

    def step(self, operation: Operation) -> None:
        match operation:
            case Write(name) | Truncate(name):
                self._files[name].pending.append(operation)
            case Create(name, synced):
                self._files.setdefault(name, _File(bytearray(), named=synced))
            case Sync(name, directory):
                self._files[name].settle()
                if directory:
                    self._name_all()
            case Delete(name, synced):
                file = self._files.pop(name)
                if not synced and file.named:
                    self._back[name] = file
            case Rename(name, to):
                file = self._files.pop(name)
                file.was, file.named, file.under = name, False, self._files.get(to)
                self._files[to] = file
            case SyncDirectory():
                self._name_all()

    def _name_all(self) -> None:
        self._back.clear()
        for each in self._files.values():
            each.named, each.was, each.under = True, "", None


def after(disk: Disk, count: int, chance: Random | None) -> dict[str, bytes]:
    """The files as they may be found when the power went after ``count`` operations of the log."""
    return Descent(disk).to(count).found(chance)


def _kept(chance: Random | None) -> bool:
    """A name that was never synced, new or deleted."""
    return chance is None or chance.random() < 0.5


def _apply(data: bytearray, operation: Write | Truncate) -> None:
    if isinstance(operation, Write):
        _write(data, operation.at, operation.data)
    else:
        _resize(data, operation.size)


def _survive(data: bytearray, operation: Write | Truncate, chance: Random | None) -> None:
    """What becomes of one operation that nobody synced."""
    fate = chance.choice(("kept", "lost", "torn", "garbled")) if chance else "kept"
    if fate == "lost":
        return
    if chance is None or fate == "kept" or isinstance(operation, Truncate):
        _apply(data, operation)
        return
    for at in range(0, len(operation.data), SECTOR):
        part = operation.data[at : at + SECTOR]
        if fate == "torn" and chance.random() < 0.5:  # each sector on its own
            continue
        if fate == "garbled" and chance.random() < 0.5:  # same
            part = chance.randbytes(len(part))
        _write(data, operation.at + at, part)


def _write(data: bytearray, at: int, part: bytes) -> None:
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(part)] = part


def _resize(data: bytearray, size: int) -> None:
    del data[size:]
    if len(data) < size:
        data.extend(bytes(size - len(data)))
