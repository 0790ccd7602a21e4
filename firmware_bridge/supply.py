"""The locks' own supply, on only while a pulse may be needed: the second barrier against a relay that sticks.

A board that goes mad can hold a door open only while this rail is on; a coil cannot burn without it.
"""

import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from firmware_bridge.gpio import GpioError
from locker.domain.door import DoorReading, PulseOutcome, PulseResult
from locker.domain.errors import IllegalTransition
from locker.domain.ids import CompartmentNumber
from locker.operations.ports import Clock, Doors

_LOGGER = logging.getLogger(__name__)


class Phase(StrEnum):
    OFF = "off"
    RISING = "rising"
    ON = "on"
    LINGERING = "lingering"
    """Nobody needs it; a board may still be pulsing."""
    CUT = "cut"
    """Off until the next start, whoever asks."""


class Signal(StrEnum):
    WANTED = "wanted"
    RISEN = "risen"
    RELEASED = "released"
    """The last who wanted it does no more."""
    RESTED = "rested"
    CUT = "cut"


NEXT: Final[Mapping[tuple[Phase, Signal], Phase]] = MappingProxyType(
    {
        (Phase.OFF, Signal.WANTED): Phase.RISING,
        (Phase.RISING, Signal.WANTED): Phase.RISING,
        (Phase.RISING, Signal.RISEN): Phase.ON,
        (Phase.RISING, Signal.RELEASED): Phase.LINGERING,
        (Phase.ON, Signal.WANTED): Phase.ON,
        (Phase.ON, Signal.RISEN): Phase.ON,
        (Phase.ON, Signal.RELEASED): Phase.LINGERING,
        # The rail never fell: its rise counts from when it was switched on.
        (Phase.LINGERING, Signal.WANTED): Phase.RISING,
        (Phase.LINGERING, Signal.RESTED): Phase.OFF,
    }
    | {(phase, Signal.CUT): Phase.CUT for phase in Phase}
    | {(Phase.CUT, signal): Phase.CUT for signal in Signal}
)
POWERED: Final = frozenset({Phase.RISING, Phase.ON, Phase.LINGERING})


def advance(phase: Phase, signal: Signal) -> Phase:
    """The phase after ``signal``. Raises IllegalTransition."""
    try:
        return NEXT[phase, signal]
    except KeyError:
        raise IllegalTransition("supply", phase, signal) from None


class Supply(Protocol):
    """What a pulse needs first. Each `ready` is followed by one `done`, whatever it answered."""

    async def ready(self, by_ms: int) -> str:
        """Empty once the locks have their supply; ``late`` where they would not by ``by_ms`` (monotonic),
        ``no_supply`` where it is cut."""
        ...

    def done(self, keep_ms: int) -> None:
        """No more pulse is to come; the last one may still run for ``keep_ms``."""
        ...

    def cut(self, reason: str) -> None:
        """Off, and off it stays until the next start."""
        ...


class LockSupply:
    """A `Supply` behind one relay. ``switch`` may raise GpioError, which cuts the supply."""

    def __init__(
        self,
        clock: Clock,
        switch: Callable[[bool], None],
        rise_ms: int,
        margin_ms: int,
        on_cut: Callable[[str], None],
    ) -> None:
        self.phase = Phase.OFF
        self._clock, self._switch, self._on_cut = clock, switch, on_cut
        self._rise_ms, self._margin_ms = rise_ms, margin_ms
        self._wanted_by = 0
        self._risen_ms = self._keep_until_ms = 0

    async def ready(self, by_ms: int) -> str:
        self._wanted_by += 1
        if self.phase is Phase.OFF:
            self._risen_ms = self._clock.mono_ms() + self._rise_ms
        self._step(Signal.WANTED)
        if self._powered() and self._risen_ms > by_ms:
            return "late"
        await self._clock.sleep_until(self._risen_ms)
        self._step(Signal.RISEN)
        return "" if self._powered() else "no_supply"

    def done(self, keep_ms: int) -> None:
        now_ms = self._clock.mono_ms()
        self._wanted_by -= 1
        self._keep_until_ms = max(self._keep_until_ms, now_ms + keep_ms + self._margin_ms)
        if not self._wanted_by:
            self._step(Signal.RELEASED)
            self._clock.call_at(self._keep_until_ms, self._rest)

    def cut(self, reason: str) -> None:
        if self.phase is Phase.CUT:
            return
        _LOGGER.critical("the locks' supply is cut: %s", reason)
        self._step(Signal.CUT)
        self._on_cut(reason)

    async def rested(self) -> None:
        """The last pulse has had its time and the rail is off; call it once no more pulses are to come."""
        if self._powered():
            await self._clock.sleep_until(self._keep_until_ms)
            self._rest()

    def _powered(self) -> bool:
        return self.phase in POWERED

    def _rest(self) -> None:
        due = self._clock.mono_ms() >= self._keep_until_ms
        if due and not self._wanted_by and self.phase is Phase.LINGERING:
            self._step(Signal.RESTED)

    def _step(self, signal: Signal) -> None:
        was, self.phase = self.phase, advance(self.phase, signal)
        if (was in POWERED) is (self.phase in POWERED):
            return
        try:
            self._switch(self.phase in POWERED)
        except GpioError as error:
            if self.phase is Phase.CUT:
                _LOGGER.critical("the locks' supply cannot be switched off: %s", error)
            else:
                self.cut(str(error))


class SuppliedDoors:
    """`Doors` whose locks must be given their supply first. Conforms to `locker.operations.ports.Doors`."""

    def __init__(
        self, doors: Doors, supply: Supply, clock: Clock, pulse_ms: Mapping[CompartmentNumber, int]
    ) -> None:
        self._doors, self._supply, self._clock, self._pulse_ms = doors, supply, clock, pulse_ms

    def reading(self, door: CompartmentNumber) -> DoorReading:
        return self._doors.reading(door)

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        """As `Doors.pulse`; NOT_SENT also for what `Supply.ready` says."""
        keep_ms = 0
        try:
            if why := await self._supply.ready(deadline_ms):
                return PulseResult(PulseOutcome.NOT_SENT, why)
            if self._clock.mono_ms() > deadline_ms:
                return PulseResult(PulseOutcome.NOT_SENT, "late")
            keep_ms = self._pulse_ms[door]  # also where it is cancelled: the pulse may be on its way
            result = await self._doors.pulse(door, deadline_ms)
            if result.outcome is PulseOutcome.NOT_SENT:
                keep_ms = 0
            return result
        finally:
            self._supply.done(keep_ms)


class MainsFedDoors:
    """`Doors` that begin nothing from the moment at which the mains' contact reads "failed". A contact is
    believed, and journaled, only after it has settled: a lock would still be fired on power that is going."""

    def __init__(self, doors: Doors, lost: Callable[[], bool]) -> None:
        self._doors, self._lost = doors, lost

    def reading(self, door: CompartmentNumber) -> DoorReading:
        return self._doors.reading(door)

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        """As `Doors.pulse`; NOT_SENT with ``mains_lost`` as well."""
        if self._lost():
            return PulseResult(PulseOutcome.NOT_SENT, "mains_lost")
        return await self._doors.pulse(door, deadline_ms)
