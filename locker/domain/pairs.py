"""Two people at one kiosk: who stands beside whoever signed in, what both may do, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from locker.domain.access import Action, Role
from locker.domain.ids import StaffId


@dataclass(frozen=True, slots=True)
class Pair:
    """A second person's sign-in on top of the first one's. Blank while there is none."""

    first: StaffId = StaffId("")
    second: StaffId = StaffId("")
    until_mono_ms: int = 0
    """From then on the second person counts no more; a start ends it as well."""

    def beside(self, first: StaffId, now_ms: int) -> StaffId:
        """Who stands beside ``first`` at ``now_ms`` (monotonic); empty where nobody does."""
        together = bool(first) and self.first == first and now_ms < self.until_mono_ms
        return self.second if together else StaffId("")

    def has(self, staff: StaffId) -> bool:
        return bool(staff) and staff in {self.first, self.second}


@dataclass(frozen=True, slots=True)
class Window:
    """A service window: doors are opened by hand and by key. Blank while there is none."""

    staff: StaffId = StaffId("")
    second: StaffId = StaffId("")
    until_mono_ms: int = 0

    def stands(self, now_ms: int) -> bool:
        """Whether it is open at ``now_ms`` (monotonic)."""
        return bool(self.staff) and now_ms < self.until_mono_ms


SECONDS: Final[Mapping[Action, frozenset[Role]]] = MappingProxyType(
    {
        Action.STOCKTAKE: frozenset({Role.HELPER, Role.SUPERVISOR}),
        Action.VOUCH: frozenset({Role.HELPER, Role.SUPERVISOR}),
        # Whoever watches a technician is no technician: what lies there is not theirs to judge.
        Action.WINDOW: frozenset({Role.HELPER, Role.SUPERVISOR}),
    }
)
"""What asks for two, and what the second one must be. What is not here, one does alone."""
