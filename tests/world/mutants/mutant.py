"""A mistake that somebody could make, and how it is planted: in memory, and taken back exactly."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

PRODUCT: Final = ("locker", "firmware_bridge", "sync", "kiosk_ui")
KNOWN: Final = (1, 2, 3)

Plant = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """``what`` a careless programmer did; ``numbers``: the invariants of docs/safety.md of which one must
    find it. ``scene`` (of `scenes.SCENES`) makes that likely."""

    name: str
    what: str
    numbers: frozenset[int]
    scene: str
    plant: Plant = field(repr=False)
    seeds: tuple[int, ...] = KNOWN
    """At which it is found there."""
    breaks: str = ""
    """What else may come of it: an error that ends the world."""

    def named(self, kind: str) -> bool:
        """Whether a world that ended so has violated what its author names."""
        return kind in {f"invariant {number}" for number in self.numbers}

    def found_by(self, kind: str) -> bool:
        """Whether a scene that ended so has found it."""
        return self.named(kind) or kind in {self.breaks} - {""}


def mutant(
    numbers: set[int], scene: str, seeds: tuple[int, ...] = KNOWN, breaks: str = ""
) -> Callable[[Callable[[], Iterator[None]]], Mutant]:
    """Makes a Mutant of a generator that plants it: its name is the function's, its docstring says what."""

    def made(plant: Callable[[], Iterator[None]]) -> Mutant:
        assert plant.__doc__ is not None
        planted = contextmanager(plant)
        return Mutant(plant.__name__, plant.__doc__, frozenset(numbers), scene, planted, seeds, breaks)

    return made


@contextmanager
def replaced(owner: Any, name: str, buggy: Any) -> Iterator[None]:
    """An attribute of a class or module as it stands there: a plain function, a property, a staticmethod."""
    honest = vars(owner)[name]
    setattr(owner, name, buggy)
    try:
        yield
    finally:
        setattr(owner, name, honest)


@contextmanager
def everywhere(honest: Any, buggy: Any) -> Iterator[None]:
    """A function, also in the modules that imported it by its name."""
    found = [
        (module, name)
        for key, module in sorted(sys.modules.items())
        if key.partition(".")[0] in PRODUCT
        for name, value in sorted(vars(module).items(), key=lambda pair: pair[0])
        if value is honest
    ]
    assert found, honest
    for module, name in found:
        setattr(module, name, buggy)
    try:
        yield
    finally:
        for module, name in found:
            setattr(module, name, honest)


@contextmanager
def entry(table: dict[Any, Any], key: Any, buggy: Any) -> Iterator[None]:
    """One row of a table."""
    honest = table[key]
    table[key] = buggy
    try:
        yield
    finally:
        table[key] = honest


def table(mutants: Mapping[str, Any]) -> tuple[Mutant, ...]:
    """The mutants among a module's names, in the order in which they stand there."""
    return tuple(value for value in mutants.values() if isinstance(value, Mutant))
