"""A whole life of one world: plan people and faults, let it run, let it come to rest, and settle accounts."""

import time  # only to tell how fast it went
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.world import cabinets, reached
from tests.world.disks import WorldVfs
from tests.world.faults.plan import calm, faults
from tests.world.occupancy import Occupancy
from tests.world.oracle import Oracle
from tests.world.people.plan import operators, people
from tests.world.times import DAY_S
from tests.world.world import Violation, World, run

QUIET_S: Final = 1_200.0
"""After the last fault: every entry is at the centre within 15 minutes, and every door is settled."""
VISITS_A_DAY: Final = 80


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    days: float
    trace: str = ""
    lines: list[str] = field(default_factory=list)
    problem: str = ""
    """Empty: nothing was violated, nothing failed."""
    kind: str = ""
    """Of the problem: two stories that end with the same kind show the same mistake."""
    where: str = ""
    """The traceback of what failed; empty for a violation."""
    error: BaseException | None = None
    """Itself; it does not leave the process."""
    story: list[tuple[int, float, str]] = field(default_factory=list)
    """Number, moment and name of each happening that was planned and not left out."""
    points: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    pulses: int = 0
    planned: int = 0
    lived_s: float = 0.0
    """Virtual time."""
    took_s: float = 0.0
    """Of this core, not of the clock on the wall: others work here too."""
    turns: int = 0
    polls: int = 0
    slept_s: float = 0.0
    entries: int = 0
    crowd: str = ""
    occupied: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of the compartments: on average, at most; and for what share of the time four fifths and more."""


async def live(world: World, days: float, outcome: Outcome, **how: Any) -> None:
    """Raises Violation, or whatever failed.

    ``until_s`` ends the world early, unsettled; each of ``watchers`` is told of the world before it begins.
    """
    oracle = Oracle(world)
    reached.observe(world)
    occupancy = Occupancy(world)
    world.on_pulse.append(lambda _machine, _pulse: _count(outcome))
    for watcher in how.get("watchers", ()):
        watcher(world)
    town = people(world, days, how.get("visits_a_day", VISITS_A_DAY))
    faults(world, days, how.get("kinds"))
    operators(town)
    outcome.planned = len(world.plan)
    try:
        await world.begin()
        if "until_s" in how:
            await world.until(how["until_s"])
            return
        await world.until(days * DAY_S)
        calm(world)
        await world.until(days * DAY_S + QUIET_S)
        await oracle.at_rest()
    finally:
        outcome.crowd, outcome.occupied = town.crowd.name, occupancy.told()
        _tell(world, outcome)


def _count(outcome: Outcome) -> None:
    outcome.pulses += 1


def _tell(world: World, outcome: Outcome) -> None:
    reached.settle(world)
    outcome.trace, outcome.lines = world.trace.digest, world.trace.lines[-400:]
    outcome.points, outcome.happened = world.points + world.happened, world.happened
    outcome.turns, outcome.polls = world.loop.turns, world.spoken.polls
    outcome.slept_s, outcome.lived_s = world.spoken.slept_s, world.loop.time()
    outcome.story = [
        (each.number, each.at_s, each.name) for each in world.plan if each.number not in world.skip
    ]
    outcome.entries = sum(m.built.journal.state.seq for m in world.machines if m.built is not None)


def lived(seed: int, days: float, folder: Path, vfs: WorldVfs, **how: Any) -> Outcome:
    """One seed, told as an `Outcome` whatever happens. ``folder`` is empty."""
    outcome = Outcome(seed, days)
    began_s = time.process_time()
    world_how = {name: how.pop(name) for name in ("skip", "layout", "lockers") if name in how}
    world_how.setdefault("layout", cabinets.drawn(seed))
    world_how.setdefault("lockers", cabinets.lockers(seed))
    try:
        run(seed, folder, lambda world: live(world, days, outcome, **how), vfs, **world_how)
    except Violation as violation:
        outcome.problem, outcome.kind = str(violation), f"invariant {violation.number}"
        outcome.error = violation
    except Exception as error:  # noqa: BLE001  # a soak goes on with the next seed and tells of this one
        cause = cause_of(error)
        outcome.problem = f"{type(cause).__name__}: {cause}"
        last = traceback.extract_tb(cause.__traceback__)[-1]
        outcome.kind = f"{type(cause).__name__} in {last.name}"
        outcome.error = error
        outcome.where = "".join(traceback.format_exception(error))
    outcome.took_s = time.process_time() - began_s
    return outcome


def cause_of(error: BaseException) -> BaseException:
    """What went wrong, where tasks that were stopped for it have put it into a group."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
