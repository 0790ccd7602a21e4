"""Whether what must never happen has happened. `Oracle` listens to a whole world; each matter has a file.

Truth comes from outside of the product: what reached a board, what the doors did, what lies where, what was
durable, what people saw. The numbers are those of docs/safety.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final

from locker.domain.entry import Entry
from locker.domain.state import LockerState
from tests.world import times
from tests.world.acks import Acks
from tests.world.afar import Afar
from tests.world.clockwork import Clockwork
from tests.world.custody import Custody
from tests.world.durable import survives
from tests.world.ears import Ears
from tests.world.journals import JOURNAL, Complaint, Past, Row, born, fact_of, histories_of, row_of, rows_of
from tests.world.ledgers import Ledger
from tests.world.liveness import Liveness
from tests.world.loop import NOBODY
from tests.world.pulses import Pulses
from tests.world.reference import Fact
from tests.world.rest import FORKS, Rest, searched
from tests.world.searches import Log, Traffic
from tests.world.sightings import Sightings
from tests.world.silence import Silence
from tests.world.witness import all_disagreements, disagreements

if TYPE_CHECKING:
    from hw_sim.cabinet import Move, Pulse
    from tests.world.machine import Machine
    from tests.world.world import World

LOOK_S: Final = 45.0
CHANGED: Final = frozenset({"old_card", "bit_rot"})
"""Faults after which a disk is not what was written to it."""


@dataclass
class Watched:
    """All that is kept of one locker."""

    machine: "Machine"
    rest: Rest
    custody: Custody
    pulses: Pulses
    afar: Afar
    ledger: Ledger
    ears: Ears
    sightings: Sightings
    liveness: Liveness
    past: Past = field(default_factory=Past)
    clockwork: Clockwork = field(default_factory=Clockwork)
    set_back: bool = False
    """Whether a card was put in that knows less than the centre."""

    @property
    def failing(self) -> bool:
        """Whether its journal cannot be written any more in this life."""
        built = self.machine.built
        return built is None or built.journal.failing


class Oracle:
    def __init__(self, world: "World") -> None:
        self.world = world
        self.scratch = world.folder / "oracle"
        self.scratch.mkdir()
        self.watched = {machine.name: self._watch(machine) for machine in world.machines}
        self.traffic, self.log, self.acks = Traffic(world), Log(), Acks(world)
        self.silence = [Silence(each.machine, each.custody.model) for each in self.watched.values()]
        self.chance = world.chance("oracle")
        world.on_entries.append(self._entries)
        world.on_pulse.append(self._pulse)
        world.on_move.append(self._move)
        world.on_start.append(self._start)
        world.on_end.append(self._end)
        times.at(LOOK_S, self._look)

    def _watch(self, machine: "Machine") -> Watched:
        custody, world = Custody(), self.world
        ears = Ears(world, machine, custody.model)
        sightings = Sightings(world, machine, custody.model)
        return Watched(
            machine,
            Rest(world, machine, self.scratch),
            custody,
            Pulses(machine),
            Afar(world, machine, custody.model),
            Ledger(machine.name),
            ears,
            sightings,
            Liveness(world, machine, custody.model, ears, sightings, custody.company),
        )

    async def at_rest(self) -> None:
        """Everything is quiet: the accounts are settled. Raises Violation."""
        for watched in self.watched.values():
            machine, rows = watched.machine, self._rows(watched.machine)
            self.complain(machine.name, watched.past.compare(rows))
            self.complain(machine.name, self._compare(watched))
            if machine.built is not None:
                odd = all_disagreements(watched.custody.model, machine.built.journal.state)
                self.complain(machine.name, ((28, what) for what in odd))
            self.complain(
                machine.name, watched.rest.settled(watched.past, watched.custody.model, rows, self.chance)
            )
            warned = watched.rest.warned()
            if watched.set_back and not warned:
                what = "a card was put in that knew less than the centre, which has no alarm of it"
                self.complain(machine.name, [(14, what)])
            if warned and not self.world.lies & {*FORKS, "hub_restored"}:
                what = "the centre has an alarm of another history, and nobody touched the card"
                self.complain(machine.name, [(14, what)])
        pins = {pin for watched in self.watched.values() for pin in watched.ears.pins}
        self.complain("", searched(self.world, self.traffic.said, self.log.lines, pins))
        if self.world.violations:
            raise self.world.violations[0]

    def complain(self, name: str, complaints: Iterable[Complaint]) -> None:
        for number, what in complaints:
            self.world.violated(number, what if what.startswith(name) else f"{name}: {what}")

    # --- what the world tells ---

    def _entries(self, machine: "Machine", state: LockerState, entries: tuple[Entry, ...]) -> None:
        watched = self.watched[machine.name]
        rows = [row_of(entry) for entry in entries]
        if not rows:  # it could not be written
            return
        begins = rows[0].seq == 1 and born(rows) != watched.past.epoch
        if rows[0].seq <= watched.past.last and not begins:
            if any(watched.past.hashes.get(row.seq) != row.hash for row in rows):
                self.complain(machine.name, [(14, f"entry {rows[0].seq} is told otherwise than it was read")])
            return
        facts = self._add(watched, rows, machine.life, told=True)
        odd = disagreements(watched.custody.model, state, facts)
        self.complain(machine.name, ((28, what) for what in odd))

    def _add(self, watched: Watched, rows: Sequence[Row], life: int, *, told: bool) -> list[Fact]:
        """One transaction is durable; ``told`` by the daemon that wrote it, just now."""
        facts, name = [fact_of(row) for row in rows], watched.machine.name
        for row, fact in zip(rows, facts, strict=True):
            self.complain(name, watched.past.add(row, fact, self.world.loop.time()))
            if told:
                self.complain(name, watched.sightings.told(fact))
            self.complain(name, watched.pulses.told(fact, row.hash, life))
            self.complain(name, watched.ears.guesses.told(fact, life))
        self.complain(name, watched.clockwork.told(facts))
        self.complain(name, watched.custody.take(facts))
        self.complain(name, watched.afar.take(facts, told=told))
        for fact in facts:
            self.complain(name, watched.ears.told(fact, now=told))
            if told:
                watched.liveness.told(fact)
        return facts

    def _pulse(self, machine: "Machine", pulse: "Pulse") -> None:
        watched = self.watched[machine.name]
        self.complain(machine.name, watched.pulses.seen(pulse))
        right = watched.pulses.by_door.get(watched.pulses.door_of(pulse) or 0)
        if right:
            self.complain(machine.name, watched.afar.pulsed(right.grant))
        if right and not survives(machine, right.seq, right.hash, self.scratch, self.chance):
            what = f"door {right.door} is pulsed, and a cut now would lose its grant (entry {right.seq})"
            self.complain(machine.name, [(1, what)])

    def _move(self, machine: "Machine", move: "Move") -> None:
        self.watched[machine.name].sightings.move(move)

    def _end(self, machine: "Machine", problem: BaseException | None) -> None:
        self.watched[machine.name].liveness.ended(problem)

    def _start(self, machine: "Machine") -> None:
        """A new life: what it found on its disk, and what it wrote before anybody could listen."""
        watched = self.watched[machine.name]
        assert machine.built is not None
        histories = histories_of(
            machine.platter.image(), str(machine.folder / "state" / JOURNAL), self.scratch
        )
        known = next((n for n, each in enumerate(histories) if born(each) == watched.past.epoch), 0)
        rows = histories[known]
        journal, complaints = machine.built.journal, list(watched.past.compare(rows))
        if complaints and self.world.lies & CHANGED:
            known = 0
            watched.set_back |= rows[-1].seq < watched.ledger.cursor
            watched.past = Past()
            watched.clockwork.forget()
            watched.pulses.forget()
            watched.afar.forget()
            watched.custody.model.forget()
            watched.custody.company.forget()
            watched.ears.forget()
        else:
            self.complain(machine.name, complaints)
        watched.liveness.started()
        watched.ears.guesses.begins(machine.life)
        known_to, later = watched.past.last, histories[known + 1 :]
        new = [(fact_of(row), row) for row in histories[known] if row.seq > known_to]
        new += [(fact_of(row), row) for each in later for row in each]
        for (boot, *_), told in groupby(new, lambda each: each[0][3:8]):
            life = machine.life if boot == journal.boot else NOBODY
            self._add(watched, [row for _, row in told], life, told=False)
        if watched.past.last == journal.state.seq:
            odd = all_disagreements(watched.custody.model, journal.state)
            self.complain(machine.name, ((17, f"after a start, {what}") for what in odd))

    def _rows(self, machine: "Machine") -> list[Row]:
        return rows_of(machine.platter.image(), str(machine.folder / "state" / JOURNAL), self.scratch)

    # --- now and then ---

    def _look(self) -> None:
        times.at(self.world.loop.time() + LOOK_S, self._look)
        for silence in self.silence:
            self.complain(silence.machine.name, silence.look())
        for watched in self.watched.values():
            if watched.past.told_s:
                self.complain(watched.machine.name, self._compare(watched))
            self.complain(watched.machine.name, watched.liveness.look(watched.past))
            sound = watched.sightings.untroubled and not watched.failing
            self.complain(watched.machine.name, watched.ears.guesses.look(sound=sound))
            built = watched.machine.built
            watched.custody.company.hears(built.journal.acknowledged if sound and built else 0)

    def _compare(self, watched: Watched) -> list[Complaint]:
        store, built = self.world.centre.store, watched.machine.built
        if store is None or self.world.lies & FORKS:
            return []
        said = 0 if built is None else built.journal.acknowledged
        alive = built is not None
        return store.read_now(lambda c: list(watched.ledger.look(c, watched.past, said, alive=alive)))
