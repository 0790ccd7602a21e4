"""One world: a centre, lockers, a broker, people, and whatever befalls them. The same seed is the same world."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

from hw_sim.layout import LAYOUTS, Layout
from tests.world.broker import Broker
from tests.world.centre import Centre
from tests.world.disks import Rack, WorldVfs
from tests.world.loop import VirtualLoop
from tests.world.machine import Machine
from tests.world.times import pause
from tests.world.wires import Spoken

SETTLE_S: Final = 30.0


@dataclass
class Trace:
    """What happened, hashed line by line; the last lines are kept for people."""

    lines: list[str] = field(default_factory=list)
    count: int = 0
    keep: int = 4_000

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, what: str) -> None:
        line = f"{asyncio.get_running_loop().time():.3f} {what}"
        self._hash.update(line.encode() + b"\n")
        self.count += 1
        self.lines.append(line)
        if len(self.lines) > 2 * self.keep:
            del self.lines[: self.keep]

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


@dataclass
class World:
    seed: int
    folder: Path
    vfs: WorldVfs
    rack: Rack
    layout: Layout = field(default_factory=lambda: LAYOUTS["two-board"])
    lockers: int = 1

    def __post_init__(self) -> None:
        self.loop: VirtualLoop = asyncio.get_running_loop()  # type: ignore[assignment]
        self.rng = Random(f"{self.seed}/world")
        self.trace = Trace()
        self.spoken = Spoken()
        self.broker = Broker(self.chance("broker"))
        self.centre = Centre(self.folder / "centre", self.broker, self.rack, self.vfs, self.chance("centre"))
        self.machines = [self._machine(n) for n in range(1, self.lockers + 1)]

    def chance(self, name: str) -> Random:
        """A stream of its own for every purpose: what one draws does not shift the others."""
        return Random(f"{self.seed}/{name}")

    def _machine(self, n: int) -> Machine:
        name = f"loc-{n}"
        folder = self.folder / name
        machine = Machine(
            name, folder, self.layout, self.broker, self.rack, self.vfs, self.chance(name), self.spoken
        )
        machine.write_config()
        return machine

    async def begin(self) -> None:
        """Everything provisioned and serving."""
        for machine in self.machines:
            self.centre.enrol_locker(machine.name, machine.folder)
        self.centre.start()
        await pause(1.0)
        for machine in self.machines:
            machine.start()
        await pause(SETTLE_S)


    def end(self) -> None:
        """Nobody is served any more."""
        for machine in self.machines:
            machine.restarts = False
            machine.end(None)
        self.centre.restarts = False
        self.centre.kill()


def run(
    seed: int,
    folder: Path,
    story: Callable[[World], Awaitable[Any]],
    vfs: WorldVfs,
    **how: Any,
) -> Any:
    """Build the world of ``seed`` in an empty ``folder``, begin it, let ``story`` happen; its answer."""
    loop, rack = VirtualLoop(), Rack()

    async def main() -> Any:
        world = World(seed, folder, vfs, rack, **how)
        try:
            await world.begin()
            return await story(world)
        finally:
            world.end()

    with vfs.on(rack):
        return loop.run_to_end(main)
