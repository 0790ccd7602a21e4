"""The locker's disk while it is in use."""

from typing import Any, Final

from tests.power.vfs import IO_ERROR
from tests.world.disks import FULL, READ_ONLY
from tests.world.faults.harm import Kind, Scene
from tests.world.times import HOUR_S

ROOM_MAX: Final = 120_000
"""Of bytes: some minutes of service."""


def refuse(scene: Scene, code: int, *, syncs_only: bool = False) -> None:
    machine = scene.machine

    def apply(wishes: list[tuple[int, bool]]) -> None:
        ills = machine.platter.ills
        ills.refuses, ills.syncs_only = wishes[-1] if wishes else (None, False)
        if not wishes:
            restarted(scene)

    scene.strike()
    scene.lasts(scene.harm.layers(f"disk {machine.name}", apply).add((code, syncs_only)))


def restarted(scene: Scene) -> None:
    """What wrote in vain does not try again by itself: whoever mended the disk starts the daemon anew."""
    built = scene.machine.built
    if built is not None and built.journal.failing:
        scene.machine.kill()


def _write_error(scene: Scene) -> None:
    refuse(scene, IO_ERROR)


def _sync_error(scene: Scene) -> None:
    refuse(scene, IO_ERROR, syncs_only=True)


def _read_only(scene: Scene) -> None:
    refuse(scene, READ_ONLY)


def _full(scene: Scene) -> None:
    """At any byte: the one that does not fit any more ends a write half-way."""
    machine = scene.machine

    def apply(rooms: list[int]) -> None:
        machine.platter.ills.room = min(rooms) if rooms else None
        machine.disk_used_percent = 100 if rooms else 20
        if not rooms:
            restarted(scene)

    scene.strike()
    scene.lasts(scene.harm.layers(f"room {machine.name}", apply).add(scene.rng.randrange(ROOM_MAX)))


def _slow(scene: Scene) -> None:
    machine = scene.machine

    def apply(wishes: list[Any]) -> None:
        machine.storing.slow_s = max(wishes, default=0.0)

    scene.strike()
    slow_s = scene.rng.choice((0.1, 0.3, 1.0, 3.0, 10.0)) * (1.0 + 2.0 * scene.rng.random())
    scene.lasts(scene.harm.layers(f"slow {machine.name}", apply).add(slow_s))


def _full_at_once(scene: Scene) -> None:
    refuse(scene, FULL)


KINDS: Final = (
    Kind("write_error", (0.05, 1.0), (1.0, 600.0), _write_error),
    Kind("sync_error", (0.05, 1.0), (1.0, 600.0), _sync_error),
    Kind("read_only", (0.05, 1.0), (1.0, 600.0), _read_only),
    Kind("disk_full", (0.05, 1.0), (60.0, HOUR_S), _full),
    Kind("disk_full_at_once", (0.05, 1.0), (1.0, 600.0), _full_at_once),
    Kind("slow_disk", (0.1, 3.0), (5.0, 600.0), _slow),
)
