"""The power goes while names are purged: the chain holds, what was said to be gone is, the rest goes."""

from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251  # seeded

from locker.domain.events import AuthorisationRevoked
from locker.domain.ids import AuthorisationId
from locker.journal import verify
from locker.journal.journal import Journal
from locker.operations.forget_names import DAY_MS, forget_names
from tests.power import cuts
from tests.power.disk import Disk, after
from tests.power.recording import AtOnce, DiskWorld, Recording
from tests.power.vfs import Vfs

NAMES = tuple(f"name-{number}" for number in range(3))


async def life(recording: Recording) -> None:
    world = await DiskWorld.on(recording)
    for case, name in enumerate(NAMES):
        await world.grant(f"C-{case}", name=name)
        await world.say(AuthorisationRevoked(AuthorisationId(f"auth-C-{case}"), "closed"))
    await world.journal.acknowledge(world.journal.state.seq)
    await world.later(15 * DAY_MS)
    recording.begun = len(recording.disk.log)
    while await forget_names(world.world, world.journal):
        pass
    assert world.journal.state.authorisations[AuthorisationId("auth-C-0")].seq == 0


def left(disk: Disk) -> list[str]:
    return [name for name in NAMES if any(name.encode() in data for data in disk.files.values())]


async def test_wherever_it_is_cut_the_chain_holds_and_no_fact_is_told_too_early(vfs: Vfs, path: Path) -> None:
    recording = await cuts.lived(vfs, path, life)
    found = set[tuple[bool, bool]]()
    for place in recording.story:
        disk = Disk(after(recording.disk, place, Random(f"5/{place}")))
        with vfs.on(disk):
            assert verify.check(path).wrong == ""
            world = DiskWorld()
            world.clock.advance(16 * DAY_MS)
            journal = await Journal.open(path, world.clock, world.chance.randbytes, AtOnce())
            said = not any(each.seq for each in journal.state.authorisations.values())
            found.add((said, bool(left(disk))))
            known = replace(world.world, journal=journal)
            while await forget_names(known, journal):
                pass
            head = journal.head
            await journal.close()
            verdict = verify.check(path)
            assert (verdict.wrong, verdict.head, verdict.named) == ("", head, 0), f"after {place} operations"
            assert left(disk) == [], f"after {place} operations"
    assert found == {(False, True), (False, False), (True, False)}
