"""Relays that do not let go, and pulses that we must end ourselves: what is said, and what has power."""

from dataclasses import dataclass, field
from itertools import pairwise

from firmware_bridge.coils import AGAIN_S
from firmware_bridge.happenings import InputsRead, RelaysStuck, StationFound, StationLost
from firmware_bridge.request import ReadDoors
from firmware_bridge.station import Standing
from locker.domain.door import PulseOutcome, PulseResult
from locker.domain.ids import BoardId
from tests.firmware_bridge.faulty_line import ToyBoard, World, sealed

LOCKS, DOORS, OTHER = BoardId("A/1"), BoardId("A/2"), BoardId("A/3")
TRANSACTION_S = 0.05
PULSE_S = 0.5


@dataclass
class Grudging(ToyBoard):
    """Its welded relays let go at an all-off."""

    def hear(self, frame: bytes, at_s: float) -> bytes | None:
        if frame[1:6] == bytes.fromhex("05 00 FF 00 00"):
            self.welded.clear()
        return super().hear(frame, at_s)


@dataclass
class Switches(ToyBoard):
    """On and off by FC05, no pulse of its own. The next ``deaf`` orders to switch off are lost on it."""

    deaf: int = 0
    is_on: set[int] = field(default_factory=set)
    edges: list[tuple[float, int, bool]] = field(default_factory=list)

    def on(self, _at_s: float) -> set[int]:
        return self.is_on

    def hear(self, frame: bytes, at_s: float) -> bytes | None:
        if not self.dead and frame[0] == self.address and frame[1] == 5:
            return self._switch(frame, at_s)
        if not self.dead and frame[:6] == bytes([self.address, 1, 0, 0, 0, 1]):
            return sealed(self.address, 1, 1, int(1 in self.is_on))
        return super().hear(frame, at_s)

    def _switch(self, frame: bytes, at_s: float) -> bytes | None:
        where, on = int.from_bytes(frame[2:4], "big"), frame[4] == 0xFF
        if not on and where != 0xFF and self.deaf:
            self.deaf -= 1
            return None
        for channel in range(1, self.relays + 1) if where == 0xFF else [where + 1]:
            (self.is_on.add if on else self.is_on.discard)(channel)
            self.edges.append((at_s, channel, on))
        self.off += where == 0xFF
        return frame


def serving(locks: ToyBoard, profile: str = "waveshare-32") -> World:
    toys = {LOCKS: locks, DOORS: ToyBoard(2, inputs=[True] * 32), OTHER: ToyBoard(3, relays=8, modes=[0] * 8)}
    polls = {DOORS: ReadDoors(DOORS, 1, 32)}
    world = World({LOCKS: profile, DOORS: "inputs-32", OTHER: "waveshare-8"}, toys, polls=polls)
    world.run(2)
    assert all(station.standing is Standing.SERVING for station in world.stations.values())
    return world


def switching() -> tuple[World, Switches]:
    toy = Switches(1, relays=8)
    world = serving(toy, "fc05-8")
    toy.edges.clear()
    return world, toy


def releases(world: World) -> list[float]:
    return [
        at_s
        for at_s, data in world.sent
        if data[:2] == b"\x01\x05" and data[4:6] == b"\0\0" and data[3] != 0xFF
    ]


def test_a_relay_that_stays_on_is_told_off_checked_again_and_reported_once() -> None:
    locks = ToyBoard(1, relays=32, modes=[0] * 32, welded={3})
    world = serving(locks)
    world.pulse(LOCKS, 3)
    world.run(1)
    assert locks.off == 2  # at the start, and against this relay
    (stuck,) = world.of(RelaysStuck)
    assert (stuck.board, stuck.channels) == (LOCKS, (3,))
    assert world.stations[LOCKS].standing is Standing.LOCKED_OUT
    refused, served = world.pulse(LOCKS, 4), world.pulse(OTHER, 1)
    world.run(3)
    assert [event.result for event in world.settled(refused)] == [
        PulseResult(PulseOutcome.NOT_SENT, "board_locked_out")
    ]
    assert [event.result.outcome for event in world.settled(served)] == [PulseOutcome.ACKNOWLEDGED]
    world.events.clear()
    world.run(120)
    assert world.of(RelaysStuck) == []
    assert len(world.of(InputsRead)) > 200


def test_another_relay_that_sticks_is_another_report() -> None:
    locks = ToyBoard(1, relays=32, modes=[0] * 32, welded={3})
    world = serving(locks)
    world.pulse(LOCKS, 3)
    world.run(2)
    locks.fired.append((world.now, 5, 1))
    locks.welded.add(5)
    world.run(40)
    assert [event.channels for event in world.of(RelaysStuck)] == [(3,), (3, 5)]


def test_a_relay_that_lets_go_after_all_serves_on() -> None:
    world = serving(Grudging(1, relays=32, modes=[0] * 32, welded={3}))
    world.pulse(LOCKS, 3)
    world.run(3)
    again = world.pulse(LOCKS, 4)
    world.run(3)
    assert [event.result.outcome for event in world.settled(again)] == [PulseOutcome.ACKNOWLEDGED]
    assert (world.of(RelaysStuck), world.of(StationLost)) == ([], [])


def test_while_a_relay_stays_on_its_board_fires_no_other() -> None:
    locks = ToyBoard(1, relays=32, modes=[0] * 32, welded={3})
    world = serving(locks)
    world.pulse(LOCKS, 3)
    world.pulse(LOCKS, 4)
    world.pulse(OTHER, 1)
    world.run(1.0)
    assert [channel for _, channel, _ in locks.fired] == [3]


def test_a_board_that_comes_back_with_a_relay_on_does_not_serve() -> None:
    locks = ToyBoard(1, relays=32, modes=[0] * 32)
    world = serving(locks)
    locks.dead = True
    world.run(5)
    locks.fired.append((world.now, 7, 10_000))
    locks.dead = False
    world.run(60)
    assert world.of(StationFound) == []
    assert [event.channels for event in world.of(RelaysStuck)] == [(7,)]


def test_a_timed_pulse_is_ended_in_time_however_busy_the_line() -> None:
    world, toy = switching()
    for board in world.stations:
        world.bus.attend(board, float("inf"), world.now)
    pulse = world.pulse(LOCKS, 2)
    world.run(2)
    (on_s, *on), (off_s, *off) = toy.edges
    assert (on, off) == ([2, True], [2, False])
    assert PULSE_S <= off_s - on_s <= PULSE_S + TRANSACTION_S
    assert [event.result.outcome for event in world.settled(pulse)] == [PulseOutcome.ACKNOWLEDGED]
    assert len(releases(world)) == 1
    assert world.of(StationLost) == []


def test_the_end_of_a_pulse_goes_before_other_pulses() -> None:
    world, toy = switching()
    world.pulse(LOCKS, 2)
    world.pulse(LOCKS, 3)
    world.pulse(OTHER, 1)
    world.run(3)
    assert [(channel, on) for _, channel, on in toy.edges] == [(2, True), (2, False), (3, True), (3, False)]
    spans = [(toy.edges[0][0], toy.edges[1][0]), (toy.edges[2][0], toy.edges[3][0])]
    spans += [(at_s, at_s + units / 10) for at_s, _, units in world.toys[OTHER].fired]
    spans.sort()
    assert len(spans) == 3
    assert all(ends_s < begins_s for (_, ends_s), (begins_s, _) in pairwise(spans))


def test_the_end_of_a_pulse_is_said_until_it_is_confirmed_with_pauses() -> None:
    world, toy = switching()
    toy.deaf = 2
    world.pulse(LOCKS, 2)
    world.pulse(OTHER, 1)
    world.run(4)
    said = releases(world)
    assert len(said) == 3
    assert all(later - earlier >= AGAIN_S for earlier, later in pairwise(said))
    assert toy.is_on == set()
    ((fired_s, _, _),) = world.toys[OTHER].fired
    assert fired_s > toy.edges[-1][0]  # one supply: while the coil has power no other fires
    assert world.of(StationLost) == []


def test_between_two_tries_to_end_a_pulse_the_others_have_their_turn() -> None:
    world, toy = switching()
    toy.deaf = 2
    world.bus.attend(DOORS, float("inf"), world.now)
    world.pulse(LOCKS, 2)
    world.run(3)
    said = releases(world)
    read = [event.at_s for event in world.of(InputsRead)]
    assert all(any(earlier < at_s < later for at_s in read) for earlier, later in pairwise(said))


def test_a_board_that_dies_under_a_timed_pulse_costs_the_others_nothing() -> None:
    world, toy = switching()
    world.bus.attend(DOORS, float("inf"), world.now)
    world.run(10)
    alive = len(world.of(InputsRead))
    world.pulse(LOCKS, 2)
    world.run(0.3)
    toy.dead = True
    world.run(20)
    world.events.clear()
    world.run(10)
    assert len(world.of(InputsRead)) >= 0.9 * alive
    assert world.stations[LOCKS].standing is Standing.LOST
    toy.dead = False
    world.run(40)
    assert toy.is_on == set()
    assert len(world.of(StationFound)) == 1
    after = [channel for at_s, channel, on in toy.edges if on]
    assert after == [2]


def test_a_restart_releases_before_it_serves() -> None:
    toy = Switches(1, relays=8, is_on={4})
    world = World({LOCKS: "fc05-8"}, {LOCKS: toy})
    world.run(2)
    assert toy.is_on == set()
    assert toy.off == 1
    assert world.stations[LOCKS].standing is Standing.SERVING
