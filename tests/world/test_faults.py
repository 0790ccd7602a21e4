"""Every kind of fault, alone: it takes effect, ends at calm, and then the locker serves as before."""

import contextlib
from collections.abc import Mapping
from contextvars import Context
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from hw_sim.layout import LAYOUTS, made
from locker.domain.compartment import Status
from sync.central.cases import PreReview
from tests.world.centre import ClosedError, Person, Size
from tests.world.disks import WorldVfs
from tests.world.faults.bus import may_be_noisy
from tests.world.faults.plan import KINDS, calm, strike
from tests.world.screen import DarkError
from tests.world.times import DAY_S, pause
from tests.world.world import World, run

WHILE_S: Final = 240.0
FELT_S: Final = 30.0
QUIET_S: Final = 180.0
PATIENCE: Final = 240
DOUBTFUL: Final = {"inverted", "reordered", "old_card"}
"""Every door seemed to stand open, or the card may have forgotten: staff must look into all of them first."""
Told = tuple[Mapping[str, int], int]


def test_however_many_noises_are_drawn_lines_are_noisy_for_their_share_only() -> None:
    scene: Any = SimpleNamespace(now_s=0.0, for_s=120.0, harm=SimpleNamespace(noisy_s=0.0))
    assert sum(may_be_noisy(scene) for _ in range(50)) == 5
    scene.now_s = DAY_S
    assert sum(may_be_noisy(scene) for _ in range(50)) == 14
    assert scene.harm.noisy_s <= 600 + 0.02 * DAY_S


async def _until(world: World, *screens: str) -> Mapping[str, Any]:
    """Wait until the first locker's screen shows one of those."""
    view: Mapping[str, Any] = {}
    for _ in range(PATIENCE):
        view = await world.machines[0].screen.view()
        if view["screen"] in screens:
            return view
        await pause(0.5)
    raise AssertionError(f"the screen shows {view}, none of {screens}")


async def _visit(world: World, n: int) -> None:
    """Somebody is admitted at the desk, comes with the code, and hands papers in."""
    machine, phone = world.machines[0], f"138{n:08d}"
    person = Person("张伟", phone)
    await world.centre.pre_review(
        PreReview(f"C{n}", "licence", ("form",), (), Size.S, person, machine.name, 72)
    )
    for _ in range(PATIENCE):
        if phone in world.centre.phones.inbox:
            break
        await pause(1.0)
    code = world.centre.phones.inbox[phone][0].said["typed"]
    view = await machine.screen.typed(code)
    for _ in range(PATIENCE):
        if view["screen"] == "offer":
            break
        await pause(2.0)
        view = await machine.screen.typed(code)
    await machine.screen.act("open")
    door = (await _until(world, "place"))["door"]
    await pause(3.0)
    assert world.contents.put(machine, door, f"papers {n}")
    await pause(3.0)
    machine.do(door, "shut")
    if (await _until(world, "confirm_in", "receipt"))["screen"] == "confirm_in":
        await machine.screen.act("confirm_in")
    await _until(world, "receipt")
    await machine.screen.act("leave")


async def _try_visit(world: World, n: int) -> None:
    """In bad times: it may come to nothing, and the doors are left shut."""
    with contextlib.suppress(DarkError, ClosedError, AssertionError, KeyError):
        await _visit(world, n)
    for door in world.machines[0].model.numbers:
        world.machines[0].do(door, "shut")


def _for_s(kind: str) -> float:
    """Long enough to be felt, short enough to be over with the visit; of a trap, its whole patience."""
    low, high = KINDS[kind].lasts_s
    return high if low == high else min(FELT_S, high)


def _lived(seed: int, kind: str, folder: Path, vfs: WorldVfs) -> Told:
    async def story(world: World) -> Told:
        await world.begin()
        machine = world.machines[0]
        strike(world, kind, machine, world.chance("strike"), _for_s(kind))
        trying = world.loop.create_task(_try_visit(world, 1), context=Context())
        await world.until(world.loop.time() + WHILE_S)
        calm(world)
        for door in machine.model.numbers:
            machine.do(door, "shut")
        await world.until(world.loop.time() + QUIET_S)
        trying.cancel()  # whoever never got on does not stand in the way of the next
        assert machine.built is not None
        found = machine.built.journal.state.compartments.values()
        doubted = {each.status for each in found} - {Status.HOLDING} == {Status.TO_CHECK}
        if kind in DOUBTFUL:
            assert doubted
        elif not (kind == "clone" and doubted):  # whose history was heard first is chance
            await _visit(world, 2)
        assert world.harm is not None
        return dict(world.harm.struck), world.points[f"fault: {kind}"]

    folder.mkdir()
    layout = made("xor8a-24") if kind == "unasked" else LAYOUTS["two-board"]
    told: Told = run(seed, folder, story, vfs, layout=layout)
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_takes_effect_and_ends(kind: str, short: Path, vfs: WorldVfs) -> None:
    struck, points = _lived(1, kind, short / "w", vfs)

    assert struck[kind] == points >= 1


def _all_at_once(folder: Path, vfs: WorldVfs) -> tuple[str, int]:
    """Every kind, one second after the other, while somebody tries to be served."""

    async def story(world: World) -> tuple[str, int]:
        await world.begin()
        for n, kind in enumerate(sorted(KINDS)):
            if kind != "unasked":
                strike(world, kind, world.machines[0], world.chance(f"strike/{kind}"), _for_s(kind))
            if n % 10 == 0:
                world.spawn(_try_visit(world, n))
            await world.until(world.loop.time() + 1.0)
        calm(world)
        await world.until(world.loop.time() + QUIET_S)
        assert world.harm is not None
        return world.trace.digest, len(world.harm.struck)

    folder.mkdir()
    told: tuple[str, int] = run(7, folder, story, vfs)
    return told


def test_the_same_seed_suffers_the_same(short: Path, vfs: WorldVfs) -> None:
    once, struck = _all_at_once(short / "a", vfs)
    again, _ = _all_at_once(short / "b", vfs)

    assert once == again
    assert struck > len(KINDS) // 2
