"""What must come to an end: openings, visits, reservations, entries on their way, and darkness."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from locker.journal.errors import JournalError
from locker.operations.ports import JournalFailing
from tests.world import times
from tests.world.broker import Weather
from tests.world.journals import Complaint, Past
from tests.world.reference import PULSED, TENTATIVE, Fact, Reference
from tests.world.screen import DarkError

if TYPE_CHECKING:
    from tests.world.company import Company
    from tests.world.ears import Ears
    from tests.world.machine import Machine
    from tests.world.sightings import Sightings
    from tests.world.world import World

PULSE_S: Final = 2.0
NEXT_STEP_S: Final = 8.0
IDLE_S: Final = 92.0
LEFT_OPEN_S: Final = 130.0
SETTLED_S: Final = 120.0
RESERVED_S: Final = 690.0
ARRIVED_S: Final = 900.0
DARK_S: Final = 60.0


@dataclass
class Liveness:
    """Of one locker."""

    world: "World"
    machine: "Machine"
    model: Reference
    ears: "Ears"
    sightings: "Sightings"
    company: "Company"
    since: dict[str, float] = field(default_factory=dict)
    """Since when something has been waiting that must not wait for long."""
    entry_s: float = 0.0
    started_s: float = 0.0
    worked_s: float = 0.0
    """When somebody last worked behind the doors, in a service window: nobody comes by then."""
    looked: bool = False
    """Whether the page was looked at since somebody last touched it."""

    def told(self, fact: Fact) -> None:
        self.entry_s = self.world.loop.time()
        if fact.kind == "ServiceWindowClosed":
            self.worked_s = self.entry_s
        if fact.kind == "OpeningRequested" and self.sightings.untroubled:
            grant, life, now_s = fact.data["grant"], self.machine.life, self.world.loop.time()
            times.at(now_s + PULSE_S, partial(self._unpulsed, grant, life, now_s))
            times.at(now_s + NEXT_STEP_S, partial(self._no_next_step, grant, life, now_s))

    def _unpulsed(self, grant: str, life: int, since_s: float) -> None:
        right = self.model.rights.get(grant)
        if right is not None and right.phase == "requested" and self._same(life, since_s):
            self._violated(23, f"door {right.door} was granted at {since_s:.3f} s, and nothing came of it")

    def _no_next_step(self, grant: str, life: int, since_s: float) -> None:
        right = self.model.rights.get(grant)
        if right is None or right.opened or not self._same(life, since_s):
            return
        if right.phase in PULSED:
            self._violated(23, f"door {right.door} did not open, and 8 s later nobody says so")
        elif right.purpose != "service":
            self.world.spawn(self._opening(right.door))

    def _same(self, life: int, since_s: float) -> bool:
        sightings = self.sightings
        return self.machine.life == life and sightings.untroubled and sightings.troubled_s < since_s

    async def _opening(self, door: int) -> None:
        try:
            view = await self.machine.screen.view()
        except DarkError:
            return
        if view["screen"] == "opening" and view["door"] == door:
            self._violated(23, f"door {door} did not open, and the screen says that it does")

    def _violated(self, number: int, what: str) -> None:
        self.world.violated(number, f"{self.machine.name} at {self.world.loop.time():.3f} s: {what}")

    # --- now and then ---

    def look(self, past: Past) -> Iterator[Complaint]:
        now_s = self.world.loop.time()
        yield from self._waiting(
            "dark", 25, DARK_S, "nobody serves, and nothing stands in the way", holds=self._dark()
        )
        sound = self.machine.built is not None and self.sightings.untroubled
        yield from self._openings(sound=sound)
        for key, stay in self.model.stays.items():
            name, door = f"stay {key} {stay.looks}", self.model.doors[stay.door]
            idle = stay.phase in TENTATIVE and door.position == "closed" and not door.doubt
            if idle and sound and not self.model.moving(stay.door):
                what = f"door {stay.door} is kept for {key}, and nobody comes"
                yield from self._waiting(name, 24, RESERVED_S, what)
            elif name in self.since:
                del self.since[name]
        oldest_s = min(past.told_s.values(), default=now_s)
        late = self._linked and now_s - oldest_s > ARRIVED_S
        yield from self._waiting(
            "late", 24, ARRIVED_S, f"entry {min(past.told_s, default=0)} does not arrive", holds=late
        )
        self._visit(now_s)

    def _openings(self, *, sound: bool) -> Iterator[Complaint]:
        """Of each door its rights in their order: most are over, and end what an earlier one began."""
        for right in self.model.rights.values():
            number, phase = right.door, right.phase
            if phase == "open" and sound and self.machine.is_open(number):
                what = f"door {number} stands open, and nobody says so"
                yield from self._waiting(f"open {number}", 24, LEFT_OPEN_S, what)
            elif self.since:
                self.since.pop(f"open {number}", None)
            unsettled = phase == "left_open" or (phase == "unknown" and not right.shut)
            if unsettled and sound and not self.machine.is_open(number):
                what = f"opening of door {number} is {phase}, and the door is shut"
                yield from self._waiting(f"unsettled {number}", 24, SETTLED_S, what)
            elif self.since:
                self.since.pop(f"unsettled {number}", None)

    def _waiting(
        self, what: str, number: int, limit_s: float, says: str, *, holds: bool = True
    ) -> Iterator[Complaint]:
        """Complain where this has held at every look for so long."""
        now_s = self.world.loop.time()
        if not holds:
            self.since.pop(what, None)
        elif now_s - self.since.setdefault(what, now_s) > limit_s:
            yield number, f"for {now_s - self.since[what]:.0f} s: {says}"

    def _dark(self) -> bool:
        machine = self.machine
        well = (
            machine.powered
            and machine.restarts
            and machine.platter.refuses is None
            and not machine.storing.slow_s
        )
        asked = not machine.running and "asked" in self.since
        return (
            machine.screen.dark
            and well
            and not machine.screen.frozen
            and not asked
            and not (self.world.harm and machine.name in self.world.harm.busy)
            and not self.world.lies & {"bit_rot", "old_card"}
        )

    def ended(self, problem: BaseException | None) -> None:
        """The daemon ended by itself."""
        if problem is None:
            self.since["asked"] = self.world.loop.time()
        elif self.machine.platter.refuses is None and not isinstance(problem, JournalError | JournalFailing):
            self._violated(25, f"the daemon ended by itself: {type(problem).__name__}: {problem}")

    def started(self) -> None:
        self.since.pop("asked", None)
        # A new life has seen nothing yet: how long a door stands open, or is kept, it counts from now on.
        for name in [each for each in self.since if each.startswith(("open ", "stay "))]:
            del self.since[name]
        self.started_s = self.world.loop.time()

    @property
    def _linked(self) -> bool:
        world, broker = self.world, self.world.broker
        here = world.centre.store is not None and self.machine.built is not None and broker.up
        return (
            here
            and not broker.cut_off
            and not broker.barred
            # Of two with one card the first to tell is believed, until staff settle it.
            and "clone" not in world.lies
            and broker.weather == Weather()
            and self.machine.platter.refuses is None
        )

    def _stands_open(self) -> bool:
        return any(self.machine.is_open(door) for door in self.model.doors)

    def _visit(self, now_s: float) -> None:
        """A page that nobody touches goes home."""
        if self.company.window is not None:
            self.worked_s = now_s
        last_s = max([self.ears.act_s, self.started_s, self.worked_s, *self.sightings.moved_s.values()])
        idle = now_s - last_s > IDLE_S and not self._stands_open()
        if not idle:
            self.looked = False
        elif not self.looked and self.sightings.untroubled and now_s - self.sightings.troubled_s > IDLE_S:
            self.looked = True
            self.world.spawn(self._home(last_s))

    async def _home(self, last_s: float) -> None:
        try:
            view = await self.machine.screen.view()
        except DarkError:
            return
        if view["visit"] and not self._stands_open():
            self._violated(
                24, f"nobody touched anything since {last_s:.3f} s; the screen shows {view['screen']}"
            )
