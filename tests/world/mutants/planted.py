"""All planted mistakes, by name. Each must be found by the oracle; without any of them all is clean."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.world.mutants import afar, bus, hub, journal, kiosk, operations, rights, together, wire
from tests.world.mutants.mutant import Mutant

_ROOMS: Final = (bus, operations, rights, journal, wire, hub, kiosk, afar, together)
MUTANTS: Final[Mapping[str, Mutant]] = MappingProxyType(
    {mutant.name: mutant for room in _ROOMS for mutant in room.MUTANTS}
)
