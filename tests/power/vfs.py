"""The SQLite library of this very process, on a disk of ours: a VFS registered by ctypes.

https://www.sqlite.org/vfs.html. Only what has to do with files is ours; the rest is the library's own.
Several connections of this process may share a file; locks are kept between them as SQLite asks.
"""

import ctypes
import itertools
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same disk, the same salts in its log
from typing import Any, Final

from tests.power.disk import Create, Delete, Disk, DiskFault, Sync, Truncate, Write

OK: Final = 0
BUSY: Final = 5
IO_ERROR: Final = 10
SHORT_READ: Final = 522
CANT_OPEN: Final = 14
NOT_FOUND: Final = 12
OPEN_CREATE: Final = 0x4
LOGS: Final = 0x800 | 0x4000 | 0x8_0000
"""Main journal, super journal, write-ahead log: of a new one the library syncs the directory as well."""
POWERSAFE_OVERWRITE: Final = 0x1000
"""As the library's own VFS says of a real disk: a write damages no byte beside it."""
SECTOR_BYTES: Final = 4096
NAME: Final = b"forgetful"
TEMPORARY: Final = "temporary-"
"""Begins the name of a file without a name: what the library lays aside while it works."""
GONE: Final = "gone"
"""The name of every file whose disk is no more: nothing is read from it, nothing done to it."""

SHARED: Final = 1
RESERVED: Final = 2
PENDING: Final = 3
EXCLUSIVE: Final = 4
"""Levels of a lock on a file."""
REFUSED_BY: Final = {SHARED: PENDING, RESERVED: RESERVED, EXCLUSIVE: SHARED}
"""The lowest level of another connection at which one is not had."""
SHM_UNLOCK: Final = 1
SHM_EXCLUSIVE: Final = 8
SHM_SLOTS: Final = 8

METHOD_NAME: Final = re.compile("([A-Z])")
"""``xFileSize`` is our ``_file_size``."""

_int, _i64, _p, _s = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p
METHODS: Final[dict[str, tuple[Any, ...]]] = {
    "xClose": (_p,),
    "xRead": (_p, _p, _int, _i64),
    "xWrite": (_p, _p, _int, _i64),
    "xTruncate": (_p, _i64),
    "xSync": (_p, _int),
    "xFileSize": (_p, ctypes.POINTER(_i64)),
    "xLock": (_p, _int),
    "xUnlock": (_p, _int),
    "xCheckReservedLock": (_p, ctypes.POINTER(_int)),
    "xFileControl": (_p, _int, _p),
    "xSectorSize": (_p,),
    "xDeviceCharacteristics": (_p,),
    "xShmMap": (_p, _int, _int, _int, ctypes.POINTER(_p)),
    "xShmLock": (_p, _int, _int, _int),
    "xShmBarrier": (),
    "xShmUnmap": (_p, _int),
}
"""Each returns an int. xShmBarrier is not ours: it returns nothing, and does nothing."""
OURS: Final[dict[str, tuple[Any, ...]]] = {
    "xOpen": (_p, _s, _p, _int, ctypes.POINTER(_int)),
    "xDelete": (_p, _s, _int),
    "xAccess": (_p, _s, _int, ctypes.POINTER(_int)),
    "xRandomness": (_p, _int, _p),
}
FIELDS: Final = (
    "xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose",
    "xRandomness", "xSleep", "xCurrentTime", "xGetLastError", "xCurrentTimeInt64",
)  # fmt: skip
"""Of the structure, in its order; what is not ours is the library's own."""


class _Methods(ctypes.Structure):
    _fields_ = [("iVersion", _int), *((name, _p) for name in METHODS)]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", _int),
        ("szOsFile", _int),
        ("mxPathname", _int),
        ("pNext", _p),
        ("zName", _s),
        ("pAppData", _p),
        *((name, _p) for name in FIELDS),
    ]


class _OsFile(ctypes.Structure):
    _fields_ = [("methods", ctypes.POINTER(_Methods))]


def library() -> ctypes.CDLL:
    """The library that Python's sqlite3 is bound to in this process; another one would prove nothing."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        path = line[line.find("/") :] if "/" in line else ""
        if "libsqlite3" in path:
            return ctypes.CDLL(path)
    raise RuntimeError(f"SQLite {sqlite3.sqlite_version} is not loaded as a library of its own")


class Vfs:
    """Made once a process and never unregistered; files go to whatever `on` has mounted."""

    def __init__(self) -> None:
        self._library = library()
        self._library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        self._disk: Disk | None = None
        self._chance = Random(0)
        self._opened: dict[int, str] = {}
        """By the address of the library's own record, which is one file's from its opening to its close."""
        self._new: set[str] = set()
        self._numbers = itertools.count(1)
        self._regions: dict[str, list[Any]] = {}
        self._mapped: dict[int, list[Any]] = {}
        """The same by open file: whoever has it points into them, though the disk be gone."""
        self._levels: dict[int, int] = {}
        """Of each open file's lock."""
        self._slots: dict[str, list[dict[int, bool]]] = {}
        """Of each name the slots of its shared memory: who holds them, and whether alone."""
        self._library.sqlite3_libversion_number.restype = _int
        nothing = ctypes.cast(self._library.sqlite3_libversion_number, _p).value
        """Any function that changes nothing: where one process has one thread, a barrier is none."""
        methods = {name: self._callback(name, kinds) for name, kinds in METHODS.items() if kinds}
        self._methods = _Methods(2, *((methods.get(name) or nothing) for name in METHODS))
        self._default = self._library.sqlite3_vfs_find(None)
        own = {name: self._callback(name, kinds) for name, kinds in OURS.items()}
        theirs = {name: getattr(self._default.contents, name) for name in FIELDS if name not in OURS}
        size, longest = ctypes.sizeof(_OsFile), self._default.contents.mxPathname
        self._vfs = _Vfs(2, size, longest, None, NAME, None, **own, **theirs)

    @contextmanager
    def on(self, disk: Disk) -> Iterator[None]:
        """Whatever this process opens with sqlite3 meanwhile lies on ``disk``."""
        assert self._disk is None, "one disk at a time"
        self._disk = disk
        seed = 0
        for data in disk.begun.values():
            seed = zlib.crc32(data, seed)
        self._chance = Random(seed)
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        self._library.sqlite3_randomness(0, None)
        try:
            yield
        finally:
            self._library.sqlite3_vfs_register(self._default, 1)
            self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
            self._library.sqlite3_randomness(0, None)
            self._disk = None
            self._disk_gone("")

    def _disk_gone(self, below: str) -> None:
        """Whatever was opened below this folder can do nothing any more. Python closes it when it pleases."""
        for file, name in self._opened.items():
            if name.startswith(below):
                self._opened[file] = GONE
        self._new = {name for name in self._new if not name.startswith(below)}
        self._regions = {name: each for name, each in self._regions.items() if not name.startswith(below)}
        self._slots = {name: each for name, each in self._slots.items() if not name.startswith(below)}

    def _callback(self, name: str, kinds: tuple[Any, ...]) -> int:
        function = ctypes.CFUNCTYPE(_int, *kinds)(getattr(self, METHOD_NAME.sub(r"_\1", name[1:]).lower()))
        kept = self.__dict__.setdefault("_kept", [])
        kept.append(function)  # the library holds only its address
        return ctypes.cast(function, _p).value or 0

    @property
    def _now(self) -> Disk:
        assert self._disk is not None, "a connection outlived its disk"
        return self._disk

    def _do(self, operation: Create | Delete | Sync | Truncate | Write) -> int:
        if operation.name == GONE:
            return IO_ERROR
        try:
            self._now.do(operation)
        except DiskFault as fault:
            return fault.code
        return OK

    # --- the VFS ---

    def _open(self, _vfs: int, name: bytes | None, file: int, flags: int, out: Any) -> int:
        path = name.decode() if name else f"{TEMPORARY}{next(self._numbers)}"
        if path not in self._now.files:
            if not flags & OPEN_CREATE:
                _OsFile.from_address(file).methods = None
                return CANT_OPEN
            # What was made by other means is there for good: the product syncs the directory itself.
            if refused := self._do(Create(path, synced=Path(path).exists())):
                _OsFile.from_address(file).methods = None
                return refused
            if flags & LOGS:
                self._new.add(path)
        self._opened[file] = path
        _OsFile.from_address(file).methods = ctypes.pointer(self._methods)
        if out:
            out[0] = flags
        return OK

    def _delete(self, _vfs: int, name: bytes, synced: int) -> int:
        if name.decode() in self._now.files:
            return self._do(Delete(name.decode(), bool(synced)))
        return OK

    def _access(self, _vfs: int, name: bytes, _flags: int, out: Any) -> int:
        out[0] = int(name.decode() in self._now.files)
        return OK

    def _randomness(self, _vfs: int, count: int, to: int) -> int:
        ctypes.memmove(to, self._chance.randbytes(count), count)
        return count

    # --- one file ---

    def _close(self, file: int) -> int:
        self._let_go(file)
        self._levels.pop(file, None)
        self._mapped.pop(file, None)
        name = self._opened.pop(file)
        return self._do(Delete(name, synced=False)) if name.startswith(TEMPORARY) else OK

    def _read(self, file: int, to: int, count: int, at: int) -> int:
        name = self._opened[file]
        if name == GONE:
            return IO_ERROR
        part = bytes(self._now.files[name][at : at + count])
        if len(part) == count:
            ctypes.memmove(to, part, count)
            return OK
        ctypes.memmove(to, part + bytes(count - len(part)), count)
        return SHORT_READ

    def _write(self, file: int, data: int, count: int, at: int) -> int:
        return self._do(Write(self._opened[file], at, ctypes.string_at(data, count)))

    def _truncate(self, file: int, size: int) -> int:
        return self._do(Truncate(self._opened[file], size))

    def _sync(self, file: int, _flags: int) -> int:
        name = self._opened[file]
        refused = self._do(Sync(name, directory=name in self._new))
        if not refused:
            self._new.discard(name)
        return refused

    def _file_size(self, file: int, out: Any) -> int:
        name = self._opened[file]
        if name == GONE:
            return IO_ERROR
        out[0] = len(self._now.files[name])
        return OK

    def _others(self, file: int) -> Iterator[int]:
        """Those through which others have the same file open. Garbage may be closed meanwhile."""
        name = self._opened[file]
        return (other for other, each in tuple(self._opened.items()) if each == name and other != file)

    def _lock(self, file: int, level: int) -> int:
        if self._opened[file] == GONE:
            # Alone with its log a connection would delete it by name: that is another file's by now.
            return IO_ERROR
        if any(self._levels.get(other, 0) >= REFUSED_BY[level] for other in self._others(file)):
            return BUSY
        return self._unlock(file, level)

    def _unlock(self, file: int, level: int) -> int:
        self._levels[file] = level
        return OK

    def _check_reserved_lock(self, file: int, out: Any) -> int:
        out[0] = int(any(self._levels.get(other, 0) >= RESERVED for other in self._others(file)))
        return OK

    def _file_control(self, *_: Any) -> int:
        return NOT_FOUND

    def _sector_size(self, _file: int) -> int:
        return SECTOR_BYTES

    def _device_characteristics(self, _file: int) -> int:
        return POWERSAFE_OVERWRITE

    # --- the index of the write-ahead log: shared memory, which no cut survives ---

    def _shm_map(self, file: int, region: int, size: int, extend: int, out: Any) -> int:
        name = self._opened[file]
        if name == GONE:
            return IO_ERROR
        regions = self._mapped[file] = self._regions.setdefault(name, [])
        while extend and len(regions) <= region:
            regions.append(ctypes.create_string_buffer(size))
        out[0] = ctypes.addressof(regions[region]) if region < len(regions) else None
        return OK

    def _shm_lock(self, file: int, first: int, count: int, flags: int) -> int:
        name = self._opened[file]
        if name == GONE:
            return IO_ERROR
        slots = self._slots_of(name)[first : first + count]
        if flags & SHM_UNLOCK:
            for holders in slots:
                holders.pop(file, None)
            return OK
        alone = bool(flags & SHM_EXCLUSIVE)
        for holders in slots:
            if any(alone or theirs for other, theirs in holders.items() if other != file):
                return BUSY
        for holders in slots:
            holders[file] = alone
        return OK

    def _slots_of(self, name: str) -> list[dict[int, bool]]:
        known = self._slots.get(name)
        if known is None:
            known = self._slots[name] = [{} for _ in range(SHM_SLOTS)]
        return known

    def _let_go(self, file: int) -> None:
        for holders in self._slots.get(self._opened[file], ()):
            holders.pop(file, None)

    def _shm_unmap(self, file: int, delete: int) -> int:
        self._let_go(file)
        if delete:
            self._regions.pop(self._opened[file], None)
        return OK
