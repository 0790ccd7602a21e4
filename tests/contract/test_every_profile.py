"""Every profile, driver and simulator joined: what one does the other says, channel by channel."""

import random  # noqa: TID251  # seeded doors

import pytest

from firmware_bridge import boards
from firmware_bridge.boards.profile import Modbus
from hw_sim.boards.profiles import CLOSED_WHEN_LOCKED, CLOSED_WHEN_OPEN, PROFILES
from hw_sim.layout import BoardPlan
from locker.domain.door import BoardLost, Position, Presence, PulseOutcome
from tests.contract.joined import Joined, cabinet_of, group_of, layout_of, serving

NAMES = boards.names()
BURSTS_S = 0.01
"""As adapters hand bytes over; and there are fewer steps to take."""
ROUNDING_MS = 2
SAID_LATE_MS = 80
"""The end of a timed pulse waits for the question under way, and takes its own time on the wire."""


def coil_times_ms(joined: Joined) -> list[tuple[int, int]]:
    """Of every coil that had power: its compartment, and for how long."""
    since: dict[int, int] = {}
    times = []
    for move in joined.moves:
        if move.what == "coil_on":
            since[move.compartment] = move.at_ms
        elif move.what == "coil_off":
            times.append((move.compartment, move.at_ms - since.pop(move.compartment)))
    assert not since
    return times


def test_both_sides_know_the_same_profiles() -> None:
    assert set(NAMES) == set(PROFILES)


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_count_the_same_terminals(name: str) -> None:
    ours, theirs = boards.load(name), PROFILES[name]
    assert theirs.locks == (ours.locks.channels if ours.locks else 0)
    if ours.inputs is not None:
        assert theirs.sensors + theirs.items == ours.inputs.channels
        assert theirs.closed_level == bool(ours.inputs.closed_level)
    assert theirs.lowest <= ours.address.min <= ours.address.max <= theirs.highest


@pytest.mark.parametrize("name", NAMES)
def test_each_pulse_opens_its_own_door_and_each_sensor_shows_its_own(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    told = boards.load(name).replies_to_pulse
    for door in joined.model.numbers:
        outcome = joined.open(door).outcome
        assert outcome is PulseOutcome.ACKNOWLEDGED or (outcome is PulseOutcome.UNCERTAIN and not told)
        assert joined.until(lambda n=door: joined.reading(n).position is Position.OPEN, 1.5)  # type: ignore[misc]
        assert joined.until(lambda: joined.believed() == joined.true(), 1.0)
        opened = [n for n in joined.model.numbers if joined.is_open(n)]
        assert (opened, [pulse.compartment for pulse in joined.pulses]) == ([door], [door])
        assert joined.until(lambda: not joined.energised(), 1.5)
        joined.do(door, "shut")
        joined.pulses.clear()
    assert joined.until(lambda: joined.believed() == joined.true(), 1.5)
    assert joined.of(BoardLost) == []
    assert joined.early == []


@pytest.mark.parametrize("name", NAMES)
def test_any_pattern_of_doors_is_read_as_it_is(name: str) -> None:
    joined, rng = cabinet_of(name, bursts_s=BURSTS_S), random.Random(name)
    for _ in range(4):
        for door in joined.model.numbers:
            if rng.random() < 0.5:
                joined.do(door, "shut" if joined.is_open(door) else "pry")
        assert joined.until(lambda: joined.believed() == joined.true(), 2.5)
    assert joined.pulses == []


@pytest.mark.parametrize("name", NAMES)
def test_items_are_seen_where_there_is_a_sensor(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    watched = [n for n in joined.model.numbers if joined.model.plan(n).item]
    for door in watched[:1] + watched[-1:]:
        joined.do(door, "pry")
        joined.do(door, "put")
        assert joined.until(lambda n=door: joined.reading(n).item is Presence.PRESENT, 2.5)  # type: ignore[misc]
        present = [n for n in watched if joined.reading(n).item is Presence.PRESENT]
        assert present == [door]
        joined.do(door, "take")
        assert joined.until(lambda n=door: joined.reading(n).item is Presence.ABSENT, 2.5)  # type: ignore[misc]
    unwatched = set(joined.model.numbers) - set(watched)
    assert {joined.reading(n).item for n in unwatched} <= {Presence.UNKNOWN}


@pytest.mark.parametrize("name", NAMES)
def test_a_coil_has_power_for_as_long_as_was_asked(name: str) -> None:
    locks = boards.load(name).locks
    if locks is None:
        return  # its relay board's pulses are looked at under that board's own name
    speech = boards.load(name).speech
    kind = speech.pulse.kind if isinstance(speech, Modbus) and speech.pulse else "own"
    for pulse_ms in sorted({locks.pulse_min_ms, locks.pulse_default_ms, min(locks.pulse_max_ms, 1_000)}):
        joined = cabinet_of(name, pulse_ms=pulse_ms, bursts_s=BURSTS_S)
        joined.open(1)
        joined.run(2.5)
        ((door, lasted_ms),) = coil_times_ms(joined)
        assert door == 1
        if kind == "timed":
            assert pulse_ms <= lasted_ms <= pulse_ms + SAID_LATE_MS
        elif kind in {"flash", "flash_high"}:
            assert abs(lasted_ms - pulse_ms) <= ROUNDING_MS
        else:  # the board's own pulse: the profile knows the longest that is usual
            assert 0 < lasted_ms <= pulse_ms + ROUNDING_MS


@pytest.mark.parametrize("feedback", [CLOSED_WHEN_LOCKED, CLOSED_WHEN_OPEN])
@pytest.mark.parametrize(
    "name", [name for name in NAMES if PROFILES[name].turnable and PROFILES[name].sensors]
)
def test_contacts_of_either_sort_are_read_by_the_level_that_is_configured(name: str, feedback: str) -> None:
    if boards.load(name).inputs is None:
        return  # its inputs are no part of the profile: nothing is known of them for certain
    joined = serving(Joined(layout_of(group_of(name, feedback=feedback)), bursts_s=BURSTS_S))
    door = joined.model.numbers[-1]
    joined.do(door, "pry")
    assert joined.until(lambda: joined.reading(door).position is Position.OPEN, 1.5)
    assert joined.believed() == joined.true()
    if boards.load(name).locks is not None:
        assert joined.open(1).outcome is PulseOutcome.ACKNOWLEDGED
        assert joined.until(lambda: joined.reading(1).position is Position.OPEN, 1.5)


@pytest.mark.parametrize("name", [name for name in NAMES if not boards.load(name).replies_to_pulse])
def test_a_board_that_keeps_silent_after_a_pulse_is_never_doubted(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    for door in (1, 2, 3):
        joined.open(door)
        joined.run(1)
    (figures,) = (board for line in joined.cabinet.report() for board in line.boards)
    assert (figures.standing, figures.missed) == ("serving", 0)


@pytest.mark.parametrize("name", ["wkly-12", "winnsen-16"])
def test_an_answer_when_the_pulse_is_over_does_not_lengthen_the_patience_with_questions(name: str) -> None:
    joined = cabinet_of(name, bursts_s=0.02)
    (station,) = joined.lines["A"].bus._stations.values()
    joined.run(90)
    learned_s = station.patience.learned_s
    assert learned_s < 0.3
    joined.open(1)
    assert station.patience.learned_s <= learned_s


@pytest.mark.parametrize("name", NAMES)
def test_a_jammed_door_is_pulsed_once_and_stays_shut(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    joined.do(2, "jam")
    joined.open(2)
    joined.run(5)
    assert [pulse.compartment for pulse in joined.pulses] == [2]
    assert joined.believed() == joined.true()
    assert joined.reading(2).position is Position.CLOSED


@pytest.mark.parametrize("name", NAMES)
def test_every_address_of_the_profile_is_the_boards_own(name: str) -> None:
    known = boards.load(name)
    for address in {known.address.min, known.address.min + 1, known.address.max - 1}:
        joined = serving(Joined(layout_of(group_of(name, address=address)), bursts_s=BURSTS_S))
        joined.open(1)
        assert joined.until(lambda here=joined: here.reading(1).position is Position.OPEN, 1.5)  # type: ignore[misc]


def test_two_boards_of_one_family_do_not_answer_for_each_other() -> None:
    groups = [[BoardPlan("A", address, "wkly-12")] for address in (0, 1, 10)]
    joined = serving(Joined(layout_of(*groups), bursts_s=BURSTS_S))
    for door in (1, 12, 13, 24, 25, 36):
        joined.open(door)
        assert joined.until(lambda: joined.believed() == joined.true(), 1.5)
        assert [pulse.compartment for pulse in joined.pulses] == [door]
        joined.pulses.clear()
        joined.run(0.6)
        joined.do(door, "shut")
