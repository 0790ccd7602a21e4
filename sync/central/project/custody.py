"""What lies where, in whose hands, by which proof."""

from types import MappingProxyType
from typing import Final

from locker.domain import events as ev
from locker.domain.deposit import Phase, Proof
from locker.domain.door import Presence
from locker.domain.fold.custody import FINDINGS
from sync.central import tables as t
from sync.central.project import rows, slots
from sync.central.project.rows import Apply, Place


def _reserved(at: Place, e: ev.CompartmentReserved) -> None:
    rows.put(
        at,
        t.DEPOSIT,
        {"deposit": e.deposit},
        {
            "kind": e.kind.value,
            "door": e.door,
            "case_number": e.case,
            "authorisation": e.authorisation,
            "item": e.item,
            "phase": Phase.RESERVED.value,
            "since_ms": at.stamp.wall_ms,
            "time_quality": at.stamp.quality,
        },
    )
    rows.door(at, e.door, deposit=e.deposit)


def _moved(at: Place, e: ev.DepositMoved) -> None:
    rows.door(at, rows.deposit(at, e.deposit).door, deposit="")
    rows.door(at, e.door, deposit=e.deposit)
    rows.change(at, t.DEPOSIT, {"deposit": e.deposit}, door=e.door)


def _cancelled(at: Place, e: ev.DepositCancelled) -> None:
    rows.free(at, e.deposit, Phase.CANCELLED, e.proof)


def _deposited(at: Place, e: ev.SubmissionDeposited) -> None:
    proof = Proof.SENSED if e.sensed is Presence.PRESENT else Proof.DECLARED
    rows.advance(at, e.deposit, Phase.AWAITING_INTAKE, proof.value)
    rows.door(at, e.door, doubt="")
    slots.used(at, e.deposit)


def _receipt(at: Place, e: ev.ReceiptIssued) -> None:
    rows.change(at, t.DEPOSIT, {"deposit": e.deposit}, receipt=e.number)


def _exposed(at: Place, e: ev.SubmissionExposed) -> None:
    rows.advance(at, e.deposit, Phase.EXPOSED)


def _taken_back(at: Place, e: ev.SubmissionTakenBack) -> None:
    rows.free(at, e.deposit, Phase.TAKEN_BACK, e.proof)


def _taken(at: Place, e: ev.SubmissionTaken) -> None:
    before = rows.free(at, e.deposit, Phase.TAKEN_IN, e.proof)
    rows.end_authorisation(at, before.authorisation, "taken_in")


def _loaded(at: Place, e: ev.ItemLoaded) -> None:
    before = rows.advance(at, e.deposit, Phase.AWAITING_PICKUP, e.proof.value)
    rows.door(at, before.door, doubt="")


def _picked_up(at: Place, e: ev.ItemPickedUp) -> None:
    rows.free(at, e.deposit, Phase.COLLECTED, e.proof)


def _refused(at: Place, e: ev.ItemRefused) -> None:
    rows.advance(at, e.deposit, Phase.REFUSED)


def _overdue(at: Place, e: ev.ItemOverdue) -> None:
    rows.change(at, t.DEPOSIT, {"deposit": e.deposit}, overdue=True)


def _withdrawn(at: Place, e: ev.ItemWithdrawn) -> None:
    rows.free(at, e.deposit, Phase.WITHDRAWN, e.proof)


def _doubted(at: Place, e: ev.CompartmentDoubted) -> None:
    rows.door(at, e.door, doubt=e.reason)


def _checked(at: Place, e: ev.CompartmentChecked) -> None:
    rows.door(at, e.door, doubt=FINDINGS.get(e.found, ""))


def _faulted(at: Place, e: ev.CompartmentFaulted) -> None:
    rows.door(at, e.door, fault=e.reason)


def _blocked(at: Place, e: ev.CompartmentBlocked) -> None:
    rows.door(at, e.door, fault="", blocked=e.reason)


def _restored(at: Place, e: ev.CompartmentRestored) -> None:
    rows.door(at, e.door, fault="", blocked="", barred="")
    slots.restored(at, e.door)


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.CompartmentReserved: _reserved,
        ev.DepositMoved: _moved,
        ev.DepositCancelled: _cancelled,
        ev.SubmissionDeposited: _deposited,
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
        ev.CompartmentFaulted: _faulted,
        ev.CompartmentBlocked: _blocked,
        ev.CompartmentRestored: _restored,
    }
)
