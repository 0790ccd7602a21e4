"""Boards that are silent in truth, against what the locker says it knows of their doors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.world.journals import Complaint
from tests.world.reference import Reference

if TYPE_CHECKING:
    from tests.world.machine import Machine


@dataclass
class Silence:
    """Of one locker's boards. ``look`` from time to time: silent at two looks, they must be known to be."""

    machine: "Machine"
    model: Reference
    before: tuple[int, frozenset[tuple[str, int]]] = (0, frozenset())

    def look(self) -> Iterator[Complaint]:
        machine = self.machine
        well = machine.running and machine.built is not None and not machine.screen.frozen
        well = well and machine.platter.refuses is None and not machine.storing.slow_s
        silent = {(name, at) for name, wire in machine.wires.items() for at in wire.faults.dead}
        now = (machine.life, frozenset(silent if well else ()))
        life, lately = self.before
        self.before = now
        if life != machine.life:
            return
        for door in machine.model.numbers:
            place = machine.model.plan(door).door
            known = self.model.doors[door].position if door in self.model.doors else "unknown"
            if (place.line, place.board) in lately & now[1] and known != "unknown":
                yield 3, f"door {door} counts as {known}, and its board has long been silent"
