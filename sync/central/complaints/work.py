"""A complaint moves on: what people do with it, what its applicant answers, what time does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from sync.central import messages, store
from sync.central.access import audit
from sync.central.access.actor import HUB
from sync.central.access.matrix import Action
from sync.central.complaints import policy, states
from sync.central.complaints.personal import blotted
from sync.central.complaints.policy import Category
from sync.central.complaints.register import APPLICANT
from sync.central.complaints.states import CALLS, CLOSED, Move, Objection, State
from sync.central.complaints.tables import COMPLAINT, COMPLAINT_STEP
from sync.central.desk import Desk, Refusal, Refused, note

NOTE_CHARACTERS_MAX: Final = 500
RESOLVED_TEMPLATE: Final = "complaint_resolved"
ESCALATED: Final = "escalate"
"""A step of the hub's own; it changes the level, not the state."""
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody wants to do. ``assignee``: for `Move.ASSIGN`, as in the journal: ``person:NAME``."""

    move: Move
    who: str
    note: str = ""
    assignee: str = ""


def make(connection: Connection, desk: Desk, row: Row[Any], step: Step) -> State:
    """The state after it. Raises Refused."""
    state, now_ms = State(row.state), desk.clock.wall_ms()
    days = call_days(connection, row, desk.utc_offset_minutes)
    no = states.objection(state, step.move, step.note, days, callable_=bool(row.contact_sealed))
    if no is not None:
        reason = Refusal.NOT_MOVABLE if no is Objection.NOT_NOW else _REFUSAL[no]
        raise Refused(reason, states.REMEDY[no])
    after = states.NEXT[state, step.move]
    said = blotted(step.note)[:NOTE_CHARACTERS_MAX]
    values = {"state": after.value} | _CHANGES[step.move](desk, row, step, said)
    store.change(connection, COMPLAINT, {"complaint": row.complaint}, values)
    write_step(connection, row.complaint, step.move, after, step.who, said, now_ms)
    if step.move is Move.RESOLVE:
        _ask(connection, desk, row, said)
    if row.case_number and step.move in _TOLD:
        _tell(connection, row, _TOLD[step.move], step.who, now_ms)
    return after


def answer(connection: Connection, desk: Desk, reference: str, *, satisfied: bool, text: str = "") -> State:
    """What the applicant says of it on their own page. Raises Refused."""
    row = store.find(connection, COMPLAINT, {"complaint": reference})
    if row is None:
        raise Refused(Refusal.UNKNOWN_COMPLAINT, "no such complaint")
    again = Move.REOPEN if State(row.state) in CLOSED else Move.OBJECT
    move = Move.SATISFY if satisfied else again
    said = text.strip() or "" if satisfied else text.strip() or "—"
    return make(connection, desk, row, Step(move, APPLICANT, said))


def call_days(connection: Connection, row: Row[Any], utc_offset_minutes: int) -> int:
    """On how many different days the applicant was called since it was opened, without their consent."""
    steps = COMPLAINT_STEP.c
    query = select(steps.at_ms).where(
        steps.complaint == row.complaint,
        steps.move.in_([move.value for move in CALLS]),
        steps.at_ms >= row.opened_ms,
        # What they said on their page is no call.
        steps.who != APPLICANT,
    )
    return len({policy.day_of(at_ms, utc_offset_minutes) for at_ms in connection.execute(query).scalars()})


def escalate(connection: Connection, desk: Desk) -> int:
    """Raise what was not done in time by one level; how many. Journaled as done by the hub."""
    now_ms = desk.clock.wall_ms()
    own = COMPLAINT.c
    late = (
        select(COMPLAINT).where(own.next_ms > 0, own.next_ms <= now_ms).order_by(own.next_ms).limit(AT_ONCE)
    )
    found = connection.execute(late).all()
    for row in found:
        level = row.level + 1
        onward = policy.after(now_ms, policy.NEXT_LEVEL_H, desk.utc_offset_minutes, desk.workdays)
        values = {"level": level, "next_ms": onward if level < policy.LEVELS_MAX else 0}
        store.change(connection, COMPLAINT, {"complaint": row.complaint}, values)
        write_step(connection, row.complaint, ESCALATED, State(row.state), HUB.who, str(level), now_ms)
    if found:
        raised = {"escalated": len(found), "first": found[0].complaint}
        audit.write(connection, now_ms, HUB, Action.WORK_TICKET, "complaints", raised)
    return len(found)


def forget(connection: Connection, now_ms: int) -> int:
    """Take number and name out of what ended long ago; out of how many."""
    own = COMPLAINT.c
    over = [own.closed_ms > 0, own.closed_ms < now_ms - policy.PERSONAL_AFTER_MS]
    named = (own.contact_sealed != "") | (own.name != "") | (own.phone != "")
    nobody = {"contact_sealed": "", "name": "", "phone": ""}
    return connection.execute(COMPLAINT.update().where(*over, named).values(nobody)).rowcount


def write_step(
    connection: Connection, complaint: str, move: str, state: State, who: str, said: str, now_ms: int
) -> None:
    steps = COMPLAINT_STEP.c
    last = connection.execute(select(func.max(steps.number)).where(steps.complaint == complaint)).scalar()
    connection.execute(
        COMPLAINT_STEP.insert().values(
            complaint=complaint,
            number=(last or 0) + 1,
            move=str(move),
            state=state.value,
            who=who,
            note=said,
            at_ms=now_ms,
        )
    )


def _ask(connection: Connection, desk: Desk, row: Row[Any], solution: str) -> None:
    """The applicant is asked whether it is solved; where no number is known a person has to find a way."""
    messages.say(
        connection,
        desk,
        template=RESOLVED_TEMPLATE,
        case=row.case_number,
        subject=row.complaint,
        contact_sealed=row.contact_sealed,
        variables={"complaint": row.complaint, "solution": solution},
        locker=row.locker,
    )


def _tell(connection: Connection, row: Row[Any], kind: str, who: str, now_ms: int) -> None:
    detail = {"category": row.category} | ({"locker": row.locker} if row.locker else {})
    note(connection, row.case_number, kind, row.complaint, who, now_ms, **detail)


# --- what each move changes --------------------------------------------------------------------------------

Change = Callable[[Desk, Row[Any], Step, str], dict[str, Any]]


def _due(desk: Desk, row: Row[Any], hours: int) -> dict[str, Any]:
    """A new deadline. The level stays: that it was late once is not undone."""
    due_ms = policy.after(desk.clock.wall_ms(), hours, desk.utc_offset_minutes, desk.workdays)
    return {"due_ms": due_ms, "next_ms": due_ms if row.level < policy.LEVELS_MAX else 0}


def _assigned(_desk: Desk, _row: Row[Any], step: Step, _said: str) -> dict[str, Any]:
    return {"assignee": step.assignee}


def _resolved(desk: Desk, row: Row[Any], _step: Step, said: str) -> dict[str, Any]:
    return _due(desk, row, policy.ASK_H) | {"solution": said, "resolved_ms": desk.clock.wall_ms()}


def _missed(desk: Desk, row: Row[Any], _step: Step, _said: str) -> dict[str, Any]:
    return _due(desk, row, policy.ASK_H)


def _objected(desk: Desk, row: Row[Any], _step: Step, _said: str) -> dict[str, Any]:
    return _due(desk, row, policy.LIMITS[Category(row.category)].hours)


def _closed(desk: Desk, _row: Row[Any], _step: Step, _said: str) -> dict[str, Any]:
    return {"due_ms": 0, "next_ms": 0, "closed_ms": desk.clock.wall_ms()}


def _reopened(desk: Desk, row: Row[Any], step: Step, said: str) -> dict[str, Any]:
    opened = {"assignee": "", "opened_ms": desk.clock.wall_ms(), "closed_ms": 0, "solution": ""}
    return _objected(desk, row, step, said) | opened


_CHANGES: Final[Mapping[Move, Change]] = MappingProxyType(
    {
        Move.ASSIGN: _assigned,
        Move.RESOLVE: _resolved,
        Move.SATISFY: _closed,
        Move.OBJECT: _objected,
        Move.MISS: _missed,
        Move.GIVE_UP: _closed,
        Move.REOPEN: _reopened,
        Move.REMARK: lambda *_: {},
    }
)
_TOLD: Final[Mapping[Move, str]] = MappingProxyType(
    {
        Move.RESOLVE: "complaint_resolved",
        Move.SATISFY: "complaint_satisfied",
        Move.GIVE_UP: "complaint_given_up",
        Move.REOPEN: "complaint_reopened",
    }
)
"""Moves that belong in the trail of the case."""
_REFUSAL: Final[Mapping[Objection, Refusal]] = MappingProxyType(
    {Objection.NOTE_LACKING: Refusal.NOTE_LACKING, Objection.TOO_FEW_CALLS: Refusal.TOO_FEW_CALLS}
)
