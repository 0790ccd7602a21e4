"""A technician's questions on a line that serves: answered in between, and nobody waits for them."""

from itertools import pairwise

import pytest

from firmware_bridge import boards
from firmware_bridge.bus import Bus
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import Answer, InputsRead, Inquiry, StationLost
from firmware_bridge.request import Bits, Fits, Identify, ReadDoors, Refused
from firmware_bridge.schedule import INQUIRIES_MAX
from firmware_bridge.station import Standing
from locker.domain.door import PulseOutcome
from locker.domain.ids import BoardId
from tests.firmware_bridge.faulty_line import ToyBoard, World

LOCKS, DOORS, SOMEWHERE = BoardId("A/1"), BoardId("A/2"), BoardId("A/0")
INPUTS = boards.load("inputs-32")
TRANSACTION_S = 0.04
TIME_OUT_S = 0.35
"""Of a question that nobody answers."""


def serving() -> World:
    toys = {LOCKS: ToyBoard(1, relays=32, modes=[0] * 32), DOORS: ToyBoard(2, inputs=[True] * 32)}
    world = World({LOCKS: "waveshare-32", DOORS: "inputs-32"}, toys, polls={DOORS: ReadDoors(DOORS, 1, 32)})
    world.run(2)
    assert all(station.standing is Standing.SERVING for station in world.stations.values())
    return world


def ask(world: World, address: int = 2, count: int = 16) -> list[Answer]:
    answers: list[Answer] = []
    world.bus.inquire(Inquiry(INPUTS, address, ReadDoors(SOMEWHERE, 1, count), answers.append))
    return answers


def test_a_question_is_answered_between_two_polls() -> None:
    world = serving()
    world.bus.attend(DOORS, float("inf"), world.now)
    asked = [ask(world) for _ in range(5)]
    world.run(1)
    for answers in asked:
        (answer,) = answers
        assert answer.reply == Bits((True,) * 16)
        assert 0 < answer.took_s < TRANSACTION_S
    questions = [data[:2] == b"\x02\x02" and data[5] == 16 for _, data in world.sent]
    assert sum(questions) == 5
    assert not any(one and next_one for one, next_one in pairwise(questions))


def test_an_idle_line_answers_at_once() -> None:
    world = serving()
    answers = ask(world)
    world.run(TRANSACTION_S + 0.03)
    assert len(answers) == 1


def test_a_refusal_is_an_answer_and_silence_is_one_too() -> None:
    world = serving()
    refused: list[Answer] = []
    world.bus.inquire(Inquiry(INPUTS, 1, ReadDoors(SOMEWHERE, 1, 16), refused.append))
    silent = ask(world, address=99)
    world.run(1)
    assert [type(answer.reply) for answer in refused] == [Refused]
    assert silent == [Answer(None)]
    assert world.of(StationLost) == []
    assert all(station.standing is Standing.SERVING for station in world.stations.values())
    assert all(station.counters.missed == 0 for station in world.stations.values())


def test_silent_addresses_do_not_starve_the_polls() -> None:
    world = serving()
    silent = [ask(world, address=address) for address in range(20, 60)]
    world.events.clear()
    world.run(40 * TIME_OUT_S)
    assert [answers for answers in silent if answers != [Answer(None)]] == []
    read_s = [event.at_s for event in world.of(InputsRead)]
    assert all(later - earlier < 2 * TIME_OUT_S + 0.5 for earlier, later in pairwise(read_s))


@pytest.mark.parametrize("address", [2, 99])
def test_a_pulse_waits_for_one_question_at_most(address: int) -> None:
    world = serving()
    waited = []
    for channel in range(1, 9):
        world.run(0.9 + channel * 0.007)
        for _ in range(3):
            ask(world, address)
        world.run(0.01)
        asked_s = world.now
        pulse = world.pulse(LOCKS, channel)
        world.run(2)
        assert [event.result.outcome for event in world.settled(pulse)] == [PulseOutcome.ACKNOWLEDGED]
        waited.append(world.toys[LOCKS].fired[-1][0] - asked_s)
    # One that is under way is heard out; then the board may have to say that it is there.
    one_s = TRANSACTION_S if address == 2 else TIME_OUT_S
    assert max(waited) <= one_s + TRANSACTION_S


def test_all_end_when_the_port_goes_and_none_is_asked_without_one() -> None:
    world = serving()
    asked = [ask(world) for _ in range(3)]
    while not any(data[5] == 16 for _, data in world.sent):
        world.run(0.001)
    world.bus.port_lost("unplugged", world.now)
    assert asked == [[Answer(None)]] * 3
    assert ask(world) == [Answer(None)]
    world.bus.port_opened(world.now)
    before = len(world.sent)
    world.run(2)
    assert all(data[5] != 16 for _, data in world.sent[before:])


def test_too_many_are_unanswered_at_once() -> None:
    world = serving()
    asked = [ask(world) for _ in range(INQUIRIES_MAX + 2)]
    assert asked[-2:] == [[Answer(None)]] * 2
    world.run(10)
    assert all(answers[0].reply is not None for answers in asked[:-2])


def test_one_that_was_not_written_is_unanswered() -> None:
    world = serving()
    answers = ask(world)
    while not answers:
        step = world.bus.next(world.now)
        if getattr(step, "data", b"")[5:6] == bytes([16]):
            world.bus.not_written("port_closed", world.now)
        world.now += 0.001
    assert answers == [Answer(None)]


def test_a_line_without_boards_can_be_searched() -> None:
    answers: list[Answer] = []
    toy = ToyBoard(7, inputs=[True] * 32)
    world = World({}, {BoardId("A/7"): toy}, bus=Bus(Timing(9600), [], lambda _event: None))
    for address in range(5, 9):
        world.bus.inquire(Inquiry(INPUTS, address, Identify(SOMEWHERE), answers.append))
    world.run(3)
    assert [answer.reply for answer in answers] == [None, None, Fits(), None]
