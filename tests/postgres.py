"""A real PostgreSQL for tests: a cluster of our own in a temporary folder, spoken to by a socket in it."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import URL

from tests.mosquitto import program

BINARIES: Final = "/usr/lib/postgresql"
MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
USER: Final = "postgres"
TEMPLATE: Final = "template_hub"
PATIENCE_S: Final = 60.0
PREFIX: Final = "doclocker-pg-"


def binary(name: str) -> str:
    """The newest that Debian has installed; they are on nobody's PATH."""
    versions = sorted(Path(BINARIES).glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which(name, path=str(versions[-1])) if versions else shutil.which(name)
    if found is None:
        message = f"{name} is missing: .ci/setup --dev installs postgresql"
        raise FileNotFoundError(message)
    return found


class Cluster:
    """One server in ``folder``; nobody but the local machine's socket reaches it.

    It ends with the thread that started it, so that a killed test run leaves none behind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def start(self, *settings: str) -> None:
        """``settings`` as in ``fsync=off``; by default everything is as durable as its disk."""
        data = self.folder / "data"
        if not data.exists():
            self._own(self.folder)
            command = [binary("initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8"]
            self._run([*command, "--locale=C", "--no-sync"])
        said = [f"unix_socket_directories={self.folder}", "listen_addresses=", "logging_collector=off"]
        options = [word for setting in (*said, *settings) for word in ("-c", setting)]
        log = (self.folder / "log").open("ab")
        command = [*self._as_user(), "--pdeathsig", "INT", binary("postgres"), "-D", str(data), *options]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self._await()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: sessions are ended, all is written. SIGQUIT: as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None

    def database(self, template: str = "template0") -> URL:
        """A fresh one."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def url(self, name: str) -> URL:
        return URL.create("postgresql", USER, database=name, query={"host": str(self.folder)})

    def connect(self, name: str = "postgres") -> "psycopg.Connection[Any]":
        return psycopg.connect(host=str(self.folder), user=USER, dbname=name, autocommit=True)

    def execute(self, statement: str, name: str = "postgres") -> None:
        with self.connect(name) as connection:
            connection.execute(statement.encode())

    def _await(self) -> None:
        assert self._process is not None
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                log = (self.folder / "log").read_text()
                assert self._process.poll() is None, log
                assert time.monotonic() < end, log
                time.sleep(0.02)  # noqa: TID251  # another process, and nothing of ours runs meanwhile
            else:
                return

    def _run(self, command: list[str]) -> None:
        subprocess.run([*self._as_user(), *command], check=True, capture_output=True, timeout=PATIENCE_S)

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(folder, _unprivileged().pw_uid, _unprivileged().pw_gid)

    @staticmethod
    def _as_user() -> list[str]:
        """PostgreSQL refuses to be run by root."""
        if os.geteuid() != 0:
            return [program("setpriv")]
        user = _unprivileged()
        return [program("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextmanager
def cluster(*settings: str, parent: Path | None = None) -> Iterator[Cluster]:
    """One that runs, in memory where there is such a folder; ``parent`` chooses another disk."""
    parent = parent or (MEMORY if MEMORY.is_dir() else Path("/tmp"))  # noqa: S108  # as above
    for left in parent.glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.rpartition("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
    folder = parent / f"{PREFIX}{len(list(parent.glob(PREFIX + '*')))}-{os.getpid()}"
    folder.mkdir()
    instance = Cluster(folder)
    try:
        instance.start(*settings)
        yield instance
    finally:
        instance.stop()
        shutil.rmtree(folder, ignore_errors=True)
