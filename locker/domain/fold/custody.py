"""Where every item is: what follows for the state."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from locker.domain import deposit as deposits
from locker.domain import events as ev
from locker.domain import rounds
from locker.domain.deposit import Deposit
from locker.domain.entry import Stamp
from locker.domain.fold import change
from locker.domain.fold.change import Apply
from locker.domain.ids import DepositId, Seq
from locker.domain.rounds import RoundKind
from locker.domain.state import LockerState
from locker.domain.stocktakes import Found, Stocktake

FINDINGS: Final = MappingProxyType(
    {
        Found.UNKNOWN_ITEM.value: "unknown item found",
        Found.MISSING.value: "item missing",
        Found.UNSURE.value: "item not made out",
    }
)
"""What somebody found in a compartment, and the doubt that it leaves; any other finding ends the doubt."""


def _reserved(s: LockerState, t: Stamp, e: ev.CompartmentReserved, seq: Seq) -> LockerState:
    record = Deposit(
        e.deposit, e.kind, e.door, e.case, e.authorisation, e.item, deposits.Phase.RESERVED, t.wall_ms
    )
    s = replace(s, deposits=change.put(s.deposits, e.deposit, record))
    s = change.authorisation(s, e.authorisation, deposit=e.deposit)
    return change.door(s, e.door, deposit=e.deposit, holding=False)


def _moved(s: LockerState, t: Stamp, e: ev.DepositMoved, seq: Seq) -> LockerState:
    s = change.door(s, s.deposits[e.deposit].door, deposit=DepositId(""))
    s = change.door(s, e.door, deposit=e.deposit, holding=False)
    return change.deposit(s, e.deposit, door=e.door)


def _cancelled(s: LockerState, t: Stamp, e: ev.DepositCancelled, seq: Seq) -> LockerState:
    s = change.authorisation(s, s.deposits[e.deposit].authorisation, deposit=DepositId(""))
    return change.advance(change.free(s, e.deposit, e.proof), e.deposit, deposits.Signal.CANCEL, t)


def _deposited(s: LockerState, t: Stamp, e: ev.SubmissionDeposited, seq: Seq) -> LockerState:
    s = change.advance(s, e.deposit, deposits.Signal.HAND_IN, t)
    s = replace(s, bookings=s.bookings.without_right(s.deposits[e.deposit].authorisation))
    return change.door(s, e.door, holding=True, doubt="")


def _bag(s: LockerState, t: Stamp, e: ev.BagNoted, seq: Seq) -> LockerState:
    return change.deposit(s, e.deposit, bag=e.bag)


def _receipt(s: LockerState, t: Stamp, e: ev.ReceiptIssued, seq: Seq) -> LockerState:
    return change.deposit(s, e.deposit, receipt=e.number)


def _exposed(s: LockerState, t: Stamp, e: ev.SubmissionExposed, seq: Seq) -> LockerState:
    return change.advance(s, e.deposit, deposits.Signal.EXPOSE, t)


def _taken_back(s: LockerState, t: Stamp, e: ev.SubmissionTakenBack, seq: Seq) -> LockerState:
    s = change.authorisation(s, s.deposits[e.deposit].authorisation, deposit=DepositId(""))
    return change.advance(change.free(s, e.deposit, e.proof), e.deposit, deposits.Signal.TAKE_BACK, t)


def _taken(s: LockerState, t: Stamp, e: ev.SubmissionTaken, seq: Seq) -> LockerState:
    authorisation = s.deposits[e.deposit].authorisation
    s = change.authorisation(s, authorisation, ended="taken_in", ended_ms=t.wall_ms)
    s = replace(s, rounds=rounds.did(s.rounds, e.slip, e.deposit, e.finding))
    return change.advance(change.free(s, e.deposit, e.proof), e.deposit, deposits.Signal.TAKE_IN, t)


def _loaded(s: LockerState, t: Stamp, e: ev.ItemLoaded, seq: Seq) -> LockerState:
    s = change.advance(s, e.deposit, deposits.Signal.LOAD, t)
    s = replace(s, rounds=rounds.did(s.rounds, e.slip, e.deposit, "loaded"))
    return change.door(s, s.deposits[e.deposit].door, holding=True, doubt="")


def _picked_up(s: LockerState, t: Stamp, e: ev.ItemPickedUp, seq: Seq) -> LockerState:
    return change.advance(change.free(s, e.deposit, e.proof), e.deposit, deposits.Signal.COLLECT, t)


def _refused(s: LockerState, t: Stamp, e: ev.ItemRefused, seq: Seq) -> LockerState:
    return change.advance(s, e.deposit, deposits.Signal.REFUSE, t)


def _overdue(s: LockerState, t: Stamp, e: ev.ItemOverdue, seq: Seq) -> LockerState:
    return change.deposit(s, e.deposit, overdue=True)


def _withdrawn(s: LockerState, t: Stamp, e: ev.ItemWithdrawn, seq: Seq) -> LockerState:
    loading = s.rounds.open(RoundKind.LOAD)
    for part in loading.parts if loading else ():
        # What was loaded on the round that goes on is taken out again: it counts no longer.
        s = replace(s, rounds=rounds.corrected(s.rounds, part.slip, e.deposit, rounds.UNDONE))
    s = replace(s, rounds=rounds.did(s.rounds, e.slip, e.deposit, "withdrawn"))
    return change.advance(change.free(s, e.deposit, e.proof), e.deposit, deposits.Signal.WITHDRAW, t)


def _doubted(s: LockerState, t: Stamp, e: ev.CompartmentDoubted, seq: Seq) -> LockerState:
    return change.door(s, e.door, doubt=e.reason)


def _checked(s: LockerState, t: Stamp, e: ev.CompartmentChecked, seq: Seq) -> LockerState:
    s = change.door(s, e.door, doubt=FINDINGS.get(e.found, ""))
    if not e.stocktake or e.stocktake != s.stocktake.stocktake:
        return s
    return replace(s, stocktake=s.stocktake.after(e.door, Found(e.found)))


def _stocktake_began(s: LockerState, t: Stamp, e: ev.StocktakeBegan, seq: Seq) -> LockerState:
    return replace(s, stocktake=Stocktake(e.stocktake, e.scope, t.wall_ms))


def _stocktake_ended(s: LockerState, t: Stamp, e: ev.StocktakeEnded, seq: Seq) -> LockerState:
    return replace(s, stocktake=replace(s.stocktake, ended=True))


def _faulted(s: LockerState, t: Stamp, e: ev.CompartmentFaulted, seq: Seq) -> LockerState:
    return change.door(s, e.door, fault=e.reason)


def _blocked(s: LockerState, t: Stamp, e: ev.CompartmentBlocked, seq: Seq) -> LockerState:
    """Out of service by somebody's word, which stands for the fault there was: both end the same way."""
    return change.door(s, e.door, fault="", blocked=e.reason)


def _restored(s: LockerState, t: Stamp, e: ev.CompartmentRestored, seq: Seq) -> LockerState:
    """Whoever stands before it knows better than the centre, which learns of it by this."""
    return change.door(s, e.door, fault="", blocked="", barred="")


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.CompartmentReserved: _reserved,
        ev.DepositMoved: _moved,
        ev.DepositCancelled: _cancelled,
        ev.SubmissionDeposited: _deposited,
        ev.BagNoted: _bag,
        ev.ReceiptIssued: _receipt,
        ev.SubmissionExposed: _exposed,
        ev.SubmissionTakenBack: _taken_back,
        ev.SubmissionTaken: _taken,
        ev.ItemLoaded: _loaded,
        ev.ItemPickedUp: _picked_up,
        ev.ItemRefused: _refused,
        ev.ItemOverdue: _overdue,
        ev.ItemWithdrawn: _withdrawn,
        ev.CompartmentDoubted: _doubted,
        ev.CompartmentChecked: _checked,
        ev.StocktakeBegan: _stocktake_began,
        ev.StocktakeEnded: _stocktake_ended,
        ev.CompartmentFaulted: _faulted,
        ev.CompartmentBlocked: _blocked,
        ev.CompartmentRestored: _restored,
    }
)
