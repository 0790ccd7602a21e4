"""What a locker tells of itself at the start of an epoch that follows another.

Its report is joined to what is known here: of two histories of one deposit the further one counts. What is
known here and not there is said to it afterwards (`sync.central.histories`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlalchemy.sql.dml import UpdateBase

from locker.domain import events as ev
from locker.domain.deposit import ENDED, Phase
from locker.domain.history import Break, further
from sync.central import tables as t
from sync.central.bulk import BIG, TEXT, Change
from sync.central.project import rows
from sync.central.project.rows import Apply, Place

ALARMS: Final[Mapping[str, str]] = MappingProxyType(
    {Break.LOST_ROWS: "lost_rows", Break.FORKED: "fork", Break.SUPERSEDED: "fork", Break.HOLE: "hole"}
)


def _epoch_started(at: Place, e: ev.EpochStarted) -> None:
    parent = {"as_epoch": e.parent_epoch, "as_head": e.parent_head, "as_hash": e.parent_hash}
    at.sheet.later(_PARENT, {"of_locker": at.locker, "of_epoch": at.epoch, **parent})
    rows.blank(at)
    if not e.parent_epoch:
        return
    kind = ALARMS.get(e.why, "fork")
    at.sheet.later(_MARK, {"of_locker": at.locker, "of_epoch": e.parent_epoch, "as_mark": kind})
    detail = f"the locker went on in {at.epoch[:8]} from its entry {e.parent_head}: {e.why}"
    rows.alarm(at, kind, e.parent_epoch, detail)


def _door(at: Place, e: ev.DoorReported) -> None:
    seen = {"position": e.position.value, "item": e.item.value}
    rows.door(at, e.door, deposit=e.deposit, doubt=e.doubt, fault=e.fault, blocked=e.blocked, **seen)


def _deposit(at: Place, e: ev.DepositReported) -> None:
    row = rows.find(at, t.DEPOSIT, deposit=e.deposit)
    # Where neither is further it is the locker's word: it keeps its own as well.
    if row is not None and further(e.phase, Phase(row.phase)) is not e.phase:
        return
    values = {
        "kind": e.kind.value,
        "door": e.door,
        "case_number": e.case,
        "authorisation": e.authorisation,
        "item": e.item,
        "phase": e.phase.value,
        "since_ms": e.since_ms,
        "receipt": e.receipt,
    }
    rows.put(at, t.DEPOSIT, {"deposit": e.deposit}, values)
    if e.item and e.phase not in rows.UNDONE:
        rows.item_is(at, e.item, e.phase.value)
    if e.authorisation and e.phase is Phase.TAKEN_IN:
        rows.end_authorisation(at, e.authorisation, "taken_in")


def _code(at: Place, e: ev.CodeReported) -> None:
    row = rows.find(at, t.PICKUP_CODE, code=e.code)
    if row is None:
        keys = {"code": e.code}
        rows.put(at, t.PICKUP_CODE, keys, {"deposit": e.deposit, "ended": e.ended})
    elif e.ended and not row.ended:
        rows.change(at, t.PICKUP_CODE, {"code": e.code}, ended=e.ended)


def _deposit_restored(at: Place, e: ev.DepositRestored) -> None:
    """The locker has joined our word to its own: its codes for what had ended are ended now, too."""
    if e.phase in ENDED:
        rows.change(at, t.PICKUP_CODE, {"deposit": e.deposit, "ended": ""}, ended="ended before")


def _parent(told: Any) -> UpdateBase:
    parent = {"parent_epoch": told.as_epoch, "parent_head": told.as_head, "parent_hash": told.as_hash}
    return t.STREAM.update().where(*_named(told)).values(parent)


def _mark(told: Any) -> UpdateBase:
    return t.STREAM.update().where(*_named(told), t.STREAM.c.mark == "").values(mark=told.as_mark)


def _named(told: Any) -> list[ColumnElement[bool]]:
    return [t.STREAM.c.locker == told.of_locker, t.STREAM.c.epoch == told.of_epoch]


_BY: Final = ("of_locker", "of_epoch")
_PARENT: Final = Change(_parent, _BY, of_locker=TEXT, of_epoch=TEXT, as_epoch=TEXT, as_head=BIG, as_hash=TEXT)
_MARK: Final = Change(_mark, _BY, of_locker=TEXT, of_epoch=TEXT, as_mark=TEXT)


def _vouched(at: Place, e: ev.HistoryVouched) -> None:
    """Doors opened there before what is known here was joined: somebody should know why."""
    rows.alarm(at, "history_vouched", e.epoch, f"{e.staff} · {e.second}")


APPLY: Final[Apply] = MappingProxyType(
    {
        ev.EpochStarted: _epoch_started,
        ev.DoorReported: _door,
        ev.DepositReported: _deposit,
        ev.CodeReported: _code,
        ev.DepositRestored: _deposit_restored,
        ev.HistoryVouched: _vouched,
    }
)
