"""Whether what must never happen has happened. `Oracle` listens to a whole world; each matter has a file.

Truth comes from outside of the product: what reached a board, what the doors did, what lies where, what was
durable. The numbers are those of docs/safety.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from locker.domain.entry import Entry
from locker.domain.state import LockerState
from locker.journal import verify
from tests.world import times
from tests.world.custody import Custody
from tests.world.disks import Platter
from tests.world.durable import survives
from tests.world.journals import JOURNAL, Complaint, Past, Row, fact_of, row_of, rows_of
from tests.world.ledgers import RESTING_S, Ledger, unequal
from tests.world.loop import NOBODY
from tests.world.pulses import Pulses
from tests.world.reference import Fact
from tests.world.witness import all_disagreements, disagreements

if TYPE_CHECKING:
    from hw_sim.cabinet import Pulse
    from tests.world.machine import Machine
    from tests.world.world import World

LOOK_S: Final = 45.0
LIES: Final = frozenset({"old_card", "bit_rot"})
"""Faults after which a disk is not what it was."""


@dataclass
class Watched:
    """All that is kept of one locker."""

    machine: "Machine"
    pulses: Pulses
    ledger: Ledger
    past: Past = field(default_factory=Past)
    custody: Custody = field(default_factory=Custody)


class Oracle:
    def __init__(self, world: "World") -> None:
        self.world = world
        self.watched = {m.name: Watched(m, Pulses(m), Ledger(m.name)) for m in world.machines}
        self.scratch = world.folder / "oracle"
        self.scratch.mkdir()
        world.on_entries.append(self._entries)
        world.on_pulse.append(self._pulse)
        world.on_start.append(self._start)
        self.chance = world.chance("oracle")
        times.at(LOOK_S, self._look)

    async def at_rest(self) -> None:
        """Everything is quiet: the ledgers must be equal."""
        for watched in self.watched.values():
            self.complain(watched.machine.name, self._rested(watched))
        if self.world.violations:
            raise self.world.violations[0]

    def _rested(self, watched: Watched) -> Iterator[Complaint]:
        machine, store = watched.machine, self.world.centre.store
        if machine.built is None or store is None:
            yield 25, "nobody serves any more, though everything is quiet"
            return
        rows = self._rows(machine)
        verdict = verify.check(self._copy(machine))
        if verdict.wrong:
            yield 14, f"entry {verdict.seq}: {verdict.wrong}"
        yield from watched.past.compare(rows)
        yield from self._compare(watched)
        for what in all_disagreements(watched.custody.model, machine.built.journal.state):
            yield 28, what
        late = [seq for seq, at_s in watched.past.told_s.items() if at_s < self.world.loop.time() - RESTING_S]
        if late:
            yield 15, f"entries {late[0]} to {late[-1]} never came to the centre"
            return
        state = machine.built.journal.state

        def differences(connection: Connection) -> list[str]:
            return list(unequal(connection, machine.name, state, rows))

        for difference in store.read_now(differences):
            yield 29, difference

    def complain(self, name: str, complaints: Iterable[Complaint]) -> None:
        for number, what in complaints:
            self.world.violated(number, what if what.startswith(name) else f"{name}: {what}")

    # --- what the world tells ---

    def _entries(self, machine: "Machine", state: LockerState, entries: tuple[Entry, ...]) -> None:
        watched = self.watched[machine.name]
        rows = [row_of(entry) for entry in entries]
        if rows[0].seq <= watched.past.last:
            if any(watched.past.hashes.get(row.seq) != row.hash for row in rows):
                self.complain(machine.name, [(14, f"entry {rows[0].seq} is told otherwise than it was read")])
            return
        facts = self._add(watched, rows, machine.life)
        self.complain(
            machine.name, ((28, what) for what in disagreements(watched.custody.model, state, facts))
        )

    def _add(self, watched: Watched, rows: Sequence[Row], life: int) -> list[Fact]:
        """One transaction is durable."""
        facts = [fact_of(row) for row in rows]
        name = watched.machine.name
        for row, fact in zip(rows, facts, strict=True):
            self.complain(name, watched.past.add(row, fact, self.world.loop.time()))
            self.complain(name, watched.pulses.told(fact, row.hash, life))
        self.complain(name, watched.custody.take(facts))
        return facts

    def _pulse(self, machine: "Machine", pulse: "Pulse") -> None:
        watched = self.watched[machine.name]
        self.complain(machine.name, watched.pulses.seen(pulse))
        right = watched.pulses.by_door.get(pulse.compartment or 0)
        if right and not survives(machine, right.seq, right.hash, self.scratch, self.chance):
            what = f"door {right.door} is pulsed, and a cut now would lose its grant (entry {right.seq})"
            self.complain(machine.name, [(1, what)])

    def _start(self, machine: "Machine") -> None:
        """A new life: what it found on its disk, and what it wrote before anybody could listen."""
        watched = self.watched[machine.name]
        rows = self._rows(machine)
        assert machine.built is not None
        journal, complaints = machine.built.journal, list(watched.past.compare(rows))
        if complaints and self.world.lies & LIES:
            watched.past, watched.custody = Past(), Custody()
        else:
            self.complain(machine.name, complaints)
        new = [(fact_of(row), row) for row in rows if row.seq > watched.past.last]
        for (boot, *_), told in groupby(new, lambda each: each[0][3:8]):
            self._add(watched, [row for _, row in told], machine.life if boot == journal.boot else NOBODY)
        if watched.past.last == journal.state.seq:
            odd = all_disagreements(watched.custody.model, journal.state)
            self.complain(machine.name, ((17, f"after a start, {what}") for what in odd))

    def _rows(self, machine: "Machine") -> list[Row]:
        return rows_of(machine.platter.image(), str(machine.folder / "state" / JOURNAL), self.scratch)

    def _copy(self, machine: "Machine") -> Path:
        """A journal of the same content, on a disk of its own."""
        folder, name = self.scratch / "copy", str(machine.folder / "state" / JOURNAL)
        folder.mkdir(exist_ok=True)
        (folder / JOURNAL).touch()
        image = machine.platter.image()
        files = {f"{folder / JOURNAL}{end}": image[name + end] for end in ("", "-wal") if name + end in image}
        self.world.vfs.power_gone(folder)
        self.world.rack.put(folder, Platter(files))
        return folder / JOURNAL

    # --- now and then ---

    def _look(self) -> None:
        times.at(self.world.loop.time() + LOOK_S, self._look)
        for watched in self.watched.values():
            self.complain(watched.machine.name, self._compare(watched))

    def _compare(self, watched: Watched) -> list[Complaint]:
        store, alive = self.world.centre.store, watched.machine.built is not None
        if store is None or self.world.lies & LIES:
            return []
        return store.read_now(lambda c: list(watched.ledger.look(c, watched.past, alive=alive)))
