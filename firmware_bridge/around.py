"""All that stands around the doors, put together: pins, the locks' supply, a scanner. Each may be missing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from firmware_bridge.gpio import Gpio, GpioSettings
from firmware_bridge.scanner import ScannerReport, ScannerSettings, SerialScanner
from firmware_bridge.supply import LockSupply, MainsFedDoors, SuppliedDoors
from locker.domain.ids import CompartmentNumber
from locker.domain.surroundings import Sensed, SupplyLost
from locker.operations.ports import Clock, Doors

SCANS_WAITING_MAX: Final = 4
"""Nobody shows more codes than this at once; what comes on top is dropped."""
SCANNER_END_S: Final = 2.0
"""A port that is just being pulled can hold its thread for longer; no stop waits for that."""

OnReport = Callable[[Sensed | SupplyLost], None]


@dataclass(frozen=True, slots=True)
class Around:
    """Make it by `open` on the event loop; `run` it once; `close` gives pins and port back."""

    gpio: Gpio | None
    supply: LockSupply | None
    scanner: SerialScanner | None
    _scans: asyncio.Queue[str] = field(default_factory=asyncio.Queue, repr=False)
    _ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @classmethod
    def open(
        cls, pins: GpioSettings, scanning: ScannerSettings, clock: Clock, on_report: OnReport
    ) -> "Around":
        """``on_report`` is called on the loop. Raises GpioError."""
        gpio = Gpio.open(pins, clock, on_report) if pins.factory != "none" else None
        supply = None
        if gpio is not None and pins.supply:
            supply = LockSupply(
                clock,
                gpio.supply,
                pins.supply_rise_ms,
                pins.supply_margin_ms,
                lambda reason: on_report(SupplyLost(reason)),
            )
        loop, scans, ended = (
            asyncio.get_running_loop(),
            asyncio.Queue[str](SCANS_WAITING_MAX),
            asyncio.Event(),
        )

        def arrived(scan: str) -> None:
            if not scans.full():
                scans.put_nowait(scan)

        def on_loop(call: Callable[..., None], *args: str) -> None:
            with suppress(RuntimeError):  # the loop has ended before a thread that hung in its port
                loop.call_soon_threadsafe(call, *args)

        scanner = None
        if scanning.port:
            scanner = SerialScanner(scanning, partial(on_loop, arrived), partial(on_loop, ended.set))
        return cls(gpio, supply, scanner, scans, ended)

    def supplied(self, doors: Doors, pulse_ms: Mapping[CompartmentNumber, int], clock: Clock) -> Doors:
        """The same doors; none is opened on mains that have failed; where their supply is switched, it is on
        before a pulse."""
        if self.gpio is not None:
            doors = MainsFedDoors(doors, self.gpio.mains_lost)
        return SuppliedDoors(doors, self.supply, clock, pulse_ms) if self.supply else doors

    def cut_supply(self, reason: str) -> None:
        """A lock keeps its current: take the current away. Nothing where the supply is not switched."""
        if self.supply:
            self.supply.cut(reason)

    def report(self) -> ScannerReport | None:
        return self.scanner.report() if self.scanner else None

    async def run(self, show: Callable[[str], Awaitable[None]], hearing: AsyncIterator[bool]) -> None:
        """For ever, where there is anything to do: ask contacts, show scans, have the beam on in time."""
        async with asyncio.TaskGroup() as group:
            if self.gpio is not None:
                group.create_task(self.gpio.run())
            if self.scanner is not None:
                self.scanner.start()
                group.create_task(self._show(show))
                group.create_task(_aim(self.scanner, hearing))

    async def close(self) -> None:
        """The locks' supply is off, after the last pulse has run, and the scanner's thread has ended.

        Call it when no more pulses are to come. May be called twice.
        """
        if self.scanner is not None and self.scanner.started:
            self.scanner.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), SCANNER_END_S)
        if self.supply is not None:
            await self.supply.rested()
        if self.gpio is not None:
            self.gpio.close()

    async def _show(self, show: Callable[[str], Awaitable[None]]) -> None:
        while True:
            await show(await self._scans.get())


async def _aim(scanner: SerialScanner, hearing: AsyncIterator[bool]) -> None:
    async for wanted in hearing:
        scanner.wanted(wanted)
    scanner.wanted(False)
