"""The cabinet of each world: boards of several families, and compartments of every size."""

from dataclasses import replace
from random import Random  # noqa: TID251  # seeded
from typing import Final

from hw_sim.layout import LAYOUTS, Layout, made

FAMILIES: Final = {"xor8a-24": 10, "wkly-24": 5, "kerong-cu16": 2, "two-board": 3}
"""How many worlds of twenty have it. Boards that take their time before they answer are polled less often, so
their worlds go by faster: they are the most."""
SMALL, MEDIUM = 0.5, 0.85
"""Up to these shares of the compartments."""


def drawn(seed: int) -> Layout:
    """The cabinet of the world of ``seed``."""
    family = Random(f"{seed}/cabinet").choices([*FAMILIES], [*FAMILIES.values()])[0]
    return LAYOUTS[family] if family in LAYOUTS else sized(made(family))


def sized(layout: Layout) -> Layout:
    """The same with compartments of all sizes, the large ones last."""
    count = len(layout.compartments)
    plans = (
        replace(plan, size="S" if n < SMALL * count else "M" if n < MEDIUM * count else "L")
        for n, plan in enumerate(layout.compartments)
    )
    return replace(layout, compartments=tuple(plans))
