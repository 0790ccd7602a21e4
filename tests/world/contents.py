"""What truly lies in each compartment, and whose it is: known to the world, never to the product."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.world.machine import Machine


@dataclass
class Contents:
    """``things``: by locker and door, the names of what lies there, the uppermost last."""

    things: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    moves: list[tuple[float, str, int, str, str]] = field(default_factory=list)
    """When, where, which door, ``put`` or ``took``, what."""

    def put(self, machine: "Machine", door: int, thing: str) -> bool:
        """False: the door is shut."""
        if not machine.is_open(door):
            return False
        lying = self.things.setdefault((machine.name, door), [])
        if not lying:
            machine.do(door, "put")
        lying.append(thing)
        self.moves.append((machine.loop.time(), machine.name, door, "put", thing))
        return True

    def take(self, machine: "Machine", door: int) -> str | None:
        """The uppermost thing; None where the door is shut or nothing lies there."""
        lying = self.things.get((machine.name, door))
        if not lying or not machine.is_open(door):
            return None
        thing = lying.pop()
        if not lying:
            machine.do(door, "take")
        self.moves.append((machine.loop.time(), machine.name, door, "took", thing))
        return thing

    def at(self, machine: "Machine", door: int) -> list[str]:
        return list(self.things.get((machine.name, door), ()))

    def where(self, thing: str) -> tuple[str, int] | None:
        for place, lying in self.things.items():
            if thing in lying:
                return place
        return None
