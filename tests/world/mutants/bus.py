"""Mistakes between the cabinet and the wire."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from firmware_bridge.bus import Bus
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.codecs import Modbus, modbus
from firmware_bridge.debounce import Debounce
from firmware_bridge.exchange import Exchange
from firmware_bridge.happenings import StationLost
from firmware_bridge.request import Done, Pulse, Request, Telegram
from locker.domain.door import DoorMoved, PulseOutcome, PulseResult, Report
from locker.domain.ids import CompartmentNumber
from tests.world.mutants.mutant import mutant, replaced, table


@mutant({1, 2}, "deaf replies")
def pulse_again_after_silence() -> Iterator[None]:
    """A pulse whose reply does not come is put into the queue once more, as any other request is."""
    honest, again = Bus._unanswered, set[Pulse]()

    def stubborn(self: Bus, now: float) -> None:
        pulse = self._flying()
        if pulse is None or pulse in again:
            honest(self, now)
            return
        again.add(pulse)
        self._asking = None
        self._exchange.expire(now, 0.05)
        self._limits._fired.clear()
        self._schedule.add(pulse)

    with replaced(Bus, "_unanswered", stubborn):
        yield


@mutant({1, 3}, "visits")
def another_lock_is_meant() -> Iterator[None]:
    """Locks are counted from 0 in one place and from 1 in the other."""

    def astray(profile: Any, address: int, request: Request) -> Telegram:
        if isinstance(request, Pulse):
            request = replace(request, channel=request.channel % 16 + 1)
        return honest(profile, address, request)

    honest = modbus.encode
    with replaced(Modbus, "encode", staticmethod(astray)):
        yield


@mutant({3, 5, 6}, "visits")
def another_door_is_reported() -> Iterator[None]:
    """Sensors are counted from 0 in one place and from 1 in the other."""
    honest = Cabinet._moved

    def astray(self: Cabinet, moved: Any, event: Any) -> None:
        reported = self._on_report

        def shifted(report: Report) -> None:
            if isinstance(report, DoorMoved):
                report = replace(report, door=CompartmentNumber(report.door % len(self._sensors) + 1))
            reported(report)

        self._on_report = shifted
        try:
            honest(self, moved, event)
        finally:
            self._on_report = reported

    with replaced(Cabinet, "_moved", astray):
        yield


@mutant({3, 5, 6}, "slow leaves")
def debounce_gone() -> Iterator[None]:
    """The first reading is believed: a leaf that swings past its sensor is shut."""

    def at_once(self: Debounce, level: bool, at_s: float) -> bool:
        self._read_s, self._candidate = at_s, level
        changed = level is not self.settled
        self.settled = level
        return changed

    with replaced(Debounce, "read", at_once):
        yield


@mutant({3, 5, 23, 28}, "lost board")
def lost_board_keeps_its_doors() -> Iterator[None]:
    """A board that falls silent is logged, and what it said last goes on being believed."""
    honest = Cabinet._happened

    def logged(self: Cabinet, event: Any) -> None:
        if not isinstance(event, StationLost):
            honest(self, event)

    def kept(_self: Debounce, _at_s: float) -> bool:
        return False

    with replaced(Cabinet, "_happened", logged), replaced(Debounce, "missed", kept):
        yield


@mutant({2, 3}, "late replies")
def late_reply_believed() -> Iterator[None]:
    """Whatever comes in after a pulse is the answer to it; nor does the line run dry after a time-out."""
    honest, expire = modbus._echoed, Exchange.expire

    def credulous(data: bytes) -> Telegram:
        def match(window: bytes) -> Any:
            ends = range(modbus.OVERHEAD_BYTES, len(window) + 1)
            return next(((Done(), end) for end in ends if modbus.whole(window[:end])), None)

        return replace(honest(data), match=match, shortest=modbus.OVERHEAD_BYTES)

    def at_once(self: Exchange, now: float, _drain_s: float) -> None:
        expire(self, now, 0.0)

    with replaced(modbus, "_echoed", credulous), replaced(Exchange, "expire", at_once):
        yield


@mutant({1, 2}, "deaf replies")
def acknowledged_in_any_case() -> Iterator[None]:
    """A pulse counts as acknowledged as soon as it was written."""
    honest = Bus._settle

    def sure(self: Bus, pulse: Pulse, result: PulseResult, now: float) -> None:
        if result.outcome is PulseOutcome.UNCERTAIN:
            result = PulseResult(PulseOutcome.ACKNOWLEDGED)
        honest(self, pulse, result, now)

    with replaced(Bus, "_settle", sure):
        yield


MUTANTS = table(globals())
