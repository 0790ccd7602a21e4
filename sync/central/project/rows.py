"""Where an entry stands, and how the rows it speaks of are found and changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from locker.domain.deposit import TENTATIVE, Phase, Proof
from locker.domain.entry import Stamp
from sync.central import store
from sync.central import tables as t


class CannotProject(Exception):
    """An entry speaks of something that no earlier entry named. It stays in the ledger, quarantined."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands."""

    connection: Connection
    locker: str
    epoch: str
    seq: int
    stamp: Stamp
    now_ms: int
    """The hub's own time: what rests on the locker's may rest on an unset clock."""


Apply = Mapping[type[Any], Callable[[Place, Any], None]]
"""Events to what each writes down."""


def find(at: Place, table: Table, **keys: Any) -> Row[Any] | None:
    return store.find(at.connection, table, {"locker": at.locker, **keys})


def change(at: Place, table: Table, keys: Mapping[str, Any], **values: Any) -> int:
    return store.change(at.connection, table, {"locker": at.locker, **keys}, values)


def door(at: Place, number: int, **values: Any) -> None:
    store.put(at.connection, t.COMPARTMENT, {"locker": at.locker, "number": number}, values)


def deposit(at: Place, key: str) -> Row[Any]:
    row = find(at, t.DEPOSIT, deposit=key)
    if row is None:
        raise CannotProject(f"deposit {key} was never reserved")
    return row


def advance(at: Place, key: str, phase: Phase, proof: str = "") -> Row[Any]:
    """Move a deposit on; the row as it was."""
    before = deposit(at, key)
    moved = {"phase": phase.value, "since_ms": at.stamp.wall_ms, "time_quality": at.stamp.quality}
    change(at, t.DEPOSIT, {"deposit": key}, proof=proof or before.proof, **moved)
    if before.item:
        states = {"item": before.item, "locker": at.locker}
        at.connection.execute(
            t.OUTGOING_ITEM.update().where(*(t.OUTGOING_ITEM.c[k] == v for k, v in states.items())),
            {"state": phase.value if phase not in TENTATIVE | {Phase.CANCELLED} else "announced"},
        )
    return before


def free(at: Place, key: str, phase: Phase, proof: Proof) -> Row[Any]:
    before = advance(at, key, phase, proof.value)
    settled: dict[str, Any] = {} if proof is Proof.ASSUMED else {"doubt": ""}
    door(at, before.door, deposit="", **settled)
    return before


def end_authorisation(at: Place, authorisation: str, reason: str) -> None:
    """Also where another locker of the same area took the token."""
    area = select(t.LOCKER.c.area).where(t.LOCKER.c.locker == at.locker).scalar_subquery()
    own = t.AUTHORISATION.c
    at.connection.execute(
        t.AUTHORISATION.update()
        .where(own.authorisation == authorisation, own.ended == "")
        .where(own.locker.in_(select(t.LOCKER.c.locker).where(t.LOCKER.c.area == area)))
        .values(ended=reason, ended_ms=at.now_ms)
    )
