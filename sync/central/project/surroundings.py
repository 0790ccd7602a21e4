"""What happened around a locker's doors: an alarm for whatever somebody must go and see."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from sync.central.project import rows
from sync.central.project.rows import Apply, Place


def _alarm(kind: str) -> Callable[[Place, Any], None]:
    """One row a locker and kind, counted: mains that come and go must not fill the page."""

    def apply(at: Place, e: Any) -> None:
        detail = getattr(e, "reason", "") or getattr(e, "why", "")
        rows.alarm(at, kind, "", detail)

    return apply


def _tamper_opened(at: Place, e: ev.TamperOpened) -> None:
    """Each time anew: every one is somebody at the back of the cabinet."""
    rows.alarm(at, "tamper", f"{at.epoch}/{at.seq}", e.why)


def _window_opened(at: Place, e: ev.ServiceWindowOpened) -> None:
    """Each time anew: while it stands, doors that are opened by hand raise no alarm."""
    rows.alarm(at, "service_window", f"{at.epoch}/{at.seq}", f"{e.staff} · {e.second}")


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.TamperOpened: _tamper_opened,
        ev.MainsLost: _alarm("mains_lost"),
        ev.BatteryLow: _alarm("battery_low"),
        ev.LockSupplyCut: _alarm("supply_cut"),
        ev.ServiceWindowOpened: _window_opened,
    }
)
