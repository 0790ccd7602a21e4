"""One coil at a time of each supply, whichever line its boards hang on."""

import threading
import time
from itertools import pairwise

from firmware_bridge import boards as profiles
from firmware_bridge.bus import Bus
from firmware_bridge.exchange import Timing
from firmware_bridge.limits import Supply
from firmware_bridge.request import Pulse
from firmware_bridge.station import Station
from locker.domain.door import PulseOutcome
from locker.domain.ids import BoardId
from tests.firmware_bridge.faulty_line import ToyBoard, World

STEP_S = 0.003
PULSES = 4


def line(name: str, supply: Supply) -> World:
    """One relay board on a line of its own."""
    board = BoardId(f"{name}/1")
    station = Station(board, 1, profiles.load("waveshare-8"), None)
    world = World({}, {board: ToyBoard(1, relays=8, modes=[0] * 8)})
    world.bus = Bus(Timing(9600), [station], world.events.append, {board: supply})
    world.bus.port_opened(world.now)
    return world


def together(first: Supply, second: Supply) -> list[tuple[float, float]]:
    """Two lines in step; all pulses at once. When each coil had power."""
    worlds = [line("A", first), line("B", second)]
    for _ in range(500):
        for world in worlds:
            world.run(STEP_S)
    for channel in range(1, PULSES + 1):
        for world in worlds:
            (board,) = world.toys
            world.pulse(board, channel, within_s=30)
    for _ in range(4_000):
        for world in worlds:
            world.run(STEP_S)
    fired = [fired for world in worlds for toy in world.toys.values() for fired in toy.fired]
    return sorted((at_s, at_s + units / 10) for at_s, _, units in fired)


def overlap(spans: list[tuple[float, float]]) -> bool:
    return any(begins_s < ends_s for (_, ends_s), (begins_s, _) in pairwise(spans))


def test_lines_that_share_a_supply_never_energise_two_coils_at_once() -> None:
    supply = Supply()
    spans = together(supply, supply)
    assert len(spans) == 2 * PULSES
    assert not overlap(spans)


def test_lines_with_their_own_supplies_do_not_wait_for_each_other() -> None:
    spans = together(Supply(), Supply())
    assert len(spans) == 2 * PULSES
    assert overlap(spans)


def test_boards_of_one_line_with_their_own_supplies_do_not_wait_either() -> None:
    boards = [BoardId("A/1"), BoardId("A/2")]
    stations = [Station(board, n, profiles.load("waveshare-8"), None) for n, board in enumerate(boards, 1)]
    bus = Bus(Timing(9600), stations, lambda _event: None, {board: Supply() for board in boards})
    toys = {board: ToyBoard(n, relays=8, modes=[0] * 8) for n, board in enumerate(boards, 1)}
    world = World({}, toys, bus=bus)
    world.run(2)
    for board in boards:
        world.pulse(board, 1)
    world.run(2)
    (first, *_), (second, *_) = (toys[board].fired for board in boards)
    assert abs(first[0] - second[0]) < 0.1


def test_a_supply_is_taken_by_one_thread_alone() -> None:
    supply, together_s = Supply(), 0.002
    taken: list[tuple[float, float]] = []
    start = threading.Barrier(4)

    def take() -> None:
        start.wait()
        ends_s = time.monotonic() + 0.5
        while (now := time.monotonic()) < ends_s:
            if supply.take(now, now + together_s):
                taken.append((now, now + together_s))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    assert len(taken) > 20
    assert not overlap(taken)


def test_a_supply_that_is_held_feeds_nobody_and_gives_no_time_back() -> None:
    supply = Supply()
    assert supply.take(10.0, 10.8)
    supply.hold(10.5)
    assert supply.free_s == 10.8
    supply.hold(12.0)
    assert not supply.take(11.9, 13.0)
    assert supply.take(12.0, 13.0)


def test_who_comes_second_waits_and_is_sent_all_the_same() -> None:
    """Another line was quicker between the choice and the write."""
    supply = Supply()
    world = line("A", supply)
    world.run(2)
    (board,) = world.toys
    ready_at_s = world.now + 1.5

    def quicker() -> None:
        assert supply.take(world.now, ready_at_s)

    world.at(world.now, quicker)
    pulse = Pulse(board, 1, 500, world.now + 3)
    world.at(world.now, lambda: world.bus.submit(pulse, world.now))
    world.run(3)
    ((fired_s, _, _),) = world.toys[board].fired
    assert ready_at_s <= fired_s < ready_at_s + 0.1
    assert [event.result.outcome for event in world.settled(pulse)] == [PulseOutcome.ACKNOWLEDGED]
