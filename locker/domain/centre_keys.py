"""By which keys the centre signs: as the locker was provisioned, and as the centre said since. Pure.

A key is 32 bytes in hex. What was retired is believed no more, whoever named it first; it is remembered, for
what it countersigned stays true.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

KEYS_MAX: Final = 4
"""Two in a rotation; one more where somebody was in a hurry."""
RETIRED_MAX: Final = 64
"""A key each year, for longer than a cabinet stands."""
_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CentreKeys:
    """What the centre said last; empty before it said anything."""

    told: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()

    def believed(self, provisioned: Iterable[str]) -> tuple[str, ...]:
        """Keys by which the centre may sign now."""
        return tuple(key for key in self.known(provisioned) if key not in self.retired)

    def known(self, provisioned: Iterable[str]) -> tuple[str, ...]:
        """Every key by which it ever may have signed what is kept here."""
        return tuple(dict.fromkeys((*provisioned, *self.told, *self.retired)))


def objection(told: CentreKeys) -> str:
    """What speaks against it; empty where nothing does."""
    if not 0 < len(told.told) <= KEYS_MAX or len(told.retired) > RETIRED_MAX:
        return "too few keys, or too many"
    if not all(_KEY.fullmatch(key) for key in (*told.told, *told.retired)):
        return "not a key"
    return "both told and retired" if {*told.told} & {*told.retired} else ""
