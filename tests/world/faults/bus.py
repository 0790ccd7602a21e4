"""Lines and boards: what is wrong between the daemon and the terminals."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from hw_sim.faults import Faults
from tests.world import times
from tests.world.faults.harm import Kind, Scene
from tests.world.faults.power import at_pulse, boards_fall
from tests.world.times import HOUR_S

if TYPE_CHECKING:
    from hw_sim.layout import BoardPlan

NOISY_S: Final = (2.0, 120.0)
"""A noisy line is spoken in full, which takes real time."""
NOISY_SHARE: Final = 0.02
NOISY_FIRST_S: Final = 600.0
"""No more of a world's time than this share, and so much ahead, is noisy, whatever its seed has drawn."""
REPORTING: Final = "xor8a"
"""The family whose boards speak unasked."""


def break_line(scene: Scene, line: str, **wish: Any) -> None:
    """Everything that is in force at once: all the boards of each, the worst of chances."""
    machine = scene.machine

    def apply(wishes: list[dict[str, Any]]) -> None:
        machine.break_line(line, **{each.name: _merged(each.name, wishes) for each in fields(Faults)})

    scene.strike()
    scene.lasts(scene.harm.layers(f"line {machine.name} {line}", apply).add(wish))


def _merged(name: str, wishes: list[dict[str, Any]]) -> Any:
    healthy = getattr(Faults(), name)
    now = [wish[name] for wish in wishes if name in wish]
    if isinstance(healthy, tuple):
        return tuple(sorted({each for those in now for each in those}))
    return max(now, default=healthy)


def _line(scene: Scene) -> str:
    return scene.rng.choice(scene.machine.layout.lines)


def _board(scene: Scene) -> "BoardPlan":
    return scene.rng.choice(scene.machine.layout.boards)


# --- noise ---


def may_be_noisy(scene: Scene) -> bool:
    """Whether there is time left for it; it is taken then."""
    left_s = NOISY_FIRST_S + NOISY_SHARE * scene.now_s - scene.harm.noisy_s
    if scene.for_s > left_s:
        return False
    scene.harm.noisy_s += scene.for_s
    return True


def _noise(scene: Scene) -> None:
    """One or two of the ways in which a line is bad."""
    if not may_be_noisy(scene):
        return
    ways = {
        "request_loss": scene.rng.uniform(0.01, 0.4),
        "loss": scene.rng.uniform(0.01, 0.4),
        "flip": scene.rng.uniform(0.0005, 0.02),
        "noise": scene.rng.uniform(0.01, 0.4),
        "collision": scene.rng.uniform(0.01, 0.3),
        "duplicate": scene.rng.uniform(0.01, 0.4),
    }
    chosen = scene.rng.sample(sorted(ways), scene.rng.randint(1, 2))
    break_line(scene, _line(scene), **{name: ways[name] for name in chosen})


def _storm(scene: Scene) -> None:
    """Everything at once, as beside a welding machine."""
    if not may_be_noisy(scene):
        return
    loss = scene.rng.uniform(0.3, 0.9)
    break_line(scene, _line(scene), request_loss=loss, flip=0.05, noise=0.7, collision=0.5)


def _late(scene: Scene) -> None:
    if not may_be_noisy(scene):
        return
    late_ms = scene.rng.choice((50, 200, 300, 700, 2_000))
    break_line(scene, _line(scene), late=scene.rng.uniform(0.02, 0.5), late_ms=late_ms)


# --- boards ---


def _slow_boards(scene: Scene) -> None:
    break_line(scene, _line(scene), delay_ms=scene.rng.choice((5, 20, 60, 150, 400)))


def _dead_board(scene: Scene) -> None:
    board = _board(scene)
    break_line(scene, board.line, dead=(board.address,))


def _dead_line(scene: Scene) -> None:
    """No board answers, and the adapter hands back what is sent."""
    line = _line(scene)
    boards = tuple(board.address for board in scene.machine.layout.boards if board.line == line)
    break_line(scene, line, echo=True, dead=boards)


def _dead_echo(scene: Scene) -> None:
    """One board is dead, and the adapter hands back what is sent."""
    board = _board(scene)
    break_line(scene, board.line, echo=True, dead=(board.address,))


def _wrong(scene: Scene) -> None:
    """Whole replies that are not the answer."""
    board = _board(scene)
    twist = scene.rng.choice(("wrong_address", "wrong_command", "wrong_echo"))
    break_line(scene, board.line, **{twist: (board.address,)})


def _garbage(scene: Scene) -> None:
    board = _board(scene)
    break_line(scene, board.line, garbage=(board.address,))


def _unasked(scene: Scene) -> None:
    boards = [board for board in scene.machine.layout.boards if board.profile.startswith(REPORTING)]
    if boards:
        board = scene.rng.choice(boards)
        break_line(scene, board.line, reports=(board.address,))


def _crossed_line(scene: Scene) -> None:
    """A and B the wrong way round."""
    break_line(scene, _line(scene), swapped=True)


def _reboot(scene: Scene) -> None:
    board = _board(scene)
    scene.strike()
    scene.machine.reboot_board(board.line, board.address)


def _reboot_at_pulse(scene: Scene) -> None:
    """While a coil has power, or right after."""
    after_s = scene.rng.uniform(0.0, 0.8)

    def fall() -> None:
        if scene.machine.powered:
            scene.strike()
            boards_fall(scene.machine)

    at_pulse(scene, lambda: times.at(scene.now_s + after_s, fall))


def _same_address(scene: Scene) -> None:
    """A board answers in another one's place too."""
    machine, line = scene.machine, _line(scene)
    boards = machine.wires[line].boards
    if len(boards) < 2 or not all(hasattr(board, "_address") for board in boards):
        return
    one, other = scene.rng.sample(range(len(boards)), 2)
    true = machine.layout.boards[other].address

    def become(address: int) -> None:
        machine.catch_up()
        machine.wires[line].boards[other]._address = address  # type: ignore[attr-defined]
        machine.break_line(line)

    scene.strike()
    become(boards[one].address)
    scene.lasts(lambda: become(true))


def _unplugged(scene: Scene) -> None:
    """The adapter is pulled out, and comes back under the same path whatever the kernel calls it."""
    machine = scene.machine

    def apply(lines: list[str]) -> None:
        machine.plug(frozenset(machine.layout.lines) - set(lines))

    scene.strike()
    scene.lasts(scene.harm.layers(f"plug {machine.name}", apply).add(_line(scene)))


KINDS: Final = (
    Kind("noise", (1.0, 8.0), NOISY_S, _noise),
    Kind("noise_storm", (0.2, 2.0), NOISY_S, _storm),
    Kind("late_replies", (0.5, 4.0), NOISY_S, _late),
    Kind("slow_boards", (0.2, 2.0), (5.0, HOUR_S), _slow_boards),
    Kind("dead_board", (0.1, 1.0), (5.0, 6 * HOUR_S), _dead_board),
    Kind("dead_line", (0.05, 0.5), (5.0, HOUR_S), _dead_line),
    Kind("dead_echo", (0.05, 0.5), (5.0, HOUR_S), _dead_echo),
    Kind("wrong_replies", (0.1, 2.0), (1.0, 600.0), _wrong),
    Kind("garbage", (0.1, 2.0), (10.0, HOUR_S), _garbage),
    Kind("unasked", (0.2, 2.0), (60.0, 6 * HOUR_S), _unasked),
    Kind("crossed_line", (0.02, 0.3), (5.0, 600.0), _crossed_line),
    Kind("board_reboot", (0.2, 4.0), (1.0, 1.0), _reboot),
    Kind("reboot_at_pulse", (0.2, 4.0), (HOUR_S, HOUR_S), _reboot_at_pulse),
    Kind("same_address", (0.05, 0.5), (5.0, 600.0), _same_address),
    Kind("unplugged", (0.1, 2.0), (0.5, HOUR_S), _unplugged),
)
