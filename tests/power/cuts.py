"""The power goes: what is found afterwards, and whether it is what was promised."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk

from locker.journal import verify
from locker.journal.errors import JournalError
from locker.journal.replay import differences, load
from locker.journal.store import Store
from tests.power.disk import Disk, after
from tests.power.recording import Acknowledged, Recording
from tests.power.vfs import Vfs

Life = Callable[[Recording], Awaitable[None]]


async def lived(vfs: Vfs, path: Path, life: Life) -> Recording:
    """Play a life on an empty disk, and note what it did and promised."""
    recording = Recording(Disk(), path)
    with vfs.on(recording.disk):
        try:
            await life(recording)
        finally:
            await recording.end()
    return recording


def found(vfs: Vfs, recording: Recording, operations: int, chance: Random) -> str:
    """What is wrong after a cut there: "" if nothing is. The recovery itself may be cut as well."""
    promised = recording.promised(operations)
    disk = Disk(after(recording.disk, operations, chance))
    with vfs.on(disk):
        wrong = judged(recording.path, promised)
    if wrong or chance.random() < 0.75 or not disk.log:  # noqa: PLR2004  # a quarter is cut a second time
        return wrong
    again = Disk(after(disk, chance.randrange(len(disk.log) + 1), chance))
    with vfs.on(again):
        return judged(recording.path, promised)


def judged(path: Path, promised: Acknowledged) -> str:
    """Open what is there as the daemon does; then let a stranger check it."""
    try:
        store = Store(path)
    except JournalError as error:
        return f"it cannot be opened: {error}"
    try:
        loaded = load(store)
        wrong = differences(store)
        seq = loaded.state.seq
    except JournalError as error:
        return f"it cannot be loaded: {error}"
    finally:
        store.close()
    if wrong:
        return f"tables that are not what the entries say: {wrong}"
    if seq < promised.seq:
        return f"entry {promised.seq} was promised, {seq} is the last"
    held = (promised.seq, promised.head) if promised.seq else None
    return verify.check(path, held).wrong


def everywhere(vfs: Vfs, recording: Recording, each: int, seed: int) -> Counter[str]:
    """Cut after every operation of the story, ``each`` times with another chance."""
    tally: Counter[str] = Counter()
    for operations in range(recording.begun, len(recording.disk.log) + 1):
        for n in range(each):
            tally[found(vfs, recording, operations, Random(f"{seed}/{operations}/{n}"))] += 1
    return tally


def anywhere(vfs: Vfs, recording: Recording, count: int, seed: int) -> Counter[str]:
    """Cut after operations that chance picks."""
    tally: Counter[str] = Counter()
    for n in range(count):
        chance = Random(f"{seed}/{n}")
        tally[found(vfs, recording, chance.randrange(len(recording.disk.log) + 1), chance)] += 1
    return tally
