from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.debounce import DOOR, GAP_MAX_S, ITEM, READS, STABLE_S, STALE_S, Debounce


def settled_at(debounce: Debounce, level: bool, start_s: float, every_s: float = 0.03) -> float:
    """When a steady level is believed."""
    for n in range(100):
        if debounce.read(level, start_s + n * every_s):
            return n * every_s
    raise AssertionError


def test_unknown_at_the_start_then_open_in_two_reads_and_closed_after_half_a_second() -> None:
    door = Debounce(DOOR)
    assert door.settled is None
    assert settled_at(door, False, 0) == 0.03
    assert STABLE_S <= settled_at(door, True, 10) <= STABLE_S + 0.03
    assert door.settled is True


def test_an_item_is_slow_both_ways() -> None:
    item = Debounce(ITEM)
    assert settled_at(item, True, 0) >= STABLE_S
    assert settled_at(item, False, 10) >= STABLE_S


def test_a_bounce_starts_over() -> None:
    door = Debounce(DOOR)
    settled_at(door, False, 0)
    for n in range(99):
        assert not door.read(n % 10 != 9, 1 + n * 0.05)
    assert door.settled is False
    assert door.pending


def test_a_missed_read_starts_the_count_over_and_a_loss_forgets() -> None:
    door = Debounce(DOOR)
    settled_at(door, True, 0)
    assert not door.read(False, 3)
    assert not door.missed(3.05)
    assert not door.read(False, 3.1)
    assert door.settled is True
    assert door.read(False, 3.2)
    door.lost()
    assert door.settled is None


def test_a_missed_read_does_not_take_the_time_away_that_a_door_was_shut() -> None:
    """Fast polls on a noisy line are missed often; a shut door must be believed all the same."""
    door = Debounce(DOOR)
    settled_at(door, False, 0)
    believed_s = []
    for n in range(40):
        at_s = 3 + n * 0.03
        if n % 7 == 5:
            assert not door.missed(at_s)
        elif door.read(True, at_s):
            believed_s.append(at_s - 3)
    assert len(believed_s) == 1
    assert STABLE_S <= believed_s[0] < STABLE_S + 0.1


def test_what_was_read_too_long_ago_is_unknown() -> None:
    door = Debounce(DOOR)
    settled_at(door, True, 0)
    moments_s = (3, STALE_S + 1, STALE_S + 2)
    assert [(door.missed(at_s), door.settled) for at_s in moments_s] == [
        (False, True),
        (True, None),
        (False, None),
    ]


def test_three_equal_readings_where_frames_have_no_checksum() -> None:
    door = Debounce(DOOR, reads=3)
    settled_at(door, True, 0)
    believed = [door.read(level, 10 + n * 0.03) for n, level in enumerate([False, False, True, False, False])]
    assert believed == [False] * 5
    assert door.read(False, 10.2)


def test_a_reading_that_says_nothing_for_certain_ends_in_unknown() -> None:
    door = Debounce(DOOR)
    settled_at(door, True, 0)
    moments_s = (1.0, GAP_MAX_S, GAP_MAX_S + 1.0, GAP_MAX_S + 1.5)
    assert [(door.uncertain(at_s), door.settled) for at_s in moments_s] == [
        (False, True),
        (False, True),
        (True, None),
        (False, None),
    ]
    assert settled_at(door, False, 5) == 0.03


def test_two_readings_far_apart_prove_nothing() -> None:
    door = Debounce(DOOR)
    assert not door.read(True, 0)
    assert not door.read(True, GAP_MAX_S + 0.1)
    assert door.settled is None


def test_on_a_slow_line_readings_may_lie_further_apart() -> None:
    door = Debounce(DOOR, gap_max_s=3.6)
    assert settled_at(door, True, 0, every_s=1.7) == 1.7


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 3)), max_size=60))
def test_closed_is_believed_only_after_half_a_second_of_nothing_else(reads: list[tuple[bool, float]]) -> None:
    door, now_s, history = Debounce(DOOR), 0.0, []
    for level, later_s in reads:
        now_s += later_s
        history.append((now_s, level))
        if door.read(level, now_s):
            assert door.settled is level
            assert [each for _, each in history[-READS:]] == [level] * READS
            if level:
                began_s = max((at_s for at_s, each in history if not each), default=float("-inf"))
                stable = [at_s for at_s, each in history if at_s > began_s]
                assert stable[-1] - stable[0] >= STABLE_S
