"""How full a locker gets: on quiet days, on usual ones, and where things lie there for long."""

from dataclasses import dataclass
from random import Random  # noqa: TID251  # seeded
from typing import Final

from tests.world.times import DAY_S, HOUR_S


@dataclass(frozen=True, slots=True)
class Crowd:
    """People's habits in one world. All of them come as often; they leave things behind doors for longer."""

    name: str
    rounds: tuple[int, ...]
    """Of helpers, a day at each locker: with too few of them papers pile up."""
    lag_s: float
    """How long recipients take after the message, on average."""
    waiting: float = 0.0
    """Finished things, for each compartment, whose recipients take `PATIENT_S`: ready on the first morning;
    half as many on each day after it. They come on top of the day's visits."""


PATIENT_S: Final = 2 * DAY_S
QUIET: Final = Crowd("quiet", (6, 7), HOUR_S)
USUAL: Final = Crowd("usual", (2, 4, 5, 6, 7), 2 * HOUR_S)
CROWDED: Final = Crowd("crowded", (2, 3, 4), 3 * HOUR_S, 0.6)
SHARES: Final = {QUIET: 4, USUAL: 10, CROWDED: 6}
"""How many worlds of twenty."""


def drawn(seed: int) -> Crowd:
    return Random(f"{seed}/crowd").choices([*SHARES], [*SHARES.values()])[0]
