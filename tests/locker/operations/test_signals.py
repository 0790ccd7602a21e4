"""Lights and buzzer follow the journal, and stop by themselves."""

from locker.domain.errors import Refusal
from locker.domain.surroundings import Sensed, Watched
from locker.operations import drop_off
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.present_code import DropOffOffer, present_typed
from locker.operations.signals import BUZZER_MS, LIGHTS_MS, Signals
from tests.locker.operations.world import MemoryWorld


class Panel:
    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []

    def lights(self, on: bool) -> None:
        self.said.append(("lights", on))

    def buzzer(self, on: bool) -> None:
        self.said.append(("buzzer", on))


async def begun() -> tuple[MemoryWorld, Panel]:
    m, panel = await MemoryWorld.start(), Panel()
    m.journal.subscribe(Signals(m.clock, panel).entries_committed)
    return m, panel


async def opened(m: MemoryWorld) -> int:
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    answer = await drop_off.open_compartment(m.world, offer)
    assert not isinstance(answer, Refusal)
    await m.settle()
    return answer.door


async def test_light_comes_with_the_pulse_and_goes_a_while_after_the_door_was_shut() -> None:
    m, panel = await begun()
    door = await opened(m)
    assert panel.said == [("lights", True)]
    m.hands.put(door)
    await m.shut(door)
    await m.later(LIGHTS_MS - 1)
    assert panel.said == [("lights", True)]
    await m.later(1)
    assert panel.said == [("lights", True), ("lights", False)]


async def test_a_second_visit_in_time_keeps_the_light_on() -> None:
    m, panel = await begun()
    door = await opened(m)
    m.hands.put(door)
    await m.shut(door)
    await m.later(LIGHTS_MS // 2)
    await opened(m)
    await m.later(LIGHTS_MS)
    assert panel.said == [("lights", True)]


async def test_a_door_left_open_is_loud_until_it_is_shut() -> None:
    m, panel = await begun()
    door = await opened(m)
    await m.later(m.journal.state.policy.left_open_alarm_ms)
    assert panel.said[-1] == ("buzzer", True)
    await m.later(BUZZER_MS // 2)
    assert panel.said[-1] == ("buzzer", True)
    await m.shut(door)
    assert panel.said[-1] == ("buzzer", False)
    assert panel.said.count(("buzzer", False)) == 1


async def test_nobody_is_deafened() -> None:
    m, panel = await begun()
    await SurroundingsFollower(m.world).settle(Sensed(Watched.TAMPER, True, "open"))
    assert panel.said == [("buzzer", True)]
    await m.later(BUZZER_MS)
    assert panel.said == [("buzzer", True), ("buzzer", False)]
    await m.later(10 * BUZZER_MS)
    assert len(panel.said) == 2


async def test_one_alarm_ended_leaves_the_other() -> None:
    m, panel = await begun()
    door = await opened(m)
    await m.later(m.journal.state.policy.left_open_alarm_ms)
    follower = SurroundingsFollower(m.world)
    await follower.settle(Sensed(Watched.TAMPER, True, "open"))
    await m.shut(door)
    assert panel.said[-1] == ("buzzer", True)
    await follower.settle(Sensed(Watched.TAMPER, False))
    assert panel.said[-1] == ("buzzer", False)
