"""A process that lives a life in a journal until it is killed: ``-m tests.locker.journal.writer PATH SEED``.

After each commit it says, in one write, up to where it was told that its entries are durable.
"""

import asyncio
import os
import sys
from pathlib import Path

from tests.locker.journal.histories import Life, opened, told


async def write(path: Path, seed: int) -> None:
    life = Life(seed)
    async with opened(path, seed) as journal:
        while True:
            facts = life.next(journal.state)
            await journal.commit("applicant", told(facts))
            os.write(1, f"{journal.state.seq}\n".encode())


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
