"""The scenes, by name: scripted hours, each of which makes some mistakes likely to show.

The seed draws how long everything takes. In a product without mistakes all are clean.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.world.mutants import afar, together, trouble, visits
from tests.world.mutants.cast import Cast, LostError
from tests.world.screen import DarkError

Scene = Callable[[Cast], Awaitable[None]]
_ALL: Final[tuple[Scene, ...]] = (
    visits.visits,
    visits.vandals,
    visits.left_open,
    visits.looks_only,
    visits.walk_away,
    visits.old_codes,
    visits.second_codes,
    visits.revoked_badge,
    visits.foreign_tokens,
    visits.expired_codes,
    visits.wrong_codes,
    visits.guesses,
    visits.doubts,
    visits.technician,
    visits.crowded,
    trouble.deaf_replies,
    trouble.slow_disk,
    trouble.full_disk,
    trouble.power_cuts,
    trouble.cut_on_a_slow_disk,
    trouble.directives_on_a_slow_disk,
    trouble.cut_while_opening,
    trouble.wrong_clock,
    trouble.clock_jumps,
    trouble.hub_dies,
    trouble.bad_network,
    trouble.replayed_directives,
    trouble.old_card,
    trouble.old_card_for_a_moment,
    trouble.lost_board,
    trouble.late_replies,
    trouble.slow_leaves,
    *afar.SCENES,
    *together.SCENES,
)
SCENES: Final[Mapping[str, Scene]] = MappingProxyType(
    {scene.__name__.replace("_", " "): scene for scene in _ALL}
)
MISHAPS: Final = (LostError, DarkError)
"""With a mistake planted a scene may not get on; without one it must."""
