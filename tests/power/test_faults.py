"""The disk refuses at every operation of a story: from then on nothing is promised and no door is opened."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from locker.domain.events import TamperOpened
from locker.journal.journal import Journal
from locker.journal.store import Store
from locker.operations.ports import JournalFailing
from tests.locker.journal.histories import told
from tests.power import cuts
from tests.power.disk import Disk, DiskFault, Operation, Sync
from tests.power.recording import Recording
from tests.power.use_cases import use_cases
from tests.power.vfs import Vfs

if TYPE_CHECKING:
    from collections.abc import Callable

STORIES: Final = (
    "test_a_typed_code_opens_one_door_and_the_papers_are_receipted",
    "test_a_loaded_item_is_collected_once",
)
IO_ERROR_WRITE: Final = 778
IO_ERROR_SYNC: Final = 1034
FULL: Final = 13
READ_ONLY: Final = 8


class FaultyDisk(Disk):
    """Refuses operation ``place`` and, if it is ``lasting``, all later ones."""

    def __init__(self, place: int, code: int, *, lasting: bool) -> None:
        super().__init__()
        self.failed: Callable[[], None] = lambda: None
        self._left = place
        self._code = code
        self._lasting = lasting

    def do(self, operation: Operation) -> None:
        self._left -= 1
        if self._left == -1:
            self.failed()
        if self._left == -1 or (self._left < 0 and self._lasting):
            synced = self._code == IO_ERROR_WRITE and isinstance(operation, Sync)
            raise DiskFault(IO_ERROR_SYNC if synced else self._code)
        super().do(operation)


async def lived_badly(vfs: Vfs, path: Path, name: str, disk: FaultyDisk) -> tuple[Recording, tuple[int, int]]:
    """The story as far as it goes; and what had been told and pulsed when the disk refused."""
    recording, then = Recording(disk, path), [(0, 0)]
    disk.failed = lambda: then.append((len(recording.told), len(recording.pulses)))
    with vfs.on(disk):
        with suppress(Exception):  # how far people get is another matter
            await use_cases()[name](recording)
        with suppress(JournalFailing):
            await recording.journals[-1].commit("daemon", told((TamperOpened("open"),)))
        assert [journal.failing for journal in recording.journals][-1]
        await recording.end()
    assert len(then) == 2, "the disk never refused"
    return recording, then[-1]


@pytest.mark.parametrize(
    ("name", "code", "lasting"),
    [
        (STORIES[0], IO_ERROR_WRITE, True),
        (STORIES[0], IO_ERROR_WRITE, False),
        (STORIES[0], FULL, True),
        (STORIES[0], READ_ONLY, True),
        (STORIES[1], FULL, True),
    ],
)
async def test_nothing_is_promised_or_opened_once_the_disk_refused(
    vfs: Vfs, path: Path, name: str, code: int, lasting: bool
) -> None:
    healthy, judge = await cuts.lived(vfs, path, use_cases()[name]), cuts.Judge()
    for place in healthy.story[:-1]:
        recording, then = await lived_badly(vfs, path, name, FaultyDisk(place, code, lasting=lasting))
        assert then == (len(recording.told), len(recording.pulses)), place
        found = cuts.Cuts(vfs, recording, judge=judge)
        assert found.at_the_end() == "", place


async def test_a_journal_that_goes_on_after_a_fault_is_seen(
    vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the test above could not fail."""
    healthy = await cuts.lived(vfs, path, use_cases()[STORIES[0]])
    monkeypatch.setattr(Journal, "_check_writable", lambda _journal: None)
    monkeypatch.setattr(Store, "_failed", property(lambda _store: False, lambda _store, _failed: None))
    promised = 0
    for place in healthy.story[:-1:4]:
        disk = FaultyDisk(place, IO_ERROR_WRITE, lasting=False)
        recording, then = await lived_badly(vfs, path, STORIES[0], disk)
        promised += then != (len(recording.told), len(recording.pulses))
    assert promised > 0
