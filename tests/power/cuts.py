"""The power goes: what is found afterwards, and whether it is what was promised."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from operator import itemgetter
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed finds the same disk

from locker.journal import verify
from locker.journal.errors import JournalError
from locker.journal.replay import differences, load
from locker.journal.store import Store
from tests.locker.journal.histories import SetClock
from tests.power.disk import Descent, Disk, after
from tests.power.recording import Acknowledged, Recording
from tests.power.vfs import Vfs

Life = Callable[[Recording], Awaitable[None]]


async def lived(vfs: Vfs, path: Path, life: Life, disk: Disk | None = None) -> Recording:
    """Play a life, on an empty disk if on no other, and note what it did and promised."""
    recording = Recording(disk or Disk(), path)
    with vfs.on(recording.disk):
        try:
            await life(recording)
        finally:
            await recording.end()
    return recording


async def reopened(vfs: Vfs, old: Recording, disk: Disk) -> Recording:
    """What a start does to the disk that an old life left; promised is what was told in that life."""

    async def start(recording: Recording) -> None:
        last = old.told[-1]
        recording.told.append(Acknowledged(0, last.seq, last.head))
        await recording.open(SetClock(), Random(0).randbytes)
        recording.checkpoint()

    return await lived(vfs, old.path, start, disk)


class Judge:
    """Opens what is there as the daemon does; then lets a stranger check it.

    Most cuts leave a journal that an earlier one left too: the same bytes get the same verdict.
    """

    def __init__(self) -> None:
        self._loaded: dict[bytes, tuple[int, list[str]]] = {}
        """What a start found, for each contents of a journal: its last entry, and which tables were wrong."""
        self._verified: dict[tuple[object, ...], str] = {}
        """What the stranger said, for each file and head that was held against it."""

    def wrong(self, path: Path, disk: Disk, promised: Acknowledged) -> str:
        """What is wrong with the journal on ``disk``, which is mounted: "" if nothing is."""
        try:
            store = Store(path)
        except JournalError as error:
            return f"it cannot be opened: {error}"
        try:
            seq, wrong = self._load(store)
        except JournalError as error:
            return f"it cannot be loaded: {error}"
        finally:
            store.close()
        if wrong:
            return f"tables that are not what the entries say: {wrong}"
        if seq < promised.seq:
            return f"entry {promised.seq} was promised, {seq} is the last"
        return self._verify(path, disk, (promised.seq, promised.head) if promised.seq else None)

    def _load(self, store: Store) -> tuple[int, list[str]]:
        connection = store._connection
        there, changes = connection.serialize(), connection.total_changes
        if found := self._loaded.get(there):
            return found
        found = load(store).state.seq, differences(store)
        if connection.total_changes == changes:  # else a start writes, and that is to be cut as well
            self._loaded[there] = found
        return found

    def _verify(self, path: Path, disk: Disk, held: tuple[int, bytes] | None) -> str:
        closed = (held, *((name, bytes(data)) for name, data in disk.files.items()))
        if closed not in self._verified:
            self._verified[closed] = verify.check(path, held).wrong
        return self._verified[closed]


class Cuts:
    """Cuts of one recording. One in ``doubled`` is cut once more, while it recovers.

    ``judge``: who has seen recordings of the same story before.
    """

    def __init__(self, vfs: Vfs, recording: Recording, doubled: int = 4, judge: Judge | None = None) -> None:
        self._vfs = vfs
        self._recording = recording
        self._doubled = doubled
        self._judge = judge or Judge()

    def everywhere(self, each: int, seed: int) -> Counter[str]:
        """Cut after every operation of the story, ``each`` times with another chance."""
        return self._at(
            (place, Random(f"{seed}/{place}/{n}")) for place in self._recording.story for n in range(each)
        )

    def anywhere(self, count: int, seed: int) -> Counter[str]:
        """Cut after operations that chance picks."""
        return self._at(sorted((self.picked(n, seed) for n in range(count)), key=itemgetter(0)))

    def once(self, n: int, seed: int) -> str:
        """Number ``n`` of those alone: what was wrong, "" for nothing."""
        return next(iter(self._at([self.picked(n, seed)])))

    def picked(self, n: int, seed: int) -> tuple[int, Random]:
        """Where the power goes in cut number ``n``, and the chance that says what is left."""
        chance = Random(f"{seed}/{n}")
        return chance.randrange(len(self._recording.disk.log) + 1), chance

    def kindly(self) -> Counter[str]:
        """The process alone dies, after every operation of the story."""
        return self._at((place, None) for place in self._recording.story)

    def at_the_end(self) -> str:
        """Only the process dies, where the recording ends."""
        end = len(self._recording.disk.log)
        return self._judged(Disk(after(self._recording.disk, end, None)), self._recording.promised(end))

    def twice(self, place: int, seed: int) -> Counter[str]:
        """Cut after ``place`` operations, and the recovery after each of its own."""
        promised = self._recording.promised(place)
        disk = Disk(after(self._recording.disk, place, Random(f"{seed}/{place}")))
        tally = Counter([self._judged(disk, promised)])
        for again in range(len(disk.log) + 1):
            found = after(disk, again, Random(f"{seed}/{place}/{again}"))
            tally[self._judged(Disk(found), promised)] += 1
        return tally

    def _at(self, places: Iterable[tuple[int, Random | None]]) -> Counter[str]:
        tally: Counter[str] = Counter()
        descent = Descent(self._recording.disk)
        for place, chance in places:
            promised = self._recording.promised(place)
            disk = Disk(descent.to(place).found(chance))
            wrong = self._judged(disk, promised)
            if not wrong and chance and disk.log and chance.randrange(self._doubled) == 0:
                second = after(disk, chance.randrange(len(disk.log) + 1), chance)
                wrong = self._judged(Disk(second), promised)
            tally[wrong] += 1
        return tally

    def _judged(self, disk: Disk, promised: Acknowledged) -> str:
        with self._vfs.on(disk):
            return self._judge.wrong(self._recording.path, disk, promised)
