"""Every profile on a line where things go wrong: what is not certain is unknown, and nothing fires twice."""

from typing import Any

import pytest

from firmware_bridge import boards
from firmware_bridge.boards.profile import Modbus
from hw_sim.boards.profiles import PROFILES
from locker.domain.door import (
    BoardFound,
    BoardLost,
    DoorMoved,
    DoorReading,
    Position,
    PulseOutcome,
    RelayStuck,
)
from tests.contract.joined import Joined, cabinet_of, group_of, layout_of
from tests.contract.life import NOISE, Life

NAMES = boards.names()
BURSTS_S = 0.01


def locks_at(joined: Joined) -> int:
    return joined.model.plan(1).lock.board


def doors_at(joined: Joined) -> int:
    return joined.model.plan(1).door.board


def readable_coils(name: str) -> bool:
    speech = boards.load(name).speech
    return isinstance(speech, Modbus) and speech.coils is not None and speech.pulse is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_echoing_adapter_proves_nothing(name: str) -> None:
    joined = Joined(layout_of(group_of(name)), bursts_s=0.001)
    joined.break_it(echo=True)
    assert joined.until(lambda: joined.believed() == joined.true(), 15)
    joined.run(3)
    told = boards.load(name).replies_to_pulse
    outcome = joined.open(1).outcome
    assert outcome is PulseOutcome.ACKNOWLEDGED or not told
    assert joined.until(lambda: joined.reading(1).position is Position.OPEN, 1.5)
    # The same adapter with a dead board says every order back, and nothing has happened.
    joined.break_it(dead=[locks_at(joined)])
    assert joined.open(2).outcome in {PulseOutcome.UNCERTAIN, PulseOutcome.NOT_SENT}
    assert [pulse.compartment for pulse in joined.pulses] == [1]


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_that_stays_shut_is_told_from_an_echo(name: str) -> None:
    """A board of the 8A family then replies with the very bytes of the order."""
    joined = Joined(layout_of(group_of(name)), bursts_s=0.001)
    joined.break_it(echo=True)
    assert joined.until(lambda: joined.believed() == joined.true(), 15)
    joined.run(3)
    joined.do(1, "jam")
    joined.open(1)
    joined.run(3)
    assert [pulse.compartment for pulse in joined.pulses] == [1]
    assert joined.reading(1).position is Position.CLOSED
    assert joined.of(BoardLost) == []


@pytest.mark.parametrize("name", NAMES)
def test_dead_boards_are_lost_once_unknown_and_found_once(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    every = [plan.address for plan in joined.layout.boards]
    joined.reports.clear()
    joined.break_it(dead=every)
    assert joined.until(lambda: len(joined.of(BoardLost)) == len(every), 15)
    assert {joined.reading(n) for n in joined.model.numbers} == {DoorReading()}
    assert joined.open(1).outcome is PulseOutcome.NOT_SENT
    joined.run(8)
    joined.do(1, "pry")
    joined.mend()
    assert joined.until(lambda: joined.believed() == joined.true(), 45)
    joined.until(lambda: len(joined.of(BoardFound)) == len(every), 30)
    joined.run(2)
    assert len(joined.of(BoardLost)) == len(joined.of(BoardFound)) == len(every)
    assert joined.pulses == []


@pytest.mark.parametrize("name", NAMES)
def test_a_board_that_dies_under_a_pulse_makes_it_uncertain(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    joined.break_it(loss=1.0)
    assert joined.open(1).outcome in {PulseOutcome.UNCERTAIN, PulseOutcome.NOT_SENT}
    joined.run(5)
    joined.mend()
    joined.run(12)
    assert [pulse.compartment for pulse in joined.pulses] in ([1], [])
    assert joined.believed() == joined.true()


@pytest.mark.parametrize("name", NAMES)
def test_stray_bytes_before_every_reply_change_nothing(name: str) -> None:
    joined = Joined(layout_of(group_of(name)), bursts_s=BURSTS_S)
    joined.break_it(garbage=[plan.address for plan in joined.layout.boards])
    assert joined.until(lambda: joined.believed() == joined.true(), 15)
    outcome = joined.open(1).outcome
    assert outcome is PulseOutcome.ACKNOWLEDGED or not boards.load(name).replies_to_pulse
    assert joined.until(lambda: joined.reading(1).position is Position.OPEN, 1.5)
    assert joined.of(BoardLost) == []


@pytest.mark.parametrize("name", [name for name in NAMES if PROFILES[name].reports])
def test_what_boards_tell_unasked_disturbs_nothing(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    joined.break_it(reports=[locks_at(joined)])
    life = Life(joined, seed=5)
    life.run(16, pause_s=0.7)
    assert life.wrong == []
    assert life.tally["seen open"] > 2


@pytest.mark.parametrize("fault", ["wrong_address", "wrong_command"])
@pytest.mark.parametrize("name", NAMES)
def test_replies_of_another_board_or_to_another_question_are_no_replies(name: str, fault: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    wish: dict[str, Any] = {fault: [plan.address for plan in joined.layout.boards]}
    joined.break_it(**wish)
    joined.do(1, "pry")
    assert joined.open(2).outcome in {PulseOutcome.UNCERTAIN, PulseOutcome.NOT_SENT}
    joined.run(12)
    assert {joined.reading(n) for n in joined.model.numbers} == {DoorReading()}
    assert [pulse.compartment for pulse in joined.pulses] in ([2], [])


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_for_another_lock_confirms_nothing(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    joined.break_it(wrong_echo=[locks_at(joined)])
    assert joined.open(2).outcome is PulseOutcome.UNCERTAIN
    joined.mend()
    joined.run(10)
    assert joined.believed() == joined.true()
    assert [pulse.compartment for pulse in joined.pulses] == [2]


@pytest.mark.parametrize("name", NAMES)
def test_replies_that_come_too_late_are_believed_of_nothing(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    joined.break_it(late=0.03, late_ms=300)
    life = Life(joined, seed=7)
    life.run(16, pause_s=0.7)
    assert life.wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_noise_never_makes_a_wrong_door_or_a_second_pulse(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S, seed=3)
    joined.break_it(**NOISE)
    life = Life(joined, seed=3)
    life.run(24, pause_s=1)
    assert life.wrong == []
    assert life.tally["seen open"] > 2


@pytest.mark.parametrize("name", [name for name in NAMES if readable_coils(name)])
def test_a_relay_that_stays_on_is_noticed_once_and_the_board_locked_out(name: str) -> None:
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    joined.break_it(stuck_on=[f"{locks_at(joined)}/1"])
    joined.open(1)
    assert joined.until(lambda: len(joined.of(RelayStuck)) == 1, 5)
    (stuck,) = joined.of(RelayStuck)
    assert (stuck.doors, len(joined.of(BoardLost))) == ((1,), 1)
    assert joined.open(2).outcome is PulseOutcome.NOT_SENT
    joined.run(12)
    assert [pulse.compartment for pulse in joined.pulses] == [1]
    joined.mend()
    assert joined.until(lambda: len(joined.of(BoardFound)) == 1, 45)
    assert joined.open(2).outcome is PulseOutcome.ACKNOWLEDGED
    assert len(joined.of(RelayStuck)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_contact_that_sticks_is_believed_as_it_reads(name: str) -> None:
    """Nobody can tell a stuck contact from a door; the other doors stay what they are."""
    joined = cabinet_of(name, bursts_s=BURSTS_S)
    opened_level = 1 if not joined.layout.board(joined.model.plan(3).door).closed_level else 0
    stuck: dict[str, Any] = {f"stuck_{opened_level}": [f"{doors_at(joined)}/3"]}
    joined.reports.clear()
    joined.break_it(**stuck)
    assert joined.until(lambda: joined.reading(3).position is Position.OPEN, 1.5)
    assert {report.door for report in joined.of(DoorMoved)} == {3}
