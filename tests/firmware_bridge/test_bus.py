"""The schedule of one line under virtual time: who is asked when, and what becomes of every pulse."""

from itertools import pairwise
from typing import Any

import pytest

from firmware_bridge import boards as profiles
from firmware_bridge.bus import Send
from firmware_bridge.exchange import DRAIN_S
from firmware_bridge.happenings import InputsRead, PollMissed, StationFound, StationLost
from firmware_bridge.request import Pulse, ReadDoors
from firmware_bridge.station import MISSES_TO_LOSS, NEXT, Signal, Standing, Station
from locker.domain.door import PulseOutcome, PulseResult
from locker.domain.ids import BoardId
from tests.firmware_bridge.faulty_line import Faults, ToyBoard, World, sealed

LOCKS, DOORS = BoardId("A/1"), BoardId("A/2")
ACKNOWLEDGED = PulseResult(PulseOutcome.ACKNOWLEDGED)
UNCERTAIN = PulseResult(PulseOutcome.UNCERTAIN)


def not_sent(reason: str) -> PulseResult:
    return PulseResult(PulseOutcome.NOT_SENT, reason)


def two_boards(**options: Any) -> World:
    toys = {LOCKS: ToyBoard(1, relays=32, modes=[0] * 32), DOORS: ToyBoard(2, inputs=[True] * 32)}
    polls = {DOORS: ReadDoors(DOORS, 1, 32)}
    return World({LOCKS: "waveshare-32", DOORS: "inputs-32"}, toys, polls=polls, **options)


def serving(**options: Any) -> World:
    world = two_boards(**options)
    world.run(2)
    assert all(station.standing is Standing.SERVING for station in world.stations.values())
    return world


def result(world: World, pulse: Pulse) -> PulseResult:
    (settled,) = world.settled(pulse)
    return settled.result


def writes(world: World, function: int) -> list[bytes]:
    return [data for _, data in world.sent if data[1] == function]


def test_start_identifies_checks_and_releases_once() -> None:
    world = serving()
    first = [data[:6].hex(" ") for _, data in world.sent if data[0] == 1][:3]
    assert first == ["01 03 80 00 00 01", "01 03 10 00 00 20", "01 05 00 ff 00 00"]
    world.run(30)
    assert world.toys[LOCKS].off == 1
    assert world.of(StationLost) == []


def test_a_pulse_goes_out_once_and_is_acknowledged() -> None:
    world = serving()
    pulse = world.pulse(LOCKS, 3)
    world.run(5)
    assert result(world, pulse) == ACKNOWLEDGED
    assert [(channel, units) for _, channel, units in world.toys[LOCKS].fired] == [(3, 5)]
    assert len(writes(world, 5)) == 2  # with the release at the start


def test_silence_settles_nothing_and_repeats_nothing() -> None:
    world = serving()
    world.faults = Faults(reply_lost=1)
    pulse = world.pulse(LOCKS, 3)
    world.run(0.5)
    assert result(world, pulse) == UNCERTAIN
    world.faults = Faults()
    world.run(20)
    assert len(world.toys[LOCKS].fired) == 1


def test_a_refusal_is_told_as_such() -> None:
    world = serving()
    world.toys[LOCKS].refuses = 3
    pulse = world.pulse(LOCKS, 3)
    world.run(1)
    assert result(world, pulse) == PulseResult(PulseOutcome.REFUSED, "exception_3")


@pytest.mark.parametrize("code", [4, 5, 6, 8, 10, 11])
def test_an_exception_that_may_come_of_a_pulse_under_way_refuses_nothing(code: int) -> None:
    """A gateway says 11 where it missed the reply of a board that has fired: the sensor decides."""
    world = serving()
    world.toys[LOCKS].refuses = code
    pulse = world.pulse(LOCKS, 3)
    world.run(1)
    assert result(world, pulse) == UNCERTAIN


@pytest.mark.parametrize("echo", [False, True])
def test_echo_is_learned_from_reads(echo: bool) -> None:
    world = serving(echo=echo)
    pulse = world.pulse(LOCKS, 1)
    world.run(1)
    assert result(world, pulse) == ACKNOWLEDGED
    world.toys[LOCKS].dead = True
    second = world.pulse(LOCKS, 2)
    world.run(1)
    assert result(world, second) == UNCERTAIN


def test_an_adapter_that_begins_to_echo_confirms_nothing() -> None:
    world = serving()
    world.echo, world.toys[LOCKS].dead = True, True
    pulse = world.pulse(LOCKS, 1)
    world.run(1)
    assert result(world, pulse) == UNCERTAIN


def test_pulses_wait_until_the_line_is_known() -> None:
    world = two_boards()
    pulse = world.pulse(LOCKS, 1)
    world.run(2)
    assert result(world, pulse) == ACKNOWLEDGED
    assert [data[1] for _, data in world.sent].index(5) >= 2


def test_cool_down_and_hourly_limit() -> None:
    world = serving()
    results = []
    for _ in range(61):
        pulse = world.pulse(LOCKS, 1)
        world.run(3.1)
        results.append(result(world, pulse))
    assert results == [ACKNOWLEDGED] * 60 + [not_sent("hourly_limit")]
    world.run(3600)
    again, too_soon = world.pulse(LOCKS, 1), world.pulse(LOCKS, 1)
    world.run(2)
    assert result(world, again) == ACKNOWLEDGED
    assert result(world, too_soon) == not_sent("cool_down")


def test_a_lock_that_rests_is_waited_for_where_the_deadline_allows() -> None:
    world = serving()
    first = world.pulse(LOCKS, 1)
    world.run(0.5)
    second = world.pulse(LOCKS, 1, within_s=3.0)
    world.run(3)
    assert [result(world, pulse) for pulse in (first, second)] == [ACKNOWLEDGED, ACKNOWLEDGED]
    fired = [at_s for at_s, _, _ in world.toys[LOCKS].fired]
    assert 3.0 <= fired[1] - fired[0] < 3.1


def test_one_coil_at_a_time() -> None:
    world = serving()
    pulses = [world.pulse(LOCKS, channel) for channel in (1, 2, 3)]
    world.run(3)
    assert [result(world, pulse) for pulse in pulses] == [ACKNOWLEDGED] * 3
    fired = [at_s for at_s, _, _ in world.toys[LOCKS].fired]
    assert all(later - earlier > 0.799 for earlier, later in pairwise(fired))


def test_late_pulses_are_not_sent() -> None:
    world = serving()
    pulses = [world.pulse(LOCKS, channel, within_s=1.0) for channel in (1, 2, 3, 4)]
    world.run(3)
    results = [result(world, pulse) for pulse in pulses]
    assert results == [ACKNOWLEDGED, ACKNOWLEDGED, not_sent("late"), not_sent("late")]


def test_a_write_that_comes_too_late_is_taken_back() -> None:
    world = serving()
    pulse = Pulse(LOCKS, 1, 500, world.now + 1)
    world.bus.submit(pulse, world.now)
    while not (isinstance(step := world.bus.next(world.now), Send) and step.deadline_s == pulse.deadline_s):
        world.now += 0.001
    world.bus.not_written("late", world.now + 2)
    assert result(world, pulse) == not_sent("late")
    assert world.toys[LOCKS].fired == []


def test_withdrawn_pulses_are_not_sent() -> None:
    world = serving()
    first, second = world.pulse(LOCKS, 1), world.pulse(LOCKS, 2)
    world.run(0.1)
    world.bus.withdraw(second, world.now)
    world.run(5)
    assert result(world, first) == ACKNOWLEDGED
    assert result(world, second) == not_sent("withdrawn")
    assert len(world.toys[LOCKS].fired) == 1


def test_closing_the_port_empties_the_queue() -> None:
    world = serving()
    flying, waiting = world.pulse(LOCKS, 1), world.pulse(LOCKS, 2)
    while not world.bus.pulse_in_flight:
        world.run(0.001)
    world.bus.port_lost("unplugged", world.now)
    assert result(world, flying) == UNCERTAIN
    assert result(world, waiting) == not_sent("port_closed")
    assert [event.board for event in world.of(StationLost)] == [LOCKS, DOORS]
    refused = world.pulse(LOCKS, 3)
    assert result(world, refused) == not_sent("port_closed")
    world.run(5)
    world.bus.port_opened(world.now)
    world.run(5)
    assert len(world.toys[LOCKS].fired) == 1
    assert {event.board for event in world.of(StationFound)} == {LOCKS, DOORS}


def test_too_many_pulses_are_refused() -> None:
    world = serving()
    pulses = [world.pulse(LOCKS, channel) for channel in range(1, 19)]
    world.run(5)
    assert [result(world, pulse) for pulse in pulses[16:]] == [not_sent("queue_full")] * 2


def test_a_dead_board_is_lost_once_and_found_once() -> None:
    world = serving()
    world.toys[DOORS].dead = True
    world.run(5)
    assert len(world.of(StationLost)) == 1
    world.run(60)
    assert len(world.of(StationLost)) == 1
    world.toys[DOORS].dead = False
    world.run(40)
    assert len(world.of(StationFound)) == 1
    assert world.toys[LOCKS].off == 1


def test_a_dead_board_costs_only_its_own_slot() -> None:
    boards = [BoardId(f"A/{n}") for n in range(1, 5)]

    def polls_of_the_living(dead: bool) -> int:
        toys = {board: ToyBoard(n, inputs=[False] * 32) for n, board in enumerate(boards, 1)}
        polls = {board: ReadDoors(board, 1, 24) for board in boards}
        world = World(dict.fromkeys(boards, "inputs-32"), toys, polls=polls)
        world.run(2)
        toys[boards[3]].dead = dead
        world.run(10)
        for board in boards[:3]:
            world.bus.attend(board, float("inf"), world.now)
        world.events.clear()
        world.run(60)
        return sum(isinstance(event, InputsRead) and event.board != boards[3] for event in world.events)

    assert polls_of_the_living(dead=True) >= 0.97 * polls_of_the_living(dead=False)


def test_pulses_to_lost_and_locked_out_boards_are_refused() -> None:
    world = serving()
    world.toys[LOCKS].dead = True
    world.run(5)
    pulse = world.pulse(LOCKS, 1)
    world.run(1)
    assert result(world, pulse) == not_sent("board_lost")


@pytest.mark.parametrize("fault", ["version", "modes"])
def test_a_board_that_does_not_fit_is_locked_out_until_it_does(fault: str) -> None:
    toy = ToyBoard(1, relays=8, inputs=[True] * 8, modes=[0] * 8)
    if fault == "version":
        toy.version = 100
    else:
        toy.modes = [0, 0, 1, 0, 0, 0, 0, 0]
    world = World({LOCKS: "waveshare-d8"}, {LOCKS: toy}, polls={LOCKS: ReadDoors(LOCKS, 1, 8)})
    world.run(5)
    assert world.stations[LOCKS].standing is Standing.LOCKED_OUT
    pulse = world.pulse(LOCKS, 1)
    world.run(1)
    assert result(world, pulse) == not_sent("board_locked_out")
    assert len(world.of(StationLost)) == 1
    assert world.of(InputsRead) == []
    toy.version, toy.modes = 200, [0] * 8
    world.run(40)
    assert len(world.of(StationFound)) == 1
    assert toy.fired == []


def test_idle_boards_are_read_twice_a_second_and_attended_ones_without_a_pause() -> None:
    world = serving()
    world.events.clear()
    world.run(10)
    reads = [event.at_s for event in world.of(InputsRead)]
    assert all(later - earlier <= 0.5 for earlier, later in pairwise(reads))
    world.bus.attend(DOORS, world.now + 10, world.now)
    world.events.clear()
    world.run(10)
    assert len(world.of(InputsRead)) >= 10 / 0.032 * 0.9
    assert sum(data[0] == 1 for at_s, data in world.sent if at_s > world.now - 10) >= 20


def test_after_a_silence_another_question_comes_first() -> None:
    """A late reply to the lost poll must not pass for the answer to the next one."""
    world = serving()
    world.faults = Faults(reply_lost=1)
    while not world.of(PollMissed):
        world.run(0.01)
    world.faults = Faults()
    missed_at_s = world.now
    world.run(1)
    (at_s, question), *_ = [(at, data) for at, data in world.sent if at >= missed_at_s]
    assert question[:6] in {bytes([2, 2, 0, 0, 0, 1]), bytes([1, 3, 0x80, 0, 0, 1])}
    assert at_s - missed_at_s >= DRAIN_S - 0.011


def test_endless_noise_loses_the_boards_and_holds_the_pulses() -> None:
    world = serving()
    start_s = world.now
    for n in range(6000):
        world.at(start_s + n * 0.001, lambda: world.bus.received(b"\xa5", world.now))
    world.run(0.1)
    pulse = world.pulse(LOCKS, 1)
    world.run(5.5)
    assert result(world, pulse).outcome is PulseOutcome.NOT_SENT
    assert len(world.of(StationLost)) == 2
    world.run(60)
    assert len(world.of(StationFound)) == 2


def test_every_standing_meets_every_signal_or_refuses_it() -> None:
    assert {standing for standing, _ in NEXT} == set(Standing)
    for standing in Standing:
        assert NEXT[standing, Signal.GIVEN_UP] is Standing.LOST
        assert NEXT[standing, Signal.UNFIT] is Standing.LOCKED_OUT
    starts = {key for key, after in NEXT.items() if after is Standing.SERVING}
    assert starts == {
        (Standing.STARTING, Signal.STARTED),
        (Standing.SERVING, Signal.ANSWERED),
        (Standing.DOUBTED, Signal.ANSWERED),
    }


def test_a_lost_slow_board_costs_little_more_than_its_slot() -> None:
    """Most probes wait only as long as the board usually needs; each fourth as long as its profile allows."""
    station = Station(LOCKS, 1, profiles.load("xor8a-24"), None)
    assert station.patience_s == 0.8
    for _ in range(MISSES_TO_LOSS):
        station.missed(0.0)
    assert station.down
    waits = []
    for now in range(8):
        waits.append((station.patience_s, station.drain_s))
        station.asked(station.question(float(now)), float(now))
    assert waits == [(0.8, DRAIN_S), *[(0.45, DRAIN_S)] * 3] * 2


def test_bytes_that_cannot_be_an_answer_yet_may_wait_in_the_port() -> None:
    world = serving()
    world.bus.attend(DOORS, world.now + 10, world.now)
    step = world.bus.next(world.now)
    while not isinstance(step, Send):
        world.now = step.until_s
        step = world.bus.next(world.now)
    read, sent_s = step.data, world.now
    assert read[:2] == bytes([2, 2])
    shortest = 5  # an exception
    assert world.bus.deaf_until_s == pytest.approx(sent_s + world.timing.wire_s(len(read) + shortest - 1))
    heard_s = sent_s + world.timing.wire_s(len(read) + 6)
    world.bus.received(bytes([2, 2]), heard_s)
    assert world.bus.deaf_until_s == pytest.approx(heard_s + world.timing.wire_s(2))
    world.bus.received(bytes([4, 0xFF, 0xFF, 0xFF]), heard_s)
    assert world.bus.deaf_until_s < heard_s
    reply = sealed(2, 2, 4, 0xFF, 0xFF, 0xFF, 0xFF)
    world.bus.received(reply[6:], heard_s)
    assert world.of(InputsRead)[-1].levels == (True,) * 32
    assert world.bus.deaf_until_s == float("-inf")
