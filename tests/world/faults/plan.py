"""What befalls the world, and when."""

from collections.abc import Collection

from tests.world.world import World


def faults(world: World, days: float, kinds: Collection[str] | None = None) -> None:
    """Plan faults of these kinds; None: as the seed draws them."""
    del world, days, kinds


def calm(world: World) -> None:
    """From now on nothing is broken any more."""
    del world
