"""Who comes when."""

from tests.world.world import World


def people(world: World, days: float, visits_a_day: int) -> None:
    """Plan everybody's visits."""
    del world, days, visits_a_day
