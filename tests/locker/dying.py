"""Child processes that play one drop-off on a real journal and die by SIGKILL at a chosen step.

``python -m tests.locker.dying`` reads lines of ``STEP DIR``; STEP 0 lives through. Each life is a process of
its own, forked where everything is imported and nothing runs yet; a line with its exit code answers. What
the doors do is written to DIR/doors.json, as a cabinet would remember it by its position; pulses are counted
there too.
"""

import asyncio
import json
import os
import random  # noqa: TID251  # seeded: the same test, the same chance
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from locker.domain.codes import typed_text
from locker.domain.compartment import Size
from locker.domain.directives import Directive
from locker.domain.door import DoorMoved, DoorReading, Position, Presence, PulseOutcome, PulseResult, Report
from locker.domain.events import AuthorisationGranted
from locker.domain.ids import AreaId, AuthorisationId, CaseNumber, CompartmentNumber, Epoch, LockerId, Seq
from locker.domain.state import LockerState
from locker.journal.journal import Journal
from locker.operations import directives, drop_off
from locker.operations.follow_doors import DoorFollower
from locker.operations.open_door import Opened
from locker.operations.ports import Decided, UnknownGuesses, World
from locker.operations.present_code import DropOffOffer, present_typed
from locker.operations.recover import recover
from tests.locker.operations.world import MemorySecrets, VirtualClock, cabinet

T = TypeVar("T")
DOORS = 3
LOCATOR, SECRET = "000", "1234567"


class Fate:
    """Counts steps, and ends the process at one of them."""

    def __init__(self, at: int) -> None:
        self._left = at

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalJournal:
    """A real journal; before and after each commit the process may die."""

    def __init__(self, journal: Journal, fate: Fate) -> None:
        self._journal = journal
        self._fate = fate

    @property
    def state(self) -> LockerState:
        return self._journal.state

    @property
    def acknowledged(self) -> Seq:
        return self._journal.acknowledged

    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        self._fate.step()
        answer = await self._journal.commit(cause, decide)
        self._fate.step()
        return answer

    async def personal(self, seq: Any) -> Any:
        return await self._journal.personal(seq)


class MortalDoors:
    """Doors whose position and pulses outlive the process; it may die before and after each pulse."""

    def __init__(self, folder: Path, fate: Fate) -> None:
        self._path = folder / "doors.json"
        self._fate = fate
        self.report: Callable[[Report], None] = lambda _moved: None
        if not self._path.exists():
            self._save({"open": [], "inside": [], "pulses": []})

    def load(self) -> dict[str, list[int]]:
        doors: dict[str, list[int]] = json.loads(self._path.read_text())
        return doors

    def _save(self, doors: dict[str, list[int]]) -> None:
        self._path.write_text(json.dumps(doors))

    def reading(self, door: CompartmentNumber) -> DoorReading:
        doors = self.load()
        position = Position.OPEN if door in doors["open"] else Position.CLOSED
        return DoorReading(position, Presence.PRESENT if door in doors["inside"] else Presence.ABSENT)

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        del deadline_ms
        self._fate.step()
        doors = self.load()
        doors["pulses"].append(door)
        doors["open"].append(door)
        self._save(doors)
        self._fate.step()
        self.tell(door)
        return PulseResult(PulseOutcome.ACKNOWLEDGED)

    def put_and_shut(self, door: int) -> None:
        doors = self.load()
        doors["inside"].append(door)
        doors["open"].remove(door)
        self._save(doors)
        self._fate.step()
        self.tell(CompartmentNumber(door))

    def tell(self, door: CompartmentNumber) -> None:
        self.report(DoorMoved(door, self.reading(door), 0))


async def live(folder: Path, at: int) -> None:
    """Recover, then go on with the drop-off from wherever it stands."""
    fate, chance = Fate(at), random.Random(7)
    clock, secrets = VirtualClock(), MemorySecrets(chance)
    with ThreadPoolExecutor(1) as thread:
        real = await Journal.open(folder / "journal.sqlite3", clock, os.urandom, thread)
        doors = MortalDoors(folder, fate)
        world = World(
            MortalJournal(real, fate), doors, clock, secrets, LockerId("l"), AreaId("park"), UnknownGuesses()
        )
        follower = DoorFollower(world)
        doors.report = follower.report
        real.subscribe(follower.entries_committed)
        await recover(world, "test", real.boot, cabinet(DOORS))
        for compartment in cabinet(DOORS):
            doors.tell(compartment.number)
        await _settle(follower)
        await _visit(world, doors, follower)
        await real.close()


async def _visit(world: World, doors: MortalDoors, follower: DoorFollower) -> None:
    code = await _code(world)
    offer = await present_typed(world, code)
    assert isinstance(offer, DropOffOffer), offer
    await _answer(world, doors)
    standing = doors.load()["open"]
    if not standing and not _handed_in(world):
        opened = await drop_off.open_compartment(world, offer)
        assert isinstance(opened, Opened), opened
        await _settle(follower)
        standing = doors.load()["open"]
    for door in standing:
        doors.put_and_shut(door)
        await _settle(follower)
    await _answer(world, doors)


async def _answer(world: World, doors: MortalDoors) -> None:
    """Shut while nobody looked, or in doubt: the applicant, asked, says that the papers are in."""
    for deposit in world.journal.state.deposits.values():
        if deposit.phase == "unconfirmed" and not doors.load()["open"]:
            assert await drop_off.confirm(world, deposit.deposit) is None


def _handed_in(world: World) -> bool:
    return any(d.phase == "awaiting_intake" for d in world.journal.state.deposits.values())


async def _code(world: World) -> str:
    """The one authorisation of this life; the same code in every run."""
    if not world.journal.state.authorisations:
        wall_ms = world.clock.wall_ms()
        granted = AuthorisationGranted(
            AuthorisationId("auth-1"),
            CaseNumber("C-1"),
            "Food licence",
            ("lease",),
            (),
            Size.S,
            wall_ms,
            wall_ms + 86_400_000,
            LOCATOR,
            world.secrets.digest("drop_off", LOCATOR + SECRET),
            "",
        )
        assert await directives.apply(world, Directive(Seq(1), "", granted), Epoch("centre"), "hash")
    return typed_text(LOCATOR, SECRET)


async def _settle(follower: DoorFollower) -> None:
    while not follower._queue.empty():
        await follower.settle(follower._queue.get_nowait())


def forked(folder: Path, at: int) -> int:
    """Its exit code, as `subprocess` gives it."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(live(folder, at))
        except BaseException:  # noqa: BLE001  # told here; beyond this frame is the parent's loop
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    for line in sys.stdin:
        step, folder = line.rstrip("\n").split(" ", 1)
        print(forked(Path(folder), int(step)), flush=True)


if __name__ == "__main__":
    main()
