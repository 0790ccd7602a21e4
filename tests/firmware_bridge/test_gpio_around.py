"""All that stands around the doors as one thing: each part may be missing, none holds up another."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator

import pytest
from gpiozero.pins.mock import MockFactory

from firmware_bridge import gpio
from firmware_bridge.around import SCANS_WAITING_MAX, Around
from firmware_bridge.gpio import GpioError, GpioSettings
from firmware_bridge.scanner import ScannerSettings
from firmware_bridge.supply import SuppliedDoors
from locker.domain.ids import CompartmentNumber
from locker.domain.surroundings import Sensed, SupplyLost, Watched
from locker.platform import LockerClock, Times
from tests.locker.operations.world import Hands, VirtualClock

CODE = "1" + "3" * 40


def doors() -> Hands:
    return Hands(VirtualClock(), {1: True})


async def never() -> AsyncIterator[bool]:
    await asyncio.Event().wait()
    yield True


async def nowhere(_scan: str) -> None:
    raise AssertionError


async def test_with_nothing_wired_nothing_runs_and_doors_are_as_they_were() -> None:
    clock = VirtualClock()
    around = Around.open(GpioSettings(), ScannerSettings(), clock, lambda _: None)
    same = doors()
    assert around.supplied(same, {}, clock) is same
    around.cut_supply("nobody minds")
    assert around.report() is None
    await asyncio.wait_for(around.run(nowhere, never()), 5)
    await around.close()


async def test_a_back_end_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(GpioError, match="python3-lgpio"):
        Around.open(GpioSettings("lgpio", tamper=17), ScannerSettings(), VirtualClock(), lambda _: None)


async def test_a_stuck_relay_cuts_the_supply_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = MockFactory()
    monkeypatch.setattr(gpio, "open_factory", lambda _name: factory)
    clock, told = VirtualClock(), list[Sensed | SupplyLost]()
    around = Around.open(GpioSettings("mock", supply=5), ScannerSettings(), clock, told.append)
    one = CompartmentNumber(1)
    supplied = around.supplied(doors(), {one: 500}, clock)
    assert isinstance(supplied, SuppliedDoors)
    await supplied.pulse(one, clock.mono_ms() + 1_000)
    assert factory.pin(5).state == 1
    around.cut_supply("a relay of A/3 stays on")
    assert factory.pin(5).state == 0
    assert told == [SupplyLost("a relay of A/3 stays on")]
    await around.close()


@pytest.mark.parametrize("supply", [0, 5])
async def test_mains_that_have_failed_fire_no_lock_from_that_moment_on(
    supply: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory = MockFactory()
    monkeypatch.setattr(gpio, "open_factory", lambda _name: factory)
    clock, told, one, cabinet = VirtualClock(), list[Sensed | SupplyLost](), CompartmentNumber(1), doors()
    wired = GpioSettings("mock", mains=27, supply=supply)
    around = Around.open(wired, ScannerSettings(), clock, told.append)
    fed = around.supplied(cabinet, {one: 500}, clock)
    for level, outcome in ((0, "acknowledged"), (1, "not_sent"), (0, "acknowledged")):
        factory.pin(27)._change_state(level)
        result = await fed.pulse(one, clock.mono_ms() + 1_000)
        assert (result.outcome, result.reason) == (outcome, "mains_lost" if level else "")
        await clock.sleep_until(clock.mono_ms() + 10_000)
    assert told == []  # nothing has settled: nobody asked the contact but these pulses
    assert fed.reading(one) == cabinet.reading(one)
    await around.close()


async def test_contacts_and_scans_come_up_together_and_end_together() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    sensed: asyncio.Queue[Sensed | SupplyLost] = asyncio.Queue()
    shown: asyncio.Queue[str] = asyncio.Queue()
    settings = ScannerSettings(os.ttyname(theirs), trigger="honeywell")
    around = Around.open(
        GpioSettings("mock", tamper=17, settle_ms=50), settings, LockerClock(Times.real()), sensed.put_nowait
    )

    async def hearing() -> AsyncIterator[bool]:
        yield True
        await asyncio.Event().wait()

    running = asyncio.ensure_future(around.run(shown.put, hearing()))
    try:
        # An undriven pin is pulled towards "open".
        assert await asyncio.wait_for(sensed.get(), 10) == Sensed(Watched.TAMPER, True, "open")
        beam = await asyncio.get_running_loop().run_in_executor(None, os.read, ours, 3)
        assert beam == b"\x16T\r"
        os.write(ours, CODE.encode() + b"\r")
        assert await asyncio.wait_for(shown.get(), 10) == CODE
        report = around.report()
        assert report is not None
        assert (report.scans, report.why) == (1, "")
    finally:
        running.cancel()
        await asyncio.wait([running])
        await asyncio.wait_for(around.close(), 10)
        await asyncio.wait_for(around.close(), 10)
        os.close(ours)
        os.close(theirs)


async def test_codes_that_nobody_takes_in_are_dropped() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    settings = ScannerSettings(os.ttyname(theirs))
    around = Around.open(GpioSettings(), settings, LockerClock(Times.real()), lambda _: None)
    taken: list[str] = []
    first, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(scan: str) -> None:
        taken.append(scan)
        first.set()
        await go_on.wait()

    running = asyncio.ensure_future(around.run(slowly, never()))
    try:
        codes = [f"{n:011d}" for n in range(3 * SCANS_WAITING_MAX)]
        while not _device(around):  # opening flushes what came before
            await asyncio.wait([running], timeout=0.01)
        os.write(ours, codes[0].encode() + b"\r")
        await asyncio.wait_for(first.wait(), 10)
        os.write(ours, "".join(f"{code}\r" for code in codes[1:]).encode())
        while around._scans.qsize() < SCANS_WAITING_MAX or _scans(around) < len(codes):
            await asyncio.wait([running], timeout=0.01)
        go_on.set()
        while len(taken) < 1 + SCANS_WAITING_MAX:
            await asyncio.wait([running], timeout=0.01)
        assert taken == codes[: 1 + SCANS_WAITING_MAX]
    finally:
        running.cancel()
        await asyncio.wait([running])
        await asyncio.wait_for(around.close(), 10)
        os.close(ours)
        os.close(theirs)


def _scans(around: Around) -> int:
    report = around.report()
    return report.scans if report else 0


def _device(around: Around) -> str:
    report = around.report()
    return report.device if report else ""
