"""A stocktake: door by door, what was expected and what was found. It outlives whoever began it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.compartment import Compartment, Status
from locker.domain.ids import CompartmentNumber, StocktakeId


class Scope(StrEnum):
    DOUBTS = "doubts"
    """What is to be checked."""
    ALL = "all"
    """Every door that is in use: after a restore, a new controller, a service window."""


class Found(StrEnum):
    """What whoever looked says of one door."""

    EMPTY = "empty"
    """Nothing is known to lie in it, and nothing does."""
    EXPECTED = "expected"
    """What should lie there does."""
    MISSING = "missing"
    """It should, and the compartment is empty."""
    UNKNOWN_ITEM = "unknown_item"
    """Something else lies there, or something where nothing should."""
    REMOVED = "removed"
    """Something unknown lay there; both took it out and keep it."""
    UNSURE = "unsure"
    """Something lies there; whether it is what should, nobody can tell."""


_OF_SCOPE: Final[Mapping[str, frozenset[Status]]] = MappingProxyType(
    {
        Scope.DOUBTS: frozenset({Status.TO_CHECK}),
        Scope.ALL: frozenset({Status.TO_CHECK, Status.HOLDING, Status.VACANT}),
    }
)
"""Of which doors it is about. An empty one that is faulty or blocked is a technician's, a reserved one is
somebody's visit."""
HOLDS: Final = frozenset({Found.EXPECTED, Found.MISSING, Found.UNKNOWN_ITEM, Found.UNSURE})
"""What can be said of a door in which something is known to lie."""
HOLDS_NOTHING: Final = frozenset({Found.EMPTY, Found.UNKNOWN_ITEM, Found.REMOVED})


@dataclass(frozen=True, slots=True)
class Looked:
    door: CompartmentNumber
    found: Found


@dataclass(frozen=True, slots=True)
class Stocktake:
    """The latest one. Blank before the first of an epoch."""

    stocktake: StocktakeId = StocktakeId("")
    scope: str = ""
    """Of `Scope`."""
    began_ms: int = 0
    """Wall time."""
    looked: tuple[Looked, ...] = ()
    ended: bool = False

    @property
    def under_way(self) -> bool:
        return bool(self.stocktake) and not self.ended

    def counted(self) -> Mapping[Found, int]:
        """How many doors of each finding."""
        return MappingProxyType({found: sum(each.found is found for each in self.looked) for found in Found})

    def to_look(self, doors: Mapping[CompartmentNumber, Compartment]) -> list[Compartment]:
        """What it has still before it, by number."""
        seen = {each.door for each in self.looked}
        wanted = _OF_SCOPE.get(self.scope, frozenset())
        # What lies behind a door that is out of order is part of everything.
        whole = self.scope == Scope.ALL
        about = (c for c in doors.values() if c.status in wanted or (whole and c.holding))
        return sorted((c for c in about if c.spec.number not in seen), key=lambda c: c.spec.number)

    def after(self, door: CompartmentNumber, found: Found) -> "Stocktake":
        """Once more somebody looked; a second look at one door takes the place of the first."""
        others = tuple(each for each in self.looked if each.door != door)
        return replace(self, looked=(*others, Looked(door, found)))
