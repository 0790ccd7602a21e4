"""A blocking thread that keeps one bus talking on one real port. All that decides anything is in the bus.

A thread, because on a paced line it keeps closer to the wire than an event loop, at half the processor time.
"""

import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final, Protocol

import serial

from firmware_bridge.bus import Bus, Send
from firmware_bridge.errors import PortError
from firmware_bridge.wiring import PACKETS

RETRY_FIRST_S: Final = 0.25
RETRY_MAX_S: Final = 10.0
READ_BYTES: Final = 4096
IDLE_MAX_S: Final = 60.0
WAKING_S: Final = 0.000_15
"""A timer wakes a thread about this late. So much of each wait is spent awake: of the time between two
telegrams it is the largest part that is not the wire's."""


class Port(Protocol):
    """What a line needs of an opened port: a non-blocking file descriptor."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


OpenPort = Callable[[], Port]
"""Raises OSError while there is no port."""
Action = Callable[[Bus, float], None]
"""What the line's thread shall do with its bus; the float is its clock."""


def opener(url: str, baud: int) -> OpenPort:
    """Opens ``url`` for this process alone; raises PortError."""
    # A gateway's packets and a line's own bytes come over the same kind of connection.
    address = f"socket://{url.removeprefix(PACKETS)}" if url.startswith(PACKETS) else url

    def open_port() -> Port:
        try:
            port = serial.serial_for_url(address, baudrate=baud, timeout=0, exclusive=True)
        except OSError as error:
            raise PortError(url, error) from error
        # Only some adapters know it; without it they hold bytes back for up to 16 ms.
        with suppress(AttributeError, OSError, ValueError):
            port.set_low_latency_mode(True)
        return port

    return open_port


class SerialLine:
    """``on_end`` is called by the thread as the last thing it does."""

    def __init__(self, bus: Bus, open_port: OpenPort, on_end: Callable[[], None]) -> None:
        self.now: Callable[[], float] = time.monotonic
        self._bus, self._open_port, self._on_end = bus, open_port, on_end
        self._actions: deque[Action] = deque()
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def post(self, action: Action) -> None:
        """Have the thread do this next. After its end nothing happens."""
        self._actions.append(action)
        with suppress(OSError):  # full: it is awake anyway; closed: it has ended
            self._mouth.send(b"\0")

    def close(self) -> None:
        """Ask the thread to end. A pulse in flight may still be answered; what waits is not sent."""
        self._closing = True
        self.post(lambda _bus, _now: None)

    def _run(self) -> None:
        retry_s = RETRY_FIRST_S
        while not self._closing:
            try:
                with closing(self._open_port()) as port:
                    retry_s = RETRY_FIRST_S
                    self._serve(port.fileno())
            except OSError as error:
                self._bus.port_lost(str(error), self.now())
                self._rest(self.now() + retry_s)
                retry_s = min(RETRY_MAX_S, 2 * retry_s)
        self._act()
        self._bus.port_lost("closed", self.now())
        self._ear.close()
        self._mouth.close()
        self._on_end()

    def _rest(self, until_s: float) -> None:
        while not self._closing and (left_s := until_s - self.now()) > 0:
            if select.select([self._ear], [], [], left_s)[0]:
                self._act()

    def _serve(self, fd: int) -> None:
        ear = self._ear.fileno()
        self._bus.port_opened(self.now())
        while not self._closing or self._bus.pulse_in_flight:
            step = self._bus.next(self.now())
            if isinstance(step, Send):
                self._write(fd, step)
                continue
            left_s = step.until_s - self.now()
            if 0 < left_s <= WAKING_S:
                self._stay_awake(step.until_s)
                continue
            # Bytes that cannot be a whole answer yet wait in the port's buffer: a wake-up for each costs more
            # than all the rest.
            deaf_s = self._bus.deaf_until_s - self.now()
            heard = [ear] if deaf_s > 0 else [fd, ear]
            nap_s = min(IDLE_MAX_S, max(0.0, left_s - WAKING_S), max(0.0, deaf_s) or IDLE_MAX_S)
            ready, _, _ = select.select(heard, [], [], nap_s)
            if fd in ready:
                self._read(fd)
            if ear in ready:
                self._act()

    def _stay_awake(self, until_s: float) -> None:
        while self.now() < until_s:
            pass

    def _read(self, fd: int) -> None:
        data = os.read(fd, READ_BYTES)
        if not data:
            raise ConnectionResetError("the port hung up")
        self._bus.received(data, self.now())

    def _write(self, fd: int, send: Send) -> None:
        if self.now() > send.deadline_s:
            self._bus.not_written("late", self.now())
            return
        try:
            os.write(fd, send.data)
        except OSError:
            self._bus.not_written("port_closed", self.now())
            raise

    def _act(self) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(READ_BYTES, socket.MSG_DONTWAIT)
        while self._actions:
            self._actions.popleft()(self._bus, self.now())
