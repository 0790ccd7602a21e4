"""What is learned of a wiring from raw levels: any wiring at all, whatever bounces or is lost."""

import tomllib
from collections.abc import Mapping
from itertools import product
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import boards
from firmware_bridge.boards.profile import Xor8a
from firmware_bridge.wiring import CompartmentConfig, LineConfig, Place, Wiring
from locker.ctl import learning
from locker.ctl.learning import READINGS_MAX, Finding, Phase, Result, Signal, Trial
from locker.ctl.rewrite import CannotRewrite, rewritten
from locker.ctl.wiring import proved
from locker.domain.errors import IllegalTransition
from locker.domain.ids import BoardId, CompartmentNumber
from tests.locker.configured import TEXT, behind

EYES = BoardId("A/2")


def wiring(sensors: Mapping[int, int], profile: str = "", level: int | None = None) -> Wiring:
    """Door n has lock n; its sensor is on another board, or on the same where ``profile`` has its own."""
    named = {"A/1": profile} if profile else {"A/1": "waveshare-32", "A/2": "inputs-32"}
    board = "A/1" if profile else "A/2"
    doors = {
        n: CompartmentConfig(f"A/1/{n}", f"{board}/{channel}", door_closed_level=level)
        for n, channel in sensors.items()
    }
    return Wiring.build({"A": LineConfig("/dev/null")}, named, doors)


def door(number: int) -> CompartmentNumber:
    return CompartmentNumber(number)


def eye(channel: int, board: BoardId = EYES) -> Place:
    return Place(board, channel)


@pytest.mark.parametrize(("phase", "signal"), list(product(Phase, Signal)))
def test_every_signal_in_every_phase(phase: Phase, signal: Signal) -> None:
    if (phase, signal) in learning.NEXT:
        assert learning.advance(phase, signal) is learning.NEXT[phase, signal]
    else:
        with pytest.raises(IllegalTransition):
            learning.advance(phase, signal)


class Cabinet:
    """Inputs of which some see doors; readings of it may be torn by bounces and lost replies."""

    def __init__(
        self, sensors: Mapping[int, int], shut: Mapping[int, bool], inputs: int, draw: st.DataObject
    ) -> None:
        self._sensors, self._shut, self._inputs, self._draw = sensors, shut, inputs, draw
        self.open: set[int] = set()

    def levels(self) -> dict[Place, bool | None]:
        levels: dict[Place, bool | None] = {eye(n): n % 2 == 0 for n in range(1, self._inputs + 1)}
        for number, channel in self._sensors.items():
            levels[eye(channel)] = self._shut[number] is not (number in self.open)
        return levels

    def readings(self, moving: int | None = None) -> list[dict[Place, bool | None]]:
        """One or several, the last two of them true; before them anything about what moves."""
        spoilt = []
        for torn in self._draw.draw(st.lists(st.sampled_from(["lost", "bounce"]), max_size=3)):
            levels = self.levels()
            if torn == "lost":
                levels = dict.fromkeys(levels)
            elif moving is not None:
                levels[eye(self._sensors[moving])] = self._shut[moving] is (moving in self.open)
            spoilt.append(levels)
        return [*spoilt, self.levels(), self.levels()]


def tried(cabinet: Cabinet, number: int) -> Result:
    trial = Trial(frozenset(cabinet.levels()), reads=2)
    assert Phase.READY in [trial.heard(levels) for levels in cabinet.readings()]
    trial.fired()
    cabinet.open.add(number)
    assert [trial.heard(levels) for levels in cabinet.readings(number)][-1] is Phase.STANDING
    cabinet.open.remove(number)
    assert [trial.heard(levels) for levels in cabinet.readings(number)][-1] is Phase.RETURNED
    return learning.result(door(number), trial)


@given(st.data())
def test_any_wiring_is_learned_as_it_is(draw: st.DataObject) -> None:
    doors = draw.draw(st.integers(1, 6))
    channels = draw.draw(st.lists(st.integers(1, 32), min_size=doors, max_size=doors, unique=True))
    sensors = dict(enumerate(channels, 1))
    shut = {number: draw.draw(st.booleans()) for number in sensors}
    cabinet = Cabinet(sensors, shut, 32, draw)
    order = draw.draw(st.permutations(list(sensors)))
    results = [tried(cabinet, number) for number in order]
    told = wiring({number: number for number in sensors})
    conclusion = learning.conclude(told, results, frozenset())
    assert conclusion.complete
    assert conclusion.learned == {door(n): (eye(channel), shut[n]) for n, channel in sensors.items()}
    learned = proved(told, conclusion.learned)
    assert {n: each.sensor.channel for n, each in learned.compartments.items()} == sensors
    crossed = [n for n, channel in sensors.items() if n != channel]
    assert sum("the file had" in remark for remark in conclusion.remarks) == len(crossed)


STILL = {eye(1): True, eye(2): False, eye(3): True}


def at_rest(reads: int = 2) -> Trial:
    trial = Trial(frozenset(STILL), reads)
    for _ in range(reads):
        trial.heard(STILL)
    assert trial.phase is Phase.READY
    trial.fired()
    return trial


def test_one_reading_alone_moves_nothing() -> None:
    trial = at_rest(reads=3)
    for levels in (STILL | {eye(1): False}, STILL | {eye(1): False}, STILL):
        assert trial.heard(levels) is Phase.AWAITING
    assert trial.moved == set()


def test_what_cannot_be_read_has_not_moved() -> None:
    trial = at_rest()
    for _ in range(5):
        assert trial.heard(dict.fromkeys(STILL)) is Phase.AWAITING


def test_an_input_that_is_never_steady_is_left_out() -> None:
    trial = Trial(frozenset(STILL), reads=2)
    for n in range(READINGS_MAX):
        assert trial.phase is Phase.RESTING
        trial.heard(STILL | {eye(2): n % 2 == 0})
    assert set(trial.rest) == {eye(1), eye(3)}


def test_boards_may_be_read_one_by_one() -> None:
    trial = Trial(frozenset(STILL), reads=2)
    for place in (eye(1), eye(2), eye(3)):
        assert trial.phase is Phase.RESTING
        trial.heard({place: STILL[place]})
        trial.heard({place: STILL[place]})
    assert (trial.phase, trial.rest) == (Phase.READY, STILL)


def test_nothing_moved_is_said() -> None:
    trial = at_rest()
    trial.give_up()
    assert learning.result(door(1), trial).finding is Finding.NOTHING_MOVED


def moved(*channels: int, items: frozenset[Place] = frozenset()) -> Result:
    trial, other = at_rest(), STILL | {eye(n): not STILL[eye(n)] for n in channels}
    said = [trial.heard(levels) for levels in (other, other, STILL, STILL)]
    assert said[1::2] == [Phase.STANDING, Phase.RETURNED]
    return learning.result(door(1), trial, items)


def test_several_that_move_together_are_no_sensor() -> None:
    several = moved(1, 3)
    assert (several.finding, several.moved) == (Finding.SEVERAL_MOVED, (eye(1), eye(3)))
    conclusion = learning.conclude(wiring({1: 1}), [several], frozenset())
    assert not conclusion.complete
    assert "A/2/1, A/2/3 moved together" in conclusion.left[0]


def test_an_item_sensor_may_move_with_its_door() -> None:
    assert moved(1, 3, items=frozenset({eye(3)})).sensor == eye(1)
    # Alone it may be the door's own: then the file has it wrong, and is told so when it is checked.
    assert moved(3, items=frozenset({eye(3)})).sensor == eye(3)


def learned(number: int, channel: int, level: bool = True, board: BoardId = EYES) -> Result:
    return Result(door(number), Finding.LEARNED, eye(channel, board), level)


def test_one_sensor_for_two_doors_is_refused() -> None:
    conclusion = learning.conclude(wiring({1: 1, 2: 2}), [learned(1, 5), learned(2, 5)], frozenset())
    assert "A/2/5 would see door 1 and door 2" in conclusion.conflicts[0]
    left = Result(door(2), Finding.NOT_TRIED, why="not opened: occupied")
    conclusion = learning.conclude(wiring({1: 1, 2: 2}), [learned(1, 2), left], frozenset())
    assert "door 2 as the file has it" in conclusion.conflicts[0]


def test_a_lock_of_another_door_is_refused() -> None:
    results = [Result(door(1), Finding.OTHER_DOOR, why="door 2"), learned(2, 2)]
    conclusion = learning.conclude(wiring({1: 1, 2: 2}), results, frozenset())
    assert "lock A/1/1 opened door 2, not door 1" in conclusion.conflicts[0]


def test_contacts_of_the_other_kind_are_said() -> None:
    conclusion = learning.conclude(
        wiring({1: 1, 2: 2}), [learned(1, 1, False), learned(2, 2, False)], frozenset()
    )
    assert conclusion.complete
    assert "all shut doors read open" in conclusion.remarks[0]
    conclusion = learning.conclude(wiring({1: 1, 2: 2}), [learned(1, 1, False), learned(2, 2)], frozenset())
    assert "doors 1 have the other kind" in conclusion.remarks[0]
    assert conclusion.complete


def test_what_was_not_tried_is_left_unless_it_is_known() -> None:
    results = [learned(1, 1), Result(door(2), Finding.NOT_TRIED, why="not opened: occupied")]
    told = wiring({1: 1, 2: 2})
    assert learning.conclude(told, results, frozenset()).left == ("door 2: not opened: occupied",)
    assert learning.conclude(told, results, frozenset({door(1), door(2)})).complete
    # What was tried in vain is known no longer.
    stuck = [learned(1, 1), Result(door(2), Finding.NOTHING_MOVED)]
    assert not learning.conclude(told, stuck, frozenset({door(2)})).complete


@pytest.mark.parametrize("profile", ["xor8a-24", "xor8a-24-low", "xor8a-50"])
def test_status_bytes_the_other_way_round_are_noticed(profile: str) -> None:
    speech = boards.load(profile).speech
    assert isinstance(speech, Xor8a)
    board, last = BoardId("A/1"), 8 * (speech.status_bytes - 1)
    told = wiring({n: n for n in (1, 2, 8, 17)}, profile)
    turned = [learned(1, last + 1, board=board), learned(2, last + 2, board=board)]
    said = learning.status_order(told, turned)
    assert f"lock 1 moves input {last + 1}" in said
    assert ("no profile here" in said) == (profile == "xor8a-50")
    if profile != "xor8a-50":
        assert {"xor8a-24": "xor8a-24-low", "xor8a-24-low": "xor8a-24 "}[profile] in said
    assert learning.conclude(told, turned, frozenset()).conflicts == (said,)
    # One alone may be a crossed wire; so may two beside one that stands where it should.
    assert learning.status_order(told, turned[:1]) == ""
    assert learning.status_order(told, [*turned, learned(8, 8, board=board)]) == ""


# --- the file ---------------------------------------------------------------------------------------------

FOUND = MappingProxyType({door(1): (eye(7), False), door(2): (eye(3), True)})


def test_only_the_lines_that_change_are_touched() -> None:
    text = behind("sensor", "door_closed_level = 1  # as wired", 1)
    wanted = text.replace(
        'sensor = "A/1/1"\ndoor_closed_level = 1  # as', 'sensor = "A/2/7"\ndoor_closed_level = 0  # as'
    ).replace('sensor = "A/1/2"\n', 'sensor = "A/2/3"\ndoor_closed_level = 1\n')
    assert wanted.count("# as wired") == wanted.count("A/2/3") == 1
    assert rewritten(text, FOUND, "abc") == wanted + '\n[bridge]\nlearned = "abc"\n'


@pytest.mark.parametrize(
    "bridge", ["", "[bridge]\n", '[bridge]\nlearned = "old"\n', "[bridge]\naccept_experimental = true\n"]
)
@pytest.mark.parametrize("digest", ["", "abc"])
def test_the_digest_is_put_where_it_belongs(bridge: str, digest: str) -> None:
    came = tomllib.loads(rewritten(TEXT + bridge, FOUND, digest))
    before = tomllib.loads(TEXT + bridge)
    assert came.get("bridge", {}).get("learned", "") == digest
    assert came.get("bridge", {}).get("accept_experimental") == before.get("bridge", {}).get(
        "accept_experimental"
    )
    assert [row["sensor"] for row in came["compartments"]] == ["A/2/7", "A/2/3"]


@pytest.mark.parametrize(
    "text",
    [
        'compartments = [{number = 1, lock = "a", sensor = "b"}, {number = 2, lock = "x", sensor = "y"}]\n',
        'bridge.learned = "old"\n' + TEXT,
    ],
)
def test_a_file_laid_out_otherwise_is_refused(text: str) -> None:
    with pytest.raises(CannotRewrite, match="one key a line"):
        rewritten(text, FOUND, "abc")
