"""What a locker tells of acts: the hub's own row moves on; one that nobody here knows gets a row."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from sync.central.acts.approvals import Signal, State
from sync.central.acts.moves import move
from sync.central.acts.tables import ACT
from sync.central.project.rows import Apply, Place
from sync.central.store import find, put


def _taken(signal: Signal) -> Callable[[Place, Any], None]:
    def apply(at: Place, e: Any) -> None:
        if find(at.connection, ACT, {"act": e.act}) is None:
            # Of a hub that this one's database does not remember: its number must not be used again.
            values = {"locker": at.locker, "kind": str(e.kind), "door": e.door, "aseq": e.aseq}
            fresh = {"reason": "", "nonce": "", "case_number": "", "requested_by": "", "why": ""}
            times = {"requested_ms": at.now_ms, "agreed_ms": 0, "since_ms": at.now_ms}
            put(at.connection, ACT, {"act": e.act}, values | fresh | times | {"state": State.SENT.value})
        _move(at, e, signal)

    return apply


def _told(signal: Signal) -> Callable[[Place, Any], None]:
    return lambda at, e: _move(at, e, signal)


def _move(at: Place, e: Any, signal: Signal) -> None:
    row = find(at.connection, ACT, {"locker": at.locker, "act": e.act})
    if row is not None:
        move(at.connection, row, signal, at.now_ms, getattr(e, "why", ""))


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.ActAccepted: _taken(Signal.ACCEPT),
        ev.ActRefused: _taken(Signal.REFUSE),
        ev.ActExpired: _taken(Signal.EXPIRE),
        ev.ActDone: _told(Signal.DO),
        ev.ActFailed: _told(Signal.FAIL),
        ev.ActUnknown: _told(Signal.LOSE),
    }
)
