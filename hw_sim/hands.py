"""What people do at a cabinet, each act a row of one table. An act that cannot be done is refused by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from hw_sim import physics
from hw_sim.cabinet import Cabinet
from hw_sim.physics import Compartment, Reading


class RefusedError(Exception):
    """Not possible as things stand, like putting paper through a shut door."""


class NoSuchDoorError(LookupError):
    """The cabinet has no compartment of that number."""


Act = Callable[[Compartment, int], Compartment]


def _shut(it: Compartment, now_ms: int) -> Compartment:
    return physics.push_shut(it, now_ms)


def _pull(it: Compartment, now_ms: int) -> Compartment:
    if not it.open:
        raise RefusedError("the latch holds; only force opens a locked door")
    return physics.pull_open(it, now_ms, by_force=False)


def _pry(it: Compartment, now_ms: int) -> Compartment:
    return physics.pull_open(it, now_ms, by_force=True)


def _put(it: Compartment, _now_ms: int) -> Compartment:
    if not it.open:
        raise RefusedError("the door is shut")
    if it.item:
        raise RefusedError("something lies there already")
    return replace(it, item=True)


def _take(it: Compartment, _now_ms: int) -> Compartment:
    if not it.open:
        raise RefusedError("the door is shut")
    if not it.item:
        raise RefusedError("nothing lies there")
    return replace(it, item=False)


def _jam(it: Compartment, _now_ms: int) -> Compartment:
    return replace(it, jammed=True)


def _unjam(it: Compartment, _now_ms: int) -> Compartment:
    return replace(it, jammed=False)


def _hold(it: Compartment, _now_ms: int) -> Compartment:
    if it.open:
        raise RefusedError("the door is open; push it shut first")
    return replace(it, held=True)


def _release(it: Compartment, _now_ms: int) -> Compartment:
    return replace(it, held=False)


ACTS: Final[Mapping[str, tuple[Act, str, str]]] = MappingProxyType(
    {  # name: what is done, how it is recorded, by what
        "shut": (_shut, "door_shut", "hand"),
        "pull": (_pull, "door_pulled", "hand"),
        "pry": (_pry, "door_opened", "force"),
        "put": (_put, "item_put", "hand"),
        "take": (_take, "item_taken", "hand"),
        "jam": (_jam, "jammed", "hand"),
        "unjam": (_unjam, "unjammed", "hand"),
        "hold": (_hold, "held", "hand"),
        "release": (_release, "released", "hand"),
        "walk_away": (_release, "released", "hand"),  # whoever held the door goes; the door stays as it is
    }
)


def do(cabinet: Cabinet, number: int, act: str, now_ms: int) -> None:
    """Carry out one act at one compartment. NoSuchDoorError, RefusedError, KeyError for an unknown act."""
    work, what, cause = ACTS[act]
    _known(cabinet, number)
    cabinet.advance(now_ms)
    cabinet.change(number, lambda it: work(it, cabinet.now_ms), what, cause)


def break_sensors(
    cabinet: Cabinet, number: int, now_ms: int, *, door: Reading | None = None, item: Reading | None = None
) -> None:
    """Make the sensors of one compartment stick, or mend them with Reading.TRUE; None leaves one as it is."""
    _known(cabinet, number)
    cabinet.advance(now_ms)

    def wire(it: Compartment) -> Compartment:
        return replace(it, door_reading=door or it.door_reading, item_reading=item or it.item_reading)

    cabinet.change(number, wire, "sensor_changed", "hand")


def _known(cabinet: Cabinet, number: int) -> None:
    if number not in cabinet.numbers:
        raise NoSuchDoorError(f"no door {number}; there are {cabinet.numbers[0]} to {cabinet.numbers[-1]}")
