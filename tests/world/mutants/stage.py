"""Plays a scene in a world of its own, under the oracle's eyes."""

import time  # only to tell how fast it went
from pathlib import Path

from tests.world import reached
from tests.world.disks import WorldVfs
from tests.world.faults.plan import calm
from tests.world.life import QUIET_S, Outcome, cause_of
from tests.world.mutants.cast import Cast
from tests.world.mutants.scenes import MISHAPS, SCENES
from tests.world.oracle import Oracle
from tests.world.times import DAY_S
from tests.world.world import Violation, World, run

LOST = "lost"
"""The kind of an outcome in which the scene did not get on, and nothing else was wrong."""


def played(scene: str, seed: int, folder: Path, vfs: WorldVfs) -> Outcome:
    """One scene, told as an `Outcome` whatever happens. ``folder`` is empty."""
    outcome = Outcome(seed, 0)
    began_s = time.perf_counter()
    try:
        run(seed, folder, lambda world: _story(world, scene, outcome), vfs)
    except Violation as violation:
        outcome.problem, outcome.kind = str(violation), f"invariant {violation.number}"
        outcome.error = violation
    except Exception as error:  # noqa: BLE001  # what a mistake breaks is told like anything else
        cause = cause_of(error)
        outcome.problem, outcome.kind = f"{type(cause).__name__}: {cause}", type(cause).__name__
        outcome.error = error
    outcome.took_s = time.perf_counter() - began_s
    return outcome


async def _story(world: World, scene: str, outcome: Outcome) -> None:
    oracle = Oracle(world)
    reached.observe(world)

    cast = Cast(world)

    async def play() -> None:
        try:
            await SCENES[scene](cast)
        except MISHAPS as error:
            outcome.kind, outcome.problem = LOST, f"{type(error).__name__}: {error}"

    try:
        await world.begin()
        playing = world.loop.create_task(play())
        playing.add_done_callback(lambda _: world._over.set())
        await world.until(DAY_S)
        playing.result()
        cast.mends()
        calm(world)
        await world.until(world.loop.time() + QUIET_S)
        await oracle.at_rest()
    finally:
        outcome.trace, outcome.lines = world.trace.digest, world.trace.lines[-400:]
        outcome.lived_s = world.loop.time()
