"""The locker's card while it has no power: rot, an old image, a newer schema, and a copy of it elsewhere."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from locker.journal.errors import JournalTooNew
from tests.world import times
from tests.world.disks import Platter
from tests.world.faults.harm import Kind, Scene
from tests.world.faults.network import cut_off
from tests.world.faults.power import down
from tests.world.machine import Machine
from tests.world.times import DAY_S, HOUR_S

if TYPE_CHECKING:
    from hw_sim.cabinet import Move, Pulse
    from locker.domain.entry import Entry
    from locker.domain.state import LockerState

Image = dict[str, bytes]
CHANGE_S: Final = 10.0
"""Somebody takes the card out and puts another in."""
LOOK_S: Final = 90.0
"""So long a technician watches whether it serves."""
RESTARTS: Final = 2
SILENT: Final = 0.5
"""How often the centre cannot be asked what an old card has forgotten."""
NEWER: Final = 9_999
JOURNAL: Final = "journal.sqlite3"


def exchange(scene: Scene, other: Callable[[Image], Image]) -> Image:
    """The power goes, the card is changed for ``other`` of it, the power comes back. What was in it."""
    end = down(scene, CHANGE_S)
    machine = scene.machine
    was = machine.platter.image()
    machine.swap_card(other(was))
    if scene.harm.is_calm:
        end()
    return was


def alone(scene: Scene) -> Callable[[], None] | None:
    """One strange card in a locker at a time, or its history would be torn by us; None: there is one."""
    busy = scene.harm.busy
    if scene.machine.name in busy:
        return None
    busy.add(scene.machine.name)
    return lambda: busy.discard(scene.machine.name)


def _old_card(scene: Scene) -> None:
    """An image is made now, put in later, and in the end the true card comes back."""
    machine, old = scene.machine, scene.machine.platter.image()

    def put_in() -> None:
        free = alone(scene)
        if scene.harm.is_calm or free is None:
            return
        scene.strike()
        scene.world.lies.add("old_card")
        known = dict(scene.world.testimony.entrusted)
        silent, stays_s = scene.rng.random() < SILENT, 600.0 * scene.rng.random()
        if silent:
            stays_s = HOUR_S + 6 * stays_s
            _silenced(scene, stays_s)
        true = exchange(scene, lambda _: old)

        def put_back() -> None:
            if not _heard(scene):
                scene.world.testimony.shaken(machine, but=known)
            exchange(scene, lambda _: true)
            free()

        scene.lasts(put_back, 2 * CHANGE_S + stays_s)

    times.at(machine.loop.time() + scene.for_s, put_in)


def _heard(scene: Scene) -> bool:
    """Whether the centre has all that this card says, and can tell the next one of it. Otherwise nobody there
    knows what was taken over meanwhile, where two on site vouched for it."""
    built, name = scene.machine.built, scene.machine.name
    if built is None or not scene.world.broker.reachable(name):
        return False
    return built.journal.acknowledged == built.journal.state.seq


def _silenced(scene: Scene, for_s: float) -> None:
    """The link goes just when the locker asks what it may have forgotten: staff on site must vouch for it."""
    cut = False

    def asks(who: Machine, state: "LockerState", _entries: "tuple[Entry, ...]") -> None:
        nonlocal cut
        if who is scene.machine and state.history.awaited and not cut and not scene.harm.is_calm:
            cut = True
            cut_off(scene, who.name, for_s)

    scene.world.on_entries.append(asks)


def _newer_schema(scene: Scene) -> None:
    """A card that newer software has used: this one must refuse it."""
    free = alone(scene)
    if free is None:
        return
    machine = scene.machine
    ills = machine.platter.ills
    if ills.refuses is not None or ills.room is not None:  # newer software could not write either
        free()
        return
    path = f"{machine.folder / 'state'}/{JOURNAL}"
    end = down(scene, CHANGE_S)
    true = machine.platter.image()
    if path not in true:
        free()
        return
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {NEWER}")
    machine.swap_card(machine.platter.image())

    def refused(who: Machine, problem: BaseException | None) -> None:
        if who is machine and isinstance(problem, JournalTooNew):
            scene.strike()
            scene.world.on_end.remove(refused)

    def put_back() -> None:
        if refused in scene.world.on_end:
            scene.world.on_end.remove(refused)
        end()
        exchange(scene, lambda _: true)
        free()

    scene.world.on_end.append(refused)
    scene.lasts(put_back)


def _bit_rot(scene: Scene) -> None:
    """One bit of the journal's file. Where the daemon refuses it, or stumbles, the bit is put back."""
    free = alone(scene)
    if free is None:
        return
    machine = scene.machine
    path = f"{machine.folder / 'state'}/{JOURNAL}"
    place, bit = scene.rng.random(), 1 << scene.rng.randrange(8)
    at = 0

    def rotten(image: Image) -> Image:
        nonlocal at
        data = bytearray(image.get(path, b""))
        if data:
            at = int(place * len(data))
            data[at] ^= bit
            scene.strike()
            scene.world.lies.add("bit_rot")
        return {**image, path: bytes(data)} if data else image

    true = exchange(scene, rotten)

    def mended(image: Image) -> Image:
        data = bytearray(image[path])
        if at < len(data) and data[at] == true[path][at] ^ bit:
            data[at] ^= bit
        return {**image, path: bytes(data)}

    def look() -> None:
        if path in true:
            exchange(scene, mended)
        free()

    scene.lasts(look, CHANGE_S + LOOK_S)


def _clone(scene: Scene) -> None:
    """Somewhere a second locker begins to live from a copy of this one's card and keys."""
    machine, world = scene.machine, scene.world
    count = scene.harm.struck[scene.kind] + 1
    twin = Machine(
        machine.name,
        world.folder / f"{machine.name}-twin-{count}",
        machine.layout,
        world.broker,
        world.rack,
        world.vfs,
        world.chance(f"twin {count}"),
        world.spoken,
    )
    twin.write_config()
    shutil.copytree(machine.folder / "keys", twin.folder / "keys")
    was, now = str(machine.folder), str(twin.folder)
    twin.platter = Platter({name.replace(was, now): data for name, data in machine.platter.image().items()})
    world.rack.put(twin.folder / "state", twin.platter)
    world.twins.append(twin)
    scene.strike()
    world.lies.add("clone")
    watch_twin(scene, twin)
    twin.start()

    def gone() -> None:
        twin.restarts = False
        twin.end(None)
        # Somebody sees to it that the true one is further than its copy ever was.
        for n in range(RESTARTS):
            times.at(scene.now_s + n * CHANGE_S, machine.kill)

    scene.lasts(gone)


def watch_twin(scene: Scene, twin: Machine) -> None:
    """It stands in somebody's workshop: nobody comes to it, so nothing may ever move there."""

    def moved(move: "Move") -> None:
        scene.world.violated(1, f"the copy moved {move}")

    def pulsed(pulse: "Pulse") -> None:
        scene.world.violated(1, f"the copy pulsed {pulse}")

    twin.watchers.move, twin.watchers.pulse = moved, pulsed


KINDS: Final = (
    Kind("old_card", (0.03, 0.6), (HOUR_S / 6, 5 * DAY_S), _old_card),
    Kind("newer_schema", (0.01, 0.2), (60.0, 600.0), _newer_schema),
    Kind("bit_rot", (0.02, 0.3), (1.0, 1.0), _bit_rot),
    Kind("clone", (0.01, 0.1), (60.0, HOUR_S), _clone),
)
