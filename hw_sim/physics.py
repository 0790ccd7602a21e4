"""One compartment as a thing: coil, latch, door leaf, sensors. Pure functions of virtual time (ms).

A coil that stays energised long enough draws the latch back; the spring then throws the leaf out, and soon
after the door sensor sees it. From the moment the leaf has left the hook the coil does not matter. A jammed
latch stays where it is; a leaf that somebody holds stays too, and hooks in again when the coil is released.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Reading(StrEnum):
    """How a sensor behaves; `TRUE` tells what is, the others are faults."""

    TRUE = "true"
    STUCK_0 = "stuck_0"
    STUCK_1 = "stuck_1"


class Moved(StrEnum):
    """What a compartment did by itself, for the records."""

    DOOR_OPENED = "door_opened"
    COIL_HOT = "coil_hot"


@dataclass(frozen=True, slots=True)
class Mechanics:
    """Figures of one kind of lock; the defaults are those of a common 12 V cabinet latch."""

    release_ms: int = 60  # the latch needs this long to come back; a shorter pulse moves nothing
    spring_ms: int = 40  # the leaf needs this long until the sensor has lost it
    bounce_ms: int = 0  # the contact chatters this long after each move
    coil_limit_ms: int = 3_000  # longer is bad for the coil


CHATTER_MS: Final = 3


@dataclass(frozen=True, slots=True)
class Compartment:
    """All that is true of one compartment at `at_ms`."""

    at_ms: int = 0
    coil_since_ms: int | None = None
    left_hook_ms: int | None = None
    moved_at_ms: int | None = None
    open: bool = False
    item: bool = False
    jammed: bool = False
    held: bool = False
    coil_hot: bool = False
    opened_count: int = 0
    door_reading: Reading = Reading.TRUE
    item_reading: Reading = Reading.TRUE
    mechanics: Mechanics = Mechanics()


def next_ms(it: Compartment) -> int | None:
    """When something happens by itself, if nobody touches anything."""
    moments = []
    if it.left_hook_ms is not None:
        moments.append(it.left_hook_ms + it.mechanics.spring_ms)
    elif it.coil_since_ms is not None and not (it.open or it.jammed or it.held):
        # A hand or a jam may have gone after the latch came back: then the leaf leaves at once.
        moments.append(max(it.coil_since_ms + it.mechanics.release_ms, it.at_ms))
    if (overheats_ms := _overheats_ms(it)) is not None:
        moments.append(overheats_ms)
    return min(moments, default=None)


def _overheats_ms(it: Compartment) -> int | None:
    if it.coil_since_ms is None or it.coil_hot:
        return None
    return it.coil_since_ms + it.mechanics.coil_limit_ms


def advance(it: Compartment, now_ms: int) -> tuple[Compartment, list[tuple[int, Moved]]]:
    """Everything that happens until and at `now_ms`, in order. Time never runs backwards."""
    moves: list[tuple[int, Moved]] = []
    while (due := next_ms(it)) is not None and due <= now_ms:
        it, move = _happen(it, due)
        if move is not None:
            moves.append((due, move))
    return replace(it, at_ms=max(now_ms, it.at_ms)), moves


def _happen(it: Compartment, due: int) -> tuple[Compartment, Moved | None]:
    if it.left_hook_ms is not None and it.left_hook_ms + it.mechanics.spring_ms <= due:
        opened = replace(
            it, at_ms=due, open=True, left_hook_ms=None, moved_at_ms=due, opened_count=it.opened_count + 1
        )
        return opened, Moved.DOOR_OPENED
    overheats_ms = _overheats_ms(it)
    if overheats_ms is not None and overheats_ms <= due:
        return replace(it, at_ms=due, coil_hot=True), Moved.COIL_HOT
    return replace(it, at_ms=due, left_hook_ms=due), None


def energise(it: Compartment, now_ms: int) -> Compartment:
    """Power on the coil; a coil that has power already does not start anew."""
    if it.coil_since_ms is not None:
        return it
    return replace(it, at_ms=now_ms, coil_since_ms=now_ms, coil_hot=False)


def release(it: Compartment, now_ms: int) -> Compartment:
    return replace(it, at_ms=now_ms, coil_since_ms=None, coil_hot=False)


def push_shut(it: Compartment, now_ms: int) -> Compartment:
    """Push the leaf home; while the coil has power the latch cannot hook in and the spring wins again."""
    if not it.open:
        return it
    return replace(it, at_ms=now_ms, open=False, moved_at_ms=now_ms)


def pull_open(it: Compartment, now_ms: int, *, by_force: bool) -> Compartment:
    """Pull at the door: a hooked latch holds, unless it is torn open by force."""
    if it.open or not by_force:
        return it
    return replace(
        it, at_ms=now_ms, open=True, left_hook_ms=None, moved_at_ms=now_ms, opened_count=it.opened_count + 1
    )


def door_level(it: Compartment, now_ms: int) -> bool:
    """The door contact as the input board sees it: 1 while the leaf is at the frame."""
    if it.door_reading is not Reading.TRUE:
        return it.door_reading is Reading.STUCK_1
    shut = not it.open
    if it.moved_at_ms is not None and (since := now_ms - it.moved_at_ms) < it.mechanics.bounce_ms:
        return shut if (since // CHATTER_MS) % 2 == 0 else not shut
    return shut


def hook_level(it: Compartment, now_ms: int) -> bool:
    """A switch at the hook instead: 1 while the latch has hold of the leaf.

    Under power the latch is back, so it reads 0 though somebody may hold the leaf where it is; then the hook
    falls in again.
    """
    if it.door_reading is Reading.TRUE and it.coil_since_ms is not None and not it.jammed:
        return door_level(it, now_ms) and now_ms < it.coil_since_ms + it.mechanics.release_ms
    return door_level(it, now_ms)


def item_level(it: Compartment) -> bool:
    """The light barrier: 1 while something lies in the compartment."""
    if it.item_reading is not Reading.TRUE:
        return it.item_reading is Reading.STUCK_1
    return it.item
