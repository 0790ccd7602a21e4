"""The hub's own single place for real time and chance; everything else takes them as parameters.

`locker.platform` is the daemon's; the hub runs elsewhere and shares nothing with it but the domain.
"""

import asyncio
import base64
import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

RandomBytes = Callable[[int], bytes]
ID_BYTES: Final = 10
"""80 random bits make 16 characters."""
READERS: Final = 2
WRITERS: Final = 3
"""To PostgreSQL; SQLite has one."""


class Clock(Protocol):
    """Wall time for people and rights, monotonic time for waiting."""

    def wall_ms(self) -> int: ...

    def mono_ms(self) -> int: ...

    async def wait(self, event: asyncio.Event, timeout_ms: int) -> None:
        """Return when ``event`` is set or the time is over; the event is cleared."""
        ...

    async def sleep_until(self, mono_ms: int) -> None: ...


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def wait(self, event: asyncio.Event, timeout_ms: int) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), timeout_ms / 1000)
        event.clear()

    async def sleep_until(self, mono_ms: int) -> None:
        await self.wait(asyncio.Event(), max(0, mono_ms - self.mono_ms()))


@dataclass(frozen=True, slots=True)
class Chance:
    """Unpredictable numbers and names."""

    random_bytes: RandomBytes = os.urandom

    def draw(self, below: int) -> int:
        """A number in ``0..below-1``; 128 bits make the bias of the remainder immeasurable."""
        return int.from_bytes(self.random_bytes(16)) % below

    def digits(self, count: int) -> str:
        return f"{self.draw(10**count):0{count}d}"

    def new_id(self) -> str:
        """A fresh name: 16 characters ``[a-z2-7]``."""
        return base64.b32encode(self.random_bytes(ID_BYTES)).decode().lower()


@dataclass(frozen=True, slots=True)
class Threads:
    """On which the database is spoken to: one that writes (`WRITERS` to PostgreSQL), a few that read."""

    writing: Executor
    reading: Executor

    @classmethod
    def real(cls, writers: int = 1) -> Self:
        return cls(ThreadPoolExecutor(writers, "hub-write"), ThreadPoolExecutor(READERS, "hub-read"))

    @staticmethod
    def pause(longest_ms: int) -> None:
        """Hold the calling thread for a while: of two that stood in each other's way one comes first."""
        threading.Event().wait(Chance().draw(longest_ms + 1) / 1000)

    def close(self) -> None:
        """Wait for what runs."""
        self.writing.shutdown()
        self.reading.shutdown()


@dataclass(frozen=True, slots=True)
class Platform:
    """What the hub needs of the world besides its files; a world simulation brings its own."""

    clock: Clock = field(default_factory=SystemClock)
    chance: Chance = field(default_factory=Chance)
    threads: Threads = field(default_factory=Threads.real)
