"""Lines, boards, locks and sensors."""

from dataclasses import fields
from typing import Any, Final

from hw_sim.faults import Faults
from tests.world.faults.harm import Kind, Scene
from tests.world.times import HOUR_S

NOISY_S: Final = (2.0, 120.0)
"""A noisy line is spoken in full, which takes real time."""


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


def _noise(scene: Scene) -> None:
    """One or two of the ways in which a line is bad."""
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
    r = scene.rng
    break_line(scene, _line(scene), request_loss=r.uniform(0.3, 0.9), flip=0.05, noise=0.7, collision=0.5)


def _late(scene: Scene) -> None:
    late_ms = scene.rng.choice((50, 200, 300, 700, 2_000))
    break_line(scene, _line(scene), late=scene.rng.uniform(0.02, 0.5), late_ms=late_ms)


KINDS: Final = (
    Kind("noise", (1.0, 8.0), NOISY_S, _noise),
    Kind("noise_storm", (0.2, 2.0), NOISY_S, _storm),
    Kind("late_replies", (0.5, 4.0), NOISY_S, _late),
)
__all__ = ["HOUR_S", "KINDS", "break_line"]
