"""One world: a centre, lockers, a broker, people, and whatever befalls them. The same seed is the same world.

A world is planned before it begins: every visit and every fault is a `Happening` with a number, a moment and
a chance of its own. So any of them can be left out and the others stay what they are, which is how a failing
world is shrunk to the few that matter.
"""

import asyncio
import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Collection
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Any, Final

from hw_sim.layout import LAYOUTS, Layout
from locker.domain.entry import Entry
from locker.domain.state import LockerState
from tests.world import signatures, times
from tests.world.broker import Broker
from tests.world.centre import Centre, ClosedError
from tests.world.contents import Contents
from tests.world.disks import Rack, WorldVfs
from tests.world.loop import VirtualLoop
from tests.world.machine import Machine
from tests.world.people.testimony import Testimony
from tests.world.screen import DarkError
from tests.world.times import pause
from tests.world.wires import Spoken

if TYPE_CHECKING:
    from hw_sim.cabinet import Move, Pulse
    from tests.world.faults.harm import Harm

SETTLE_S: Final = 30.0
KEPT: Final = 4_000


class Violation(AssertionError):
    """An invariant of docs/safety.md does not hold. ``number`` is its own there."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"invariant {number}: {what}")
        self.number = number


@dataclass
class Trace:
    """What happened, hashed line by line; the last lines are kept for people."""

    lines: list[str] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, what: str) -> None:
        line = f"{asyncio.get_running_loop().time():.3f} {what}"
        self._hash.update(line.encode() + b"\n")
        self.count += 1
        self.lines.append(line)
        if len(self.lines) > 2 * KEPT:
            del self.lines[:KEPT]

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Happening:
    """``act`` is called (and awaited, where it can be) at ``at_s`` with a chance that is its own."""

    number: int
    at_s: float
    name: str
    act: Callable[[Random], Any]


@dataclass
class World:
    seed: int
    folder: Path
    vfs: WorldVfs
    rack: Rack
    layout: Layout = field(default_factory=lambda: LAYOUTS["two-board"])
    lockers: int = 1
    skip: Collection[int] = frozenset()
    """Happenings that do not happen."""

    def __post_init__(self) -> None:
        self.loop: VirtualLoop = asyncio.get_running_loop()  # type: ignore[assignment]
        self.trace = Trace()
        self.spoken = Spoken()
        self.contents = Contents()
        self.testimony = Testimony(self)
        self.plan: list[Happening] = []
        self.points: Counter[str] = Counter()
        """What was reached, and how often."""
        self.happened: Counter[str] = Counter()
        """Happenings by name."""
        self.violations: list[Violation] = []
        self.lies: set[str] = set()
        """Kinds of faults that make what is told, or kept, differ from what is: the oracle allows for it."""
        self.twins: list[Machine] = []
        """Copies of lockers that somebody made."""
        self.harm: Harm | None = None
        """What is broken just now, once faults are planned."""
        self.on_entries: list[Callable[[Machine, LockerState, tuple[Entry, ...]], object]] = []
        """Told of every commit, in the machine's own loop turn, once it is durable."""
        self.on_pulse: list[Callable[[Machine, Pulse], object]] = []
        self.on_move: list[Callable[[Machine, Move], object]] = []
        self.on_start: list[Callable[[Machine], object]] = []
        """A new life's daemon is built; ``machine.built.journal.state`` is what it recovered."""
        self.on_end: list[Callable[[Machine, BaseException | None], object]] = []
        """A daemon ended by itself: with None because it was asked to."""
        self.on_entries.append(self._trace_entries)
        self.on_pulse.append(
            lambda machine, pulse: self.trace.add(f"{machine.name} pulse {pulse.compartment}")
        )
        self.on_move.append(
            lambda machine, move: self.trace.add(f"{machine.name} {move.what} {move.compartment}")
        )
        self._people: set[asyncio.Task[Any]] = set()
        self.broker = Broker(self.chance("broker"))
        self.centre = Centre(self.folder / "centre", self.broker, self.rack, self.vfs, self.chance("centre"))
        self.machines = [self._machine(n) for n in range(1, self.lockers + 1)]

    def chance(self, name: str) -> Random:
        """A stream of its own for every purpose: what one draws does not shift the others."""
        return Random(f"{self.seed}/{name}")

    # --- planning ---

    def at(self, at_s: float, name: str, act: Callable[[Random], Any]) -> None:
        """Plan something for ``at_s``; before the world begins."""
        self.plan.append(Happening(len(self.plan) + 1, at_s, name, act))

    # --- what everybody may say ---

    def reached(self, point: str) -> None:
        self.points[point] += 1

    def violated(self, number: int, what: str) -> None:
        """Noted, and the world ends at once."""
        violation = Violation(number, what)
        self.trace.add(f"VIOLATION {violation}")
        self.violations.append(violation)
        self._over.set()

    def spawn(self, person: Any) -> None:
        """Somebody does something on their own; a dark screen or a closed hub only ends what they wanted."""
        task = self.loop.create_task(person, context=Context())
        self._people.add(task)
        task.add_done_callback(self._person_done)

    # --- running ---

    async def begin(self) -> None:
        """Everything provisioned and serving; then the plan."""
        self._over = asyncio.Event()
        for machine in self.machines:
            self.centre.enrol_locker(machine.name, machine.folder)
        if len(self.machines) > 1:
            self.centre.places([machine.name for machine in self.machines])
        self.centre.start()
        await pause(1.0)
        for machine in self.machines:
            machine.start()
        await pause(SETTLE_S)
        for happening in self.plan:
            if happening.number not in self.skip:
                times.at(max(happening.at_s, self.loop.time()), lambda each=happening: self._happen(each))  # type: ignore[misc]

    async def until(self, end_s: float) -> None:
        """Let the world go on until then, or until something must never have happened."""
        ends = times.at(end_s, self._over.set)
        await self._over.wait()
        ends.cancel()
        self._over.clear()
        for error in (*self.loop.failed, *self.centre.failed):
            raise error
        if self.violations:
            raise self.violations[0]

    def end(self) -> None:
        """Nobody is served any more."""
        for machine in (*self.machines, *self.twins):
            machine.restarts = False
            machine.end(None)
        self.centre.restarts = False
        self.centre.kill()

    def _happen(self, happening: Happening) -> None:
        self.happened[happening.name] += 1
        self.trace.add(f"#{happening.number} {happening.name}")
        done = happening.act(self.chance(f"happening/{happening.number}"))
        if inspect.isawaitable(done):
            self.spawn(done)

    def _person_done(self, task: "asyncio.Task[Any]") -> None:
        self._people.discard(task)
        if task.cancelled() or task.exception() is None:
            return
        error = task.exception()
        if isinstance(error, DarkError | ClosedError):
            self.points["person left: dark screen or closed hub"] += 1
        elif error is not None:
            self.loop.failed.append(error)
            self._over.set()

    def _machine(self, n: int) -> Machine:
        name = f"loc-{n}"
        machine = Machine(
            name,
            self.folder / name,
            self.layout,
            self.broker,
            self.rack,
            self.vfs,
            self.chance(name),
            self.spoken,
        )
        machine.write_config()
        watch = machine.watchers
        watch.pulse = lambda pulse: self._tell(self.on_pulse, machine, pulse)
        watch.move = lambda move: self._tell(self.on_move, machine, move)
        watch.started = self._started
        watch.ended = lambda _machine, problem: self._tell(self.on_end, machine, problem)
        return machine

    def _started(self, machine: Machine) -> None:
        assert machine.built is not None
        machine.built.journal.subscribe(
            lambda state, entries: self._tell(self.on_entries, machine, state, entries)
        )
        self._tell(self.on_start, machine)

    def _trace_entries(self, machine: Machine, _state: LockerState, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            self.trace.add(f"{machine.name} {entry.seq} {type(entry.event).__name__} {entry.hash.hex()[:16]}")

    def _tell(self, watchers: list[Callable[..., object]], *what: object) -> None:
        for watcher in watchers:
            watcher(*what)


def run(
    seed: int,
    folder: Path,
    story: Callable[[World], Any],
    vfs: WorldVfs,
    **how: Any,
) -> Any:
    """Build the world of ``seed`` in an empty ``folder`` and let ``story`` happen in it; its answer.

    ``story`` plans what is to happen (`World.at`), awaits `World.begin`, then `World.until`.
    """
    loop, rack = VirtualLoop(), Rack()

    async def main() -> Any:
        world = World(seed, folder, vfs, rack, **how)
        try:
            return await story(world)
        finally:
            world.end()

    with vfs.on(rack), signatures.known():
        return loop.run_to_end(main)
