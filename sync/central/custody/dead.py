"""A locker that cannot speak: what it holds by all that is known, and what became of each item.

Staff empty it mechanically. What they write down refers to the locker's facts and never edits them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select

from locker.domain.deposit import ENDED
from sync.central import desk as hub
from sync.central import histories, store
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.custody import fold
from sync.central.custody.parties import CARRIED, Difference, Kind, Resolved, Room
from sync.central.custody.tables import RESOLUTION
from sync.central.desk import Desk, Refusal, Refused
from sync.central.presence import presence
from sync.central.tables import AUTHORISATION, COMPARTMENT, DEPOSIT, LEDGER, OUTGOING_ITEM, STAFF, STREAM
from sync.central.windows import register

_ENDED = tuple(phase.value for phase in ENDED)


@dataclass(frozen=True, slots=True)
class Lies:
    """One deposit as the locker told it last, and what staff wrote down of it."""

    stay: Row[Any]
    name: str
    service_item: str
    doubt: str
    resolved: Row[Any] | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """As of ``told_ms``; the locker wrote ``unsynced`` more entries of which nothing is known here."""

    locker: str
    presence: str
    last_heard_ms: int
    epoch: str
    stored_to: int
    head: int
    told_ms: int
    """When the hub received the last entry; 0: none yet."""
    mark: str
    """Why its history here is not the whole one; empty while well."""
    lies: Sequence[Lies]
    doubted: Sequence[Row[Any]]
    """Doors behind which something may lie that no deposit speaks for."""

    @property
    def unsynced(self) -> int:
        return max(0, self.head - self.stored_to)


@dataclass(frozen=True, slots=True)
class Resolution:
    locker: str
    deposit: str
    outcome: Resolved
    whereto: str
    """The window or the locker that it goes to."""
    taken_by: str
    note: str


def holdings(connection: Connection, actor: Actor, locker: str, now_ms: int) -> Holdings:
    """Raises Refused."""
    row = scope.locker_row(connection, actor, locker)
    epoch, stored_to, _ = histories.in_force(connection, locker)
    stream = store.find(connection, STREAM, {"locker": locker, "epoch": epoch})
    entry = store.find(connection, LEDGER, {"locker": locker, "epoch": epoch, "seq": stored_to})
    return Holdings(
        locker=locker,
        presence=presence(row, now_ms).value,
        last_heard_ms=row.last_heard_ms,
        epoch=epoch,
        stored_to=stored_to,
        head=row.head,
        told_ms=entry.received_ms if entry else 0,
        mark=stream.mark if stream else "",
        lies=[_lies(connection, stay) for stay in _stays(connection, locker)],
        doubted=_doubted(connection, locker),
    )


def resolve(connection: Connection, desk: Desk, actor: Actor, said: Resolution) -> None:
    """A later one of the same deposit corrects the earlier, which stays. Raises Refused."""
    now_ms = desk.clock.wall_ms()
    row = scope.locker_row(connection, actor, said.locker)
    stay = store.find(connection, DEPOSIT, {"locker": said.locker, "deposit": said.deposit})
    if stay is None:
        raise Refused(Refusal.UNKNOWN_ITEM, "nothing of this name lies there")
    _require_fit(connection, said)
    if said.outcome is Resolved.TO_WINDOW:
        said = replace(said, whereto=register.named(connection, actor, Kind.WINDOW, said.whereto).place)
    epoch, stored_to, _ = histories.in_force(connection, said.locker)
    connection.execute(
        RESOLUTION.insert().values(
            locker=said.locker,
            deposit=said.deposit,
            door=stay.door,
            case_number=stay.case_number,
            outcome=said.outcome.value,
            whereto=said.whereto,
            taken_by=said.taken_by,
            note=said.note,
            who=actor.who,
            at_ms=now_ms,
            epoch=epoch,
            stored_to=stored_to,
            head=row.head,
        )
    )
    _move(connection, actor, said, stay, row.area, now_ms)
    to = register.called(connection).get(said.whereto, said.whereto)
    told = {"locker": said.locker, "outcome": said.outcome.value, "to": to}
    told = {name: value for name, value in told.items() if value}
    hub.note(
        connection,
        stay.case_number,
        "locker_emptied",
        said.deposit,
        actor.who,
        now_ms,
        door=stay.door,
        **told,
    )
    subject = f"{said.locker}/{said.deposit}"
    audit.write(connection, now_ms, actor, Action.RESOLVE_LOCKER, subject, told, reason=said.note)


def _require_fit(connection: Connection, said: Resolution) -> None:
    """Raises Refused."""
    if said.outcome not in CARRIED:
        return
    if store.find(connection, STAFF, {"staff": said.taken_by}) is None:
        raise Refused(Refusal.UNFIT, "say the staff number of who has taken it out")
    if not said.whereto:
        raise Refused(Refusal.UNFIT, "say which window or which locker it goes to")


def _move(
    connection: Connection, actor: Actor, said: Resolution, stay: Row[Any], area: str, now_ms: int
) -> None:
    thing = f"result/{stay.item}" if stay.item else f"papers/{said.locker}/{said.deposit}"
    of_case = {"case_number": stay.case_number, "area": area, "locker": said.locker}
    if said.outcome in CARRIED:
        helper = (Kind.HELPER, said.taken_by)
        fold.place(connection, thing, helper, now_ms, confirmed=False, **of_case)
    elif said.outcome is Resolved.TO_RECIPIENT:
        fold.place(connection, thing, (Kind.RECIPIENT, ""), now_ms, confirmed=True, **of_case)
    elif said.outcome is Resolved.MISSING:
        about = of_case | {"thing": thing, "door": stay.door, "said": said.note}
        about |= {"found_by": actor.who, "at_ms": now_ms}
        fold.differ(connection, Room.LOCKER, Difference.LOST_AT_LOCKER, **about)


def _stays(connection: Connection, locker: str) -> Sequence[Row[Any]]:
    own = DEPOSIT.c
    query = select(DEPOSIT).where(own.locker == locker, own.phase.not_in(_ENDED))
    return connection.execute(query.order_by(own.door, own.deposit)).all()


def _lies(connection: Connection, stay: Row[Any]) -> Lies:
    named = store.find(connection, AUTHORISATION, {"authorisation": stay.authorisation})
    if stay.item:
        named = store.find(connection, OUTGOING_ITEM, {"item": stay.item})
    door = store.find(connection, COMPARTMENT, {"locker": stay.locker, "number": stay.door})
    own = RESOLUTION.c
    query = select(RESOLUTION).where(own.locker == stay.locker, own.deposit == stay.deposit)
    resolved = connection.execute(query.order_by(own.number.desc()).limit(1)).first()
    return Lies(
        stay,
        named.name if named else "",
        named.service_item if named else "",
        door.doubt if door else "",
        resolved,
    )


def _doubted(connection: Connection, locker: str) -> Sequence[Row[Any]]:
    own = COMPARTMENT.c
    query = select(COMPARTMENT).where(own.locker == locker, own.doubt != "", own.deposit == "")
    return connection.execute(query.order_by(own.number)).all()
