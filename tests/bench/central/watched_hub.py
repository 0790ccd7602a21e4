"""The hub with a watch on its event loop: ``watched_hub STALLS CONFIG``.

Into the file STALLS goes a line for each time the loop came late: when (monotonic ms) and by how many ms.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final, TextIO

from sync.central import config, hub

LOOK_MS: Final = 2
LATE_MS: Final = 5
"""What the system's own timers are late by is no stall."""


async def watch(told: TextIO) -> None:
    while True:
        due = time.monotonic() + LOOK_MS / 1000
        await asyncio.sleep(LOOK_MS / 1000)  # noqa: TID251  # the loop's own sleep is what is measured
        late_ms = (time.monotonic() - due) * 1000
        if late_ms >= LATE_MS:
            told.write(f"{due * 1000:.0f} {late_ms:.1f}\n")


async def main(stalls: Path, where: Path) -> None:
    with stalls.open("w", encoding="utf-8", buffering=1) as told:
        watching = asyncio.create_task(watch(told))
        await hub.serve(config.load(where))
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
