"""What is broken just now, and how each of it ends."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Any

from tests.world import times

if TYPE_CHECKING:
    from tests.world.machine import Machine
    from tests.world.world import World

Undo = Callable[[], object]


class Layers:
    """Several faults of one thing at a time: ``apply`` is told all that are in force, the latest last."""

    def __init__(self, apply: Callable[[list[Any]], object]) -> None:
        self._apply = apply
        self._values: dict[int, Any] = {}
        self._next = 0

    def add(self, value: Any) -> Undo:
        self._next += 1
        key = self._next
        self._values[key] = value
        self._apply(list(self._values.values()))

        def off() -> None:
            del self._values[key]
            self._apply(list(self._values.values()))

        return off


@dataclass
class Harm:
    """``calm`` ends everything, the latest first. ``struck`` counts what really took effect, by kind."""

    world: "World"
    struck: Counter[str] = field(default_factory=Counter)
    is_calm: bool = False
    busy: set[str] = field(default_factory=set)
    """Lockers with a card that is not theirs."""
    noisy_s: float = 0.0
    """How long lines were, or will be, noisy."""

    def __post_init__(self) -> None:
        self._undos: dict[int, Undo] = {}
        self._next = 0
        self._layers: dict[str, Layers] = {}

    def strike(self, kind: str) -> None:
        self.struck[kind] += 1
        self.world.reached(f"fault: {kind}")

    def hold(self, undo: Undo) -> Callable[[], None]:
        """Something is broken until the answer is called, or until calm."""
        self._next += 1
        key = self._next
        self._undos[key] = undo

        def end() -> None:
            if self._undos.pop(key, None) is not None:
                undo()

        return end

    def layers(self, thing: str, apply: Callable[[list[Any]], object]) -> Layers:
        if thing not in self._layers:
            self._layers[thing] = Layers(apply)
        return self._layers[thing]

    def calm(self) -> None:
        self.is_calm = True
        while self._undos:
            _, undo = self._undos.popitem()
            undo()


@dataclass(frozen=True, slots=True)
class Scene:
    """One fault about to happen: to whom, for how long, with what chance."""

    kind: str
    world: "World"
    harm: Harm
    machine: "Machine"
    rng: Random
    for_s: float
    """How long it lasts; of a fault that only waits to happen, how long it waits."""

    @property
    def now_s(self) -> float:
        return self.world.loop.time()

    def strike(self) -> None:
        self.harm.strike(self.kind)

    def lasts(self, undo: Undo, for_s: float | None = None) -> Callable[[], None]:
        """Ends by itself, or at calm; or when the answer is called."""
        end = self.harm.hold(undo)
        times.at(self.now_s + (self.for_s if for_s is None else for_s), end)
        return end


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which something breaks. The seed draws its rate and how long it lasts within these ranges."""

    name: str
    a_day: tuple[float, float]
    """So often a locker-day."""
    lasts_s: tuple[float, float]
    act: Callable[[Scene], object]
