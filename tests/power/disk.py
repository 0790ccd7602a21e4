"""A disk that forgets: what was synced stays, the rest may be kept, lost, torn, mixed up or garbled. Pure.

Every operation is noted in one log. `after` gives the disk as it may be found when the power went right after
so many of them: the synced part for certain, of everything later each write on its own as chance has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk
from typing import Final

SECTOR: Final = 512
"""A device writes whole sectors; a write of more may be torn between any two."""


@dataclass(frozen=True, slots=True)
class Create:
    """``synced``: its directory is known to hold the name already."""

    name: str
    synced: bool


@dataclass(frozen=True, slots=True)
class Write:
    name: str
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """``directory``: names too, new ones and deleted ones."""

    name: str
    directory: bool


@dataclass(frozen=True, slots=True)
class Delete:
    name: str
    synced: bool


Operation = Create | Write | Truncate | Sync | Delete


class Disk:
    """What a running system sees: every operation done, and noted in ``log``."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.begun = dict(files or {})
        self.files = {name: bytearray(data) for name, data in self.begun.items()}
        self.log: list[Operation] = []

    def do(self, operation: Operation) -> None:
        self.log.append(operation)
        match operation:
            case Create(name, _):
                self.files.setdefault(name, bytearray())
            case Write(name, at, data):
                _write(self.files[name], at, data)
            case Truncate(name, size):
                _resize(self.files[name], size)
            case Delete(name, _):
                self.files.pop(name, None)
            case Sync():
                pass


@dataclass(slots=True)
class _File:
    """One file on the way down: what is certain, and what is not yet."""

    certain: bytes
    named: bool
    """False: its name may not be there."""
    pending: list[Write | Truncate] = field(default_factory=list)


def after(disk: Disk, count: int, chance: Random, *, kindly: bool = False) -> dict[str, bytes]:
    """The files as they may be found when the power went after ``count`` operations of the log.

    ``kindly``: nothing is lost, as when only the process died.
    """
    if kindly:
        whole = Disk(disk.begun)
        for operation in disk.log[:count]:
            whole.do(operation)
        return {name: bytes(data) for name, data in whole.files.items()}
    certain, doubtful = _settled(disk.begun, disk.log[:count])
    found: dict[str, bytes] = {}
    for name, file in certain.items():
        if not file.named and chance.random() < 0.5:  # noqa: PLR2004  # a name that was never synced
            continue
        data = bytearray(file.certain)
        for pending in file.pending:
            _survive(data, pending, chance)
        found[name] = bytes(data)
    for name, data in doubtful.items():
        if name not in found and chance.random() < 0.5:  # noqa: PLR2004  # a deletion that was never synced
            found[name] = data
    return found


def _settled(begun: dict[str, bytes], log: Sequence[Operation]) -> tuple[dict[str, _File], dict[str, bytes]]:
    """Each file's certain part and what is pending; and deleted files that may come back."""
    files = {name: _File(data, named=True) for name, data in begun.items()}
    back: dict[str, bytes] = {}
    for operation in log:
        match operation:
            case Create(name, synced):
                files.setdefault(name, _File(b"", named=synced))
            case Write(name) | Truncate(name):
                files[name].pending.append(operation)
            case Sync(name, directory):
                file = files[name]
                data = bytearray(file.certain)
                for pending in file.pending:
                    _apply(data, pending)
                file.certain, file.pending = bytes(data), []
                if directory:
                    back.clear()
                    for each in files.values():
                        each.named = True
            case Delete(name, synced):
                file = files.pop(name)
                if not synced and file.named:
                    back[name] = file.certain
    return files, back


def _apply(data: bytearray, operation: Write | Truncate) -> None:
    if isinstance(operation, Write):
        _write(data, operation.at, operation.data)
    else:
        _resize(data, operation.size)


def _survive(data: bytearray, operation: Write | Truncate, chance: Random) -> None:
    """What becomes of one operation that nobody synced."""
    fate = chance.choice(("kept", "lost", "torn", "garbled"))
    if fate == "lost":
        return
    if fate == "kept" or isinstance(operation, Truncate):
        _apply(data, operation)
        return
    for at in range(0, len(operation.data), SECTOR):
        part = operation.data[at : at + SECTOR]
        if fate == "torn" and chance.random() < 0.5:  # noqa: PLR2004  # each sector on its own
            continue
        if fate == "garbled" and chance.random() < 0.5:  # noqa: PLR2004  # same
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
