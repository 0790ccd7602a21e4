"""The locks' supply: on before a pulse, held while it may run, off otherwise; cut, it stays cut."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.gpio import GpioError
from firmware_bridge.supply import NEXT, POWERED, LockSupply, Phase, Signal, SuppliedDoors, advance
from locker.domain.door import DoorReading, Position, Presence, PulseOutcome, PulseResult
from locker.domain.errors import IllegalTransition
from locker.domain.ids import CompartmentNumber
from tests.locker.operations.world import VirtualClock

DOC = Path(__file__).parents[2] / "docs" / "around-the-doors.md"
ONE, TWO = CompartmentNumber(1), CompartmentNumber(2)
RISE_MS, MARGIN_MS, PULSE_MS = 50, 300, 500
SENT = PulseResult(PulseOutcome.ACKNOWLEDGED)


class Cabinet:
    """`Doors` that note whether the rail was on when they were pulsed."""

    def __init__(self, rig: "Rig") -> None:
        self.rig = rig
        self.result = SENT
        self.pulsed: list[tuple[int, bool]] = []
        self.answer: asyncio.Event | None = None

    def reading(self, door: CompartmentNumber) -> DoorReading:
        return DoorReading(Position.CLOSED, Presence.PRESENT if door == ONE else Presence.ABSENT)

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        assert self.rig.clock.mono_ms() <= deadline_ms
        self.pulsed.append((door, self.rig.on))
        if self.answer:
            await self.answer.wait()
        return self.result


class Rig:
    def __init__(self, *, rise_ms: int = RISE_MS, broken: bool = False) -> None:
        self.clock = VirtualClock()
        self.broken = broken
        self.switched: list[tuple[int, bool]] = []
        self.cuts: list[str] = []
        self.cabinet = Cabinet(self)
        self.supply = LockSupply(self.clock, self.switch, rise_ms, MARGIN_MS, self.cuts.append)
        self.doors = SuppliedDoors(self.cabinet, self.supply, self.clock, {ONE: PULSE_MS, TWO: PULSE_MS})

    @property
    def on(self) -> bool:
        return bool(self.switched) and self.switched[-1][1]

    def switch(self, on: bool) -> None:
        if self.broken:
            raise GpioError("[gpio] supply", OSError("gone"), "see the wiring")
        self.switched.append((self.clock.mono_ms(), on))

    async def pulse(self, door: CompartmentNumber = ONE, within_ms: int = 3_000) -> PulseResult:
        return await self.doors.pulse(door, self.clock.mono_ms() + within_ms)


async def test_the_rail_is_up_before_the_pulse_and_off_after_it() -> None:
    rig = Rig()
    began_ms = rig.clock.mono_ms()
    assert await rig.pulse() == SENT
    assert rig.cabinet.pulsed == [(ONE, True)]
    assert rig.clock.mono_ms() == began_ms + RISE_MS
    rig.clock.advance(PULSE_MS + MARGIN_MS - 1)
    assert rig.on
    rig.clock.advance(1)
    assert rig.switched == [(began_ms, True), (began_ms + RISE_MS + PULSE_MS + MARGIN_MS, False)]
    assert rig.supply.phase is Phase.OFF


async def test_a_second_pulse_in_time_keeps_it_up_and_need_not_wait() -> None:
    rig = Rig()
    await rig.pulse()
    rig.clock.advance(PULSE_MS)
    before_ms = rig.clock.mono_ms()
    await rig.pulse(TWO)
    assert rig.clock.mono_ms() == before_ms
    rig.clock.advance(PULSE_MS + MARGIN_MS - 1)
    assert [on for _, on in rig.switched] == [True]
    rig.clock.advance(1)
    assert [on for _, on in rig.switched] == [True, False]


async def test_two_at_once_share_it_and_the_last_ends_it() -> None:
    rig = Rig()
    rig.cabinet.answer = asyncio.Event()
    both = [asyncio.ensure_future(rig.pulse(door)) for door in (ONE, TWO)]
    while len(rig.cabinet.pulsed) < len(both):
        await asyncio.wait(both, timeout=0)
    rig.clock.advance(60_000)
    assert rig.on
    rig.cabinet.answer.set()
    assert await asyncio.gather(*both) == [SENT, SENT]
    rig.clock.advance(PULSE_MS + MARGIN_MS)
    assert [on for _, on in rig.switched] == [True, False]


async def test_what_was_not_sent_keeps_it_only_for_the_margin() -> None:
    rig = Rig()
    rig.cabinet.result = PulseResult(PulseOutcome.NOT_SENT, "cool_down")
    await rig.pulse()
    rig.clock.advance(MARGIN_MS)
    assert not rig.on


async def test_a_rail_that_would_be_late_fires_nothing() -> None:
    rig = Rig(rise_ms=400)
    began_ms = rig.clock.mono_ms()
    assert await rig.pulse(within_ms=399) == PulseResult(PulseOutcome.NOT_SENT, "late")
    assert rig.clock.mono_ms() == began_ms
    assert rig.cabinet.pulsed == []
    rig.clock.advance(MARGIN_MS)
    assert not rig.on
    assert await rig.pulse(within_ms=400) == SENT


async def test_a_pulse_given_up_on_its_way_is_heard_out() -> None:
    rig = Rig()
    rig.cabinet.answer = asyncio.Event()
    under_way = asyncio.ensure_future(rig.pulse())
    while not rig.cabinet.pulsed:
        await asyncio.wait([under_way], timeout=0)
    under_way.cancel()
    await asyncio.wait([under_way])
    rig.clock.advance(PULSE_MS + MARGIN_MS - 1)
    assert rig.on
    rig.clock.advance(1)
    assert not rig.on


async def test_a_loop_that_stalled_while_the_rail_rose_fires_nothing() -> None:
    rig = Rig()

    async def stall(mono_ms: int) -> None:
        rig.clock.advance(mono_ms - rig.clock.mono_ms() + 3_000)

    rig.clock.sleep_until = stall  # type: ignore[method-assign]  # wakes far too late
    assert await rig.pulse() == PulseResult(PulseOutcome.NOT_SENT, "late")
    assert rig.cabinet.pulsed == []


async def test_a_pulse_that_runs_keeps_its_rail_whatever_the_next_one_comes_to() -> None:
    rig = Rig()
    await rig.pulse()
    rig.cabinet.result = PulseResult(PulseOutcome.NOT_SENT, "cool_down")
    await rig.pulse()
    rig.clock.advance(PULSE_MS + MARGIN_MS - 1)
    assert rig.on
    rig.clock.advance(1)
    assert not rig.on


async def test_a_stop_waits_for_the_last_pulse_to_have_run() -> None:
    rig = Rig()
    await rig.pulse()
    fired_ms = rig.clock.mono_ms()
    await rig.supply.rested()
    assert rig.switched[-1] == (fired_ms + PULSE_MS + MARGIN_MS, False)
    await rig.supply.rested()
    assert rig.clock.mono_ms() == fired_ms + PULSE_MS + MARGIN_MS


async def test_who_gives_up_while_the_rail_rises_sends_nothing_and_lets_it_fall() -> None:
    rig = Rig()

    async def rise(mono_ms: int) -> None:
        raise asyncio.CancelledError(mono_ms)

    rig.clock.sleep_until = rise  # type: ignore[method-assign]  # cancelled while it waits
    with pytest.raises(asyncio.CancelledError):
        await rig.pulse()
    assert rig.cabinet.pulsed == []
    rig.clock.advance(MARGIN_MS)
    assert not rig.on


async def test_a_cut_is_at_once_and_for_good() -> None:
    rig = Rig()
    await rig.pulse()
    rig.supply.cut("relay stuck on A/3")
    assert not rig.on
    rig.supply.cut("again")
    assert rig.cuts == ["relay stuck on A/3"]
    assert await rig.pulse() == PulseResult(PulseOutcome.NOT_SENT, "no_supply")
    rig.clock.advance(60_000)
    assert [on for _, on in rig.switched] == [True, False]
    assert len(rig.cabinet.pulsed) == 1


async def test_a_cut_while_the_rail_rises_is_heeded() -> None:
    rig = Rig()
    rig.clock.call_at(rig.clock.mono_ms() + 1, lambda: rig.supply.cut("now"))
    pulse = asyncio.ensure_future(rig.pulse())

    async def rise(mono_ms: int) -> None:
        rig.clock.advance(mono_ms - rig.clock.mono_ms())

    rig.clock.sleep_until = rise  # type: ignore[method-assign]  # time passes through what falls due
    assert await pulse == PulseResult(PulseOutcome.NOT_SENT, "no_supply")
    assert rig.cabinet.pulsed == []


async def test_a_relay_that_cannot_be_switched_cuts_the_supply(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(broken=True)
    assert await rig.pulse() == PulseResult(PulseOutcome.NOT_SENT, "no_supply")
    assert len(rig.cuts) == 1
    assert "gone" in rig.cuts[0]
    assert "the locks' supply is cut: [gpio] supply: OSError: gone" in caplog.text
    assert rig.cabinet.pulsed == []


def test_readings_pass_through() -> None:
    rig = Rig()
    assert [rig.doors.reading(door).item for door in (ONE, TWO)] == [Presence.PRESENT, Presence.ABSENT]


# --- the table ---------------------------------------------------------------------------------------------


@given(signals=st.lists(st.sampled_from(Signal), max_size=30))
def test_cut_is_the_end_and_anything_else_is_known_or_refused(signals: list[Signal]) -> None:
    phase = Phase.OFF
    for signal in signals:
        if (phase, signal) not in NEXT:
            with pytest.raises(IllegalTransition):
                advance(phase, signal)
            continue
        after = advance(phase, signal)
        assert (after is Phase.CUT) == (phase is Phase.CUT or signal is Signal.CUT)
        # Only wanting it brings it up; only having rested, or a cut, takes it down.
        assert not (after in POWERED and phase not in POWERED and signal is not Signal.WANTED)
        assert not (after not in POWERED and phase in POWERED and signal not in {Signal.RESTED, Signal.CUT})
        phase = after


def test_the_document_draws_the_table() -> None:
    edges = [f"    {a} --> {b}: {signal}" for (a, signal), b in NEXT.items() if Phase.CUT not in {a, b}]
    drawn = "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> off", *edges])
    assert drawn in DOC.read_text(encoding="utf-8")
