"""The fleet at work: all lockers on one event loop, people before them, and the troubles asked for."""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from hw_sim import clock
from hw_sim.chance import Chance
from hw_sim.fleet.journal import Shelf
from hw_sim.fleet.keys import Member
from hw_sim.fleet.life import Life
from hw_sim.fleet.locker import Locker
from hw_sim.fleet.machine import State
from hw_sim.fleet.mqtt import Broker, Connections
from hw_sim.fleet.tally import Tally

DIALLING: Final = 16
"""Connects that may wait for an answer at once."""
EPOCH_BYTES: Final = 16
SEEDS: Final = 100_000
"""More than a fleet has lockers."""
TICK_S: Final = 0.05
LOOK_S: Final = 1.0
LOGGED_S: Final = 30.0
LAST_WORDS_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a run."""

    events: int
    """Entries that each locker has before it first connects, at least."""
    duration_s: float
    rate: float
    """Legs of visits that begin, a second, in the whole fleet."""
    pace: float
    """How many times faster than real people are."""
    churn: float
    """Connections that are torn, a minute, in the whole fleet."""
    storm: bool
    """Whether all of them are torn at once, half-way."""
    seed: int
    patience_s: float
    """Without any progress for so long, it is over."""


@dataclass(slots=True)
class Course:
    """How a run went, in seconds since its beginning."""

    backlog: int = 0
    committed: int = 0
    """Entries in all journals at the end."""
    first_s: float = 0.0
    """The first acknowledgement."""
    drained_s: float = 0.0
    """Every locker had its backlog at the centre."""
    ended_s: float = 0.0
    settled: bool = False
    stopped: int = 0
    """Lockers that found another history at the centre."""
    connected_share: float = 0.0


class Resident:
    """One locker with its connections; tells it the time."""

    def __init__(self, locker: Locker, connections: Connections) -> None:
        self.locker = locker
        self.connections = connections
        self.busy = False
        self.backlog = locker.life.journal.head
        connections.owner = self

    def ready(self) -> None:
        self.locker.ready(clock.mono_s(), clock.wall_ms())

    def lost(self, reason: str) -> None:
        self.locker.lost(reason, clock.mono_s(), clock.wall_ms())

    def hear(self, topic: str, frame: bytes, *, retained: bool) -> None:
        self.locker.hear(topic, frame, clock.mono_s(), clock.wall_ms(), retained=retained)

    def answered(self, kind: str, code: int) -> None:
        self.locker.answered(kind, code, clock.mono_s(), clock.wall_ms())


class Fleet:
    """`run` once. Every locker's journal lies in ``shelf``."""

    def __init__(self, plan: Plan, shelf: Shelf, members: Sequence[Member], host: str, port: int) -> None:
        """In the event loop."""
        self.tally = Tally()
        self.course = Course()
        self._plan = plan
        self._chance = Chance(plan.seed)
        self._dialling = ThreadPoolExecutor(DIALLING)
        self._began_s = clock.mono_s()
        self._legs: set[asyncio.Task[None]] = set()
        self.residents = [
            self._resident(shelf, number, member, host, port) for number, member in enumerate(members)
        ]
        self.course.backlog = self._heads()

    def _resident(self, shelf: Shelf, number: int, member: Member, host: str, port: int) -> Resident:
        keys = member.keys
        broker = Broker(host, port, keys.locker, member.password)
        chance = Chance(self._plan.seed * SEEDS + number)
        # Not from the seed: the same keys in another run are another disk.
        life = Life(keys, shelf, number, os.urandom(EPOCH_BYTES).hex(), chance)
        life.begin(self._plan.events, clock.wall_ms())
        connections = Connections(broker, self._dialling, clock.mono_s)
        return Resident(Locker(life, member.trusted, connections, chance, self.tally), connections)

    async def run(self) -> None:
        """Until everything is at the centre and the time is over, or nothing moves any more."""
        self._began_s = clock.mono_s()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(part)
                    for part in (self._tick(), self._look(), self._visits(), self._churn(), self._tell())
                ]
                await self._course()
                for task in tasks:
                    task.cancel()
        finally:
            if sys.stderr.isatty():
                print(file=sys.stderr)
            await self._leave()
            self._dialling.shutdown()

    # --- the course ----------------------------------------------------------------------------------------

    async def _course(self) -> None:
        plan, course = self._plan, self.course
        stormy, best, moved_s = plan.storm, -1, 0.0
        while True:
            await clock.rest_s(TICK_S)
            now_s, stored = self._since_s(), self._stored()
            if stored > max(best, 0) and not course.first_s:
                course.first_s = now_s
            if stored != best:
                best, moved_s = stored, now_s
            if stormy and self._half_way(stored, now_s):
                stormy = False
                self._storm()
            if not course.drained_s and all(self._drained()):
                course.drained_s = now_s
            course.stopped = sum(each.locker.state is State.STOPPED for each in self.residents)
            over = now_s >= plan.duration_s and not stormy
            course.settled = all(each.locker.settled for each in self.residents)
            if over and course.settled and not self._legs:
                break
            if now_s - moved_s > plan.patience_s and (over or not course.settled):
                break
        self._close_course()

    def _half_way(self, stored: int, now_s: float) -> bool:
        return now_s >= self._plan.duration_s / 2 and 2 * stored >= self.course.backlog

    def _close_course(self) -> None:
        course = self.course
        course.ended_s = self._since_s()
        course.committed = self._heads()
        now_s = clock.mono_s()
        connected_s = sum(each.locker.connected_until(now_s) for each in self.residents)
        course.connected_share = connected_s / (course.ended_s * len(self.residents))

    def _drained(self) -> Iterator[bool]:
        return (each.locker.window.stored_to >= each.backlog for each in self.residents)

    def _stored(self) -> int:
        return sum(each.locker.window.stored_to for each in self.residents)

    def _heads(self) -> int:
        return sum(each.locker.life.journal.head for each in self.residents)

    def _since_s(self) -> float:
        return clock.mono_s() - self._began_s

    # --- what goes on meanwhile ----------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            now_s, wall_ms = clock.mono_s(), clock.wall_ms()
            for each in self.residents:
                if now_s >= each.locker.due_s:
                    each.locker.tick(now_s, wall_ms)
            await clock.rest_s(TICK_S)

    async def _look(self) -> None:
        while True:
            await clock.rest_s(LOOK_S)
            for each in self.residents:
                each.connections.look()

    async def _churn(self) -> None:
        while self._plan.churn > 0:
            await clock.rest_s(60 / self._plan.churn)
            if self._since_s() < self._plan.duration_s or not self.course.drained_s:
                self.residents[self._chance.below("churn", len(self.residents))].connections.cut("churn")

    def _storm(self) -> None:
        for each in self.residents:
            each.connections.cut("storm")

    async def _visits(self) -> None:
        while self._plan.rate > 0 and self._since_s() < self._plan.duration_s:
            await clock.rest_s(1 / self._plan.rate)
            one = self.residents[self._chance.below("visit", len(self.residents))]
            if not one.busy:
                task = asyncio.get_running_loop().create_task(self._visit(one))
                self._legs.add(task)
                task.add_done_callback(self._legs.discard)

    async def _visit(self, one: Resident) -> None:
        one.busy = True
        for number, moment in enumerate(one.locker.life.cabinet.leg()):
            if number:
                await clock.rest_s(moment.wait_ms / 1000 / self._plan.pace)
            wall_ms = clock.wall_ms()
            facts = moment.facts(one.locker.life.whence(wall_ms))
            one.locker.commit(facts, clock.mono_s(), wall_ms)
        one.busy = False

    async def _tell(self) -> None:
        """Where we are: one line that is written over, or in a log a line now and then."""
        before, every_s = 0, LOOK_S if sys.stderr.isatty() else LOGGED_S
        while True:
            await clock.rest_s(every_s)
            stored, connected = self._stored(), sum(each.locker.connected for each in self.residents)
            text = f"{self._since_s():6.0f} s  {connected:,} of {len(self.residents):,} connected  "
            text += (
                f"{stored:,} of {self._heads():,} entries at the centre  {(stored - before) / every_s:,.0f}/s"
            )
            if sys.stderr.isatty():
                print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)
            else:
                print(text, file=sys.stderr, flush=True)
            before = stored

    async def _leave(self) -> None:
        """An orderly end of whoever is connected: words first, then DISCONNECT [LKR-5]."""
        here = [each for each in self.residents if each.locker.connected]
        for each in here:
            each.connections.publish("link", each.locker.last_words())
        end_s = clock.mono_s() + LAST_WORDS_S
        while clock.mono_s() < end_s and not all(each.connections.quiet for each in here):
            await clock.rest_s(TICK_S)
        for each in here:
            each.connections.farewell()
        await clock.rest_s(TICK_S)
        for each in self.residents:
            each.connections.owner = None
            each.connections.cut()
