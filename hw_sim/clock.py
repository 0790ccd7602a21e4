"""The only place of the simulator that touches real time; everything else is handed a moment."""

import asyncio
import time
from datetime import UTC, datetime


def mono_s() -> float:
    """Monotonic seconds, the same count in every process of this machine since it started."""
    return time.monotonic()


def cpu_s() -> float:
    """What this process has used of its cores."""
    return time.process_time()


def to_ms(moment_s: float) -> int:
    return int(moment_s * 1000 + 1e-6)  # n / 1000 * 1000 may come out a hair below n


def wall_iso() -> str:
    """UTC, for people who read the records; nothing is decided by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def pause_s(seconds: float) -> None:
    """Wait: for a person's hand to move, or before asking a process again."""
    time.sleep(seconds)  # noqa: TID251  # the one place of the simulator that waits


def wall_ms() -> int:
    """As a locker says it of its entries; nothing is decided by it."""
    return int(datetime.now(UTC).timestamp() * 1000)


async def rest_s(seconds: float) -> None:
    """The same as `pause_s` for one task among others."""
    await asyncio.sleep(seconds)  # noqa: TID251  # the one place of the simulator that waits
