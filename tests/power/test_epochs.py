"""The power goes while a new epoch begins: there is the one or the other, whole."""

from pathlib import Path
from random import Random  # noqa: TID251  # seeded

from locker.domain.history import Break
from locker.journal import verify
from locker.journal.replay import differences, load
from locker.journal.store import Store
from locker.operations.new_epoch import begin
from tests.locker.operations.test_visits import hand_in
from tests.power import cuts
from tests.power.disk import Disk, after
from tests.power.recording import DiskWorld, Recording
from tests.power.vfs import Vfs


async def life(recording: Recording) -> None:
    world = await DiskWorld.on(recording)
    await hand_in(world)
    recording.begun = len(recording.disk.log)
    assert await begin(world.world, world.journal, Break.LOST_ROWS, world.journal.state.epoch)
    await world.grant("C-2")


async def test_a_cut_leaves_the_old_history_or_the_new_one_whole(vfs: Vfs, path: Path) -> None:
    recording = await cuts.lived(vfs, path, life)
    epochs = set[str]()
    for place in recording.story:
        disk = Disk(after(recording.disk, place, Random(f"3/{place}")))
        promised = recording.promised(place)
        with vfs.on(disk):
            store = Store(path)
            loaded = load(store)
            assert differences(store) == []
            store.close()
            assert verify.check(path).wrong == ""
            epochs.add(loaded.state.epoch)
        heads = [told.head for told in recording.told]
        assert heads.index(loaded.head) >= heads.index(promised.head), f"after {place} operations"
    assert len(epochs) == 2
