"""What befalls the world, and when: each seed draws which kinds there are, how often and how long."""

import math
from collections.abc import Collection, Mapping
from functools import partial
from random import Random  # noqa: TID251  # seeded
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tests.world.faults import bus, cards, centre, clocks, doors, hostile, network, power, storage
from tests.world.faults.harm import Harm, Kind, Scene
from tests.world.times import DAY_S
from tests.world.world import World

if TYPE_CHECKING:
    from tests.world.machine import Machine

GROUPS: Final = (power, storage, cards, bus, doors, clocks, network, hostile, centre)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.name: kind for group in GROUPS for kind in group.KINDS}
)
FIRST_S: Final = 60.0
NONE_OF: Final = 0.06
"""So many worlds have no faults at all, and as many have every kind."""


def faults(world: World, days: float, kinds: Collection[str] | None = None) -> None:
    """Plan faults of these kinds; None: as the seed draws them."""
    world.harm = Harm(world)
    rng = world.chance("swarm")
    on = set(_swarm(rng)) if kinds is None else set(kinds)
    for name, kind in KINDS.items():
        # Drawn for every kind, so that one kind more or less does not shift the others.
        own = world.chance(f"fault/{name}")
        lasts = sorted(_between(own, *kind.lasts_s) for _ in range(2))
        for machine in world.machines:
            a_day = _between(own, *kind.a_day)
            at_s = FIRST_S + own.expovariate(a_day) * DAY_S
            while at_s < days * DAY_S:
                if name in on:
                    act = partial(_happen, world, kind, machine, (lasts[0], lasts[1]))
                    world.at(at_s, f"fault {name}", act)
                at_s += own.expovariate(a_day) * DAY_S


def calm(world: World) -> None:
    """From now on nothing is broken any more."""
    if world.harm is not None:
        world.harm.calm()


def strike(world: World, kind: str, machine: "Machine", rng: Random, for_s: float) -> None:
    """One fault now."""
    if world.harm is None:
        world.harm = Harm(world)
    KINDS[kind].act(Scene(kind, world, world.harm, machine, rng, for_s))


def _happen(world: World, kind: Kind, machine: "Machine", lasts_s: tuple[float, float], rng: Random) -> None:
    strike(world, kind.name, machine, rng, _between(rng, *lasts_s))


def _swarm(rng: Random) -> list[str]:
    shape = rng.random()
    drawn = {name: rng.random() < 0.5 for name in KINDS}
    if shape < NONE_OF:
        return []
    return [name for name in KINDS if drawn[name] or shape > 1 - NONE_OF]


def _between(rng: Random, low: float, high: float) -> float:
    """Small ones as likely as large ones."""
    return low * math.exp(rng.random() * math.log(high / low))
