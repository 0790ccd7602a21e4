"""The whole model: bytes in, doors out, and what hands can do."""

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hw_sim import hands
from hw_sim.cabinet import Cabinet, Move, Pulse
from hw_sim.hands import NoSuchDoorError, RefusedError
from hw_sim.layout import LAYOUTS
from hw_sim.physics import Reading
from tests.hw_sim.wired import frame


@dataclass
class Witness:
    pulses: list[Pulse] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def pulse(self, pulse: Pulse) -> None:
        self.pulses.append(pulse)

    def move(self, move: Move) -> None:
        self.moves.append(move)


class Room:
    def __init__(self, layout: str = "two-board") -> None:
        self.witness = Witness()
        self.cabinet = Cabinet(LAYOUTS[layout], self.witness)
        self.now_ms = 0

    def say(self, board: int, body: str) -> str:
        """Ask one board; its reply without address and checksum."""
        self.cabinet.advance(self.now_ms)
        station = self.cabinet.boards("A")[board - 1]
        reply = station.answer(frame(f"{board:02x} {body}"), self.now_ms)
        return "" if reply is None else reply[1:-2].hex(" ")

    def wait(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        self.cabinet.advance(self.now_ms)

    def do(self, number: int, act: str) -> None:
        hands.do(self.cabinet, number, act, self.now_ms)

    def happened(self) -> list[tuple[int, str, int]]:
        return [(move.compartment, str(move.what), move.at_ms) for move in self.witness.moves]


def test_a_pulse_opens_its_own_door_and_the_sensor_tells() -> None:
    room = Room()
    assert room.say(2, "02 00 00 00 20") == "02 04 ff ff 00 00"
    room.say(1, "05 02 04 00 05")
    room.wait(1_000)
    assert room.say(2, "02 00 00 00 20") == "02 04 ef ff 00 00"
    assert [(pulse.compartment, pulse.order.pulse_ms) for pulse in room.witness.pulses] == [(5, 500)]
    assert room.happened() == [(5, "coil_on", 0), (5, "door_opened", 100), (5, "coil_off", 500)]


def test_a_visit_as_the_sensors_see_it() -> None:
    room = Room()
    room.say(1, "05 02 0F 00 05")
    room.wait(1_000)
    room.do(16, "put")
    assert room.say(2, "02 00 00 00 20") == "02 04 ff 7f 00 80"
    room.do(16, "shut")
    assert room.say(2, "02 00 00 00 20") == "02 04 ff ff 00 80"


def test_a_relay_with_nothing_on_it_opens_nothing() -> None:
    room = Room()
    room.say(1, "05 02 1F 00 05")
    room.wait(1_000)
    assert [pulse.compartment for pulse in room.witness.pulses] == [None]
    assert room.happened() == []


def test_the_small_layout_has_locks_and_sensors_on_one_board() -> None:
    room = Room("d8")
    room.say(1, "05 02 07 00 05")
    room.wait(1_000)
    assert room.say(1, "02 00 00 00 08") == "02 01 7f"
    room.do(8, "put")
    assert room.say(1, "02 00 00 00 08") == "02 01 7f"


def test_a_held_door_springs_open_when_let_go_under_power() -> None:
    room = Room()
    room.do(1, "hold")
    room.say(1, "05 02 00 00 0A")
    room.wait(500)
    assert not room.cabinet.thing(1).open
    room.do(1, "walk_away")
    room.wait(100)
    assert room.cabinet.thing(1).open


def test_a_jammed_lock_moves_again_when_freed() -> None:
    room = Room()
    room.do(1, "jam")
    room.say(1, "05 02 00 00 05")
    room.wait(1_000)
    assert not room.cabinet.thing(1).open
    room.do(1, "unjam")
    room.wait(1_000)
    assert not room.cabinet.thing(1).open
    room.say(1, "05 02 00 00 05")
    room.wait(1_000)
    assert room.cabinet.thing(1).open


def test_in_linkage_pushing_the_door_shut_fires_its_lock() -> None:
    room = Room("d8")
    room.say(1, "06 10 02 00 01")
    room.wait(300)
    assert room.cabinet.thing(3).open
    room.do(3, "shut")
    room.wait(300)
    assert room.cabinet.thing(3).opened_count == 2
    assert room.witness.pulses == []


def test_force_is_told_from_a_lock() -> None:
    room = Room()
    room.do(7, "pry")
    assert [(move.what, move.cause) for move in room.witness.moves] == [("door_opened", "force")]


@pytest.mark.parametrize("act", ["put", "take", "pull"])
def test_a_shut_door_keeps_hands_out(act: str) -> None:
    room = Room()
    with pytest.raises(RefusedError):
        room.do(3, act)
    assert room.witness.moves == []


@pytest.mark.parametrize("acts", [("pry", "take"), ("pry", "put", "put"), ("pry", "hold")])
def test_what_cannot_be_is_refused(acts: tuple[str, ...]) -> None:
    room = Room()
    for act in acts[:-1]:
        room.do(3, act)
    with pytest.raises(RefusedError):
        room.do(3, acts[-1])


def test_doors_that_are_not_there() -> None:
    room = Room()
    for number in (0, 17, -1):
        with pytest.raises(NoSuchDoorError):
            room.do(number, "shut")


def test_a_stuck_sensor_goes_on_telling_the_same() -> None:
    room = Room()
    hands.break_sensors(room.cabinet, 1, 0, door=Reading.STUCK_1, item=Reading.STUCK_1)
    room.do(1, "pry")
    assert room.say(2, "02 00 00 00 20") == "02 04 ff ff 01 00"
    hands.break_sensors(room.cabinet, 1, 0, door=Reading.TRUE)
    assert room.say(2, "02 00 00 00 20") == "02 04 fe ff 01 00"


class Anything(RuleBasedStateMachine):
    """Whatever people and drivers do in whatever order, the cabinet stays a cabinet."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room("d8")
        self.orders = 0

    @rule(number=st.integers(1, 8), act=st.sampled_from([name for name in hands.ACTS if name != "pry"]))
    def somebody(self, number: int, act: str) -> None:
        before = self.room.cabinet.thing(number)
        try:
            self.room.do(number, act)
        except RefusedError:
            assert self.room.cabinet.thing(number).open is before.open

    @rule(number=st.integers(1, 8), units=st.integers(1, 30))
    def pulse(self, number: int, units: int) -> None:
        self.room.say(1, f"05 02 {number - 1:02x} 00 {units:02x}")
        self.orders += 1

    @rule(milliseconds=st.integers(0, 4_000))
    def time(self, milliseconds: int) -> None:
        self.room.wait(milliseconds)

    @invariant()
    def every_order_is_on_record(self) -> None:
        assert len(self.room.witness.pulses) == self.orders

    @invariant()
    def no_door_opens_without_its_order(self) -> None:
        opened = [move for move in self.room.witness.moves if move.what == "door_opened"]
        ordered = {pulse.compartment for pulse in self.room.witness.pulses}
        assert {move.compartment for move in opened} <= ordered

    @invariant()
    def the_sensors_agree_with_the_doors(self) -> None:
        bits = int(self.room.say(1, "02 00 00 00 08").split()[2], 16)
        shut = sum((not self.room.cabinet.thing(number).open) << (number - 1) for number in range(1, 9))
        assert bits == shut


TestAnything = Anything.TestCase
