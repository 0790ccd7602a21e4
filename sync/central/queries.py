"""What staff and integrators look at. Reads only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, func, select, true, union

from locker.domain.deposit import HELD
from sync.central.desk import Refusal, Refused, locker_row
from sync.central.notices import TRUSTED
from sync.central.presence import presence
from sync.central.tables import (
    ALARM,
    AUTHORISATION,
    COMPARTMENT,
    DEPOSIT,
    DESK_FACT,
    LEDGER,
    NOTICE,
    OUTGOING_ITEM,
    STREAM,
    TICKET,
)

HIDDEN: Final = ("digest", "sealed", "signature")
"""Parts of a fact that say nothing to a reader."""
LISTED_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Door:
    number: int
    cabinet: str
    size: str
    row: int
    column: int
    status: str
    position: str
    item: str
    doubt: str
    fault: str
    blocked: str
    barred: str
    case: str
    phase: str
    since_ms: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class Overview:
    locker: str
    area: str
    presence: str
    last_heard_ms: int
    software: str
    epoch: str
    head: int
    stored_to: int
    dn_head: int
    dn_stored_to: int
    doors: tuple[Door, ...]
    alarms: int
    held_notices: int
    dropped: Mapping[str, int]
    """Frames of ours that fitted no rule, since the locker's start."""
    snapshot: Mapping[str, Any]
    """What the locker last said of itself at a glance; empty before the first."""

    @property
    def unsynced(self) -> int:
        return max(0, self.head - self.stored_to)

    @property
    def untold(self) -> int:
        """State entries that the locker has not acknowledged yet."""
        return max(0, self.dn_head - self.dn_stored_to)

    def room(self) -> dict[str, dict[str, int]]:
        """For each size: doors, vacant, used (something lies or may lie in it), broken."""
        rooms: dict[str, dict[str, int]] = {}
        for door in self.doors:
            room = rooms.setdefault(door.size, {"doors": 0, "vacant": 0, "used": 0, "broken": 0})
            room["doors"] += 1
            kind = {"vacant": "vacant", "faulty": "broken", "out_of_service": "broken"}.get(
                door.status, "used"
            )
            room[kind] += 1
        return rooms


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a case's trail. ``at_ms`` is 0 where no clock could be trusted."""

    at_ms: int
    source: str
    """``centre`` or the locker's name."""
    kind: str
    detail: Mapping[str, Any]
    epoch: str = ""
    seq: int = 0
    actor: str = ""
    hash: str = ""
    # Of a locker's entry: its stamp, for what can be said of the time without a good clock.
    quality: str = ""
    boot: int = 0
    mono_ms: int = 0
    received_ms: int = 0
    problem: str = ""
    """Why the entry lies here raw."""


def overview(connection: Connection, locker: str, now_ms: int) -> Overview:
    """Raises Refused."""
    return _overview(connection, locker_row(connection, locker), now_ms)


def _overview(connection: Connection, row: Row[Any], now_ms: int) -> Overview:
    current = [STREAM.c.locker == row.locker, STREAM.c.epoch == row.epoch]
    stored_to = connection.execute(select(STREAM.c.stored_to).where(*current)).scalar() or 0
    held = [NOTICE.c.locker == row.locker, NOTICE.c.state.in_(["held", "due", "clerk"])]
    return Overview(
        locker=row.locker,
        area=row.area,
        presence=presence(row, now_ms).value,
        last_heard_ms=row.last_heard_ms,
        software=row.software,
        epoch=row.epoch,
        head=row.head,
        stored_to=stored_to,
        dn_head=row.dn_head,
        dn_stored_to=row.dn_stored_to,
        doors=tuple(_doors(connection, row.locker)),
        alarms=_count(
            connection, select(func.count()).select_from(ALARM).where(ALARM.c.locker == row.locker)
        ),
        held_notices=_count(connection, select(func.count()).select_from(NOTICE).where(*held)),
        dropped=json.loads(row.dropped),
        snapshot=json.loads(row.state_text or "{}"),
    )


def _count(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar_one())


def _doors(connection: Connection, locker: str) -> list[Door]:
    joined = COMPARTMENT.outerjoin(
        DEPOSIT, (DEPOSIT.c.locker == COMPARTMENT.c.locker) & (DEPOSIT.c.deposit == COMPARTMENT.c.deposit)
    )
    own, stay = COMPARTMENT.c, DEPOSIT.c
    query = (
        select(COMPARTMENT, stay.case_number, stay.phase, stay.since_ms, stay.overdue)
        .select_from(joined)
        .where(own.locker == locker)
        .order_by(own.cabinet, own.row, own.column, own.number)
    )
    rows = connection.execute(query).all()
    return [
        Door(
            number=row.number,
            cabinet=row.cabinet,
            size=row.size,
            row=row.row,
            column=row.column,
            status=_status(row),
            position=row.position,
            item=row.item,
            doubt=row.doubt,
            fault=row.fault,
            blocked=row.blocked,
            barred=row.barred,
            case=row.case_number or "",
            phase=row.phase or "",
            since_ms=row.since_ms or 0,
            overdue=bool(row.overdue),
        )
        for row in rows
        if row.configured or row.deposit
    ]


def _status(row: Row[Any]) -> str:
    """One word, in the order of `locker.domain.compartment.Compartment.status`."""
    if row.fault:
        return "faulty"
    if row.blocked or not row.configured:
        return "out_of_service"
    if row.doubt:
        return "to_check"
    if row.deposit:
        return "holding" if row.phase in {phase.value for phase in HELD} else "reserved"
    return "out_of_service" if row.barred else "vacant"


def alarms(connection: Connection, locker: str) -> Sequence[Row[Any]]:
    query = select(ALARM).where(ALARM.c.locker == locker).order_by(ALARM.c.last_ms.desc()).limit(LISTED_MAX)
    return connection.execute(query).all()


def tickets(connection: Connection, locker: str) -> Sequence[Row[Any]]:
    query = select(TICKET).where(TICKET.c.locker == locker)
    return connection.execute(
        query.order_by(TICKET.c.at_ms.desc(), TICKET.c.seq.desc()).limit(LISTED_MAX)
    ).all()


def cases(connection: Connection, limit: int, lockers: frozenset[str] | None = None) -> list[dict[str, Any]]:
    """The latest cases: number, service item, masked name, where its item lies. Of ``lockers`` only."""
    query = select(DESK_FACT.c.case_number, func.max(DESK_FACT.c.at_ms).label("at_ms"))
    if lockers is not None:
        there = [select(t.c.case_number).where(t.c.locker.in_(sorted(lockers))) for t in _OF_A_CASE]
        query = query.where(DESK_FACT.c.case_number.in_(union(*there)))
    query = query.group_by(DESK_FACT.c.case_number).order_by(func.max(DESK_FACT.c.at_ms).desc())
    rows = connection.execute(query.limit(limit)).all()
    return [_case(connection, row.case_number, row.at_ms, lockers) for row in rows]


_OF_A_CASE: Final = (AUTHORISATION, OUTGOING_ITEM, DEPOSIT)


def _case(connection: Connection, case: str, at_ms: int, lockers: frozenset[str] | None) -> dict[str, Any]:
    def those(table: Table) -> Select[Any]:
        mine = table.c.locker.in_(sorted(lockers)) if lockers is not None else true()
        return select(table).where(table.c.case_number == case, mine)

    stays = connection.execute(those(DEPOSIT).order_by(DEPOSIT.c.since_ms.desc())).all()
    named = (
        connection.execute(those(AUTHORISATION)).first() or connection.execute(those(OUTGOING_ITEM)).first()
    )
    stay = stays[0] if stays else None
    return {
        "case": case,
        "at_ms": at_ms,
        "service_item": named.service_item if named else "",
        "name": named.name if named else "",
        "phase": stay.phase if stay else "",
        "locker": stay.locker if stay else "",
        "door": stay.door if stay else 0,
    }


def ledger(connection: Connection, locker: str, epoch: str, after: int, limit: int) -> dict[str, Any]:
    """Rows after ``after`` of one epoch; "" for the latest one. Raises Refused."""
    locker_row(connection, locker)
    streams = select(STREAM).where(STREAM.c.locker == locker)
    chosen = streams.where(STREAM.c.epoch == epoch) if epoch else streams.order_by(STREAM.c.ordinal.desc())
    stream = connection.execute(chosen).first()
    if stream is None:
        return {"locker": locker, "epoch": epoch, "stored_to": 0, "hash": "", "mark": "", "rows": []}
    own = LEDGER.c
    query = select(own.epoch, own.seq, own.public, own.personal_digest, own.hash, own.problem).where(
        own.locker == locker, own.epoch == stream.epoch, own.seq > after
    )
    rows = connection.execute(query.order_by(own.seq).limit(limit)).all()
    return {
        "locker": locker,
        "epoch": stream.epoch,
        "stored_to": stream.stored_to,
        "hash": stream.hash,
        "mark": stream.mark,
        "rows": [dict(row._mapping) for row in rows],  # noqa: SLF001  # SQLAlchemy's public name for it
    }


def trail(connection: Connection, case: str) -> list[Step]:
    """Everything that is known of a case, in order. Raises Refused for a case nobody ever heard of."""
    facts = connection.execute(
        select(DESK_FACT).where(DESK_FACT.c.case_number == case).order_by(DESK_FACT.c.number)
    ).all()
    entries = connection.execute(
        select(LEDGER, STREAM.c.ordinal)
        .select_from(
            LEDGER.join(STREAM, (STREAM.c.locker == LEDGER.c.locker) & (STREAM.c.epoch == LEDGER.c.epoch))
        )
        .where(LEDGER.c.case_number == case)
        .order_by(LEDGER.c.locker, STREAM.c.ordinal, LEDGER.c.seq)
    ).all()
    if not facts and not entries:
        raise Refused(Refusal.UNKNOWN_CASE, f"nothing is known of case {case!r}")
    placed = [(fact.at_ms, 0, _desk_step(fact)) for fact in facts]
    # What began with a fact: later ones name the same right again.
    said_ms = {fact.reference: fact.at_ms for fact in reversed(facts)}
    latest: dict[str, int] = {}
    for number, row in enumerate(entries, 1):
        # A locker's entries keep their own order, whatever its clock said, and none comes before its cause.
        step, at_ms = _locker_step(row)
        known_ms = min(at_ms or row.received_ms, row.received_ms)
        caused_ms = said_ms.get(str(step.detail.get("authorisation") or step.detail.get("item")), 0)
        latest[row.locker] = max(latest.get(row.locker, 0), known_ms, caused_ms)
        placed.append((latest[row.locker], number, step))
    return [step for _, _, step in sorted(placed, key=lambda entry: entry[:2])]


def _desk_step(fact: Row[Any]) -> Step:
    detail = {"reference": fact.reference, **json.loads(fact.detail)}
    return Step(fact.at_ms, "centre", fact.kind, detail, actor=fact.actor)


def _locker_step(row: Row[Any]) -> tuple[Step, int]:
    """The step, and when it was by a clock that can be trusted (0: by none)."""
    body = json.loads(row.public)
    trusted = body.get("tq") in TRUSTED and isinstance(body.get("time"), int)
    at_ms = body["time"] if trusted else 0
    data = body.get("data", {})
    detail = {key: value for key, value in data.items() if not any(word in key for word in HIDDEN)}
    cause = str(body.get("cause", ""))
    step = Step(
        at_ms,
        row.locker,
        row.kind,
        detail,
        row.epoch,
        row.seq,
        cause,
        row.hash,
        quality=str(body.get("tq", "")),
        boot=int(body.get("boot", 0)),
        mono_ms=int(body.get("mono", 0)),
        received_ms=row.received_ms,
        problem=row.problem,
    )
    return step, at_ms
