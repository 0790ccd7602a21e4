"""A new epoch, and what the centre remembers of the old: what follows for the state."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from locker.domain import history
from locker.domain.codes import CodeRecord
from locker.domain.deposit import ENDED, HELD, Deposit
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import DepositId, Epoch, Seq
from locker.domain.pairs import Pair
from locker.domain.state import LockerState
from locker.domain.stocktakes import Stocktake

ENDED_BEFORE: Final = "ended before"
"""Why a code ended whose deposit had ended in a history that this journal lost."""


def _epoch_started(s: LockerState, t: Stamp, e: ev.EpochStarted, seq: Seq) -> LockerState:
    s = replace(s, epoch=e.epoch, locker=e.locker)
    if not e.parent_epoch:
        return replace(s, history=history.begun(e.why))
    return replace(
        s,
        # Numbers of entries are those of the parent: nobody's name may be read at them here.
        signed_seq=Seq(0),
        named=s.named.begun(Epoch(e.parent_epoch), t.wall_ms),
        authorisations=_unnamed(s.authorisations),
        items=_unnamed(s.items),
        staff=_unnamed(s.staff),
        codes=_unnamed(s.codes),
        entrustments=s.entrustments.unnamed(),
        history=history.begun(e.why),
        pair=Pair(),
        stocktake=Stocktake(),
    )


def _unnamed(records: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType({key: replace(record, seq=Seq(0)) for key, record in records.items()})


def _deposit_restored(s: LockerState, t: Stamp, e: ev.DepositRestored, seq: Seq) -> LockerState:
    """Of two histories of one deposit the further one counts; of one that is not known here, the centre's."""
    before = s.deposits.get(e.deposit)
    if before is None:
        return s if e.phase in ENDED or taken(s, e) else _adopted(s, e)
    phase = history.further(before.phase, e.phase)
    if phase is before.phase:
        return s
    if phase in ENDED:
        return _ended(s, t, replace(before, phase=phase, since_ms=e.since_ms))
    if e.door != before.door:
        return s if taken(s, e) else _adopted(_vacated(s, before), e)
    s = change.deposit(s, e.deposit, phase=phase, since_ms=e.since_ms, receipt=e.receipt)
    return change.door(s, before.door, holding=phase in HELD, doubt=history.DOUBT)


def taken(s: LockerState, e: ev.DepositRestored) -> bool:
    """Whether its place is another one's here, or there is no such place: then a person must look."""
    compartment = s.compartments.get(e.door)
    return compartment is None or compartment.deposit not in {"", e.deposit}


def _adopted(s: LockerState, e: ev.DepositRestored) -> LockerState:
    record = Deposit(
        e.deposit, e.kind, e.door, e.case, e.authorisation, e.item, e.phase, e.since_ms, receipt=e.receipt
    )
    s = replace(s, deposits=change.put(s.deposits, e.deposit, record))
    s = change.authorisation(s, e.authorisation, deposit=e.deposit)
    return change.door(s, e.door, deposit=e.deposit, holding=e.phase in HELD, doubt=history.DOUBT)


def _ended(s: LockerState, t: Stamp, record: Deposit) -> LockerState:
    s = replace(s, deposits=change.put(s.deposits, record.deposit, record))
    for code in tuple(s.codes.values()):
        if code.deposit == record.deposit and not code.ended:
            s = change.code(s, code.code, ended=ENDED_BEFORE, ended_ms=t.wall_ms)
    return _vacated(s, record)


def _vacated(s: LockerState, record: Deposit) -> LockerState:
    if s.compartments[record.door].deposit != record.deposit:
        return s
    return change.door(s, record.door, deposit=DepositId(""), holding=False, doubt=history.DOUBT)


def _code_restored(s: LockerState, t: Stamp, e: ev.CodeRestored, seq: Seq) -> LockerState:
    before, deposit = s.codes.get(e.code), s.deposits.get(e.deposit)
    if before is not None:
        ends = e.ended and before.ended in {"", ENDED_BEFORE}
        return change.code(s, e.code, ended=e.ended, ended_ms=t.wall_ms) if ends else s
    if e.ended or deposit is None or deposit.ended:
        return s
    record = CodeRecord(
        e.code, e.deposit, e.locator, e.typed_digest, e.scan_digest, entrustment=e.entrustment
    )
    return replace(s, codes=change.put(s.codes, e.code, record))


def _restored(s: LockerState, t: Stamp, e: ev.HistoryRestored, seq: Seq) -> LockerState:
    return replace(s, history=replace(s.history, awaited=False, vouched=False)) if e.epoch == s.epoch else s


def _vouched(s: LockerState, t: Stamp, e: ev.HistoryVouched, seq: Seq) -> LockerState:
    return replace(s, history=replace(s.history, awaited=False, vouched=True)) if e.epoch == s.epoch else s


def _confirmed(s: LockerState, t: Stamp, e: ev.HistoryConfirmed, seq: Seq) -> LockerState:
    return replace(s, history=replace(s.history, unconfirmed=False)) if e.epoch == s.epoch else s


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.EpochStarted: _epoch_started,
        ev.DepositRestored: _deposit_restored,
        ev.CodeRestored: _code_restored,
        ev.HistoryRestored: _restored,
        ev.HistoryConfirmed: _confirmed,
        ev.HistoryVouched: _vouched,
    }
)
