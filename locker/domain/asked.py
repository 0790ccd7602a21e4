"""What people may ask for at the kiosk beside their visits, and how often; which lockers are near."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

HOUR_MS: Final = 3_600_000
LOST_PER_HOUR: Final = 3
"""Lost codes that are asked for at one kiosk: each may be a message that somebody pays for."""
GRADES: Final = range(1, 6)
LOW: Final = 2
"""Up to here the hall calls back."""
NEIGHBOURS_MAX: Final = 5


class HelpCategory(StrEnum):
    """What they could not get done; those of the centre's complaints that are met at a locker."""

    CODE = "code"
    DOOR = "door"
    NOT_EMPTY = "not_empty"
    WRONG_ITEM = "wrong_item"
    PAPERS = "papers"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Neighbour:
    locker: str
    name: str
    """As people call the place; the locker's own where it has none."""
    metres: int
    """In a straight line."""
    free: int
    """Doors free for a drop-off, when it was said."""


@dataclass(frozen=True, slots=True)
class Asked:
    lost_mono_ms: tuple[int, ...] = ()
    """When lost codes were asked for here, of the last hour; oldest first."""
    help_mono_ms: tuple[int, ...] = ()
    """When help was asked for here, likewise."""
    neighbours: tuple[Neighbour, ...] = ()
    told_wall_ms: int = 0
    """When the centre said them; 0 before."""


def lost(asked: Asked, now_ms: int) -> Asked:
    """After one more lost code."""
    kept = tuple(at_ms for at_ms in asked.lost_mono_ms if now_ms - at_ms < HOUR_MS)
    return replace(asked, lost_mono_ms=(*kept, now_ms))


def lost_again_in_ms(asked: Asked, now_ms: int) -> int:
    """How long until another lost code may be asked for; 0 where it may now. By monotonic time."""
    return _again_in_ms(asked.lost_mono_ms, LOST_PER_HOUR, now_ms)


def helped(asked: Asked, now_ms: int) -> Asked:
    """After one more call for help."""
    kept = tuple(at_ms for at_ms in asked.help_mono_ms if now_ms - at_ms < HOUR_MS)
    return replace(asked, help_mono_ms=(*kept, now_ms))


def help_again_in_ms(asked: Asked, per_hour: int, now_ms: int) -> int:
    """How long until help may be asked for again; 0 where it may now. By monotonic time."""
    return _again_in_ms(asked.help_mono_ms, per_hour, now_ms)


def _again_in_ms(before: tuple[int, ...], per_hour: int, now_ms: int) -> int:
    recent = [at_ms for at_ms in before if now_ms - at_ms < HOUR_MS]
    return 0 if len(recent) < per_hour else recent[-per_hour] + HOUR_MS - now_ms


def rebased(asked: Asked, last_ms: int, now_ms: int) -> Asked:
    """After a start. ``last_ms``: monotonic time of the last entry before it. As `acts.rebased`."""
    if now_ms >= last_ms or not (asked.lost_mono_ms or asked.help_mono_ms):
        return asked
    moved_ms = now_ms - last_ms
    return replace(
        asked,
        lost_mono_ms=tuple(at_ms + moved_ms for at_ms in asked.lost_mono_ms),
        help_mono_ms=tuple(at_ms + moved_ms for at_ms in asked.help_mono_ms),
    )
