"""Power and processes: cuts, kills and stops, at random and aimed at the worst moment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.world import times
from tests.world.faults.harm import Kind, Scene, Undo

if TYPE_CHECKING:
    from hw_sim.cabinet import Pulse
    from tests.world.machine import Machine

WATCHDOG_S: Final = 20.0
"""systemd ends a daemon that has been silent for so long."""
STOP_S: Final = 60.0
"""It waits so long for one that was asked to stop."""
OPERATIONS_MAX: Final = 150
"""Of a visit and a half."""
RECOVERY_MAX: Final = 40
CUTS_MAX: Final = 5


def down(scene: Scene, for_s: float) -> Undo:
    """No power; with the boards, mostly. The answer brings it back at once."""
    machine = scene.machine

    def apply(causes: list[bool]) -> None:
        if causes:
            machine.cut_power()
        else:
            machine.power_on()

    with_boards = scene.rng.random() < 0.8  # else the lock rail has a battery of its own
    off = scene.harm.layers(f"power {machine.name}", apply).add(with_boards)
    if with_boards:
        boards_fall(machine)
    return scene.lasts(off, for_s)


def boards_fall(machine: "Machine") -> None:
    for plan in machine.layout.boards:
        machine.reboot_board(plan.line, plan.address)


def off_s(scene: Scene) -> float:
    """For how long: a flicker, or a fuse that somebody must find."""
    return scene.rng.choice((0.5, 5.0, 30.0, 120.0, 600.0)) * (0.5 + scene.rng.random())


def doom(machine: "Machine", end: Undo) -> None:
    """In the middle of an operation: nothing more is done or told; ``end`` comes before anything else."""
    machine.platter.stopped = True
    machine.screen.frozen = True
    machine.loop.freeze(machine.life)
    times.at(machine.loop.time(), end)


def at_operation(scene: Scene, count: int, hit: Undo) -> None:
    """Call ``hit`` inside the ``count``-th storage operation from now."""
    left = count

    def watch() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            end()
            hit()

    def apply(watches: list[Undo]) -> None:
        def all_of_them() -> None:
            for each in tuple(watches):
                each()

        scene.machine.platter.ills.watch = all_of_them if watches else None

    end = scene.lasts(scene.harm.layers(f"watch {scene.machine.name}", apply).add(watch))


def at_pulse(scene: Scene, hit: Undo) -> None:
    """Call ``hit`` as the next order reaches its board."""

    def watch(machine: "Machine", _pulse: "Pulse") -> None:
        if machine is scene.machine and machine.running:
            end()
            hit()

    scene.world.on_pulse.append(watch)
    end = scene.lasts(lambda: scene.world.on_pulse.remove(watch))


# --- kinds ---


def _cut(scene: Scene) -> None:
    if scene.machine.powered:
        scene.strike()
    down(scene, scene.for_s)


def _falls(scene: Scene) -> None:
    """What a trap does: the power goes now."""
    for_s = off_s(scene)

    def cut() -> None:
        scene.strike()
        down(scene, for_s)

    doom(scene.machine, cut)


def _cut_at_operation(scene: Scene) -> None:
    at_operation(scene, scene.rng.randint(1, OPERATIONS_MAX), lambda: _falls(scene))


def _cut_at_pulse(scene: Scene) -> None:
    at_pulse(scene, lambda: _falls(scene))


def _cut_in_recovery(scene: Scene) -> None:
    """Once, and again and again while it comes back."""
    machine, more = scene.machine, scene.rng.randint(1, CUTS_MAX)

    def again() -> None:
        nonlocal more

        def cut() -> None:
            scene.strike()
            down(scene, 2.0)
            again()

        if more and not scene.harm.is_calm:
            more -= 1
            at_operation(scene, scene.rng.randint(1, RECOVERY_MAX), lambda: doom(machine, cut))

    down(scene, 2.0)
    again()


def _kill(scene: Scene) -> None:
    if scene.machine.running:
        scene.strike()
        scene.machine.kill()


def _kill_at_operation(scene: Scene) -> None:
    at_operation(
        scene, scene.rng.randint(1, OPERATIONS_MAX), lambda: doom(scene.machine, lambda: _kill(scene))
    )


def _kill_at_pulse(scene: Scene) -> None:
    at_pulse(scene, lambda: doom(scene.machine, lambda: _kill(scene)))


def _freeze(scene: Scene) -> None:
    """SIGSTOP and SIGCONT; or a loop that hangs. The watchdog ends what takes too long."""
    machine = scene.machine
    if not machine.running or machine.screen.frozen:
        return
    scene.strike()
    machine.freeze()
    life = machine.life

    def over(then: Callable[[], None]) -> None:
        if machine.life == life and machine.running:
            then()

    if scene.for_s >= WATCHDOG_S:
        scene.lasts(lambda: over(machine.kill), WATCHDOG_S)
    else:
        scene.lasts(lambda: over(machine.thaw))


def _stop(scene: Scene) -> None:
    """SIGTERM, and somebody who starts it again."""
    machine = scene.machine
    if not machine.running:
        return
    scene.strike()
    life, began_s = machine.life, scene.now_s
    machine.stop()

    def again() -> None:
        if machine.life != life:
            return
        if not machine.running:
            machine.start()
        elif machine.loop.time() - began_s > STOP_S:
            machine.kill()
        else:
            times.at(machine.loop.time() + 1.0, again)

    scene.lasts(again)


def _rail_dead(scene: Scene) -> None:
    """The locks have no power and everything else has: boards take orders, and nothing moves."""
    machine = scene.machine
    doors = [door for door in machine.model.numbers if not machine.model.thing(door).jammed]
    for door in doors:
        machine.do(door, "jam")

    def back() -> None:
        for door in doors:
            machine.do(door, "unjam")

    if doors:
        scene.strike()
        scene.lasts(back)


KINDS: Final = (
    Kind("power_cut", (0.2, 6.0), (0.5, 1_800.0), _cut),
    Kind("cut_at_operation", (0.5, 12.0), (3_600.0, 3_600.0), _cut_at_operation),
    Kind("cut_at_pulse", (0.2, 6.0), (3_600.0, 3_600.0), _cut_at_pulse),
    Kind("cut_in_recovery", (0.1, 2.0), (600.0, 600.0), _cut_in_recovery),
    Kind("kill", (0.2, 8.0), (1.0, 1.0), _kill),
    Kind("kill_at_operation", (0.5, 12.0), (3_600.0, 3_600.0), _kill_at_operation),
    Kind("kill_at_pulse", (0.2, 6.0), (3_600.0, 3_600.0), _kill_at_pulse),
    Kind("freeze", (0.5, 12.0), (0.1, 60.0), _freeze),
    Kind("stop", (0.1, 2.0), (1.0, 600.0), _stop),
    Kind("rail_dead", (0.05, 1.0), (10.0, 1_800.0), _rail_dead),
)
