"""Compartments over two lines under virtual time: what is believed and reported, and what pulses come to."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from firmware_bridge.bus import Bus
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.line import Action, OpenPort, Port
from firmware_bridge.wiring import CompartmentConfig, LineConfig, Wiring
from locker.domain.door import (
    BoardFound,
    BoardLost,
    DoorMoved,
    DoorReading,
    Position,
    Presence,
    PulseOutcome,
    PulseResult,
    Report,
)
from locker.domain.ids import BoardId, CompartmentNumber
from tests.firmware_bridge.faulty_line import ToyBoard, World

ONE, TWO = CompartmentNumber(1), CompartmentNumber(2)
EMPTY = DoorReading(Position.CLOSED, Presence.ABSENT)
WIRING = Wiring.build(
    {"A": LineConfig("/dev/ttyUSB0"), "B": LineConfig("/dev/ttyUSB1")},
    {"A/1": "waveshare-32", "B/2": "inputs-32"},
    {n: CompartmentConfig(f"A/1/{n}", f"B/2/{n}", f"B/2/{16 + n}") for n in (1, 2)},
)

PULSE_MS = 500


class VirtualLine:
    """Runs a bus over toy boards; time is moved by the test."""

    def __init__(self, bus: Bus, toys: dict[BoardId, ToyBoard], on_end: Callable[[], None]) -> None:
        self.world = World({}, toys, bus=bus)
        self.now: Callable[[], float] = lambda: self.world.now
        self._on_end = on_end

    def start(self) -> None: ...

    def post(self, action: Action) -> None:
        action(self.world.bus, self.world.now)

    def close(self) -> None:
        self.world.bus.port_lost("closed", self.world.now)
        self._on_end()


def no_port() -> Port:
    raise AssertionError


class Rig:
    """A cabinet, its boards and all it reported."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.locks = ToyBoard(1, relays=32, modes=[0] * 32)
        self.inputs = ToyBoard(2, inputs=[True] * 16 + [False] * 16)
        self.lines: list[VirtualLine] = []
        ports: dict[str, OpenPort | str] = {"A": no_port, "B": no_port}
        loop = asyncio.get_running_loop()
        self.cabinet = Cabinet(WIRING, ports, self, loop, self.reports.append, self.make)  # type: ignore[arg-type]

    def make(self, bus: Bus, open_port: OpenPort, on_end: Callable[[], None]) -> VirtualLine:
        assert open_port is no_port
        toys = {BoardId("A/1"): self.locks} if not self.lines else {BoardId("B/2"): self.inputs}
        self.lines.append(VirtualLine(bus, toys, on_end))
        return self.lines[-1]

    def mono_ms(self) -> int:
        return int(self.lines[0].world.now * 1000)

    async def run(self, for_s: float) -> None:
        """Both lines in small steps, with the event loop in between."""
        for _ in range(round(for_s / 0.02)):
            for line in self.lines:
                line.world.run(0.02)
            turned = asyncio.Event()
            asyncio.get_running_loop().call_soon(turned.set)
            await turned.wait()

    async def pulse(self, door: CompartmentNumber, within_ms: int = 3000) -> PulseResult:
        task = asyncio.ensure_future(self.cabinet.pulse(door, self.mono_ms() + within_ms))
        while not task.done():
            await self.run(0.1)
        return task.result()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    it = Rig()
    it.cabinet.start()
    assert it.cabinet.reading(ONE) == DoorReading()
    await it.run(3)
    assert it.cabinet.reading(ONE) == it.cabinet.reading(TWO) == EMPTY
    it.reports.clear()
    yield it
    await it.cabinet.close()


async def test_a_visit(rig: Rig) -> None:
    assert await rig.pulse(ONE) == PulseResult(PulseOutcome.ACKNOWLEDGED)
    rig.inputs.inputs[0] = False
    opened_ms = rig.mono_ms()
    await rig.run(0.8)
    rig.inputs.inputs[16] = True
    await rig.run(1)
    rig.inputs.inputs[0] = True
    await rig.run(2)
    readings = [(report.door, report.reading) for report in rig.reports if isinstance(report, DoorMoved)]
    assert readings == [
        (ONE, DoorReading(Position.OPEN, Presence.ABSENT)),
        (ONE, DoorReading(Position.OPEN, Presence.PRESENT)),
        (ONE, DoorReading(Position.CLOSED, Presence.PRESENT)),
    ]
    (first, *_) = [report.at_ms for report in rig.reports if isinstance(report, DoorMoved)]
    assert PULSE_MS - 100 < first - opened_ms <= PULSE_MS + 220
    assert [channel for _, channel, _ in rig.locks.fired] == [1]


async def test_a_hook_that_power_lifts_is_no_door_that_opens(rig: Rig) -> None:
    """Somebody holds the door: the switch at the hook reads open as long as the coil has power."""
    assert await rig.pulse(ONE) == PulseResult(PulseOutcome.ACKNOWLEDGED)
    rig.inputs.inputs[0] = False
    await rig.run(PULSE_MS / 1000 - 0.1)
    rig.inputs.inputs[0] = True
    await rig.run(5)
    assert [report for report in rig.reports if isinstance(report, DoorMoved)] == []
    assert rig.cabinet.reading(ONE).position is Position.CLOSED


async def test_another_door_that_opens_meanwhile_is_seen_at_once(rig: Rig) -> None:
    assert await rig.pulse(ONE) == PulseResult(PulseOutcome.ACKNOWLEDGED)
    rig.inputs.inputs[1] = False
    await rig.run(0.4)
    (moved,) = [report for report in rig.reports if isinstance(report, DoorMoved)]
    assert (moved.door, moved.reading.position) == (TWO, Position.OPEN)


async def test_a_pulse_that_was_never_sent_makes_nobody_blind(rig: Rig) -> None:
    result = await rig.cabinet.pulse(ONE, rig.mono_ms() - 1)
    assert result == PulseResult(PulseOutcome.NOT_SENT, "late")
    rig.locks.dead = True
    await rig.run(10)
    assert (await rig.pulse(ONE)).outcome is PulseOutcome.NOT_SENT
    rig.inputs.inputs[0] = False
    await rig.run(1.2)
    assert rig.cabinet.reading(ONE).position is Position.OPEN


async def test_an_opening_that_nobody_ordered_is_seen_within_a_second(rig: Rig) -> None:
    rig.inputs.inputs[1] = False
    opened_ms = rig.mono_ms()
    await rig.run(1.2)
    (moved,) = rig.reports
    assert isinstance(moved, DoorMoved)
    assert (moved.door, moved.reading.position) == (TWO, Position.OPEN)
    assert moved.at_ms - opened_ms <= 1000


async def test_what_a_lost_board_showed_is_unknown(rig: Rig) -> None:
    rig.inputs.dead = True
    await rig.run(5)
    assert rig.cabinet.reading(ONE) == DoorReading()
    rig.inputs.dead = False
    await rig.run(30)
    assert rig.cabinet.reading(ONE) == EMPTY
    lost, found, *moves = rig.reports
    assert isinstance(lost, BoardLost)
    assert (lost.board, lost.doors) == (BoardId("B/2"), (ONE, TWO))
    assert isinstance(found, BoardFound)
    assert [type(report) for report in moves] == [DoorMoved, DoorMoved]


async def test_what_a_board_no_longer_reads_is_unknown_though_it_answers(rig: Rig) -> None:
    """It says what it is, and refuses its polls: never lost, and blind all the same."""
    rig.inputs.inputs = rig.inputs.inputs[:16]
    rig.inputs.inputs[0] = False
    await rig.run(7)
    assert rig.cabinet.reading(ONE) == rig.cabinet.reading(TWO) == DoorReading()
    assert [type(report) for report in rig.reports] == [DoorMoved, DoorMoved]


async def test_a_lost_lock_board_makes_no_door_unknown(rig: Rig) -> None:
    rig.locks.dead = True
    await rig.run(5)
    (lost,) = rig.reports
    assert isinstance(lost, BoardLost)
    assert lost.doors == ()
    assert await rig.pulse(ONE) == PulseResult(PulseOutcome.NOT_SENT, "board_lost")


async def test_deadlines_are_the_daemons(rig: Rig) -> None:
    assert await rig.pulse(ONE, within_ms=0) == PulseResult(PulseOutcome.NOT_SENT, "late")
    await rig.pulse(ONE)
    second = asyncio.ensure_future(rig.cabinet.pulse(TWO, rig.mono_ms() + 500))
    await rig.run(1)
    assert second.result() == PulseResult(PulseOutcome.NOT_SENT, "late")
    assert len(rig.locks.fired) == 1


async def test_a_cancelled_pulse_is_never_sent(rig: Rig) -> None:
    await rig.pulse(ONE)
    waiting = asyncio.ensure_future(rig.cabinet.pulse(TWO, rig.mono_ms() + 3000))
    await rig.run(0.1)
    waiting.cancel()
    await rig.run(5)
    assert waiting.cancelled()
    assert len(rig.locks.fired) == 1


async def test_closing_settles_what_waits_and_loses_no_board(rig: Rig) -> None:
    await rig.pulse(ONE)
    waiting = asyncio.ensure_future(rig.cabinet.pulse(TWO, rig.mono_ms() + 3000))
    await rig.run(0.1)
    await rig.cabinet.close()
    assert await waiting == PulseResult(PulseOutcome.NOT_SENT, "port_closed")
    assert await rig.cabinet.pulse(ONE, rig.mono_ms() + 3000) == PulseResult(
        PulseOutcome.NOT_SENT, "port_closed"
    )
    assert [report for report in rig.reports if isinstance(report, BoardLost)] == []


async def test_the_status_tells_of_each_board(rig: Rig) -> None:
    rig.inputs.dead = True
    await rig.run(5)
    first, second = rig.cabinet.report()
    assert (first.line, first.boards[0].standing, first.boards[0].error_rate) == ("A", "serving", 0.0)
    assert 0 < first.utilisation < 0.3
    assert 10 < first.boards[0].latency_ms < 50
    assert (second.boards[0].standing, second.boards[0].why) == ("lost", "no answer")
    assert second.boards[0].error_rate > 0
