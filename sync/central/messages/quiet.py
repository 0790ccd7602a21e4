"""At night nobody is disturbed, but who has just asked for something."""

from typing import Final

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


def until_ms(now_ms: int, offset_minutes: int, hours: tuple[int, int]) -> int:
    """When the quiet hours are over (wall ms); ``now_ms`` itself outside of them.

    ``hours``: local, the first that is quiet and the first that is not; the same twice: never quiet.
    """
    begins, ends = (hour * HOUR_MS for hour in hours)
    local_ms = now_ms + offset_minutes * 60_000
    midnight_ms = local_ms - local_ms % DAY_MS
    of_day_ms = local_ms % DAY_MS
    if begins == ends:
        return now_ms
    # Hours that go beyond midnight are those outside of the day between them.
    quiet = begins <= of_day_ms < ends if begins < ends else not ends <= of_day_ms < begins
    if not quiet:
        return now_ms
    over_ms = midnight_ms + ends
    return now_ms + (over_ms if over_ms > local_ms else over_ms + DAY_MS) - local_ms
