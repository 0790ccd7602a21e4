"""A minimal client on a serial port, written for these tests: it waits its silence and paces nothing."""

import os
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHAR_S = 10 / 9600
SILENCE_S = 3.5 * CHAR_S


class Asker:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def ask(self, request: bytes, length: int, patience_s: float = 1.0) -> bytes:
        """The reply's first `length` bytes, or what came until patience ended; no silence afterwards."""
        os.write(self._descriptor, request)
        return self.listen(length, patience_s)

    def listen(self, length: int, patience_s: float = 1.0) -> bytes:
        until_s, heard = time.monotonic() + patience_s, b""
        while len(heard) < length and (left_s := until_s - time.monotonic()) > 0:
            if select.select([self._descriptor], [], [], left_s)[0]:
                heard += os.read(self._descriptor, 256)
        return heard

    def rest(self, silence_s: float = SILENCE_S) -> None:
        select.select([], [], [], silence_s)


@contextmanager
def opened(port: Path, baud: int = 9600) -> Iterator[Asker]:
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor)
        settings = termios.tcgetattr(descriptor)
        settings[4] = settings[5] = getattr(termios, f"B{baud}")
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
        yield Asker(descriptor)
    finally:
        os.close(descriptor)
