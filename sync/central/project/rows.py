"""Where an entry stands, and how the rows it speaks of are found and changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, select
from sqlalchemy.sql.dml import UpdateBase

from locker.domain.deposit import TENTATIVE, Phase, Proof
from locker.domain.door import Position, Presence
from locker.domain.entry import Stamp
from sync.central import tables as t
from sync.central.alarms import Trouble
from sync.central.bulk import BIG, TEXT, Change
from sync.central.project.sheet import Held, Sheet


class CannotProject(Exception):
    """An entry speaks of something that no earlier entry named. It stays in the ledger, quarantined."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands."""

    sheet: Sheet
    locker: str
    epoch: str
    seq: int
    stamp: Stamp
    now_ms: int
    """The hub's own time: what rests on the locker's may rest on an unset clock."""

    @property
    def connection(self) -> Connection:
        """For what cannot be asked by key; see `Sheet.connection`."""
        return self.sheet.connection


UNDONE: Final = TENTATIVE | {Phase.CANCELLED}
"""A deposit that is not, or not yet: its item has not moved."""
Apply = Mapping[type[Any], Callable[[Place, Any], None]]
"""Events to what each writes down."""


def find(at: Place, table: Table, **keys: Any) -> Held | None:
    """The row of this locker with these values."""
    return at.sheet.find(table, {"locker": at.locker, **keys})


def change(at: Place, table: Table, keys: Mapping[str, Any], **values: Any) -> int:
    """How many rows of this locker with these keys got these values."""
    return at.sheet.change(table, {"locker": at.locker, **keys}, values)


def put(at: Place, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert or update one row of this locker."""
    at.sheet.put(table, {"locker": at.locker, **keys}, values)


def alarm(at: Place, kind: str, subject: str, detail: str) -> None:
    at.sheet.alarm(at.locker, Trouble(kind, subject, detail), at.now_ms)


def door(at: Place, number: int, **values: Any) -> None:
    put(at, t.COMPARTMENT, {"number": number}, values)


def blank(at: Place) -> None:
    """Nothing is known of any door just now."""
    change(at, t.COMPARTMENT, {}, position=Position.UNKNOWN.value, item=Presence.UNKNOWN.value)


def deposit(at: Place, key: str) -> Held:
    row = find(at, t.DEPOSIT, deposit=key)
    if row is None:
        raise CannotProject(f"deposit {key} was never reserved")
    return row


def advance(at: Place, key: str, phase: Phase, proof: str = "") -> Held:
    """Move a deposit on; the row as it was."""
    before = deposit(at, key)
    moved = {"phase": phase.value, "since_ms": at.stamp.wall_ms, "time_quality": at.stamp.quality}
    change(at, t.DEPOSIT, {"deposit": key}, proof=proof or before.proof, **moved)
    if before.item:
        item_is(at, before.item, phase.value if phase not in UNDONE else "announced")
    return before


def item_is(at: Place, item: str, state: str) -> None:
    at.sheet.later(_ITEM, {"of_item": item, "of_locker": at.locker, "as_state": state})


def free(at: Place, key: str, phase: Phase, proof: Proof) -> Held:
    before = advance(at, key, phase, proof.value)
    settled: dict[str, Any] = {} if proof is Proof.ASSUMED else {"doubt": ""}
    door(at, before.door, deposit="", **settled)
    return before


def end_authorisation(at: Place, authorisation: str, reason: str) -> None:
    """Also where another locker of the same area took the token."""
    at.sheet.later(
        _END,
        {"of_right": authorisation, "of_locker": at.locker, "as_reason": reason, "at_ms": at.now_ms},
    )


def _item(told: Any) -> UpdateBase:
    own = t.OUTGOING_ITEM.c
    named = [own.item == told.of_item, own.locker == told.of_locker]
    return t.OUTGOING_ITEM.update().where(*named).values(state=told.as_state)


def _end(told: Any) -> UpdateBase:
    own, here, near = t.AUTHORISATION.c, t.LOCKER.alias("here"), t.LOCKER.alias("near")
    area = select(near.c.locker).join(here, here.c.area == near.c.area).where(here.c.locker == told.of_locker)
    living = [own.authorisation == told.of_right, own.ended == "", own.locker.in_(area)]
    return t.AUTHORISATION.update().where(*living).values(ended=told.as_reason, ended_ms=told.at_ms)


_ITEM: Final = Change(_item, ["of_item"], of_item=TEXT, of_locker=TEXT, as_state=TEXT)
_END: Final = Change(_end, ["of_right"], of_right=TEXT, of_locker=TEXT, as_reason=TEXT, at_ms=BIG)
