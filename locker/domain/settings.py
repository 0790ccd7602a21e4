"""What the centre has set of this locker's limits, over what its own configuration says. Pure.

A version is whole: what it does not name is the locker's own again. A value that does not fit changes
nothing: what was in force before stays.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from locker.domain.encoding import canonical
from locker.domain.policy import SETTINGS, Policy, Settings, Unfit, unfit

SETTINGS_MAX: Final = 64
"""In one entry: far more than there are, few enough to refuse one by one."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Given:
    version: int = 0
    """The latest of the centre's that was taken; 0: none. It only rises."""
    settings: tuple[Setting, ...] = ()
    """What of it is in force, by name."""
    own: Policy = field(default_factory=Policy)
    """What the locker's configuration says."""
    reported: str = ""
    """A digest of what the centre was told last."""


def in_force(given: Given) -> Policy:
    """The locker's own limits, and over them what the centre has set."""
    # What an older version of this software took may lie outside a range that has become narrower.
    fit = {s.name: s.value for s in given.settings if unfit(Settings, s.name, s.value) is None}
    return replace(given.own, **fit)  # type: ignore[arg-type]  # `unfit` knows the types of the fields


def judged(
    given: Given, wished: Iterable[Setting]
) -> tuple[tuple[Setting, ...], tuple[tuple[Setting, Unfit], ...]]:
    """What of a new version is in force from now on, and what is refused and why."""
    before = {setting.name: setting for setting in given.settings}
    taken: dict[str, Setting] = {}
    refused: list[tuple[Setting, Unfit]] = []
    for setting in wished:
        why = unfit(Settings, setting.name, setting.value)
        if why is not None:
            refused.append((setting, why))
        if why is None or setting.name in before:
            taken[setting.name] = setting if why is None else before[setting.name]
    return tuple(taken[name] for name in sorted(taken)), tuple(refused)


def values(given: Given) -> tuple[Setting, ...]:
    """Everything that the centre may set, as it is in force."""
    policy = in_force(given)
    return tuple(Setting(name, getattr(policy, name)) for name in SETTINGS)


def digest(given: Given) -> str:
    """Differs where a report of them would."""
    parts = [given.version, [s.name for s in given.settings], [s.value for s in values(given)]]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:16]
