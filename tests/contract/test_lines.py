"""Whole installations: several lines, many boards a line, families side by side, gateways."""

from itertools import pairwise
from statistics import mean

import pytest

from firmware_bridge import boards
from hw_sim.boards.profiles import PROFILES
from hw_sim.layout import BoardPlan, LinePlan
from locker.domain.door import BoardFound, BoardLost, Position, PulseOutcome
from locker.domain.ids import CompartmentNumber
from tests.contract.joined import Asked, Joined, group_of, layout_of, serving

BURSTS_S = 0.005
MODBUS = [name for name in boards.names() if boards.load(name).codec == "modbus"]


def mixed() -> Joined:
    groups = [
        group_of("waveshare-8", "A"),
        group_of("xor8a-12", "B", 3),
        group_of("wkly-12", "C", 0),
        group_of("kerong-cu16", "E", 1),
        group_of("winnsen-16", "D", 5),
        group_of("fc05-8", "A", 7),
    ]
    return serving(Joined(layout_of(*groups), bursts_s=BURSTS_S), 20)


def test_families_on_lines_of_their_own_do_not_meet() -> None:
    joined = mixed()
    firsts = [1, 9, 21, 33, 49, 65]
    for door in firsts:
        joined.open(door)
        assert joined.until(lambda n=door: joined.reading(n).position is Position.OPEN, 2)  # type: ignore[misc]
        assert [pulse.compartment for pulse in joined.pulses] == [door]
        joined.pulses.clear()
    assert [n for n in joined.model.numbers if joined.is_open(n)] == firsts
    assert joined.of(BoardLost) == []


def test_a_dead_line_is_its_own_affair() -> None:
    joined = mixed()
    joined.reports.clear()
    joined.break_it("C", dead=[0])
    joined.run(10)
    assert {report.board for report in joined.of(BoardLost)} == {"C/0"}
    unknown = [n for n, position in joined.believed().items() if position is Position.UNKNOWN]
    assert unknown == list(range(21, 33))
    assert joined.open(9).outcome is PulseOutcome.ACKNOWLEDGED


def test_one_supply_feeds_one_coil_at_a_time_though_boards_hang_on_different_lines() -> None:
    joined = mixed()
    asked = [
        Asked(joined.cabinet.pulse(CompartmentNumber(n), joined.mono_ms() + 6_000)) for n in (1, 9, 21, 49)
    ]
    most = 0
    while not all(each.settled() for each in asked):
        joined.run(0.005)
        most = max(most, len(joined.energised()))
    assert {each.result().outcome for each in asked} == {PulseOutcome.ACKNOWLEDGED}
    assert most == 1


def test_separate_supplies_do_not_wait_for_each_other() -> None:
    layout = mixed().layout
    joined = serving(
        Joined(layout, bursts_s=BURSTS_S, supplies={"west": ["A/1", "A/7"], "east": ["B/3"]}), 20
    )
    asked = [Asked(joined.cabinet.pulse(CompartmentNumber(n), joined.mono_ms() + 3_000)) for n in (1, 9)]
    most = 0
    while not all(each.settled() for each in asked):
        joined.run(0.005)
        most = max(most, len(joined.energised()))
    assert most == 2


def eight(profile: str, bursts_s: float = 0.001) -> Joined:
    first = boards.load(profile).address.min
    groups = [group_of(profile, "A", first + n) for n in range(8)]
    return serving(Joined(layout_of(*groups), baud=19_200, bursts_s=bursts_s), 30)


def reads_s(joined: Joined, for_s: float) -> dict[int, list[float]]:
    """When each board's poll was written, by address."""
    bus = joined.lines["A"].bus
    last = max((frame.n for frame in bus.frames(0)), default=0)
    joined.run(for_s)
    times: dict[int, list[float]] = {}
    for frame in bus.frames(last):
        if frame.sent:
            times.setdefault(frame.data[5 if frame.data[:4] == b"WKLY" else 0], []).append(frame.at_s)
    return times


def sweep_s(times: dict[int, list[float]], address: int) -> float:
    return mean(later - earlier for earlier, later in pairwise(times[address]))


@pytest.mark.parametrize("profile", ["waveshare-d8", "wkly-24"])
def test_one_dead_board_of_eight_costs_the_others_only_its_own_slot(profile: str) -> None:
    joined = eight(profile, bursts_s=0.005)
    first = joined.layout.boards[0].address
    for line in joined.lines.values():  # as fast as the line allows, all of them
        for board in joined.wiring.boards:
            line.bus.attend(board, float("inf"), joined.now)
    before = reads_s(joined, 5)
    joined.break_it(dead=[first + 7])
    joined.run(14)
    after = reads_s(joined, 16)  # it is probed once in this time
    alive = [address for address in before if address != first + 7]
    assert len(alive) == 7
    for address in alive:
        assert sweep_s(after, address) <= sweep_s(before, address) * 1.02
    assert len(joined.of(BoardLost)) == 1
    joined.mend()
    assert joined.until(lambda: len(joined.of(BoardFound)) == 1, 45)
    joined.run(5)
    assert (len(joined.of(BoardLost)), len(joined.of(BoardFound))) == (1, 1)


@pytest.mark.parametrize("profile", ["waveshare-d8", "wkly-24", "winnsen-16", "xor8a-24"])
def test_an_opening_on_a_full_line_is_noticed_as_predicted(profile: str) -> None:
    joined = eight(profile)
    predicted_s = joined.wiring.detection_s("A")
    for door in joined.model.numbers[3::29]:
        joined.do(door, "pry")
        opened_s = joined.now
        assert joined.until(lambda n=door: joined.reading(n).position is Position.OPEN, predicted_s, 0.005)  # type: ignore[misc]
        assert joined.now - opened_s <= predicted_s
        joined.do(door, "shut")
        joined.run(3)


@pytest.mark.parametrize("profile", MODBUS)
def test_every_modbus_board_serves_behind_a_gateway_too(profile: str) -> None:
    wires = {"A": LinePlan(transport="modbus-tcp")}
    joined = serving(Joined(layout_of(group_of(profile), wires=wires), bursts_s=BURSTS_S))
    assert joined.open(1).outcome is PulseOutcome.ACKNOWLEDGED
    assert joined.until(lambda: joined.believed() == joined.true(), 1.5)
    joined.break_it(dead=[plan.address for plan in joined.layout.boards])
    joined.run(12)
    assert set(joined.believed().values()) == {Position.UNKNOWN}
    joined.mend()
    assert joined.until(lambda: joined.believed() == joined.true(), 45)
    assert [pulse.compartment for pulse in joined.pulses] == [1]


def test_a_gateway_that_answers_too_late_is_not_believed() -> None:
    wires = {"A": LinePlan(transport="modbus-tcp")}
    joined = serving(Joined(layout_of(group_of("waveshare-d8"), wires=wires), bursts_s=BURSTS_S))
    joined.break_it(late=1.0, late_ms=400)
    assert joined.open(1).outcome in {PulseOutcome.UNCERTAIN, PulseOutcome.NOT_SENT}
    joined.run(10)
    assert set(joined.believed().values()) == {Position.UNKNOWN}
    assert [pulse.compartment for pulse in joined.pulses] in ([1], [])


def test_everything_together_as_one_installation() -> None:
    """One board of every family, each on a line of its own and at its usual speed."""
    names = list({PROFILES[name].family: name for name in boards.names()}.values())
    lines = {name: f"L{n}" for n, name in enumerate(names)}
    wires = {line: LinePlan(PROFILES[name].baud) for name, line in lines.items()}
    groups = [group_of(name, line) for name, line in lines.items()]
    joined = serving(Joined(layout_of(*groups, wires=wires), bursts_s=0.02), 30)
    door = 1
    for group in groups:
        plan: BoardPlan = group[0]
        outcome = joined.open(door, 6_000).outcome
        assert outcome in {PulseOutcome.ACKNOWLEDGED, PulseOutcome.UNCERTAIN}, plan
        door += sum(1 for each in joined.layout.compartments if each.lock.line == plan.line)
    assert joined.until(lambda: joined.believed() == joined.true(), 3)
    assert sum(joined.is_open(n) for n in joined.model.numbers) == len(names) == len(joined.pulses)
