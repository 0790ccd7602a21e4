"""Locks, contacts and sensors of single compartments, and what is wired to which terminal."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tests.world.faults.bus import break_line
from tests.world.faults.harm import Kind, Scene
from tests.world.times import HOUR_S

if TYPE_CHECKING:
    from hw_sim.layout import CompartmentPlan, Terminal
    from hw_sim.physics import Compartment

BOUNCE_MAX_MS: Final = 400


def _plan(scene: Scene) -> "CompartmentPlan":
    model = scene.machine.model
    return model.plan(scene.rng.choice(model.numbers))


def _break(scene: Scene, way: str, terminal: "Terminal") -> None:
    break_line(scene, terminal.line, **{way: (f"{terminal.board}/{terminal.channel}",)})


def _stuck_coil(scene: Scene) -> None:
    """Once on it stays on, and the board says so."""
    _break(scene, "stuck_on", _plan(scene).lock)


def _welded(scene: Scene) -> None:
    """Once closed it never opens, and the board does not know."""
    _break(scene, "welded", _plan(scene).lock)


def _jammed(scene: Scene) -> None:
    door = _plan(scene).number
    if not scene.machine.model.thing(door).jammed:
        scene.strike()
        scene.machine.do(door, "jam")
        scene.lasts(lambda: scene.machine.do(door, "unjam"))


def _door_sensor(scene: Scene) -> None:
    scene.world.lies.add("door_sensor")
    _break(scene, scene.rng.choice(("stuck_0", "stuck_1")), _plan(scene).door)


def _item_sensor(scene: Scene) -> None:
    item = _plan(scene).item
    if item is not None:
        scene.world.lies.add("item_sensor")
        _break(scene, scene.rng.choice(("stuck_0", "stuck_1")), item)


def _inverted(scene: Scene) -> None:
    """Every input of a board says the contrary."""
    doors = sorted({(plan.door.line, plan.door.board) for plan in scene.machine.layout.compartments})
    line, board = scene.rng.choice(doors)
    scene.world.lies |= {"door_sensor", "item_sensor"}
    break_line(scene, line, inverted=(board,))


def _reordered(scene: Scene) -> None:
    """The status of a board's locks comes with its bytes the other way round."""
    doors = sorted({(plan.door.line, plan.door.board) for plan in scene.machine.layout.compartments})
    line, board = scene.rng.choice(doors)
    scene.world.lies |= {"door_sensor", "item_sensor"}
    break_line(scene, line, reordered=(board,))


def _bouncing(scene: Scene) -> None:
    """All contacts chatter after every move."""
    machine, bounce_ms = scene.machine, scene.rng.randint(5, BOUNCE_MAX_MS)

    def apply(wishes: list[int]) -> None:
        machine.catch_up()

        def chatter(it: "Compartment") -> "Compartment":
            return replace(it, mechanics=replace(it.mechanics, bounce_ms=max(wishes, default=0)))

        for door in machine.model.numbers:
            machine.model.change(door, chatter, "mechanics", "hand")

    scene.strike()
    scene.lasts(scene.harm.layers(f"bounce {machine.name}", apply).add(bounce_ms))


def _swapped_wires(scene: Scene) -> None:
    """The locks of two doors, or their contacts, hang on each other's terminals."""
    model = scene.machine.model
    one, other = (model.plan(door) for door in scene.rng.sample(list(model.numbers), 2))
    swap = scene.rng.choice((_swap_locks, _swap_doors))

    def back() -> None:
        swap(scene, one, other)

    scene.strike()
    scene.world.lies.add("swapped_wires")
    back()
    scene.lasts(back)


def _swap_locks(scene: Scene, one: "CompartmentPlan", other: "CompartmentPlan") -> None:
    machine = scene.machine
    machine.catch_up()
    locks: dict[Any, int] = machine.model._locks
    for terminal in (one.lock, other.lock):
        if machine.model.thing(locks[terminal]).coil_since_ms is not None:
            machine.model.switched(terminal, on=False, at_ms=machine.model.now_ms)
    locks[one.lock], locks[other.lock] = locks[other.lock], locks[one.lock]


def _swap_doors(scene: Scene, one: "CompartmentPlan", other: "CompartmentPlan") -> None:
    machine = scene.machine
    machine.catch_up()
    whose = {one.number: other.number, other.number: one.number}
    for wires in machine.model._doors.values():
        for place, wire in enumerate(wires):
            if wire.compartment in whose:
                wires[place] = replace(wire, compartment=whose[wire.compartment])  # type: ignore[index]
    machine.break_line(one.door.line)


KINDS: Final = (
    Kind("stuck_coil", (0.05, 0.5), (60.0, 2 * HOUR_S), _stuck_coil),
    Kind("welded", (0.05, 0.5), (60.0, 2 * HOUR_S), _welded),
    Kind("jammed", (0.1, 2.0), (10.0, 6 * HOUR_S), _jammed),
    Kind("door_sensor", (0.05, 0.5), (10.0, 3 * HOUR_S), _door_sensor),
    Kind("item_sensor", (0.05, 0.5), (10.0, 6 * HOUR_S), _item_sensor),
    Kind("inverted", (0.02, 0.2), (5.0, 600.0), _inverted),
    Kind("reordered", (0.02, 0.2), (5.0, 600.0), _reordered),
    Kind("bouncing", (0.1, 1.0), (60.0, 6 * HOUR_S), _bouncing),
    Kind("swapped_wires", (0.02, 0.2), (60.0, HOUR_S), _swapped_wires),
)
