"""The service manager of a `lockerd`, played by systemd's own rules: a datagram socket, a period, SIGKILL."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hw_sim import clock
from tests.processes.rig import Rig

PERIOD_S: Final = 2.0
"""Instead of 20: everything else follows from it."""


class Supervisor:
    """Starts the locker as a service with a watchdog, and keeps it running. Of one thread."""

    def __init__(self, running: Rig, path: Path) -> None:
        self._rig = running
        self._path = path
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(path))
        self._ear.settimeout(0.1)
        self._fed_s = 0.0
        self.ended: list[str] = []
        """Why it was ended, each time."""

    def close(self) -> None:
        self._ear.close()

    def start(self, *program: str) -> None:
        """Returns once it serves."""
        with in_environment(NOTIFY_SOCKET=str(self._path), WATCHDOG_USEC=str(round(PERIOD_S * 1e6))):
            self._rig.start_locker(*program)
        self._fed_s = clock.mono_s()

    def watch(self) -> None:
        """For a moment: what is not fed in time is killed and started again."""
        try:
            if b"WATCHDOG=1" in self._ear.recv(4_096):
                self._fed_s = clock.mono_s()
        except TimeoutError:
            pass
        silent_s = clock.mono_s() - self._fed_s
        if silent_s > PERIOD_S:
            self.ended.append(f"not heard of for {silent_s:.1f} s")
            self._rig.kill("locker")
            self.start()


@contextmanager
def in_environment(**more: str) -> Iterator[None]:
    os.environ.update(more)
    try:
        yield
    finally:
        for name in more:
            del os.environ[name]
