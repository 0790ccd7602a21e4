"""What the centre said of things that wait for their recipients: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from locker.domain.entrustments import Entrustment
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import Seq
from locker.domain.state import LockerState


def _entrusted(s: LockerState, t: Stamp, e: ev.AgentEntrusted, seq: Seq) -> LockerState:
    said = Entrustment(e.entrustment, seq, e.item, e.valid_from_ms, e.valid_until_ms, e.phone4_digest)
    s = change.renamed(s, s.entrustments.find(e.entrustment), t)
    return replace(s, entrustments=s.entrustments.put(said))


def _ended(s: LockerState, t: Stamp, e: ev.EntrustmentEnded, seq: Seq) -> LockerState:
    return replace(s, entrustments=s.entrustments.end(e.entrustment, e.reason))


def _held_longer(s: LockerState, t: Stamp, e: ev.HoldExtended, seq: Seq) -> LockerState:
    """Overdue it is again where the new time is over too: `upkeep` says so."""
    item = s.items.get(e.item)
    if item is None:
        return s
    s = replace(s, items=change.put(s.items, e.item, replace(item, hold_days=e.hold_days)))
    for deposit in tuple(s.deposits.values()):
        if deposit.item == e.item and deposit.overdue:
            s = change.deposit(s, deposit.deposit, overdue=False)
    return s


def _valid_longer(s: LockerState, t: Stamp, e: ev.AuthorisationExtended, seq: Seq) -> LockerState:
    return change.authorisation(s, e.authorisation, valid_until_ms=e.valid_until_ms)


def _due(s: LockerState, t: Stamp, e: ev.PapersDue, seq: Seq) -> LockerState:
    return change.authorisation(s, e.authorisation, papers_due_ms=e.until_ms)


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.AgentEntrusted: _entrusted,
        ev.EntrustmentEnded: _ended,
        ev.HoldExtended: _held_longer,
        ev.AuthorisationExtended: _valid_longer,
        ev.PapersDue: _due,
    }
)
