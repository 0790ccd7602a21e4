"""Pulses over a line on which everything goes wrong: none doubled, none late, none falsely confirmed."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.bus import Bus
from firmware_bridge.exchange import Exchange
from firmware_bridge.happenings import InputsRead
from firmware_bridge.limits import OpeningLimits, Supply
from firmware_bridge.request import Pulse
from locker.domain.door import PulseOutcome, PulseResult
from tests.firmware_bridge import soak
from tests.firmware_bridge.faulty_line import Faults


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("baud", [9600, 115200])
def test_many_pulses_over_a_bad_line(baud: int, echo: bool) -> None:
    outcomes = soak.run(pulses=600, seed=baud + echo, baud=baud, echo=echo)
    assert outcomes["wrong"] == 0
    assert outcomes["acknowledged"] > 100
    assert outcomes["uncertain"] > 20


@given(
    seed=st.integers(0, 2**32),
    chances=st.lists(st.sampled_from([0.0, 0.02, 0.1, 0.4]), min_size=8, max_size=8),
    echo=st.booleans(),
    baud=st.sampled_from([4800, 9600, 19200, 115200]),
)
def test_any_mixture_of_faults(seed: int, chances: list[float], echo: bool, baud: int) -> None:
    assert soak.run(pulses=12, seed=seed, baud=baud, echo=echo, faults=Faults(*chances))["wrong"] == 0


def echo_never_noticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "_notice_echo", lambda *_: None)
    patch.setattr(Exchange, "_learn_echo", lambda self, *_: setattr(self, "echo", False))


def silence_not_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "ready_s", lambda *_: float("-inf"))


def deadline_not_kept(patch: pytest.MonkeyPatch) -> None:
    honest = Bus.submit

    def submit(self: Bus, pulse: Pulse, now: float) -> None:
        object.__setattr__(pulse, "deadline_s", pulse.deadline_s + 1)
        honest(self, pulse, now)

    patch.setattr(Bus, "submit", submit)


def uncertain_pulses_repeated(patch: pytest.MonkeyPatch) -> None:
    honest = Bus._settle

    def settle(self: Bus, pulse: Pulse, result: PulseResult, now: float) -> None:
        if result.outcome is PulseOutcome.UNCERTAIN:
            self._schedule._limits = OpeningLimits(dict.fromkeys(self._stations, Supply()))
            self.submit(pulse, now)
        else:
            honest(self, pulse, result, now)

    patch.setattr(Bus, "_settle", settle)


def any_reply_confirms(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("firmware_bridge.bus._pulse_result", lambda _: PulseResult(PulseOutcome.ACKNOWLEDGED))


@pytest.mark.parametrize(
    "plant",
    [echo_never_noticed, silence_not_kept, deadline_not_kept, uncertain_pulses_repeated, any_reply_confirms],
)
def test_planted_bugs_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert soak.run(pulses=200, seed=5, echo=True)["wrong"] > 0


def test_polls_never_starve_pulses() -> None:
    world = soak.world(seed=3, baud=9600, echo=False, faults=Faults())
    world.run(2)
    for board in world.stations:
        world.bus.attend(board, float("inf"), world.now)
    world.run(5)
    longest_s = world.timing.wire_s(8 + 9) + 0.02
    for channel in range(1, 30):
        pulse = world.pulse(soak.LOCKS, channel)
        asked_s = world.now
        world.run(1)
        (fired_s,) = [at_s for at_s, fired, _ in world.toys[soak.LOCKS].fired if fired == channel]
        assert fired_s - asked_s <= longest_s
        assert len(world.settled(pulse)) == 1
    assert len(world.of(InputsRead)) > 500
