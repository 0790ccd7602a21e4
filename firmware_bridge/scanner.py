"""A code scanner on a serial port: a thread that finds it, reads it, and finds it again after it was pulled.

All that decides anything is in `firmware_bridge.scans`. A thread, because opening and closing a port that is
just being pulled can block for seconds, and no door waits for a scanner.
"""

import glob
import logging
import os
import re
import select
import socket
import termios
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, Final

import serial
from serial.tools import list_ports

from firmware_bridge.errors import BridgeError
from firmware_bridge.line import Port
from firmware_bridge.scans import LONGEST, SHORTEST, Cue, Framer, Trigger

_LOGGER = logging.getLogger(__name__)

RETRY_FIRST_S: Final = 0.25
RETRY_MAX_S: Final = 5.0
READ_BYTES: Final = 4096
IDLE_MAX_S: Final = 60.0
USB: Final = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")


class ScannerError(BridgeError, OSError):
    """No scanner just now. The thread keeps looking; nothing above needs to."""

    def __init__(self, port: str, problem: str, remedy: str) -> None:
        super().__init__(f"{port}: {problem}; {remedy}")
        self.port = port


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """``[scanner]`` of the configuration."""

    port: str = ""
    """A device, best by ``/dev/serial/by-id/…``; a pattern like ``/dev/serial/by-id/usb-Honeywell*``; or
    ``usb:VID:PID`` or ``usb:VID:PID:SERIAL``. Looked up anew whenever it is opened. Empty: no scanner."""
    baud: int = 9600
    trigger: str = "continuous"
    """``continuous``, ``gm65`` or ``honeywell``."""
    terminator: str = "any"
    """``any``, ``cr``, ``lf``, ``crlf``, ``tab`` or ``none``; silence ends a scan in any case."""
    shortest: int = SHORTEST
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class ScannerReport:
    """Figures for a status page. Counts, never contents."""

    port: str
    device: str
    """Where it is now; empty while it is lost."""
    why: str
    """Why it is lost."""
    scans: int
    dropped: dict[str, int]


def device_of(port: str, plugged: Callable[[], Iterable[Any]] = list_ports.comports) -> str:
    """The device that a configured port means now. Raises ScannerError where none or several fit."""
    named = USB.fullmatch(port)
    if named:
        vid, pid, number = int(named[1], 16), int(named[2], 16), named[3]
        fitting = [
            str(each.device)
            for each in plugged()
            if (each.vid, each.pid) == (vid, pid) and number in (None, each.serial_number)
        ]
    elif glob.has_magic(port):
        fitting = sorted(glob.glob(port))  # noqa: PTH207  # an absolute pattern, as people write it
    else:
        return port
    if not fitting:
        raise ScannerError(port, "nothing of that name is plugged in", "check the scanner's cable")
    if len({os.path.realpath(each) for each in fitting}) > 1:
        raise ScannerError(
            port, f"{' and '.join(fitting)} both fit", "name one of them, by its serial number"
        )
    return fitting[0]


def open_device(device: str, baud: int) -> Port:
    """The port for this process alone. Raises ScannerError."""
    try:
        return serial.Serial(device, baud, timeout=0, exclusive=True)
    except (OSError, termios.error) as error:  # the second where it is pulled while it is set up
        raise ScannerError(device, str(error), "check its cable, and who else holds it") from error


class SerialScanner:
    """``on_scan`` is called by the thread with each scan; `start`, then `wanted` as often as it changes."""

    def __init__(
        self,
        settings: ScannerSettings,
        on_scan: Callable[[str], None],
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        self.now: Callable[[], float] = time.monotonic
        self._settings, self._on_scan, self._on_end = settings, on_scan, on_end
        self._framer = Framer(settings.terminator, settings.shortest, settings.longest)
        self._trigger = Trigger(settings.trigger)
        self._wanted = False
        self._scans = 0
        self._device = ""
        self._why = "not looked for yet"
        self._lost_said = self._ever_found = False
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="scanner", daemon=True)

    @property
    def started(self) -> bool:
        return self._thread.ident is not None

    def start(self) -> None:
        self._thread.start()

    def wanted(self, wanted: bool) -> None:
        """Whether the page waits for a code."""
        self._wanted = wanted
        self._poke()

    def close(self) -> None:
        """Ask the thread to end; ``on_end`` is the last thing it does."""
        self._closing = True
        self._poke()

    def report(self) -> ScannerReport:
        # Copied in one step: the thread goes on counting.
        dropped = {kind.value: count for kind, count in dict(self._framer.dropped).items()}
        return ScannerReport(self._settings.port, self._device, self._why, self._scans, dropped)

    # --- the thread --------------------------------------------------------------------------------------

    def _poke(self) -> None:
        with suppress(OSError):  # full: it is awake anyway; closed: it has ended
            self._mouth.send(b"\0")

    def _run(self) -> None:
        retry_s = RETRY_FIRST_S
        while not self._closing:
            try:
                device = device_of(self._settings.port)
                with closing(open_device(device, self._settings.baud)) as port:
                    retry_s = RETRY_FIRST_S
                    self._found(device)
                    self._serve(port.fileno())
            except OSError as error:
                self._lost(str(error))
                self._rest(self.now() + retry_s)
                retry_s = min(RETRY_MAX_S, 2 * retry_s)
        self._device, self._why = "", "closed"
        self._ear.close()
        self._mouth.close()
        self._on_end()

    def _found(self, device: str) -> None:
        if self._lost_said:
            _LOGGER.warning("the scanner is %s: %s", "back" if self._ever_found else "there", device)
        self._device, self._why = device, ""
        self._lost_said, self._ever_found = False, True

    def _lost(self, why: str) -> None:
        if not self._lost_said:
            _LOGGER.warning("the scanner is lost: %s", why)
        self._device, self._why = "", why
        self._lost_said = True
        self._framer.forget()

    def _rest(self, until_s: float) -> None:
        while not self._closing and (left_s := until_s - self.now()) > 0:
            if select.select([self._ear], [], [], left_s)[0]:
                self._hear_poke()

    def _serve(self, fd: int) -> None:
        ear = self._ear.fileno()
        self._trigger = Trigger(self._settings.trigger)
        while not self._closing:
            self._aim(fd)
            ready, _, _ = select.select([fd, ear], [], [], self._patience_s())
            if ear in ready:
                self._hear_poke()
            if fd in ready:
                self._read(fd)
            else:
                read = self._framer.read
                self._hand_on(fd, self._framer.quiet(self.now()), read)
        self._write(fd, self._trigger.cue(Cue.UNWANTED, self.now()))

    def _aim(self, fd: int) -> None:
        """Beam on while a code is waited for; renewed before it goes off by itself."""
        now_s = self.now()
        self._write(fd, self._trigger.cue(Cue.WANTED if self._wanted else Cue.UNWANTED, now_s))
        if self._trigger.due_s is not None and self._trigger.due_s <= now_s:
            self._write(fd, self._trigger.cue(Cue.WANING, now_s))

    def _patience_s(self) -> float:
        due = [each for each in (self._framer.due_s, self._trigger.due_s) if each is not None]
        return min([IDLE_MAX_S, *(max(0.0, each - self.now()) for each in due)])

    def _read(self, fd: int) -> None:
        data = os.read(fd, READ_BYTES)
        if not data:
            raise ConnectionResetError("the port hung up")
        read = self._framer.read
        self._hand_on(fd, self._framer.received(data, self.now()), read)

    def _hand_on(self, fd: int, scans: list[str], read_before: int) -> None:
        for scan in scans:
            self._scans += 1
            self._on_scan(scan)
        if scans:
            self._write(fd, self._trigger.cue(Cue.READ, self.now()))
        elif self._framer.read != read_before:
            self._trigger.stir(self.now())

    def _write(self, fd: int, words: bytes) -> None:
        if words:
            with suppress(BlockingIOError):  # it does not listen; what wanes is said again
                os.write(fd, words)

    def _hear_poke(self) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(READ_BYTES, socket.MSG_DONTWAIT)
