"""How long to wait before the next attempt."""

import pytest

from sync.link.backoff import BackOff


@pytest.mark.rule("LKR-6")
def test_the_longest_waits() -> None:
    longest = BackOff(first_s=30, max_s=120, stable_s=60, draw=lambda below: below - 1)
    assert [longest.delay_ms(None) for _ in range(9)] == [
        1000 * s for s in (2, 4, 8, 16, 32, 64, 120, 120, 120)
    ]
    assert longest.delay_ms(59_999) == 120_000  # accepted, then kicked
    assert longest.delay_ms(60_000) == 30_000
    assert longest.delay_ms(None) == 2_000
    for _ in range(5_000):
        assert longest.delay_ms(None) <= 120_000


@pytest.mark.rule("LKR-6")
def test_the_shortest_wait_is_none() -> None:
    shortest = BackOff(first_s=30, max_s=120, stable_s=60, draw=lambda _below: 0)
    assert {shortest.delay_ms(lasted) for lasted in (None, 0, 60_000, None)} == {0}
