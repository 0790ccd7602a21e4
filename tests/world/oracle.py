"""Whether what must never happen has happened."""

from tests.world.world import World


class Oracle:
    def __init__(self, world: World) -> None:
        self.world = world

    async def at_rest(self) -> None:
        """Everything is quiet: the ledgers must be equal."""
