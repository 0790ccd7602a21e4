"""The cabinets of each world: boards of several families, compartments of every size, one locker or two."""

from dataclasses import replace
from random import Random  # noqa: TID251  # seeded
from typing import Final

from hw_sim.layout import LAYOUTS, Layout, made

FAMILIES: Final = {"xor8a-24": 10, "wkly-24": 5, "kerong-cu16": 2, "two-board": 3}
"""How many worlds of twenty have it. Boards that take their time before they answer are polled less often, so
their worlds go by faster: they are the most."""
SMALL, MEDIUM = 0.5, 0.85
"""Up to these shares of the compartments."""
PAIRED: Final = 0.12
"""Worlds with two lockers, near each other: half as many people come to each."""


def drawn(seed: int) -> Layout:
    """The cabinet of the world of ``seed``."""
    family = Random(f"{seed}/cabinet").choices([*FAMILIES], [*FAMILIES.values()])[0]
    return LAYOUTS[family] if family in LAYOUTS else sized(made(family))


def lockers(seed: int) -> int:
    return 2 if Random(f"{seed}/lockers").random() < PAIRED else 1


def sized(layout: Layout) -> Layout:
    """The same with compartments of all sizes, the large ones last."""
    count = len(layout.compartments)
    plans = (
        replace(plan, size="S" if n < SMALL * count else "M" if n < MEDIUM * count else "L")
        for n, plan in enumerate(layout.compartments)
    )
    return replace(layout, compartments=tuple(plans))
