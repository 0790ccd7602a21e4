"""Lock, latch and leaf under virtual time."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hw_sim import physics
from hw_sim.physics import Compartment, Mechanics, Moved, Reading

PULSES_MS = st.integers(1, 2_500)


def pulsed(it: Compartment, length_ms: int, until_ms: int) -> tuple[Compartment, list[tuple[int, Moved]]]:
    it = physics.energise(it, 0)
    it, moves = physics.advance(it, length_ms - 1)
    it = physics.release(it, length_ms)
    it, later = physics.advance(it, until_ms)
    return it, moves + later


@given(PULSES_MS)
def test_a_pulse_opens_just_when_it_is_long_enough(length_ms: int) -> None:
    kind = Mechanics()
    it, moves = pulsed(Compartment(), length_ms, 5_000)
    long_enough = length_ms > kind.release_ms
    assert it.open is long_enough
    assert moves == ([(kind.release_ms + kind.spring_ms, Moved.DOOR_OPENED)] if long_enough else [])
    assert it.opened_count == long_enough


@given(PULSES_MS)
def test_a_jammed_or_held_door_stays(length_ms: int) -> None:
    for stuck in (Compartment(jammed=True), Compartment(held=True)):
        it, moves = pulsed(stuck, length_ms, 5_000)
        assert not it.open
        assert moves == []


def test_letting_go_during_the_pulse_frees_the_leaf() -> None:
    it = physics.energise(Compartment(held=True), 0)
    it, _ = physics.advance(it, 200)
    it, moves = physics.advance(replace(it, held=False), 300)
    assert moves == [(240, Moved.DOOR_OPENED)]


def test_letting_go_after_the_pulse_is_too_late() -> None:
    it, _ = pulsed(Compartment(held=True), 500, 600)
    it, moves = physics.advance(replace(it, held=False), 5_000)
    assert moves == []
    assert not it.open


def test_pushed_shut_under_power_it_springs_open_again() -> None:
    it = physics.energise(Compartment(), 0)
    it, _ = physics.advance(it, 200)
    it, moves = physics.advance(physics.push_shut(it, 200), 400)
    assert moves == [(240, Moved.DOOR_OPENED)]
    assert it.opened_count == 2


def test_a_coil_left_on_gets_hot_once() -> None:
    it = physics.energise(Compartment(jammed=True), 0)
    it, moves = physics.advance(it, 60_000)
    assert moves == [(3_000, Moved.COIL_HOT)]
    assert not physics.release(it, 60_000).coil_hot


@given(PULSES_MS, st.lists(st.integers(0, 4_000), max_size=12))
def test_it_matters_not_how_often_one_looks(length_ms: int, looks: list[int]) -> None:
    once, moves = pulsed(Compartment(), length_ms, 4_000)
    it, seen = physics.energise(Compartment(), 0), []
    for moment in sorted([*looks, length_ms - 1, length_ms, 4_000]):
        if moment == length_ms:
            it = physics.release(it, moment)
        it, more = physics.advance(it, moment)
        seen += more
    assert (it, seen) == (once, moves)


@given(st.integers(0, 100))
def test_the_contact_chatters_and_then_rests(since_ms: int) -> None:
    it = Compartment(open=True, moved_at_ms=1_000, mechanics=Mechanics(bounce_ms=12))
    level = physics.door_level(it, 1_000 + since_ms)
    if since_ms >= 12:
        assert level is False
    else:
        assert level is ((since_ms // physics.CHATTER_MS) % 2 == 1)


def test_sensors_tell_what_is_unless_they_stick() -> None:
    it = Compartment(item=True)
    assert physics.door_level(it, 0)
    assert physics.item_level(it)
    stuck = replace(it, open=True, door_reading=Reading.STUCK_1, item_reading=Reading.STUCK_0)
    assert physics.door_level(stuck, 0)
    assert not physics.item_level(stuck)


def test_a_hooked_latch_holds_against_pulling_but_not_against_force() -> None:
    assert not physics.pull_open(Compartment(), 5, by_force=False).open
    assert physics.pull_open(Compartment(), 5, by_force=True).open


@given(st.integers(0, 2_000))
def test_the_hook_tells_of_the_latch_and_not_of_the_leaf(since_ms: int) -> None:
    """A door held shut under power reads open for as long as the latch is back, and nothing has opened."""
    held = physics.energise(Compartment(held=True), 0)
    if since_ms >= 500:
        held = physics.release(physics.advance(held, 500)[0], 500)
    held, moves = physics.advance(held, since_ms)
    assert moves == []
    assert physics.door_level(held, since_ms)
    assert physics.hook_level(held, since_ms) is not (60 <= since_ms < 500)
    assert physics.hook_level(replace(held, jammed=True), since_ms)
    assert not physics.hook_level(replace(held, open=True), since_ms)
