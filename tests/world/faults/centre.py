"""The hub's machine, and the SMS gateway."""

from typing import TYPE_CHECKING, Final

from tests.world import times
from tests.world.faults.harm import Kind, Scene, Undo
from tests.world.times import DAY_S, HOUR_S

if TYPE_CHECKING:
    from tests.world.centre import Centre

OPERATIONS_MAX: Final = 300


def _kill(scene: Scene) -> None:
    if scene.world.centre.running:
        scene.strike()
        scene.world.centre.kill()


def _cut(scene: Scene) -> None:
    if scene.world.centre.running:
        scene.strike()
        scene.world.centre.cut_power()


def _at_operation(scene: Scene, then: Undo) -> None:
    """``then`` comes right after one of the next storage operations, and nothing before it."""
    centre, left = scene.world.centre, scene.rng.randint(1, OPERATIONS_MAX)

    def watch() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            end()
            doom(centre, then)

    def apply(watches: list[Undo]) -> None:
        def all_of_them() -> None:
            for each in tuple(watches):
                each()

        centre.platter.ills.watch = all_of_them if watches else None

    end = scene.lasts(scene.harm.layers("watch hub", apply).add(watch))


def doom(centre: "Centre", end: Undo) -> None:
    centre.platter.stopped = True
    centre.loop.freeze(centre.life)
    times.at(centre.loop.time(), end)


def _kill_at_operation(scene: Scene) -> None:
    _at_operation(scene, lambda: _kill(scene))


def _cut_at_operation(scene: Scene) -> None:
    _at_operation(scene, lambda: _cut(scene))


def _down(scene: Scene) -> None:
    """Not there for a long time."""
    centre = scene.world.centre

    def apply(causes: list[bool]) -> None:
        centre.restarts = not causes
        if causes:
            centre.kill()
        else:
            centre.start()

    scene.strike()
    scene.lasts(scene.harm.layers("hub down", apply).add(True))


def _restored(scene: Scene) -> None:
    """A backup is made now, and put back later."""
    centre = scene.world.centre
    image = centre.platter.image()

    def put_back() -> None:
        if centre.running and not scene.harm.is_calm:
            scene.strike()
            scene.world.lies.add("hub_restored")
            centre.restore(image)

    times.at(scene.now_s + scene.for_s, put_back)


def _no_sms(scene: Scene) -> None:
    phones = scene.world.centre.phones

    def apply(causes: list[bool]) -> None:
        phones.up = not causes

    scene.strike()
    scene.lasts(scene.harm.layers("sms", apply).add(True))


KINDS: Final = (
    Kind("hub_kill", (0.1, 4.0), (1.0, 1.0), _kill),
    Kind("hub_kill_at_operation", (0.2, 6.0), (HOUR_S, HOUR_S), _kill_at_operation),
    Kind("hub_cut", (0.1, 2.0), (1.0, 1.0), _cut),
    Kind("hub_cut_at_operation", (0.2, 6.0), (HOUR_S, HOUR_S), _cut_at_operation),
    Kind("hub_down", (0.05, 0.5), (60.0, 12 * HOUR_S), _down),
    Kind("hub_restored", (0.01, 0.1), (HOUR_S / 6, 3 * DAY_S), _restored),
    Kind("no_sms", (0.1, 2.0), (10.0, 6 * HOUR_S), _no_sms),
)
