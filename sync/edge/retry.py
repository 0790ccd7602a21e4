"""How long to wait for an answer before asking again, for ever: pure."""

from typing import Final

from sync.link.settings import Draw

FIRST_MS: Final = 10_000
LONGEST_MS: Final = 300_000
_DOUBLINGS_MAX: Final = 10


class Retry:
    """10 s, doubling to 300 s, each a quarter longer at random so that a fleet does not ask in step."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._tries = 0

    def reset(self) -> None:
        """An answer came."""
        self._tries = 0

    def next_ms(self) -> int:
        """The wait for the answer to what is sent now."""
        wait = min(LONGEST_MS, FIRST_MS << min(self._tries, _DOUBLINGS_MAX))
        self._tries += 1
        return wait + self._draw(wait // 4 + 1)
