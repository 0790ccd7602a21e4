"""The machine as an update meets it: its disk, its programs, its clocks. The one place that touches them."""

import fcntl
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from systemd.updater.disk import Disk, RealDisk

LOCK = "/var/lib/doclocker-update/lock"
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a program; 127 where there is none, 124 where it did not end in time."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands in a journal: its schema, its last entry, and of which kinds are those after one."""

    schema: int
    last: int
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes on the disk on which something lies."""

    total: int
    free: int


class Host(Protocol):
    """`RealHost`, or a test's."""

    @property
    def disk(self) -> Disk: ...

    def run(self, argv: Sequence[str], timeout_s: float = 60) -> Ran:
        """Raises nothing: what happened is the answer."""

    def place(self, path: str) -> Path:
        """Where a file of the disk lies for who reads it by himself."""

    def say(self, line: str) -> None:
        """To whoever started us, and to the log."""

    def mono_s(self) -> float: ...

    def wall_s(self) -> int: ...

    def sleep(self, seconds: float) -> None: ...

    def journal(self, path: str, after: int) -> Seen | None:
        """``None`` where there is none, or none that can be read."""

    def fold(self, path: str) -> bool:
        """Have all of a journal that nobody uses in its one file; whether that was done."""

    def room(self, path: str) -> Room:
        """Raises OSError."""

    def screen(self, port: int) -> str:
        """The name of the page that the kiosk shows; empty where it does not answer."""

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts nobody else decides over the trial."""

    def alone_in(self, folder: str) -> AbstractContextManager[None]:
        """While it lasts nobody else who asks so does anything there."""


class RealHost:
    """This machine; its files under ``root``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.disk = RealDisk(root)

    def run(self, argv: Sequence[str], timeout_s: float = 60) -> Ran:
        try:
            done = subprocess.run(  # noqa: S603 -- commands of our own tables, no shell
                argv,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                stdin=subprocess.DEVNULL,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            return Ran(124, f"no end after {timeout_s:.0f} s")
        except OSError as error:
            return Ran(127, str(error))
        return Ran(done.returncode, done.stdout)

    def place(self, path: str) -> Path:
        return self.disk.at(path)

    def say(self, line: str) -> None:
        print(line, flush=True)

    def mono_s(self) -> float:
        return time.monotonic()

    def wall_s(self) -> int:
        return int(time.time())  # noqa: TID251 -- the one place that may

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251 -- the one place that may

    def journal(self, path: str, after: int) -> Seen | None:
        at = self.disk.at(path)
        if not at.is_file():
            return None
        try:
            with closing(sqlite3.connect(f"{at.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                schema = connection.execute("PRAGMA user_version").fetchone()[0]
                last = connection.execute("SELECT max(seq) FROM entry").fetchone()[0] or 0
                kinds = connection.execute(
                    "SELECT DISTINCT json_extract(public, '$.type') FROM entry WHERE seq > ?", (after,)
                ).fetchall()
        except sqlite3.Error as error:
            self.say(f"{path} cannot be read: {error}")
            return None
        return Seen(int(schema), int(last), frozenset(str(kind) for (kind,) in kinds))

    def fold(self, path: str) -> bool:
        try:
            with closing(sqlite3.connect(self.disk.at(path))) as connection:
                mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.Error as error:
            self.say(f"{path} cannot be folded: {error}")
            return False
        return bool(mode == "delete")

    def room(self, path: str) -> Room:
        found = shutil.disk_usage(self.disk.at(path))
        return Room(found.total, found.free)

    def screen(self, port: int) -> str:
        page = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        with closing(page):
            try:
                page.request("GET", "/api/view")
                return str(json.loads(page.getresponse().read())["screen"])
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
                return ""

    @contextmanager
    def alone(self) -> Iterator[None]:
        handle = os.open(self.disk.at(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def alone_in(self, folder: str) -> Iterator[None]:
        handle = os.open(self.disk.at(folder), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
