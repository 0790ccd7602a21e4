"""A code scanner on a pty of its own: reads what is held before it, and obeys its trigger words.

Three kinds: one that always reads; a GM65 in command mode, whose read ends with a code or after 5 s and who
answers each setting; a Honeywell imager, switched by SYN T and SYN U. Pulled and plugged in again it is
another device under another name, as a USB scanner is.
"""

import os
import select
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hw_sim.clock import mono_s
from hw_sim.port import Pty

CODE_LONGEST: Final = 2_000
"""Far more than any picture holds that a scanner reads."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind understands. ``lasts_s``: how long its beam stays on; 0: for ever."""

    on: bytes = b""
    off: bytes = b""
    answer: bytes = b""
    lasts_s: float = 0.0
    reads_on: bool = False
    """Goes on reading after a code."""


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "continuous": Kind(reads_on=True),
        "gm65": Kind(
            b"\x7e\x00\x08\x01\x00\x02\x01\xab\xcd",
            b"\x7e\x00\x08\x01\x00\x02\x00\xab\xcd",
            b"\x02\x00\x00\x01\x00\x33\x31",
            lasts_s=5.0,
        ),
        "honeywell": Kind(b"\x16T\r", b"\x16U\r", lasts_s=30.0),
    }
)


class UnpluggedError(Exception):
    """Nobody can hold anything before a scanner that is not there. Remedy: plug it in."""


class Scanner:
    """`start`, then hold codes before it; `stop` ends the thread and the pty."""

    def __init__(self, folder: Path, kind: str = "continuous", suffix: bytes = b"\r") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        self.pattern = str(folder / "scanner-*")
        """What its device is called, whichever time it is plugged in."""
        self._folder, self._knows, self._suffix = folder, KINDS[kind], suffix
        self._lock = threading.Lock()
        self._plugged = 0
        self._pty: Pty | None = None
        self._heard = b""
        self._beam_until_s = 0.0
        self._codes = 0
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="scanner")
        self.plug_in()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake()
        self._thread.join()
        self.unplug()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def plug_in(self) -> None:
        with self._lock:
            if self._pty is None:
                self._plugged += 1
                self._pty = Pty(self._folder / f"scanner-{self._plugged}")
                self._heard, self._beam_until_s = b"", 0.0
        self._wake()

    def unplug(self) -> None:
        with self._lock:
            if self._pty is not None:
                self._pty.close()
            self._pty = None
        self._wake()

    def hold(self, code: str) -> bool:
        """Whether it read the code: its beam must be on. Raises UnpluggedError."""
        with self._lock:
            if self._pty is None:
                raise UnpluggedError
            if not self._beam:
                return False
            self._codes += 1
            if not self._knows.reads_on:
                self._beam_until_s = 0.0
            self._pty.write(code.encode() + self._suffix)
            return True

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {
                "kind": self.kind,
                "plugged": self._pty is not None,
                "device": str(self._pty.link) if self._pty else "",
                "beam": self._pty is not None and self._beam,
                "codes": self._codes,
            }

    @property
    def _beam(self) -> bool:
        return self._knows.reads_on or mono_s() < self._beam_until_s

    def _wake(self) -> None:
        os.write(self._wake_write, b"\0")

    def _serve(self) -> None:
        # Edge-triggered, as a pty whose other end is closed would keep us awake otherwise.
        with select.epoll() as edges:
            edges.register(self._wake_read, select.EPOLLIN)
            known = -1
            while not self._stopping:
                for number, _ in edges.poll():
                    if number == self._wake_read:
                        os.read(self._wake_read, 4096)
                with self._lock:
                    if self._pty is not None:
                        if self._plugged != known:
                            edges.register(self._pty.fileno(), select.EPOLLIN | select.EPOLLET)
                            known = self._plugged
                        self._hear(self._pty)

    def _hear(self, pty: Pty) -> None:
        while data := pty.read():
            self._heard = (self._heard + data)[-64:]
            self._obey(pty)

    def _obey(self, pty: Pty) -> None:
        for word, until_s in ((self._knows.on, mono_s() + self._knows.lasts_s), (self._knows.off, 0.0)):
            if word and self._heard.endswith(word):
                self._heard, self._beam_until_s = b"", until_s
                pty.write(self._knows.answer)
