"""What happened around the doors: what follows for the state."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from locker.domain.entry import Stamp
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.pairs import Window
from locker.domain.state import LockerState


def _now(**known: bool) -> Callable[..., LockerState]:
    def apply(s: LockerState, t: Stamp, e: Any, seq: Seq) -> LockerState:
        return replace(s, surroundings=replace(s.surroundings, **known))  # type: ignore[arg-type]  # all bools

    return apply


def _key_turned(s: LockerState, t: Stamp, e: ev.ServiceKeyTurned, seq: Seq) -> LockerState:
    return replace(s, surroundings=replace(s.surroundings, service_key=e.on))


def _cut(s: LockerState, t: Stamp, e: ev.LockSupplyCut, seq: Seq) -> LockerState:
    return replace(s, surroundings=replace(s.surroundings, supply_cut=e.reason))


def _window_opened(s: LockerState, t: Stamp, e: ev.ServiceWindowOpened, seq: Seq) -> LockerState:
    return replace(s, window=Window(e.staff, e.second, t.mono_ms + s.policy.service_window_ms))


def _window_closed(s: LockerState, t: Stamp, e: ev.ServiceWindowClosed, seq: Seq) -> LockerState:
    return replace(s, window=Window())


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.TamperOpened: _now(tamper_open=True),
        ev.TamperClosed: _now(tamper_open=False),
        ev.MainsLost: _now(mains_lost=True),
        ev.MainsBack: _now(mains_lost=False),
        ev.BatteryLow: _now(battery_low=True),
        ev.BatteryGood: _now(battery_low=False),
        ev.ServiceKeyTurned: _key_turned,
        ev.ServiceWindowOpened: _window_opened,
        ev.ServiceWindowClosed: _window_closed,
        ev.LockSupplyCut: _cut,
    }
)
