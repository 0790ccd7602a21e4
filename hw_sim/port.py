"""Pseudo terminals and sockets: the only place where the simulator's lines meet the operating system."""

import contextlib
import errno
import os
import pty
import select
import socket
import termios
import tty
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from hw_sim.loopback import HOST

READ_MOST: Final = 4096
SPEED_AT: Final = 5  # output speed, in what termios tells
SPEEDS: Final[Mapping[int, int]] = MappingProxyType(
    {getattr(termios, f"B{baud}"): baud for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}
)


class Port(Protocol):
    """One end of a line, as a driver can open it."""

    edges: bool
    """Whether it may only be listened to by edges: it stays "ready" while there is nothing."""

    @property
    def url(self) -> str: ...

    def fileno(self) -> int: ...

    def baud(self) -> int | None:
        """The speed that the driver has set; None where there is no such thing."""

    def read(self) -> bytes | None: ...

    def write(self, octets: bytes) -> None: ...

    def close(self) -> None: ...


class Pty:
    """The boards' end of a pty, under a stable name that a driver opens like a serial port.

    We keep no descriptor of the driver's end: so we learn when it closes, and its lock ends with it.
    Reads after that fail with EIO until the next opening, which counts as "nothing there".
    """

    edges = True

    def __init__(self, link: Path) -> None:
        self.link = link
        self._master, slave = pty.openpty()
        try:
            tty.setraw(slave, termios.TCSANOW)
            self.device = os.ttyname(slave)
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)
        self._hung = True
        _point(link, self.device)

    @property
    def url(self) -> str:
        return str(self.link)

    def fileno(self) -> int:
        return self._master

    def baud(self) -> int | None:
        return SPEEDS.get(termios.tcgetattr(self._master)[SPEED_AT])

    def read(self) -> bytes | None:
        """What has come; None when the driver's end is closed, b"" when there is nothing."""
        try:
            octets = os.read(self._master, READ_MOST)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                self._hung = True
                return None
            raise
        self._hung = False
        return octets

    def write(self, octets: bytes) -> None:
        """A serial line does not wait for its reader: what does not fit is lost, and what nobody reads."""
        if self._hung and self._is_hung_up():
            return
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, octets)

    def _is_hung_up(self) -> bool:
        """Asked only while we have not heard: a driver may listen before it says anything."""
        poll = select.poll()
        poll.register(self._master, 0)
        self._hung = any(event & select.POLLHUP for _, event in poll.poll(0))
        return self._hung

    def close(self) -> None:
        os.close(self._master)
        with contextlib.suppress(FileNotFoundError):
            if str(self.link.readlink()) == self.device:
                self.link.unlink()


class Tcp:
    """A listening socket on loopback. One driver at a time: a second one is shut out at once."""

    edges = False

    def __init__(self, scheme: str, port: int) -> None:
        """OSError where the port is taken; 0 takes a free one."""
        self._listener = socket.create_server((HOST, port))
        self._listener.setblocking(False)
        self._client: socket.socket | None = None
        self._ready = select.epoll()
        self._ready.register(self._listener.fileno(), select.EPOLLIN)
        self.url = f"{scheme}://{HOST}:{self._listener.getsockname()[1]}"

    def fileno(self) -> int:
        return self._ready.fileno()

    def baud(self) -> int | None:
        return None

    def read(self) -> bytes | None:
        """What has come; None when a driver has gone, b"" when there is nothing."""
        octets = self._receive()
        if octets is None:
            self._drop()
        self._admit()
        return octets

    def write(self, octets: bytes) -> None:
        if self._client is not None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self._client.send(octets)

    def close(self) -> None:
        self._drop()
        self._ready.close()
        self._listener.close()

    def _receive(self) -> bytes | None:
        if self._client is None:
            return b""
        try:
            return self._client.recv(READ_MOST) or None
        except BlockingIOError:
            return b""
        except ConnectionError:
            return None

    def _admit(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                client, _ = self._listener.accept()
                if self._client is not None:
                    client.close()
                    continue
                client.setblocking(False)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._client = client
                self._ready.register(client.fileno(), select.EPOLLIN)

    def _drop(self) -> None:
        if self._client is not None:
            self._ready.unregister(self._client.fileno())
            self._client.close()
            self._client = None


def _point(link: Path, device: str) -> None:
    """Replace the link in one step, so that a driver never finds it half made."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    fresh.symlink_to(device)
    fresh.replace(link)
